package main

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
)

// Shards make models as good as those of one machine that has all rows: by their exact
// log-likelihoods, within 4 standard errors over seeds, which are less than a fiftieth of
// what training gains.
func TestLikelihood(t *testing.T) {
	const shards, size, batch, chains, steps, seeds, rate = 4, 200, 25, 25, 400, 12, 1.6
	data := pairs(shards*size, 9)
	likelihood := func(m *rbm.RBM) float64 {
		l, err := m.LogLikelihood(context.Background(), data, nil)
		if err != nil {
			t.Fatal(err)
		}
		return l.Mean
	}
	start := func(seed uint64) *rbm.RBM {
		m := rbm.NewRandom(columns, 6, 0.01, rand.NewPCG(seed, 1))
		m.FitVisibleBias(data)
		return m
	}
	falling := rbm.Linear(rate, 0, steps)
	// one trains by steps with the rows of all shards.
	one := func(seed uint64) float64 {
		m := start(seed)
		sampler := rbm.NewPCD(shards*chains, 1, rand.NewPCG(seed, 2))
		sgd := rbm.SGD{Momentum: 0.5}
		var c rbm.Centering
		var g rbm.Gradient
		for i := range steps {
			first := i * shards * batch % (shards * size)
			m.Gradient(&g, data.Slice(first, first+shards*batch), sampler)
			c.Center(&g)
			sgd.Rate = falling(i)
			sgd.Step(m, &g)
		}
		return likelihood(m)
	}
	// many trains by rounds.
	many := func(seed uint64, mode string, rounds int) float64 {
		s := Settings{Mode: mode, Batch: batch, Rate: rate, Rounds: rounds, Seed: seed, Columns: columns, Hidden: 6, Momentum: 0.5}
		m := model{rbm: *start(seed)}
		m.sgd.Momentum = 0.5
		all := make([]shard, shards)
		for k := range all {
			all[k].sampler = rbm.NewPCD(chains, 1, s.source(uint64(k)))
			all[k].sgd.Momentum = 0.5
		}
		for number := range rounds {
			r := Round{Settings: s, Number: number}
			var parts []Part
			for k := range all {
				work := all[k].step
				if mode == epoch {
					work = all[k].epoch
				}
				x, err := work(r, &m.rbm, data.Slice(k*size, (k+1)*size))
				if err != nil {
					t.Fatal(err)
				}
				b, err := x.AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, Part{k, b})
			}
			sum, err := merge(mode, parts)
			if err == nil {
				err = m.move(r, sum)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return likelihood(&m.rbm)
	}
	gain := 0.0 // of training, on one machine
	var single [seeds]float64
	for seed := range single {
		single[seed] = one(uint64(seed))
		gain += (single[seed] - likelihood(start(uint64(seed)))) / seeds
	}
	for _, tt := range []struct {
		mode   string
		rounds int
	}{{step, steps}, {epoch, steps / (size / batch)}} {
		// The models of one seed begin alike.
		var difference [seeds]float64
		var mean, variance float64
		for seed := range difference {
			difference[seed] = many(uint64(seed), tt.mode, tt.rounds) - single[seed]
			mean += difference[seed] / seeds
		}
		for _, x := range difference {
			variance += (x - mean) * (x - mean) / (seeds - 1)
		}
		e := math.Sqrt(variance / seeds)
		t.Logf("%s: %+.4f ± %.4f nats a row beside one machine, which gains %.4f", tt.mode, mean, e, gain)
		if math.Abs(mean) > 4*e {
			t.Errorf("%s: the log-likelihood differs from that of one machine by %.4f, more than 4 standard errors of %.4f", tt.mode, mean, e)
		}
		if e > 0.02*gain {
			t.Errorf("%s: the standard error is %.4f, too large beside a gain of %.4f to tell", tt.mode, e, gain)
		}
	}
}
