package rbm

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// LogZ estimates log Z of m by Bennett's acceptance ratio (Bennett, 1976) between neighbors
// of the ladder, whose first model must have no weights or at most 20 units to enumerate.
//
// It takes chains of its own, as many as s has, at least 4: half start from the first
// model, and half from rows (any number × nv), samples of m such as the rows it was trained
// on. The first quarter of the sweeps is left out. There is a Doubt unless every state of
// the start has come down to the first model, where it is forgotten; at least 10 have come
// up from there to m in each half; and both halves of the chains and of the sweeps agree
// within 3 standard errors or 0.1 nats. The chains of s stay where they are. The same seed
// and past of s give the same bits. The error is that of ctx.
func (s *PTT) LogZ(ctx context.Context, m *RBM, rows mat.Matrix, sweeps int) (LadderLogZ, error) {
	checkNil("ctx", ctx)
	s.checkLogZ(m)
	nv, _ := m.Dims()
	checkBatch("rows", rows, nv)
	checkRange("sweeps", sweeps, leastClimb, maxSweeps)
	defer s.take().Release()
	c := newCall(ctx)
	var l LadderLogZ
	done := 0
	if c.run(func() {
		seen := distinct{most: mostSeen}
		l = s.logZ(m.in(c), rows, sweeps, &seen, func(k int) { done = k })
		l.bounded(seen.logZ())
	}) {
		return LadderLogZ{}, fmt.Errorf("rbm: after %d of %d sweeps of the ladder: %w", done, sweeps, ctx.Err())
	}
	return l, nil
}

// leastClimb is how many sweeps it takes for an exchange of each pair in each half of what
// follows the burn-in.
const leastClimb = 8

// checkLogZ panics unless the ladder serves for log Z of m.
func (s *PTT) checkLogZ(m *RBM) {
	s.check()
	nv, _ := m.Dims()
	checkAtLeast("chains", s.n, leastChains)
	if len(s.saved) == 0 {
		return
	}
	first := s.saved[0]
	if n, _ := first.Dims(); n != nv {
		panic(fmt.Sprintf("rbm: ladder has %d visible units, want %d as the model", n, nv))
	}
	if !slices.Equal(m.OneHot, first.OneHot) {
		panic(fmt.Sprintf("rbm: model has the groups %v, want %v as the ladder", m.OneHot, first.OneHot))
	}
	if !isWeightless(first) {
		first.checkEnumeration(exactUnits, "; begin the ladder with a model without weights")
	}
}

// isWeightless reports whether all weights of m are 0.
func isWeightless(m *RBM) bool {
	for j := range m.W.RawMatrix().Rows {
		for _, w := range m.W.RawRowView(j) {
			if w != 0 { // or NaN
				return false
			}
		}
	}
	return true
}

// firstLogZ returns the exact log Z of the first model of a ladder.
func firstLogZ(m *RBM) float64 {
	if !isWeightless(m) {
		return m.logPartition()
	}
	var hidden float64
	for j := range m.C.Len() {
		hidden += logistic.Softplus(m.C.AtVec(j))
	}
	return logZOfBiases(hidden, mat.Col(nil, 0, m.B), m.OneHot)
}

// logZ is LogZ within the call that m is in, without the verdict. It adds the states at m to
// those seen, and tells progress how many sweeps are done.
func (s *PTT) logZ(m *RBM, rows mat.Matrix, sweeps int, seen *distinct, progress func(done int)) LadderLogZ {
	t := s.apart(m)
	levels := len(t.saved) + 1
	t.climb = newClimb(s.n, levels, sweeps, seen)
	t.start(m, rows)
	p := new(model)
	p.load(m, 4*sweeps*levels*s.n)
	defer p.done()
	t.top = p
	for i := range sweeps {
		m.call.look()
		t.sweep(sweeps - 1 - i)
		t.climb.swept()
		progress(i + 1)
	}
	return t.climb.result(firstLogZ(t.saved[0].as(m)))
}

// apart returns a PTT of the same ladder, with chains of its own, which have no states yet.
func (s *PTT) apart(m *RBM) *PTT {
	const phase = math.MaxUint32 // of which sweeps have no numbers
	c := s.chains
	x, y, _, _ := philox.Block(c.seed, uint32(c.clock), uint32(c.clock>>32), 0, phase)
	t := &PTT{K: 1, n: s.n, chains: &Chains{seed: uint64(x)<<32 | uint64(y)}}
	if len(s.saved) == 0 {
		t.save(firstOf(m))
	} else {
		s.read(m)
		t.saved, t.models, t.swaps = s.saved, s.models, make([]swapRate, len(s.saved))
	}
	t.read(m)
	return t
}

// start starts half of the chains from the first model, and half from rows: the replicas
// from all of them, evenly spaced.
func (s *PTT) start(m *RBM, rows mat.Matrix) {
	levels, below := len(s.saved)+1, s.n/2
	above := s.n - below
	s.chains.startRandom(s.saved[0].as(m), levels*s.n)
	from := &Chains{seed: s.chains.seed, clock: s.chains.clock}
	var visible layer
	visible.oneHot.load(m.OneHot)
	from.read("rows", rows, &visible, m.until())
	n, _ := rows.Dims()
	for i := range above {
		for k := range levels {
			r := int(int64(i*levels+k) * int64(n) / int64(above*levels))
			copy(s.chains.v.row(k*s.n+below+i), from.next.row(r))
		}
	}
	s.chains.clock++
}
