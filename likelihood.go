package rbm

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// LogLikelihood is the mean of log p(v) = -F(v) - log Z, in nats per row.
type LogLikelihood struct {
	Mean float64

	// Low and High bound Mean given the error of log Z: two standard errors beyond AIS
	// and Reverse, and Uniform and Modes if larger. They do not cover the choice of rows.
	// Low is -Inf if the estimates are known to be too low.
	Low, High float64

	LogZ    float64    // as used for Mean: halfway between AIS and Reverse, unless Exact
	Exact   bool       // log Z is exact, and the estimates below are zero
	AIS     LogZ       // from the base model
	Reverse LogZ       // from the data, in reverse
	Uniform LogZ       // from the uniform distribution, unless AIS.Base is given
	Modes   LogZ       // AIS, with runs from modes that the rows are not in; zero if none is found
	Gap     float64    // Reverse.Mean - AIS.Mean
	Ladder  LadderLogZ // by AIS.Ladder, where the estimates above are not believable; it is used if it is
	Doubt   string     // why not to believe it; "" if there is no reason
}

// Believable reports whether there is no Doubt; see [RBM.LogLikelihood].
func (l LogLikelihood) Believable() bool { return l.Doubt == "" }

// String returns the numbers and the verdict on one line.
func (l LogLikelihood) String() string {
	switch {
	case l.Exact && l.Believable():
		return fmt.Sprintf("%.2f nats (exact)", l.Mean)
	case l.Exact:
		return fmt.Sprintf("%.2f nats (%s)", l.Mean, verdict(l.Doubt))
	}
	tried := ""
	if len(l.Ladder.SwapRates) > 0 {
		if l.Believable() {
			return fmt.Sprintf("%.2f nats in [%.2f, %.2f] (AIS is not believable; %v)", l.Mean, l.Low, l.High, l.Ladder)
		}
		tried = fmt.Sprintf("; %v", l.Ladder)
	}
	return fmt.Sprintf("%.2f nats in [%.2f, %.2f] (AIS: log Z %.2f ± %.2f, ESS %.0f of %d; reverse: %.2f ± %.2f, ESS %.0f of %d; gap %.2f; %s%s)",
		l.Mean, l.Low, l.High,
		l.AIS.Mean, l.AIS.StdErr, l.AIS.ESS, len(l.AIS.LogWeights),
		l.Reverse.Mean, l.Reverse.StdErr, l.Reverse.ESS, len(l.Reverse.LogWeights), l.Gap, verdict(l.Doubt), tried)
}

// rounding is how far, for its size, an exact log Z may be from another one.
const rounding = 1e-9

// LogLikelihood returns the mean log-likelihood of data (n×nv), read once. Of [Values] v̄ it is
// the mean of -F(v̄) - log Z: no log-probability, but as F is concave at most the expected one
// of rows drawn with these probabilities.
//
// With at most 20 hidden units or 2²⁰ visible configurations log Z is exact, and a may be
// nil. Otherwise a estimates it from both sides: by Run, and by Reverse from a.Runs rows,
// after as many Gibbs sweeps as there are temperatures. Unless a has a Base, one is fitted
// to the data, and a second Run starts from the uniform distribution, as both sides could
// miss modes far from the data. Last, other chains start elsewhere: at low minima of F,
// which are looked for from random states, from what each hidden unit looks like and from
// complements of rows, and at ends of runs. Where they come to modes that hardly any chain
// from the rows is in, a Run starts near these. Modes adds what it finds there to what AIS
// finds elsewhere.
//
// There is a Doubt unless ESS is at least 10 on both sides, and the following agree within 3
// standard errors or 0.1 nats: the two sides; the second Run, unless it finds less with an
// ESS below 10; Modes, unless it finds less (with an ESS below 10, either may find at most
// 2 nats more); and the certain bound, if larger, as Z is at
// least the sum of exp(-F) over distinct rows, minima and states of the runs. No test of this
// kind can detect a mode that no run has visited: see docs/likelihood.md. It takes as long as
// four to six Runs. The error is that of ctx or of data.
func (m *RBM) LogLikelihood(ctx context.Context, data Rows, a *AIS) (LogLikelihood, error) {
	return m.WeightedLogLikelihood(ctx, data, nil, a)
}

