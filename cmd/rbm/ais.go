package main

import (
	"context"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// aisFlags are the flags of an estimate of log Z.
type aisFlags struct {
	runs, temperatures int
	seed               uint64
}

func (a *aisFlags) declare(f *flags) {
	f.group("Estimate of log Z, by annealed importance sampling unless a layer is small enough to be exact")
	f.whole(&a.runs, "runs", 100, 1, 1e6, "`N` runs from either side")
	f.whole(&a.temperatures, "temperatures", 10000, 1, 1e8, "`N` temperatures; more make it more accurate and slower")
	f.seed(&a.seed, 1, "`seed` of the runs")
}

// logLikelihood judges a model by rows and shows how far it is.
func (a *aisFlags) logLikelihood(ctx context.Context, e *env, m *rbm.RBM, rows rbm.Rows) (rbm.LogLikelihood, error) {
	ais := rbm.NewAIS(a.runs, a.temperatures, rand.NewPCG(a.seed, 0))
	p := e.newProgress("log Z", 0, 1)
	ais.Progress = func(done, all int) {
		p.all = all
		p.tenths(done)
	}
	l, err := m.LogLikelihood(ctx, rows, ais)
	p.clear()
	if err != nil {
		if ctx.Err() != nil {
			return l, ctx.Err()
		}
		return l, trim(err)
	}
	return l, nil
}
