package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

var dnaKind = kind{"dna", "the exact likelihood of splice junctions of DNA, 23 hidden units", func(f *flag.FlagSet) action {
	o := new(dna)
	f.StringVar(&o.file, "file", "", "CSV `file` of the 3,186 rows, with a column Class that is left out")
	f.IntVar(&o.train, "train", 1400, "`rows` to train on, the first")
	f.IntVar(&o.held, "held", 600, "`rows` for validation, the next; all others are to test with")
	f.IntVar(&o.hidden, "hidden", 23, "hidden `units`, at most 30")
	f.IntVar(&o.steps, "steps", 10000, "`steps` of a training; its rate falls linearly to 0")
	f.IntVar(&o.chains, "chains", 500, "persistent `chains`")
	f.IntVar(&o.looks, "looks", 5, "`number` of models of a training, evenly spaced, of which the best by validation counts")
	f.Func("rates", "rates of the first step to choose from (default 0.3,1,2)", list(&o.rates, 0.3, 1, 2))
	f.Func("decays", "L2 decays of the weights to choose from (default 0.003,0.006,0.01)", list(&o.decays, 0.003, 0.006, 0.01))
	f.IntVar(&o.seeds, "seeds", 5, "`number` of models of the chosen setting, by seeds from 1 on")
	return o.run
}}

// A dna chooses a setting by validation rows, and judges its models by test rows.
type dna struct {
	file                         string
	train, held                  int
	hidden, steps, chains, looks int
	rates, decays                []float64
	seeds                        int
}

func (o *dna) run(ctx context.Context, w io.Writer) error {
	train, held, test, err := o.rows()
	if err != nil {
		return err
	}
	if o.looks < 1 || o.steps < o.looks || o.seeds < 1 || o.chains < 1 || o.hidden < 1 || o.hidden > 30 {
		return fmt.Errorf("want looks, steps of at least as many, seeds, chains, and from 1 to 30 hidden units: %d, %d, %d, %d, %d",
			o.looks, o.steps, o.seeds, o.chains, o.hidden)
	}

	type choice struct{ rate, decay float64 }
	var chosen choice
	most := math.Inf(-1)
	fmt.Fprintf(w, "| rate | decay | best step | training | validation |\n|---|---|---|---|---|\n")
	for _, rate := range o.rates {
		for _, decay := range o.decays {
			m, step, err := o.best(ctx, train, held, rate, decay, 1)
			if err != nil {
				return err
			}
			l := exactMeans(m, train, held)
			fmt.Fprintf(w, "| %v | %v | %d | %.2f | %.2f |\n", rate, decay, step, l[0], l[1])
			if l[1] > most {
				most, chosen = l[1], choice{rate, decay}
			}
		}
	}

	fmt.Fprintf(w, "\nchosen: rate %v, decay %v\n\n| seed | best step | training | validation | test |\n|---|---|---|---|---|\n", chosen.rate, chosen.decay)
	var tests []float64
	for seed := range o.seeds {
		m, step, err := o.best(ctx, train, held, chosen.rate, chosen.decay, uint64(seed)+1)
		if err != nil {
			return err
		}
		l := exactMeans(m, train, held, test)
		fmt.Fprintf(w, "| %d | %d | %.2f | %.2f | %.2f |\n", seed+1, step, l[0], l[1], l[2])
		tests = append(tests, l[2])
	}
	fmt.Fprintf(w, "\ntest, mean of %d seeds: %s (%.0f s of processor time)\n", o.seeds, meanOf(tests), processorTime().Seconds())
	return nil
}

// rows returns the rows to train on, those to choose by and those to test with, in the order
// of the file.
func (o *dna) rows() (train, held, test *rbm.Bits, err error) {
	if o.file == "" {
		return nil, nil, nil, fmt.Errorf("want -file, the CSV file of the rows")
	}
	t, err := bitio.ReadFile(o.file, &bitio.Options{Skip: []string{"Class"}})
	if err != nil {
		return nil, nil, nil, err
	}
	if t.Observed != nil {
		return nil, nil, nil, fmt.Errorf("%s: values are missing", o.file)
	}
	n, _ := t.Bits.Dims()
	if o.train < 1 || o.held < 1 || o.train+o.held >= n {
		return nil, nil, nil, fmt.Errorf("%s has %d rows, want more than %d to train on and %d for validation, each at least 1", o.file, n, o.train, o.held)
	}
	return t.Bits.Slice(0, o.train), t.Bits.Slice(o.train, o.train+o.held), t.Bits.Slice(o.train+o.held, n), nil
}

// best trains a model and returns it as it was when held had the largest exact likelihood.
func (o *dna) best(ctx context.Context, train, held *rbm.Bits, rate, decay float64, seed uint64) (*rbm.RBM, int, error) {
	_, nv := train.Dims()
	src := rand.NewPCG(seed, 0)
	m := rbm.NewRandom(nv, o.hidden, 0.01, src)
	m.FitVisibleBias(train)
	t := rbm.NewTrainer(m, train, rbm.NewPCD(o.chains, 1, src), src)
	t.SGD.L2 = decay
	t.Schedule = rbm.Linear(rate, 0, o.steps)
	var best *rbm.RBM
	at, most := 0, math.Inf(-1)
	for step := 1; step <= o.steps; step++ {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if err := t.Step(); err != nil {
			return nil, 0, err
		}
		if step%(o.steps/o.looks) != 0 {
			continue
		}
		if l := exactMeans(m, held)[0]; l > most {
			best, at, most = m.Clone(), step, l
		}
	}
	if best == nil {
		return nil, 0, fmt.Errorf("rate %v, decay %v, seed %d: validation rows have no likelihood", rate, decay, seed)
	}
	return best, at, nil
}

// exactMeans returns the mean log-likelihoods of sets of rows, by the exact log Z.
func exactMeans(m *rbm.RBM, sets ...*rbm.Bits) []float64 {
	logZ := m.LogPartition()
	means := make([]float64, len(sets))
	for i, rows := range sets {
		f := m.FreeEnergy(nil, rows)
		for _, f := range f {
			means[i] -= f
		}
		means[i] = means[i]/float64(len(f)) - logZ
	}
	return means
}

// list returns the parser of a flag of numbers with commas between them, which are the usual
// ones unless the flag is there.
func list(dst *[]float64, usual ...float64) func(string) error {
	*dst = usual
	return func(s string) error {
		var x []float64
		for _, field := range strings.Split(s, ",") {
			f, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return err
			}
			x = append(x, f)
		}
		*dst = x
		return nil
	}
}