// WeightedLogLikelihood is LogLikelihood with a weighted Mean, by a weight for each row.
// The base is fitted with the weights, too. Rows of weight 0 are as good as left out;
// Reverse starts from all others alike.
func (m *RBM) WeightedLogLikelihood(ctx context.Context, data Rows, weights []float64, a *AIS) (LogLikelihood, error) {
	// The rows that Reverse starts from are evenly spaced, or all if there are fewer than
	// a.Runs. The bound takes the first mostSeen rows that differ.
	checkNil("ctx", ctx)
	nv, nh := m.Dims()
	n := checkBatch("data", data, nv)
	totalWeight("weights", weights, n, nil)
	exact := nh <= exactUnits || m.visibleCount(1<<exactUnits) <= 1<<exactUnits
	if a == nil && !exact {
		panic(fmt.Sprintf("rbm: a is nil and W is %d×%d: %d×%d units are too many to enumerate; pass NewAIS(100, 2000, src)", nh, nv, nv, nh))
	}
	if exact {
		a = nil
	} else {
		a.check(ctx, m)
		checkAtLeast("runs", a.Runs, 1)
		defer a.chains.guard.Take("AIS").Release()
		if a.Ladder != nil {
			a.Ladder.checkLogZ(m)
			defer a.Ladder.take().Release()
		}
	}
	c := newCall(ctx)
	var l LogLikelihood
	var err error
	var at scored
	ended := c.run(func() {
		if l, err = m.in(c).logLikelihood(data, weights, a, &at); err != nil {
			c.back()
		}
	})
	if ended {
		err = fmt.Errorf("rbm: %v: %w", at, ctx.Err())
	}
	if err != nil {
		return LogLikelihood{}, err
	}
	return l, nil
}

// scored says how far LogLikelihood has come.
type scored struct {
	row                       int // of data
	temperature, temperatures int // of all parts
	sweep, sweeps             int // of the ladder
	configurations            int // that are enumerated
}

func (s scored) String() string {
	switch {
	case s.configurations > 0:
		return fmt.Sprintf("sum over %d configurations", s.configurations)
	case s.sweeps > 0:
		return fmt.Sprintf("after %d of %d sweeps of the ladder", s.sweep, s.sweeps)
	case s.temperatures > 0:
		return fmt.Sprintf("after %d of %d temperatures", s.temperature, s.temperatures)
	}
	return fmt.Sprintf("before row %d of data", s.row)
}

