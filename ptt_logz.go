package rbm

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// LadderLogZ is an estimate of log Z along the ladder of a PTT, in nats.
type LadderLogZ struct {
	Mean      float64   // halfway between Below and Above, and at least Seen
	StdErr    float64   // standard error of Mean, by the jackknife over chains
	Low, High float64   // two standard errors beyond Below and Above
	Below     float64   // by the half of the chains that start from the first model
	Above     float64   // by the half that start from the rows
	Drift     float64   // by the second half of the sweeps, less by the first
	Trips     int       // of states from the first model to the last
	SwapRates []float64 // acceptance rate of the swaps between each model and the next
	Seen      float64   // certain lower bound: the log of the sum of exp(-F) over distinct states
	Doubt     string    // why not to believe it; "" if there is no reason
}

// Believable reports whether there is no Doubt; see [PTT.LogZ].
func (l LadderLogZ) Believable() bool { return l.Doubt == "" }

// String returns the numbers and the verdict on one line.
func (l LadderLogZ) String() string {
	verdict := "believable"
	if !l.Believable() {
		verdict = "not believable: " + l.Doubt
	}
	return fmt.Sprintf("log Z %.2f ± %.2f in [%.2f, %.2f] (ladder of %d models: %.2f from below, %.2f from the rows, drift %.2f, %d trips; %s)",
		l.Mean, l.StdErr, l.Low, l.High, len(l.SwapRates)+1, l.Below, l.Above, l.Drift, l.Trips, verdict)
}

