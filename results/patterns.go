package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"text/tabwriter"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
)

var patternsKind = kind{"patterns", "bars and stripes, XOR and parity, by each sampler", func(f *flag.FlagSet) action {
	o := new(patternRuns)
	f.StringVar(&o.sets, "sets", "", "comma-separated beginnings of `names` of patterns; empty: all")
	f.StringVar(&o.ways, "ways", "", "comma-separated beginnings of `names` of settings; empty: all")
	f.StringVar(&o.samplers, "samplers", "", "comma-separated beginnings of `names` of samplers; empty: all")
	whole(f, &o.steps, "steps", 10000, 1, "`steps` of a training")
	f.Uint64Var(&o.first, "first", 1, "the first `seed`")
	whole(f, &o.seeds, "seeds", 10, 1, "`number` of seeds")
	return o.run
}}

type patternRuns struct {
	sets, ways, samplers string
	first                uint64
	steps, seeds         int
}

// A pattern is rows that are the whole distribution.
type pattern struct {
	name      string
	hidden    int     // units of the models whose settings do not choose them
	std, rate float64 // of the first weights and of the first step, where the setting is "few rows"
	rows      func() *rbm.Bits
}

var allPatterns = []pattern{
	{"bars and stripes, 4×4", 32, 0.1, 0.15, barsAndStripes},
	{"XOR", 8, 1, 0.5, func() *rbm.Bits { return evenParity(3) }},
	{"parity of 8 bits", 128, 2, 0.5, func() *rbm.Bits { return evenParity(8) }},
}

// barsAndStripes returns 16 images of bars and 16 of stripes. The empty image and the full
// one are twice among them.
func barsAndStripes() *rbm.Bits {
	b := rbm.NewBits(32, 16)
	for x := range 16 {
		for i := range 4 {
			for j := range 4 {
				b.SetBit(x, 4*i+j, x>>i&1 == 1)
				b.SetBit(16+x, 4*i+j, x>>j&1 == 1)
			}
		}
	}
	return b
}

// evenParity returns all rows of n bits with an even number of ones.
func evenParity(n int) *rbm.Bits {
	b := rbm.NewBits(1<<(n-1), n)
	r := 0
	for x := range 1 << n {
		if bits.OnesCount(uint(x))%2 == 0 {
			for i := range n {
				b.SetBit(r, i, x>>i&1 == 1)
			}
			r++
		}
	}
	return b
}

// entropy returns the one of the rows, of which minus is the largest mean log-likelihood.
func entropy(rows *rbm.Bits) (h float64) {
	n, _ := rows.Dims()
	for i := range n {
		same := 0
		for j := range n {
			if slices.Equal(rows.RawRow(i), rows.RawRow(j)) {
				same++
			}
		}
		h -= math.Log(float64(same)/float64(n)) / float64(n)
	}
	return h
}

// patternSamplers are the samplers, of 100 chains each, and the exact gradient.
var patternSamplers = []struct {
	name string
	make func(src rand.Source) rbm.Sampler
}{
	{"CD-1", func(src rand.Source) rbm.Sampler { return rbm.NewCD(1, src) }},
	{"PCD", func(src rand.Source) rbm.Sampler { return rbm.NewPCD(100, 1, src) }},
	{"PT, 5 levels", func(src rand.Source) rbm.Sampler { return rbm.NewPT(100, 1, 5, src) }},
	{"PTT", func(src rand.Source) rbm.Sampler { return rbm.NewPTT(100, 1, nil, src) }},
	{"Exact", func(rand.Source) rbm.Sampler { return new(rbm.Exact) }},
}

