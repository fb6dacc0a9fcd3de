// Complete covers half of handwritten digits and lets a restricted Boltzmann machine
// draw it again.
package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"gonum.org/v1/gonum/mat"
)

// The files in the folder of -out, beside the checkpoint.
const (
	pictureFile = "completions.png"
	movieFile   = "chains.gif"
)

const (
	judged = 1000 // test digits
	shown  = 10   // of these
)

func main() { cli.Main("complete", parse, run) }

// run trains a model, or takes one that is there, and completes test digits.
func run(o options, w io.Writer) error {
	train, test, err := idx.Images(o.data)
	if err != nil {
		return err
	}
	n, _ := train.Images.Dims()
	if o.rows > n {
		return fmt.Errorf("-rows is %d, but there are %d training rows", o.rows, n)
	}
	if o.rows > 0 {
		train.Images = train.Images.Slice(0, o.rows)
	}
	dir, err := keep.Open(o.out, "complete", pictureFile, movieFile)
	if err != nil {
		return err
	}
	m, err := model(o, train, dir, w)
	if err != nil {
		return err
	}
	n, _ = test.Images.Dims()
	digits := test.Images.Slice(0, min(n, judged))
	observed := cover(o.cover)
	means := complete(m, digits, observed, o)
	print(w, o, digits, observed, []prediction{
		{"the same for all: means of the training rows", columnMeans(train.Images)},
		{fmt.Sprintf("mean of the %d nearest training rows", neighbors), nearest(train.Images, digits, observed)},
		{"the model's mean given the rest", means},
	})
	if err := writePictures(dir, m, digits.Slice(0, min(n, shown)), observed, means, o); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: test digits, what is left of them, %d completions, and their mean\n%s: the chains that draw them, sweep by sweep\n",
		dir.Path(pictureFile), completions, dir.Path(movieFile))
	return nil
}

// model returns the model of the checkpoint, or else a new one, which it saves.
func model(o options, train idx.Set, dir keep.Folder, w io.Writer) (*rbm.RBM, error) {
	n, _ := train.Images.Dims()
	settings := keep.Settings{
		{"-hidden", o.hidden},
		{"-epochs", o.epochs},
		{"-rows", n},
		{"-seed", o.seed},
		{"training images of checksum", fmt.Sprintf("%08x", train.CRC)},
	}
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(idx.Pixels, o.hidden, 0.01, src)
	if !o.fresh {
		found, err := dir.Load(settings, m)
		if err != nil {
			return nil, err
		}
		if found {
			fmt.Fprintf(w, "the model of %s\n", dir.Path(keep.Checkpoint))
			return m, nil
		}
	}
	m.FitVisibleBias(train.Images)
	fmt.Fprintf(w, "%d training rows, %d hidden units, PCD-1\n\nepoch   pseudo-log-likelihood    rows/s\n", n, o.hidden)
	t := rbm.NewTrainer(m, train.Images, rbm.NewPCD(100, 1, src), src)
	t.Schedule = rbm.Linear(0.05, 0, o.epochs*((n+t.BatchSize-1)/t.BatchSize))
	t.OnReport = func(r rbm.Report) error {
		fmt.Fprintf(w, "%5d %23.2f %9.0f\n", r.Epoch, r.PseudoLogLikelihood, r.RowsPerSecond)
		return nil
	}
	if err := t.Train(context.Background(), o.epochs); err != nil {
		return nil, err
	}
	return m, dir.Save(settings, m)
}

// complete returns the means of the pixels given those that are observed, over
// chains that have gone some way.
func complete(m *rbm.RBM, digits, observed *rbm.Bits, o options) *mat.Dense {
	c := rbm.NewChains(rand.NewPCG(o.seed, 1))
	c.StartGiven(m, digits, observed)
	c.GibbsGiven(m, o.sweeps, observed)
	return c.MeansGiven(nil, m, 4*o.sweeps, observed)
}
