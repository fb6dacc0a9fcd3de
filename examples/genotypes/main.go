// Genotypes simulates haplotypes of two populations, trains a restricted Boltzmann machine
// on them, and asks whether its samples are new haplotypes of the same kind: by the linkage
// of sites, by nearest neighbors, and by their first principal components.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/compare"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
)

const program output.Program = "genotypes"

const (
	rareAllele = 0.05 // least share of the rarer allele at a site
	farthest   = 100  // sites apart, of the linkage that is shown
	sweeps     = 2000 // Gibbs sweeps from random states to a sample
	rate       = 0.03 // at first; a larger one is faster than the chains of PCD
)

type options struct {
	sites, size, generations int
	hidden, epochs           int
	seed                     uint64
	out                      string
}

const about = `Genotypes simulates haplotypes of two populations that exchange migrants, trains a
restricted Boltzmann machine on them, and compares its samples with haplotypes of the test.
The picture carries the mark of this program; an existing file without it is never
overwritten.

Flags:
`

func main() { cli.Main(string(program), parse, run) }

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("genotypes", flag.ContinueOnError)
	f.IntVar(&o.sites, "sites", 805, "number of sites with a common variant, at least 2")
	f.IntVar(&o.size, "size", 2500, "haplotypes of each of the two populations, at least 50")
	f.IntVar(&o.generations, "generations", 2000, "generations to simulate")
	f.IntVar(&o.hidden, "hidden", 500, "number of hidden units, at least 1")
	f.IntVar(&o.epochs, "epochs", 300, "passes over the training rows, at least 1")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
	f.StringVar(&o.out, "out", "genotypes.png", "PNG `file` to write")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	switch {
	case o.sites < 2:
		return o, fmt.Errorf("-sites is %d, want at least 2", o.sites)
	case o.size < 50:
		return o, fmt.Errorf("-size is %d, want at least 50", o.size)
	case o.generations < 0:
		return o, fmt.Errorf("-generations is %d, want at least 0", o.generations)
	case o.hidden < 1:
		return o, fmt.Errorf("-hidden is %d, want at least 1", o.hidden)
	case o.epochs < 1:
		return o, fmt.Errorf("-epochs is %d, want at least 1", o.epochs)
	}
	return o, output.CheckPNGName(o.out)
}

// run simulates, trains, samples and compares.
func run(o options, w io.Writer) error {
	if err := program.CheckPNG(o.out); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	train, valid, test, err := simulate(o)
	if err != nil {
		return err
	}
	n, _ := train.Dims()
	held, _ := valid.Dims()
	tested, _ := test.Dims()
	fmt.Fprintf(w, "%d sites; %d haplotypes to train on, %d to choose the model by, %d for the test\n\n", o.sites, n, held, tested)
	m, err := fit(train, valid, o, w)
	if err != nil {
		return err
	}
	chains := rbm.NewChains(rand.NewPCG(o.seed, 2))
	chains.StartRandom(m, tested)
	chains.Gibbs(m, sweeps)
	rnd := rand.New(rand.NewPCG(o.seed, 3))
	training := choose(train, rnd.Perm(n)[:min(n, tested)], all(o.sites))
	samples := []sample{
		{"haplotypes of the test", test},
		{"samples of the RBM", chains.Visible()},
		{"independent sites", independentRows(training, rnd)},
	}
	describe(w, training, samples)
	png, err := paint(samples)
	if err != nil {
		return err
	}
	if err := program.WritePNG(o.out, png); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "\n%s: linkage, and principal components\n", o.out)
	return nil
}

// simulate returns haplotypes to train on, three fifths of all, to choose a model by, and for
// the test.
func simulate(o options) (train, valid, test *rbm.Bits, err error) {
	rnd := rand.New(rand.NewPCG(o.seed, 1))
	p := population{sites: 7 * o.sites, demes: 2, size: o.size, crossovers: 0.3, migration: 0.001}
	rows := p.evolve(o.generations, rnd)
	sites := common(rows, o.sites, rareAllele)
	if sites == nil {
		return nil, nil, nil, fmt.Errorf("fewer than %d sites have a common variant after %d generations", o.sites, o.generations)
	}
	n := p.demes * p.size
	order := rnd.Perm(n)
	a, b := n*3/5, n*4/5
	return choose(rows, order[:a], sites), choose(rows, order[a:b], sites), choose(rows, order[b:], sites), nil
}

// all returns the numbers below n.
func all(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// fit returns the model that is best on the validation rows.
func fit(train, valid *rbm.Bits, o options, w io.Writer) (*rbm.RBM, error) {
	n, _ := train.Dims()
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(o.sites, o.hidden, 0.01, src)
	m.FitVisibleBias(train)
	t := rbm.NewTrainer(m, train, rbm.NewPCD(100, 1, src), src)
	t.Schedule = rbm.Linear(rate, 0, o.epochs*((n-1)/t.BatchSize+1))
	t.Single = true
	t.HeldOut = valid
	t.ReportEvery = ((n-1)/t.BatchSize + 1) * ((o.epochs-1)/10 + 1)
	var best rbm.Report
	t.OnReport = func(r rbm.Report) error {
		if r.Best {
			best = r
		}
		return nil
	}
	if err := t.Train(context.Background(), o.epochs); err != nil {
		return nil, err
	}
	independent := rbm.New(o.sites, 1)
	independent.FitVisibleBias(train)
	var sum float64
	for _, x := range independent.PseudoLogLikelihood(nil, valid) {
		sum += x
	}
	held, _ := valid.Dims()
	fmt.Fprintf(w, "pseudo-log-likelihood of the validation rows: %.1f nats at epoch %d, independent sites %.1f\n",
		best.HeldOutPseudoLogLikelihood, best.Epoch, sum/float64(held))
	return t.Best(), nil
}

// A sample is rows to compare.
type sample struct {
	name string
	rows *rbm.Bits
}

// describe prints how each sample compares with as many rows of the training.
func describe(w io.Writer, training *rbm.Bits, samples []sample) {
	want := linkage(training, farthest)
	x := frequencies(training)
	fmt.Fprintf(w, "\n%-24s %10s %28s %26s\n", "beside training rows", "frequency", "linkage r² of sites apart", "nearest neighbors")
	fmt.Fprintf(w, "%-24s %10s %9s %8s %9s %26s\n", "", "difference", "1", "10", "100", "AATS (truth, synthetic)")
	fmt.Fprintf(w, "%-24s %10s %9.3f %8.3f %9.3f\n", "training rows", "", want[0], want[min(9, len(want)-1)], want[len(want)-1])
	for _, s := range samples {
		var difference float64
		for i, y := range frequencies(s.rows) {
			difference += math.Abs(x[i]-y) / float64(len(x))
		}
		r2 := linkage(s.rows, farthest)
		a := compare.AdversarialAccuracy(training, s.rows)
		fmt.Fprintf(w, "%-24s %10.3f %9.3f %8.3f %9.3f %10.3f (%.3f, %.3f)\n", s.name, difference,
			r2[0], r2[min(9, len(r2)-1)], r2[len(r2)-1], a.Accuracy, a.Truth, a.Synthetic)
	}
}
