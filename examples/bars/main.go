// Bars trains the same small restricted Boltzmann machine on bars and stripes
// with four samplers and prints the exact log-likelihood of each as it goes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

const (
	side   = 4  // pictures of 4×4 pixels
	copies = 16 // of each picture in the batch, to average out the noise of sampling
	lines  = 20 // of the table, about
)

func main() {
	o, err := parse(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bars:", err)
		os.Exit(2)
	default:
		run(o, os.Stdout)
	}
}

type options struct {
	hidden  int
	updates int
	rate    float64
	seed    uint64
}

const about = `Bars trains the same model on bars and stripes of 4×4 pixels by exact gradient,
CD-1, CD-10 and PCD-1, and prints the exact log-likelihood of each.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bars", flag.ContinueOnError)
	f.IntVar(&o.hidden, "hidden", 16, "number of hidden units, 1 to 64")
	f.IntVar(&o.updates, "updates", 1500, "number of updates")
	f.Float64Var(&o.rate, "rate", 0.25, "learning rate, up to 10")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the first model and of the samplers")

	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, about)
		f.SetOutput(help)
		f.PrintDefaults()
	}
	switch {
	case err != nil:
		return o, err
	case f.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.hidden < 1 || o.hidden > 64:
		return o, fmt.Errorf("-hidden is %d, want 1 to 64", o.hidden)
	case o.updates < 1:
		return o, fmt.Errorf("-updates is %d, want at least 1", o.updates)
	case !(o.rate > 0 && o.rate <= 10):
		return o, fmt.Errorf("-rate is %v, want more than 0 and at most 10", o.rate)
	}
	return o, nil
}

// run trains a model with each sampler, side by side.
func run(o options, w io.Writer) {
	data := barsAndStripes(side, copies)
	n, nv := data.Dims()
	src := rand.NewPCG(o.seed, 0)
	start := rbm.NewRandom(nv, o.hidden, 0.5, src)
	learners := []*learner{
		{name: "exact", sampler: &rbm.Exact{}},
		{name: "CD-1", sampler: rbm.NewCD(1, src)},
		{name: "CD-10", sampler: rbm.NewCD(10, src)},
		{name: "PCD-1", sampler: rbm.NewPCD(n, 1, src)},
	}
	fmt.Fprintf(w, "mean log-likelihood of bars and stripes, nats; %d visible, %d hidden units\n\nupdates", nv, o.hidden)
	for _, l := range learners {
		l.model = start.Clone()
		l.sgd.Rate = o.rate
		fmt.Fprintf(w, "%10s", l.name)
	}
	fmt.Fprintln(w)

	every := (o.updates + lines - 1) / lines
	for update := range o.updates + 1 {
		for _, l := range learners {
			if update > 0 {
				l.step(data)
			}
		}
		if update%every == 0 || update == o.updates {
			fmt.Fprintf(w, "%7d", update)
			for _, l := range learners {
				fmt.Fprintf(w, "%10.4f", l.note(update, data))
			}
			fmt.Fprintln(w)
		}
	}
	explain(w, learners, bound(data))
}

// A learner is a model in training.
type learner struct {
	name     string
	model    *rbm.RBM
	sampler  rbm.Sampler
	gradient rbm.Gradient
	sgd      rbm.SGD

	best, last float64 // log-likelihoods that were noted
	bestUpdate int
}

func (l *learner) step(data *rbm.Bits) {
	l.model.Gradient(&l.gradient, data, l.sampler)
	l.sgd.Step(l.model, &l.gradient)
}

// note takes down the log-likelihood reached so far, and returns it.
func (l *learner) note(update int, data *rbm.Bits) float64 {
	likelihood, err := l.model.LogLikelihood(context.Background(), data, nil) // exact for so few units
	if err != nil {
		panic(err) // the data are bits and nobody cancels
	}
	l.last = likelihood.Mean
	if update == 0 || l.last > l.best {
		l.best, l.bestUpdate = l.last, update
	}
	return l.last
}

// explain says in words what the table shows.
func explain(w io.Writer, learners []*learner, bound float64) {
	fmt.Fprintf(w, "  bound%10.4f\n\n", bound)
	fmt.Fprintln(w, "The bound is minus the entropy of the data: no model can be above it.")
	fmt.Fprintln(w, "All four began as the same model and made the same number of steps at the same")
	fmt.Fprintln(w, "rate. Only exact climbs the gradient of what the table shows; the others climb")
	fmt.Fprintln(w, "an estimate of it.")
	fmt.Fprintln(w)
	for _, l := range learners {
		fmt.Fprintf(w, "%-6s ended %.2f nats below the bound", l.name, bound-l.last)
		if l.last < l.best {
			fmt.Fprintf(w, ", %.2f below its best, which it had after %d updates", l.best-l.last, l.bestUpdate)
		}
		fmt.Fprintln(w, ".")
	}
}

// barsAndStripes returns every picture of horizontal or vertical lines, several
// times. Blank and full are both, and so come twice as often.
func barsAndStripes(side, copies int) *rbm.Bits {
	patterns := 1 << side
	data := rbm.NewBits(2*patterns*copies, side*side)
	rows, _ := data.Dims()
	for r := range rows {
		pattern, vertical := r/2%patterns, r%2 == 1
		for i := range side * side {
			line := i / side
			if vertical {
				line = i % side
			}
			data.SetBit(r, i, pattern>>line&1 == 1)
		}
	}
	return data
}

// bound returns the mean log-likelihood of the rows of data under the model that
// gives each row the probability with which it occurs: minus their entropy.
func bound(data *rbm.Bits) float64 {
	n, _ := data.Dims()
	key := func(r int) string { return fmt.Sprint(mat.Row(nil, r, data)) }
	count := make(map[string]int)
	for r := range n {
		count[key(r)]++
	}
	var sum float64
	for r := range n {
		sum += math.Log(float64(count[key(r)]) / float64(n))
	}
	return sum / float64(n)
}
