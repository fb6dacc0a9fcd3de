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
	whole(f, &o.train, "train", 1400, 1, "`rows` to train on, the first")
	whole(f, &o.held, "held", 600, 1, "`rows` for validation, the next; all others are to test with")
	whole(f, &o.hidden, "hidden", 23, 1, "hidden `units`, at most 30")
	whole(f, &o.steps, "steps", 20000, 1, "`steps` of a training; its rate falls linearly to 0")
	whole(f, &o.chains, "chains", 100, 1, "persistent `chains`")
	whole(f, &o.looks, "looks", 2, 1, "`number` of models of a training, evenly spaced, of which the best by validation counts")
	real(f, &o.rate, "rate", 2, "`rate` of the first step")
	f.Func("decays", "L2 decays of the weights to choose from (default 0.003,0.006)", list(&o.decays, 0.003, 0.006))
	f.Func("smooths", "decays of the differences of weights at neighbors to choose from (default 0,0.002,0.004)", list(&o.smooths, 0, 0.002, 0.004))
	f.Uint64Var(&o.first, "first", 1, "`seed` of the first model")
	whole(f, &o.seeds, "seeds", 5, 0, "`number` of models of the chosen setting, by seeds from the first on; 0: only choose")
	return o.run
}}

// A dna chooses a setting by validation rows, and judges its models by test rows.
type dna struct {
	file                         string
	train, held                  int
	hidden, steps, chains, looks int
	rate                         float64
	decays, smooths              []float64
	first                        uint64
	seeds                        int
}

func (o *dna) run(ctx context.Context, w io.Writer) error {
	train, held, test, err := o.rows()
	if err != nil {
		return err
	}
	if o.looks < 1 || o.steps < o.looks || o.seeds < 0 || o.chains < 1 || o.hidden < 1 || o.hidden > 30 {
		return fmt.Errorf("want looks, steps of at least as many, seeds, chains, and from 1 to 30 hidden units: %d, %d, %d, %d, %d",
			o.looks, o.steps, o.seeds, o.chains, o.hidden)
	}

	type choice struct{ decay, smooth float64 }
	var choices []choice
	for _, decay := range o.decays {
		for _, smooth := range o.smooths {
			choices = append(choices, choice{decay, smooth})
		}
	}
	chosen := choices[0]
	if len(choices) > 1 || o.seeds == 0 {
		most := math.Inf(-1)
		fmt.Fprintf(w, "| decay | of differences | best step | training | validation |\n|---|---|---|---|---|\n")
		for _, c := range choices {
			m, step, err := o.best(ctx, train, held, c.decay, c.smooth, o.first)
			if err != nil {
				return err
			}
			l := exactMeans(m, train, held)
			fmt.Fprintf(w, "| %v | %v | %d | %.2f | %.2f |\n", c.decay, c.smooth, step, l[0], l[1])
			if l[1] > most {
				most, chosen = l[1], c
			}
		}
	}
	if o.seeds == 0 {
		return nil
	}
	fmt.Fprintf(w, "\ndecay %v, of differences %v\n\n| seed | best step | training | validation | test |\n|---|---|---|---|---|\n", chosen.decay, chosen.smooth)
	var tests []float64
	for k := range o.seeds {
		seed := o.first + uint64(k)
		m, step, err := o.best(ctx, train, held, chosen.decay, chosen.smooth, seed)
		if err != nil {
			return err
		}
		l := exactMeans(m, train, held, test)
		fmt.Fprintf(w, "| %d | %d | %.2f | %.2f | %.2f |\n", seed, step, l[0], l[1], l[2])
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
func (o *dna) best(ctx context.Context, train, held *rbm.Bits, decay, smooth float64, seed uint64) (*rbm.RBM, int, error) {
	_, nv := train.Dims()
	src := rand.NewPCG(seed, 0)
	m := rbm.NewRandom(nv, o.hidden, 0.01, src)
	m.FitVisibleBias(train)
	sampler := rbm.NewPCD(o.chains, 1, src)
	rate := rbm.Linear(o.rate, 0, o.steps)
	sgd := rbm.SGD{L2: decay}
	var g rbm.Gradient
	var c rbm.Centering
	var best *rbm.RBM
	at, most := 0, math.Inf(-1)
	step := 0
	for epoch := uint64(0); step < o.steps; epoch++ {
		for rows := range rbm.Minibatches(train, 100, rand.NewPCG(seed, 1+epoch)) {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			m.Gradient(&g, rows, sampler)
			c.Center(&g)
			smoothen(&g, m, smooth)
			sgd.Rate = rate(step)
			sgd.Step(m, &g)
			if step++; step%(o.steps/o.looks) == 0 {
				if l := exactMeans(m, held)[0]; l > most {
					best, at, most = m.Clone(), step, l
				}
			}
			if step == o.steps {
				break
			}
		}
	}
	if best == nil {
		return nil, 0, fmt.Errorf("decay %v, of differences %v, seed %d: validation rows have no likelihood", decay, smooth, seed)
	}
	return best, at, nil
}

// smoothen adds to g the slope of the penalty
//
//	-decay/2 · Σⱼ Σₖ (wⱼₖ - wⱼₖ₊₃)²
//
// on the differences of weights of one nucleotide at neighbors along the sequence, which have
// three bits each.
func smoothen(g *rbm.Gradient, m *rbm.RBM, decay float64) {
	_, nh := m.Dims()
	for j := range nh {
		w, d := m.W.RawRowView(j), g.W.RawRowView(j)
		for k := range len(w) - 3 {
			slope := float64(decay * (w[k] - w[k+3]))
			d[k] -= slope
			d[k+3] += slope
		}
	}
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