// logLikelihood is WeightedLogLikelihood within the call that m is in, by enumeration if a
// is nil.
func (m *RBM) logLikelihood(data Rows, weights []float64, a *AIS, at *scored) (LogLikelihood, error) {
	all, nv := data.Dims()
	n := positive(weights, all)
	var seen distinct
	if a != nil {
		seen.most = mostSeen
	}
	f, ones, err := m.survey(data, withoutUnit(weights, m.until()), &seen, at)
	if err != nil {
		return LogLikelihood{}, err
	}
	if a == nil {
		at.configurations = m.enumerated(exactUnits)
		return exactly(f, m.logPartition()), nil
	}
	both := *a // may have another base
	steps, parts := len(a.Betas)-1, 5
	fitted := a.Base == nil
	if fitted {
		both.Base = biasOf(m.OneHot, ones, slices.Repeat([]float64{float64(n)}, nv))
		parts++
	}
	at.temperatures = parts * steps
	begun := 0 // parts
	both.Progress = func(done, _ int) {
		at.temperature = begun*steps + done
		if a.Progress != nil {
			a.Progress(at.temperature, at.temperatures)
		}
	}
	end := func() { // of a part
		begun++
		seen.addStates(m, both.chains)
	}
	var l LogLikelihood
	l.AIS = both.run(m, both.Base)
	end()
	ends := both.chains.v.Gather(nil, numbers(a.Runs)) // of AIS
	if fitted {
		l.Uniform = both.run(m, mat.NewVecDense(nv, nil))
		end()
	}
	last := both.chains.v.Gather(nil, numbers(a.Runs)) // of runs that do not know the rows, as a rule
	first, err := m.spaced(data, weights, n, a.Runs)
	if err != nil {
		return LogLikelihood{}, err
	}
	both.chains.start(first, m.until())
	if !math.IsNaN(l.AIS.Mean) {
		both.mix(m)
	}
	end()
	states := both.chains.v.Gather(nil, numbers(both.chains.v.rows))
	l.Reverse = both.reverse(m, both.Base, both.chains.Visible())
	begun++
	if !math.IsNaN(l.AIS.Mean) {
		both.chains.start(both.elsewhere(m, states, last, &seen), m.until())
		both.mix(m)
		end()
		if l.Modes = both.modes(m, states, ends, l.AIS); len(l.Modes.LogWeights) == 0 {
			both.Progress(steps, steps)
		}
		end()
	}
	l.judge(f, seen.logZ(), fitted)
	if a.Ladder == nil || l.Believable() || math.IsNaN(l.Mean) {
		return l, nil
	}
	// The ladder takes about as long as all the temperatures.
	levels := len(a.Ladder.saved) + 1
	at.sweeps = max(leastClimb, int(min(maxSweeps, float64(at.temperatures)*float64(a.Runs)/(2*float64(levels)*float64(a.Ladder.n)))))
	rows, err := m.spaced(data, weights, n, levels*a.Ladder.n)
	if err != nil {
		return LogLikelihood{}, err
	}
	seen.most = len(seen.rows) + mostSeen
	l.Ladder = a.Ladder.logZ(m, rows, at.sweeps, &seen, func(done int) {
		if at.sweep = done; a.Progress != nil {
			a.Progress(at.temperatures+done, at.temperatures+at.sweeps)
		}
	})
	l.climb(f, max(seen.logZ(), -f), fitted)
	return l, nil
}

// mix moves the chains by as many sweeps as there are temperatures.
func (a *AIS) mix(m *RBM) {
	steps := len(a.Betas) - 1
	for done := 0; done < steps; {
		k := min(100, steps-done)
		a.chains.gibbs(m, k)
		done += k
		if a.Progress != nil {
			a.Progress(done, steps)
		}
	}
}

// spaced returns at most most of the n rows whose weight is not 0, evenly spaced.
func (m *RBM) spaced(data Rows, weights []float64, n, most int) (mat.Matrix, error) {
	start := evenly(n, most)
	for r, row, k := 0, 0, 0; weights != nil && r < len(start); row++ { // k rows before it count
		if weights[row] == 0 {
			continue
		}
		if k == start[r] {
			start[r] = row
			r++
		}
		k++
	}
	var groups oneHot
	groups.load(m.OneHot)
	return groups.gather("data", data, start, m.until())
}

// climb takes the estimate by the ladder if it is believable, given the mean free energy and
// a lower bound of log Z. AIS hardly ever finds more than there is: what finds more than the
// ladder has been where the ladder was not.
func (l *LogLikelihood) climb(f, bound float64, fitted bool) {
	z := &l.Ladder
	z.bounded(bound)
	for _, e := range append(l.others(fitted), other{"the base model", l.AIS, true}) {
		allowed := tolerance(e.LogZ, LogZ{StdErr: z.StdErr})
		if e.ESS < leastESS {
			allowed = min(allowed, mostLoose)
		}
		if off := e.Mean - z.Mean; off > allowed {
			z.doubtf("AIS from %s finds %.2f nats more, want at most %.2f", e.name, off, allowed)
		}
	}
	if z.Believable() {
		l.LogZ, l.Mean, l.Low, l.High, l.Doubt = z.Mean, -f-z.Mean, -f-z.High, -f-z.Low, ""
	}
}

