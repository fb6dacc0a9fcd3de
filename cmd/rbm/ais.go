package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm"
)

// aisFlags are the flags of an estimate of log Z.
type aisFlags struct {
	runs, temperatures int
	seed               uint64
	ladder             string
}

func (a *aisFlags) declare(f *flags) {
	f.group("Estimate of log Z, by annealed importance sampling unless a layer is small enough to be exact")
	f.whole(&a.runs, "runs", 100, 1, 1e6, "`N` runs from either side")
	f.whole(&a.temperatures, "temperatures", 10000, 1, 1e8, "`N` temperatures; more make it more accurate and slower")
	f.seed(&a.seed, 1, "`seed` of the runs")
	f.text(&a.ladder, "ladder", "", "`FILE` of rbm train -sampler ptt -checkpoint: where the estimate is not believable, take one along the models saved there")
}

// logLikelihood judges a model by rows and shows how far it is.
func (a *aisFlags) logLikelihood(ctx context.Context, e *env, m *rbm.RBM, rows rbm.Rows) (rbm.LogLikelihood, error) {
	ais := rbm.NewAIS(a.runs, a.temperatures, rand.NewPCG(a.seed, 0))
	if a.ladder != "" {
		var err error
		if ais.Ladder, err = readLadder(a.ladder, m); err != nil {
			return rbm.LogLikelihood{}, fmt.Errorf("-ladder: %w", err)
		}
	}
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

// readLadder returns the ladder of a training that log Z of m can be found along.
func readLadder(path string, m *rbm.RBM) (*rbm.PTT, error) {
	s, err := loadSaved(path)
	if err != nil {
		return nil, err
	}
	ptt, err := s.ladder()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	const leastChains = 4 // of PTT.LogZ
	if n := s.note.Settings.Chains; n < leastChains {
		return nil, fmt.Errorf("%s: this training has %d chains, want at least %d", path, n, leastChains)
	}
	models := ptt.Models()
	if len(models) == 0 {
		return nil, fmt.Errorf("%s: this training has no ladder: no step is done", path)
	}
	first := models[0]
	n, _ := first.Dims()
	if nv, _ := m.Dims(); n != nv {
		return nil, fmt.Errorf("%s: this training has %d columns, want %d as the model", path, n, nv)
	}
	if !slices.Equal(first.OneHot, m.OneHot) {
		return nil, fmt.Errorf("%s: this training has the groups %v, want %v as the model", path, first.OneHot, m.OneHot)
	}
	return ptt, nil
}