const (
	leastChains = 4 // that LogZ takes, half of them from each start

	// leastTrips is how many states must come to the last model from the first, in each
	// half of the chains.
	leastTrips = leastESS

	// burnIn is the inverse share of the sweeps that LogZ leaves out at first.
	burnIn = 4

	// mostGathered is about how many differences of free energies LogZ keeps.
	mostGathered = 1 << 24
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

// A climb is what LogZ gathers.
type climb struct {
	n, levels  int
	sweeps     int // in all
	sweep      int // now
	every      int // of how many exchanges of a pair one is gathered
	diffs      [][]float64
	exchanges  []int     // of each pair, after the burn-in
	rates      []float64 // their sums
	seen       *distinct
	fresh      []bool // replicas that have been at the first model since they were last at the top
	forgotten  []bool // replicas that have been at the first model at all
	tripsBelow int
	tripsAbove int
}

func newClimb(n, levels, sweeps int, seen *distinct) *climb {
	pairs := levels - 1
	return &climb{
		n: n, levels: levels, sweeps: sweeps,
		every:     1 + sweeps*pairs*n/mostGathered,
		diffs:     make([][]float64, pairs),
		exchanges: make([]int, pairs),
		rates:     make([]float64, pairs),
		seen:      seen,
		fresh:     make([]bool, n*levels),
		forgotten: make([]bool, n*levels),
	}
}

// counts reports whether the burn-in is over.
func (c *climb) counts() bool { return c.sweep >= c.sweeps/burnIn }

// gather notes the free energies of the states v by the models k and k+1.
func (c *climb) gather(k int, below, above []float64, v *Bits) {
	if !c.counts() {
		return
	}
	if c.exchanges[k]%c.every == 0 {
		for i, f := range below {
			c.diffs[k] = append(c.diffs[k], above[i]-f)
		}
		if n := c.n; k == c.levels-2 {
			var top Bits
			v.slice(&top, (k+1)*n, (k+2)*n)
			c.seen.add(&top, above[n:2*n])
		}
	}
	c.exchanges[k]++
}

// exchanged notes whether chain i has exchanged its replicas at the models k and k+1.
func (c *climb) exchanged(k, i int, rate float64, swap bool) {
	if c.counts() {
		c.rates[k] += rate / float64(c.n)
	}
	if a, b := k*c.n+i, (k+1)*c.n+i; swap {
		c.fresh[a], c.fresh[b] = c.fresh[b], c.fresh[a]
		c.forgotten[a], c.forgotten[b] = c.forgotten[b], c.forgotten[a]
	}
}

// swept ends a sweep.
func (c *climb) swept() {
	top := c.fresh[(c.levels-1)*c.n:]
	for i := range c.n {
		c.fresh[i], c.forgotten[i] = true, true
		if !top[i] {
			continue
		}
		top[i] = false
		if !c.counts() {
			continue
		}
		if i < c.n/2 {
			c.tripsBelow++
		} else {
			c.tripsAbove++
		}
	}
	c.sweep++
}

// result returns the estimate, given log Z of the first model.
func (c *climb) result(first float64) LadderLogZ {
	below, above := c.half(0, c.n/2), c.half(c.n/2, c.n)
	l := LadderLogZ{
		Below: first + below.mean, Above: first + above.mean,
		StdErr: math.Hypot(below.err, above.err) / 2,
		Drift:  (below.drift + above.drift) / 2,
		Trips:  c.tripsBelow + c.tripsAbove,
	}
	l.Mean = (l.Below + l.Above) / 2
	l.Low = min(l.Below-2*below.err, l.Above-2*above.err)
	l.High = max(l.Below+2*below.err, l.Above+2*above.err)
	for k, sum := range c.rates {
		l.SwapRates = append(l.SwapRates, sum/float64(c.exchanges[k]))
	}
	l.Doubt = c.doubt(&l, tolerance(LogZ{StdErr: below.err}, LogZ{StdErr: above.err}), max(mostErrs*math.Hypot(below.driftErr, above.driftErr)/2, mostGap))
	return l
}

// doubt says why not to believe l, given how far the halves may be apart and drift, or
// returns "".
func (c *climb) doubt(l *LadderLogZ, apart, drift float64) string {
	var reasons []string
	doubtf := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0) {
		return "log Z is not finite"
	}
	stuck := 0
	for _, forgotten := range c.forgotten {
		if !forgotten {
			stuck++
		}
	}
	least := 0
	for k, rate := range l.SwapRates {
		if rate < l.SwapRates[least] {
			least = k
		}
	}
	if stuck > 0 {
		doubtf("%d of %d states have never come down to the first model (the lowest of the swap rates is %.2g, between the models %d and %d)",
			stuck, len(c.forgotten), l.SwapRates[least], least, least+1)
	}
	if trips := min(c.tripsBelow, c.tripsAbove); trips < leastTrips {
		doubtf("%d states have come up from the first model in a half of the chains, want at least %d", trips, leastTrips)
	}
	if gap := l.Above - l.Below; !(math.Abs(gap) <= apart) {
		doubtf("the halves of the chains are %.2f nats apart, want at most %.2f", gap, apart)
	}
	if !(math.Abs(l.Drift) <= drift) {
		doubtf("the halves of the sweeps are %.2f nats apart, want at most %.2f", l.Drift, drift)
	}
	return strings.Join(reasons, "; ")
}

// bounded draws the conclusions from a lower bound of log Z.
func (l *LadderLogZ) bounded(bound float64) {
	l.Seen = bound
	if bound-l.Mean > tolerance(LogZ{StdErr: l.StdErr}, LogZ{}) {
		doubt := fmt.Sprintf("log Z is at least %.2f, that of configurations seen, and the ladder finds %.2f", bound, l.Mean)
		if l.Doubt != "" {
			doubt += "; " + l.Doubt
		}
		l.Doubt = doubt
	}
	l.Mean, l.Low = max(l.Mean, bound), max(l.Low, bound)
	l.High = max(l.High, l.Mean+2*l.StdErr)
}

// doubtf adds a reason to doubt.
func (l *LadderLogZ) doubtf(format string, args ...any) {
	if l.Doubt != "" {
		l.Doubt += "; "
	}
	l.Doubt += fmt.Sprintf(format, args...)
}

// A climbed is log Z of the last model less that of the first, by some of the chains.
type climbed struct {
	mean, err       float64
	drift, driftErr float64 // second half of the sweeps less the first
}