// survey returns the mean free energy of the rows, and the sum of the weights of those with
// a one in each column. It adds the rows to the distinct ones in seen. Those of weight 0 need
// only fit the groups; the mean of the others' weights is 1.
func (m *RBM) survey(rows Rows, weights []float64, seen *distinct, at *scored) (f float64, ones []float64, err error) {
	_, nv := rows.Dims()
	ones = make([]float64, nv)
	var energies []float64
	var sum, part float64
	added := 0
	var groups oneHot
	groups.load(m.OneHot)
	m.call.look()
	for block, err := range groups.blocks("data", rows, m.until()) {
		if err != nil {
			return 0, nil, err
		}
		m.call.look()
		k, _ := block.Dims()
		rows, w := withWeight(block, weights, at.row)
		at.row += k
		k, _ = rows.Dims()
		if k == 0 {
			continue
		}
		energies = m.FreeEnergy(grow(energies, k), rows)
		switch rows := rows.(type) {
		case *Bits:
			seen.add(rows, energies)
			in := batch{rows: k, cols: nv, bits: rows}
			for r := range k {
				m.until().Look()
				in.addTo(ones, r, weightOf(w, r))
			}
		case *mat.Dense:
			if seen.most > 0 { // configurations, which rows of values are not
				near := rounded(rows)
				seen.add(near, m.FreeEnergy(nil, near))
			}
			addValues(ones, rows, w, m.until())
		}
		for r, f := range energies {
			// Four at a time, as product.Sum would add all of them.
			if part += float64(weightOf(w, r) * f); added%4 == 3 {
				sum += part
				part = 0
			}
			added++
		}
	}
	return (sum + part) / float64(added), ones, nil
}

// withWeight returns the rows of a block of which the weights from number first on are not 0,
// with these. Nil weights are of all.
func withWeight(block mat.Matrix, weights []float64, first int) (rows mat.Matrix, w []float64) {
	if weights == nil {
		return block, nil
	}
	n, nv := block.Dims()
	var counted []int
	for r, x := range weights[first:][:n] {
		if x > 0 {
			counted, w = append(counted, r), append(w, x)
		}
	}
	if len(counted) == n {
		return block, w
	}
	if b, ok := block.(*Bits); ok || len(counted) == 0 {
		some := new(Bits)
		some.resize(len(counted), nv)
		for k, r := range counted {
			copy(some.row(k), b.row(r))
		}
		return some, w
	}
	some := mat.NewDense(len(counted), nv, nil)
	for k, r := range counted {
		some.SetRow(k, block.(*mat.Dense).RawRowView(r))
	}
	return some, w
}

// exactly returns the log-likelihood, given the mean free energy and log Z.
func exactly(f, logZ float64) LogLikelihood {
	// The mean is not above 0, but the difference of large numbers may be.
	if d := -f - logZ; d > 0 && d <= rounding*(1+math.Abs(f)) {
		logZ = -f
	}
	mean := -f - logZ
	l := LogLikelihood{Mean: mean, Low: mean, High: mean, LogZ: logZ, Exact: true}
	if math.IsNaN(mean) {
		l.Doubt = whyNaN(f)
	}
	return l
}

// whyNaN says why the mean is NaN, given the mean free energy.
func whyNaN(f float64) string {
	if math.IsNaN(f) {
		return "a parameter is NaN"
	}
	return "log Z is not finite"
}

