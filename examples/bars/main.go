// Bars trains the same small restricted Boltzmann machine on bars and stripes
// with five samplers and prints the exact log-likelihood of each as it goes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"gonum.org/v1/gonum/mat"
)

const (
	side   = 4   // pictures of 4×4 pixels
	chains = 100 // of PT and PTT
	levels = 10  // temperatures of PT
	lines  = 20  // of the table, about
)

func main() {
	cli.Main("bars", parse, func(o options, w io.Writer) error {
		run(o, w)
		return nil
	})
}

type options struct {
	hidden  int
	updates int
	rate    float64
	seed    uint64
}

const about = `Bars trains the same model on bars and stripes of 4×4 pixels by CD-1, CD-10 and
PCD-1 at a constant rate and by PT and PTT at a falling one, and prints the exact
log-likelihood of each.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bars", flag.ContinueOnError)
	f.IntVar(&o.hidden, "hidden", 16, "number of hidden units, 1 to 64")
	f.IntVar(&o.updates, "updates", 20000, "number of updates")
	f.Float64Var(&o.rate, "rate", 0.1, "learning rate, up to 10; PT and PTT start from half of it")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the first model and of the samplers")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	switch {
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
	data := barsAndStripes(side)
	n, nv := data.Dims()
	src := rand.NewPCG(o.seed, 0)
	start := rbm.NewRandom(nv, o.hidden, 0.5, src)
	constant, falling := rbm.Constant(o.rate), rbm.Linear(o.rate/2, 0, o.updates)
	learners := []*learner{
		{name: "CD-1", sampler: rbm.NewCD(1, src), rate: constant},
		{name: "CD-10", sampler: rbm.NewCD(10, src), rate: constant},
		{name: "PCD-1", sampler: rbm.NewPCD(n, 1, src), rate: constant},
		{name: "PT", sampler: rbm.NewPT(chains, 1, levels, src), rate: falling, centering: new(rbm.Centering)},
		{name: "PTT", sampler: rbm.NewPTT(chains, 1, nil, src), rate: falling, centering: new(rbm.Centering)},
	}
	fmt.Fprintf(w, "mean log-likelihood of bars and stripes, nats; %d visible, %d hidden units\n\nupdates", nv, o.hidden)
	for _, l := range learners {
		l.model = start.Clone()
		fmt.Fprintf(w, "%10s", l.name)
	}
	fmt.Fprintln(w)

	every := (o.updates + lines - 1) / lines
	for update := range o.updates + 1 {
		for _, l := range learners {
			if update > 0 {
				l.step(update-1, data)
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
	name      string
	model     *rbm.RBM
	sampler   rbm.Sampler
	rate      rbm.Schedule
	centering *rbm.Centering // or nil: the ordinary gradient
	gradient  rbm.Gradient
	sgd       rbm.SGD

	best, last float64 // log-likelihoods that were noted
	bestUpdate int
}

// step makes update number n, from 0 on, with all of data.
func (l *learner) step(n int, data *rbm.Bits) {
	l.model.Gradient(&l.gradient, data, l.sampler)
	if l.centering != nil {
		l.centering.Center(&l.gradient)
	}
	l.sgd.Rate = l.rate(n)
	l.sgd.Step(l.model, &l.gradient)
	if pt, ok := l.sampler.(*rbm.PT); ok && n%1000 == 999 {
		pt.Adapt()
	}
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
	fmt.Fprintln(w, "The bound is minus the entropy of the data: no model can be above it. All began")
	fmt.Fprintln(w, "as the same model and saw all pictures in each update. CD and PCD climb the")
	fmt.Fprintln(w, "ordinary gradient at a constant rate; PT, of ten temperatures, and PTT climb the")
	fmt.Fprintln(w, "centered one at a rate that starts with half as much and falls to 0.")
	fmt.Fprintln(w)
	for _, l := range learners {
		fmt.Fprintf(w, "%-6s ended %.2f nats below the bound", l.name, bound-l.last)
		if l.last < l.best {
			fmt.Fprintf(w, ", %.2f below its best, which it had after %d updates", l.best-l.last, l.bestUpdate)
		}
		fmt.Fprintln(w, ".")
	}
}

// barsAndStripes returns every picture of horizontal or vertical lines. Blank and
// full are both, and so come twice.
func barsAndStripes(side int) *rbm.Bits {
	patterns := 1 << side
	data := rbm.NewBits(2*patterns, side*side)
	for pattern := range patterns {
		for i := range side * side {
			data.SetBit(2*pattern, i, pattern>>(i/side)&1 == 1)
			data.SetBit(2*pattern+1, i, pattern>>(i%side)&1 == 1)
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
