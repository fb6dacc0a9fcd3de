// Ising trains restricted Boltzmann machines on states of the two-dimensional Ising model
// below, at and above its critical temperature, and compares energies, magnetizations and
// couplings.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/compare"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
	"github.com/gorbm/rbm/mcmc"
	"github.com/gorbm/rbm/spin"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const program output.Program = "ising"

const (
	batchSize = 250
	chains    = 500   // of PCD, or half as many of PTT
	samples   = 10000 // chains of the model, one sample each
	compared  = 1000  // of them with states of the lattice
	runs      = 100   // of annealed importance sampling
)

var (
	temperatures = []float64{2, 2.27, 3}      // to learn at
	critical     = math.Log(1+math.Sqrt2) / 2 // β of the infinite lattice (Onsager, 1944): T = 2.2692
)

func main() { cli.Main(string(program), parse, run) }

type options struct {
	side, rows, hidden, epochs int
	rate                       float64
	sweeps                     int
	seed                       uint64
	out                        string
}

const about = `Ising trains restricted Boltzmann machines on states of the two-dimensional Ising
model, and compares energies, magnetizations and couplings of both. The picture
carries the mark of this program in a PNG text chunk; an existing file without it is
never overwritten unless it is empty.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("ising", flag.ContinueOnError)
	f.IntVar(&o.side, "side", 6, "side of the lattice, 3 to 16")
	f.IntVar(&o.rows, "rows", 100000, "states to train on, at least 1000")
	f.IntVar(&o.hidden, "hidden", 72, "number of hidden units, 1 to 1000")
	f.IntVar(&o.epochs, "epochs", 24, "passes over the states")
	f.Float64Var(&o.rate, "rate", 1, "first learning rate, up to 10, which falls to 0")
	f.IntVar(&o.sweeps, "sweeps", 500, "Gibbs sweeps of each sample, at least 1")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
	f.StringVar(&o.out, "out", "ising.png", "PNG `file` to write")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	switch {
	case o.side < 3 || o.side > 16:
		return o, fmt.Errorf("-side is %d, want 3 to 16", o.side)
	case o.rows < 1000:
		return o, fmt.Errorf("-rows is %d, want at least 1000", o.rows)
	case o.hidden < 1 || o.hidden > 1000:
		return o, fmt.Errorf("-hidden is %d, want 1 to 1000", o.hidden)
	case o.epochs < 1:
		return o, fmt.Errorf("-epochs is %d, want at least 1", o.epochs)
	case !(o.rate > 0 && o.rate <= 10):
		return o, fmt.Errorf("-rate is %v, want more than 0 and at most 10", o.rate)
	case o.sweeps < 1:
		return o, fmt.Errorf("-sweeps is %d, want at least 1", o.sweeps)
	}
	return o, output.CheckPNGName(o.out)
}

// run trains a model at each temperature, prints how it compares and draws it.
func run(o options, w io.Writer) error {
	if err := program.CheckPNG(o.out); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "%d×%d spins, %d states to train on, %d hidden units\n", o.side, o.side, o.rows, o.hidden)
	var results []result
	for k, t := range temperatures {
		fmt.Fprintf(w, "training at T = %.2f\n", t)
		r, err := study(o, lattice{o.side, 1 / t}, uint64(k))
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	table(w, results)
	png, err := paint(results)
	if err != nil {
		return err
	}
	if err := program.WritePNG(o.out, png); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "\n%s: for each T states of the lattice, states of the RBM, and couplings of a spin\n", o.out)
	return nil
}

// A result is how a model compares with its lattice.
type result struct {
	lattice
	data, model *rbm.Bits     // states
	couplings   *mat.SymDense // effective ones of the model

	energy, magnetization [2]estimate // of data and of model
	neighbors, others     estimate    // couplings, with their standard deviations
	adversarial           compare.Adversarial
	exact                 float64 // mean log-probability of states
	likelihood            rbm.LogLikelihood
}

// An estimate is a mean with its standard error.
type estimate struct{ mean, err float64 }

func (e estimate) String() string { return fmt.Sprintf("%7.4f ± %.4f", e.mean, e.err) }

// study trains a model at one temperature.
func study(o options, l lattice, stream uint64) (result, error) {
	src := rand.NewPCG(o.seed, stream)
	r := result{lattice: l, data: l.simulate(o.rows, src)}
	m, err := fit(o, l.beta, r.data, src)
	if err != nil {
		return r, err
	}
	chains := rbm.NewChains(src)
	chains.StartRandom(m, samples)
	chains.Gibbs(m, o.sweeps)
	r.model = chains.Visible()
	for k, v := range []*rbm.Bits{r.data, r.model} {
		r.energy[k] = mean(l.energies(v), v == r.data)
		r.magnetization[k] = mean(l.magnetizations(v), v == r.data)
	}
	_, r.couplings = spin.Effective(m)
	r.neighbors, r.others = l.split(r.couplings)

	fresh := l.simulate(compared, src)
	r.adversarial = compare.AdversarialAccuracy(fresh, r.model.Slice(0, compared))
	r.exact = -l.beta*float64(l.spins())*stat.Mean(l.energies(fresh), nil) - l.logPartition()
	r.likelihood, err = m.LogLikelihood(context.Background(), fresh, rbm.NewAIS(runs, 1000, src))
	return r, err
}

// fit returns a model of data at the inverse temperature beta.
func fit(o options, beta float64, data *rbm.Bits, src rand.Source) (*rbm.RBM, error) {
	_, nv := data.Dims()
	m := rbm.NewRandom(nv, o.hidden, 0.1, src)
	var s rbm.Sampler = rbm.NewPCD(chains, 1, src)
	if beta > critical { // two modes, which plain chains do not leave
		s = rbm.NewPTT(chains/2, 1, nil, src)
	}
	t := rbm.NewTrainer(m, data, s, src)
	t.BatchSize = batchSize
	t.Schedule = rbm.Linear(o.rate, 0, (o.rows+batchSize-1)/batchSize*o.epochs)
	return m, t.Train(context.Background(), o.epochs)
}

// mean returns the mean of x, whose elements are independent, or the states of one chain.
func mean(x []float64, chain bool) estimate {
	n := float64(len(x))
	if chain {
		n = mcmc.Diagnose(mat.NewDense(1, len(x), x)).ESS
	}
	mean, std := stat.MeanStdDev(x, nil)
	return estimate{mean, stat.StdErr(std, n)}
}

// split returns the means of the couplings of neighbors and of other pairs, and their
// standard deviations.
func (l lattice) split(j *mat.SymDense) (neighbors, others estimate) {
	var near, far []float64
	for i := range l.spins() {
		next := make(map[int]bool)
		for _, k := range l.neighbors(i) {
			next[k] = true
		}
		for k := range i {
			if next[k] {
				near = append(near, j.At(i, k))
			} else {
				far = append(far, j.At(i, k))
			}
		}
	}
	neighbors.mean, neighbors.err = stat.MeanStdDev(near, nil)
	others.mean, others.err = stat.MeanStdDev(far, nil)
	return neighbors, others
}

// table prints a column for each result.
func table(w io.Writer, results []result) {
	line := func(name string, value func(r result) string) {
		text := fmt.Sprintf("%-30s", name)
		for _, r := range results {
			text += fmt.Sprintf("  %-18s", value(r))
		}
		fmt.Fprintln(w, strings.TrimRight(text, " "))
	}
	number := func(x float64) string { return fmt.Sprintf("%7.4f", x) }
	fmt.Fprintln(w)
	line("", func(r result) string { return fmt.Sprintf("T = %.2f", 1/r.beta) })
	line("energy per spin, exact", func(r result) string { return number(r.lattice.energy()) })
	line("    Monte Carlo", func(r result) string { return r.energy[0].String() })
	line("    RBM", func(r result) string { return r.energy[1].String() })
	line("|magnetization|, Monte Carlo", func(r result) string { return r.magnetization[0].String() })
	line("    RBM", func(r result) string { return r.magnetization[1].String() })
	line("coupling / T of neighbors", func(r result) string { return number(r.beta) })
	line("    RBM, and its spread", func(r result) string { return r.neighbors.String() })
	line("    other pairs, and spread", func(r result) string { return r.others.String() })
	line("adversarial accuracy", func(r result) string { return number(r.adversarial.Accuracy) })
	line("log-likelihood, exact", func(r result) string { return fmt.Sprintf("%6.2f", r.exact) })
	line("    RBM", func(r result) string {
		if !r.likelihood.Believable() {
			return fmt.Sprintf("%6.2f, doubtful", r.likelihood.Mean)
		}
		return fmt.Sprintf("%6.2f", r.likelihood.Mean)
	})
	line("    at least, at most", func(r result) string { return fmt.Sprintf("%6.2f, %.2f", r.likelihood.Low, r.likelihood.High) })
}