// judge draws the conclusions from the estimates, the mean free energy, and a lower
// bound of log Z.
func (l *LogLikelihood) judge(f, bound float64, fitted bool) {
	ais, rev := l.AIS, l.Reverse
	bound = max(bound, -f) // as the mean of log p is not above 0
	l.LogZ = max((ais.Mean+rev.Mean)/2, bound)
	l.Gap = rev.Mean - ais.Mean
	l.Mean = -f - l.LogZ
	most := max(ais.Mean+2*ais.StdErr, rev.Mean+2*rev.StdErr)
	// High is at most what the rows allow: Z is at least the sum of exp(-F) over distinct rows.
	l.High = -f - max(min(ais.Mean-2*ais.StdErr, rev.Mean-2*rev.StdErr), bound)
	var off, allowed float64 // of the other one that agrees least
	var name string
	for _, other := range l.others(fitted) {
		e := other.LogZ
		if other.lower && !(e.Mean > (ais.Mean+rev.Mean)/2) {
			continue
		}
		loose := math.Inf(1)
		if e.ESS < leastESS { // the standard error is a guess
			loose = mostLoose
		}
		most = max(most, e.Mean+min(2*e.StdErr, loose))
		for _, side := range []LogZ{ais, rev} {
			d, a := e.Mean-side.Mean, min(tolerance(e, side), loose)
			// AIS hardly ever finds much more than there is, but less where it has
			// too few temperatures, as its effective runs tell.
			if math.Abs(d)-a > math.Abs(off)-allowed && (d > 0 || !other.lower && e.ESS >= leastESS) {
				off, allowed, name = d, a, other.name
			}
		}
	}
	l.Low = -f - max(most, bound)
	l.Doubt = l.doubt(f, bound, name, off, allowed)
	if !l.Believable() && bound-most > mostGap {
		l.Low = math.Inf(-1)
	}
}

// An other is an estimate of log Z that tells whether to believe AIS and Reverse.
type other struct {
	name string
	LogZ
	lower bool // it counts only if it finds more
}

// others returns what estimates there are beside AIS and Reverse.
func (l *LogLikelihood) others(fitted bool) []other {
	var list []other
	if fitted {
		list = append(list, other{"the uniform distribution", l.Uniform, false})
	}
	if len(l.Modes.LogWeights) > 0 {
		list = append(list, other{"other modes", l.Modes, true})
	}
	return list
}

// doubt says why not to believe the estimates, or returns "".
func (l *LogLikelihood) doubt(f, bound float64, other string, off, allowed float64) string {
	ais, rev := l.AIS, l.Reverse
	var reasons []string
	doubtf := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	for _, side := range []struct {
		name string
		LogZ
	}{{"AIS", ais}, {"reverse AIS", rev}} {
		if bound-side.Mean > tolerance(side.LogZ, LogZ{}) {
			doubtf("log Z is at least %.2f, that of configurations seen, and %s finds %.2f", bound, side.name, side.Mean)
			break
		}
	}
	switch {
	case math.IsNaN(l.Mean):
		return whyNaN(f)
	case !(ais.ESS >= leastESS):
		doubtf("effective runs of AIS are %.1f, want at least %d", ais.ESS, leastESS)
	case !(rev.ESS >= leastESS):
		doubtf("effective runs of reverse AIS are %.1f, want at least %d", rev.ESS, leastESS)
	case !(math.Abs(l.Gap) <= tolerance(ais, rev)):
		doubtf("the sides are %.2f nats apart, want at most %.2f", l.Gap, tolerance(ais, rev))
	case math.Abs(off) > allowed:
		doubtf("AIS from %s is %.2f nats off, want at most %.2f", other, off, allowed)
	}
	return strings.Join(reasons, "; ")
}

// FreeEnergyGap returns the mean free energy of validation rows minus the mean of
// training rows (each n×nv). It grows with overfitting (Hinton, 2010).
func (m *RBM) FreeEnergyGap(train, heldOut mat.Matrix) float64 {
	return m.meanFreeEnergy("heldOut", heldOut) - m.meanFreeEnergy("train", train)
}

// meanFreeEnergy returns the mean free energy of the rows of v, called name.
func (m *RBM) meanFreeEnergy(name string, v mat.Matrix) float64 {
	nv, _ := m.Dims()
	n := checkBatch(name, v, nv)
	return product.Sum(m.FreeEnergy(nil, v)) / float64(n)
}