// half returns the estimate by the chains [i0, i1).
func (c *climb) half(i0, i1 int) (e climbed) {
	moves := make([]float64, i1-i0)  // of each chain, by how much the mean is larger without it
	drifts := make([]float64, i1-i0) // and the drift
	early, late := make([]float64, i1-i0), make([]float64, i1-i0)
	for _, d := range c.diffs {
		mid := len(d) / (4 * c.n) * (2 * c.n)
		e.mean += bennett(d, c.n, i0, i1, moves)
		e.drift += bennett(d[mid:], c.n, i0, i1, late) - bennett(d[:mid], c.n, i0, i1, early)
	}
	for i := range drifts {
		drifts[i] = late[i] - early[i]
	}
	e.err, e.driftErr = spread(moves), spread(drifts)
	return e
}

// spread returns the standard error of an estimate that is larger by moves without each of
// its parts in turn, by the jackknife.
func spread(moves []float64) float64 {
	n := float64(len(moves))
	var mean, sum float64
	for _, x := range moves {
		mean += x / n
	}
	for _, x := range moves {
		sum += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(sum * (n - 1) / n)
}

// bennett returns log Z′/Z of two models by the chains [i0, i1) of n: the root x of
//
//	Σ σ(-d - x) over states of the first = Σ σ(d + x) over as many of the second
//
// (Bennett, 1976), where d = F′ - F of a state. Diffs has n of the first and n of the second
// in turn. It adds to moves by how much the root is larger without each of the chains.
func bennett(diffs []float64, n, i0, i1 int, moves []float64) float64 {
	low, high := math.Inf(1), math.Inf(-1) // of the root
	var size int
	for r := 0; r < len(diffs); r += n {
		for _, d := range diffs[r+i0 : r+i1] {
			if math.IsNaN(d) || math.IsInf(d, 0) {
				return math.NaN()
			}
			low, high = min(low, -d), max(high, -d)
		}
		size += i1 - i0
	}
	logs := make([]float64, 0, size/2)
	// side returns log Σσ of one side, and how fast it falls or rises with x.
	side := func(first int, sign, x float64) (sum, slope float64) {
		logs = logs[:0]
		for r := first; r < len(diffs); r += 2 * n {
			for _, d := range diffs[r+i0 : r+i1] {
				logs = append(logs, -logistic.Softplus(sign*(d+x)))
			}
		}
		sum = logistic.LogSumExp(logs)
		for _, l := range logs {
			slope += float64(logistic.Exp(l-sum) * (1 - logistic.Exp(l)))
		}
		return sum, slope
	}
	// The sum of the first falls with x, and that of the second rises, so that the
	// difference of their logs has one root. Newton's steps reach it; where one leaves
	// the bounds, half of them is taken.
	x := low + (high-low)/2
	for range 200 {
		a, fall := side(0, 1, x)
		b, rise := side(n, -1, x)
		if a > b {
			low = x
		} else {
			high = x
		}
		next := x + (a-b)/(fall+rise)
		if !(low <= next && next <= high) {
			next = low + (high-low)/2
		}
		step := math.Abs(next - x)
		x = next
		if step <= 1e-12*(1+math.Abs(x)) {
			break
		}
	}
	a, fall := side(0, 1, x)
	_, rise := side(n, -1, x)
	for i := i0; i < i1; i++ {
		// Without chain i, by one of Newton's steps from x.
		restA, restFall, restB, restRise := 1., fall, 1., rise
		for r := 0; r < len(diffs); r += 2 * n {
			w := logistic.Exp(-logistic.Softplus(diffs[r+i]+x) - a)
			restA -= w
			restFall -= float64(w * logistic.Sigmoid(diffs[r+i]+x))
			w = logistic.Exp(-logistic.Softplus(-diffs[r+n+i]-x) - a)
			restB -= w
			restRise -= float64(w * logistic.Sigmoid(-diffs[r+n+i]-x))
		}
		moves[i-i0] += (logistic.Log(restA) - logistic.Log(restB)) / (restFall/restA + restRise/restB)
	}
	return x
}
