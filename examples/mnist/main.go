// Mnist trains a restricted Boltzmann machine on all of MNIST, says how likely it
// makes the digits, and draws learning curves, filters and samples. It can be
// stopped at any time and goes on from where it was.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"github.com/gorbm/rbm/monitor"
	"github.com/gorbm/rbm/monitor/plot"
	"gonum.org/v1/gonum/mat"
)

const (
	annealingRuns = 100  // of annealed importance sampling, from either side
	sweeps        = 1000 // of Gibbs sampling, before samples are shown
)

// The files in the folder of -out, beside the checkpoint.
const (
	historyFile = "history.csv"
	curvesFile  = "curves.png"
	filtersFile = "filters.png"
	samplesFile = "samples.png"
)

func main() {
	o, err := parse(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		cli.Fail("mnist", 2, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	switch err := run(ctx, o, os.Stdout); {
	case errors.Is(err, context.Canceled):
		how := "the same command goes on from there"
		if o.fresh {
			how = "without -fresh " + how
		}
		cli.Fail("mnist", 130, errors.New("stopped; "+how))
	case err != nil:
		cli.Fail("mnist", 1, err)
	}
}

// run trains a model, judges it and draws it. If ctx is canceled, it saves what is
// done and returns the error of ctx.
func run(ctx context.Context, o options, w io.Writer) error {
	d, err := load(o)
	if err != nil {
		return err
	}
	dir, err := keep.Open(o.out, "mnist", historyFile, curvesFile, filtersFile, samplesFile)
	if err != nil {
		return err
	}
	t, err := begin(o, d, dir, w)
	if err != nil {
		return err
	}
	bar := monitor.NewBar(w, t.trainer.Steps(), t.steps(o.epochs))
	err = t.run(ctx, bar, bar.Reach)
	bar.Close()
	if err := errors.Join(err, t.drawCurves()); err != nil {
		return err
	}
	if t.trainer.Epochs() < o.epochs {
		fmt.Fprintf(w, "\nno better model in %d epochs: the best one stays\n", o.patience)
	}
	if err := judge(ctx, t.trainer.Model, d, o, w); err != nil {
		return err
	}
	if err := t.draw(dir, d); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: %s\n", o.out, strings.Join([]string{keep.Checkpoint, historyFile, curvesFile, filtersFile, samplesFile}, ", "))
	return nil
}

// begin starts a training or takes one up, and says so.
func begin(o options, d data, dir keep.Folder, w io.Writer) (*training, error) {
	t := newTraining(o, d, dir)
	ntrain, _ := d.train.Dims()
	nheld, _ := d.held.Dims()
	fmt.Fprintf(w, "%d training rows and %d %s rows of %d×%d pixels, %d hidden units, %s-%d, batches of %d\n",
		ntrain, nheld, o.heldName(), idx.Side, idx.Side, o.hidden, strings.ToUpper(o.sampler), o.k, o.batch)
	if o.fresh { // nothing of an earlier training may be taken for this one's
		if err := os.Remove(dir.Path(historyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := t.save(); err != nil {
			return nil, err
		}
	} else {
		found, err := t.resume()
		if err != nil {
			return nil, err
		}
		if found {
			fmt.Fprintf(w, "%s (%d steps)\n", keep.Progress(dir.Path(keep.Checkpoint), t.trainer.Epochs(), o.epochs, "epochs"), t.trainer.Steps())
		}
	}
	fmt.Fprintf(w, "(pseudo-)log-likelihoods are in nats a row; held out are %s rows\n\n", o.heldName())
	return t, nil
}

// judge prints the log-likelihood of test and training rows, and whether to believe
// it. One estimate of log Z serves both.
func judge(ctx context.Context, m *rbm.RBM, d data, o options, w io.Writer) error {
	ais := rbm.NewAIS(annealingRuns, o.ais, rand.NewPCG(o.seed, 1))
	bar := monitor.NewBar(w, 0, 100)
	ais.Progress = func(done, total int) { bar.Reach(100 * done / total) }
	l, err := m.LogLikelihood(ctx, d.test, ais)
	bar.Close()
	if err != nil {
		return err
	}
	ahead := m.FreeEnergyGap(d.train, d.test)
	fmt.Fprintf(w, "\nlog-likelihood of a test row: %v\n", l)
	fmt.Fprintf(w, "log-likelihood of a training row: %.2f nats, by the same log Z\n", l.Mean+ahead)
	return nil
}

// drawCurves draws the reports of the table.
func (t *training) drawCurves() error {
	reports, err := t.reports()
	if err != nil {
		return err
	}
	o := t.o
	title := fmt.Sprintf("%d hidden units, %s-%d, batches of %d; held out: %s rows", o.hidden, strings.ToUpper(o.sampler), o.k, o.batch, o.heldName())
	return t.dir.Write(curvesFile, func(w io.Writer) error { return plot.Curves(w, title, reports) })
}

// reports returns those of the table.
func (t *training) reports() ([]rbm.Report, error) {
	f, err := os.Open(t.dir.Path(historyFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return monitor.ReadCSV(f)
}

// draw draws the filters of the model, and samples of it.
func (t *training) draw(dir keep.Folder, d data) error {
	m := t.trainer.Model
	filters, limit := strongest(m.W)
	err := dir.Write(filtersFile, func(w io.Writer) error { return writeTiles(w, filters, diverging(limit)) })
	if err != nil {
		return err
	}
	n, _ := d.test.Dims()
	start, _ := t.trainer.Sampler.Sample(m, d.test.Slice(0, min(n, tiles)))
	samples := sample(m, start, rand.NewPCG(t.o.seed, 2))
	return dir.Write(samplesFile, func(w io.Writer) error { return writeTiles(w, samples, sheet.Ink) })
}

// sample returns the pixels' probabilities at the end of chains of m.
func sample(m *rbm.RBM, start mat.Matrix, src rand.Source) *mat.Dense {
	chains := rbm.NewChains(src)
	chains.Start(start)
	chains.Gibbs(m, sweeps)
	return m.VisibleProbs(nil, m.HiddenProbs(nil, chains.Visible()))
}
