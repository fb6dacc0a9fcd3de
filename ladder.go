package rbm

import (
	"fmt"
	"math"
	"strings"

	"github.com/gorbm/rbm/internal/logistic"
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
	return fmt.Sprintf("log Z %.2f ± %.2f in [%.2f, %.2f] (ladder of %d models: %.2f from below, %.2f from the rows, drift %.2f, %d trips; %s)",
		l.Mean, l.StdErr, l.Low, l.High, len(l.SwapRates)+1, l.Below, l.Above, l.Drift, l.Trips, verdict(l.Doubt))
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
	if !finite(l.Mean) {
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

// A climbed is log Z of the last model less log Z of the first, by some of the chains.
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
	e.err, e.driftErr = jackknifeErr(moves), jackknifeErr(drifts)
	return e
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
			if !finite(d) {
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