// patternWays are the settings. They return a Trainer for so many steps.
var patternWays = []struct {
	name string
	make func(p pattern, rows *rbm.Bits, s rbm.Sampler, steps int, seed uint64) *rbm.Trainer
}{
	{"recipe", func(_ pattern, rows *rbm.Bits, s rbm.Sampler, steps int, seed uint64) *rbm.Trainer {
		n, _ := rows.Dims()
		r := recipe.Recipe{Seed: seed, Epochs: epochsOf(n, steps)}
		if err := r.Fill(context.Background(), rows, nil, nil); err != nil {
			panic(err) // there is nothing to stop, and no setting is given but Epochs
		}
		t := r.Trainer(rows, nil, nil)
		t.Sampler = s
		return t
	}},
	{"NewTrainer", func(p pattern, rows *rbm.Bits, s rbm.Sampler, _ int, seed uint64) *rbm.Trainer {
		return patternTrainer(p, rows, s, 0.01, seed)
	}},
	{"few rows", func(p pattern, rows *rbm.Bits, s rbm.Sampler, steps int, seed uint64) *rbm.Trainer {
		t := patternTrainer(p, rows, s, p.std, seed)
		t.BatchSize, _ = rows.Dims()
		t.Schedule = rbm.Linear(p.rate, 0, steps)
		t.HeldOut = rows // they are the whole distribution: their likelihood is the truth
		return t
	}},
}

// patternTrainer returns NewTrainer's of a model with fitted biases.
func patternTrainer(p pattern, rows *rbm.Bits, s rbm.Sampler, std float64, seed uint64) *rbm.Trainer {
	_, nv := rows.Dims()
	src := rand.NewPCG(seed, 0)
	m := rbm.NewRandom(nv, p.hidden, std, src)
	m.FitVisibleBias(rows)
	return rbm.NewTrainer(m, rows, s, src)
}

// epochsOf returns how many passes over n rows in batches of 100 take so many steps.
func epochsOf(n, steps int) int { return max(1, steps/((n-1)/100+1)) }

func (o *patternRuns) run(ctx context.Context, w io.Writer) error {
	var sets, ways, samplers []string
	for _, p := range allPatterns {
		sets = append(sets, p.name)
	}
	for _, way := range patternWays {
		ways = append(ways, way.name)
	}
	for _, s := range patternSamplers {
		samplers = append(samplers, s.name)
	}
	if err := errors.Join(checkBeginnings("-sets", o.sets, sets), checkBeginnings("-ways", o.ways, ways), checkBeginnings("-samplers", o.samplers, samplers)); err != nil {
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(out, "| rows\t bound, nats\t setting\t hidden units\t sampler\t within 0.1 nats\t mean below the bound\t worst\t processor time, s\t")
	for _, p := range allPatterns {
		if !beginsWith(o.sets, p.name) {
			continue
		}
		rows := p.rows()
		n, _ := rows.Dims()
		bound := -entropy(rows)
		for _, way := range patternWays {
			if !beginsWith(o.ways, way.name) {
				continue
			}
			for _, s := range patternSamplers {
				if !beginsWith(o.samplers, s.name) {
					continue
				}
				near, mean, worst, hidden := 0, 0.0, 0.0, 0
				begin := processorTime()
				for k := range o.seeds {
					seed := o.first + uint64(k)
					t := way.make(p, rows, s.make(rand.NewPCG(seed, 1)), o.steps, seed)
					t.ReportEvery = max(1, o.steps/50)
					if t.HeldOut == nil {
						t.ReportEvery = o.steps // of no use
					}
					if err := t.Train(ctx, max(1, o.steps/((n-1)/t.BatchSize+1))); err != nil {
						return fmt.Errorf("%s, %s, %s, seed %d: %w", p.name, way.name, s.name, seed, err)
					}
					m := recipe.Best(t)
					l, err := m.LogLikelihood(ctx, rows, nil)
					if err != nil {
						return err
					}
					below := bound - l.Mean
					if below <= 0.1 {
						near++
					}
					mean += below / float64(o.seeds)
					worst = max(worst, below)
					_, hidden = m.Dims()
				}
				fmt.Fprintf(out, "| %s\t %.4f\t %s\t %d\t %s\t %d of %d\t %.3f\t %.3f\t %.1f\t\n",
					p.name, bound, way.name, hidden, s.name, near, o.seeds, mean, worst, (processorTime() - begin).Seconds())
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
