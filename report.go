package rbm

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A Report says how training goes. It watches rows of Data, and as many of Held,
// at most 500 each, which are chosen once, by the seed of the Trainer. Of rows of
// Data that are not observed in full it watches their present completions. A figure
// that does not apply is NaN.
type Report struct {
	Step, Epoch   int     // done so far
	RowsPerSecond float64 // trained on since the last report, without the time that reports take
	Rate          float64 // of the last step

	// Means over the rows watched, those of Data by their Weights, in nats a row.
	PseudoLogLikelihood     float64
	HeldPseudoLogLikelihood float64
	FreeEnergyGap           float64 // as [RBM.FreeEnergyGap]: it rises when the model overfits

	WeightRMS      float64 // the root mean square of W
	HiddenActivity float64 // the mean of ĥ over hidden units and the rows of Data watched

	SwapRates []float64 // of a Sampler that has them, as PT and PTT

	// ChainMove is the share of visible units by which the chains of PCD, PT or PTT, or
	// of another Sampler with a method Visible() *Bits, differ from their states at the
	// last report, divided by the share by which two of them differ now: about 1 if
	// they have forgotten those states.
	ChainMove float64

	Best bool // the largest HeldPseudoLogLikelihood so far

	// Warnings say in words what seems to be wrong: hidden units that are off or on
	// for all rows watched; at the first report, constant columns of Data that the
	// model does not take for such; a PseudoLogLikelihood that has fallen far, or is
	// worse than that of tossing coins; chains of PCD, PT or PTT that are nearly
	// alike or stuck.
	Warnings []string
}

const (
	watchedRows = 500 // of Data, and of Held

	// When to warn.
	sureUnit      = 0.01 // ĥ or 1-ĥ of a unit that is off or on for all rows
	fewRows       = 20   // that tell nothing of a unit
	unlikelyValue = 0.05 // of the other value of a constant column
	fallOfEntropy = 0.2  // of the pseudo-log-likelihood, in shares of the entropy of the units one by one
	collapsed     = 0.05 // difference of two chains, in shares of that of two rows
	stuckMove     = 0.05 // ChainMove
	stuckSteps    = 100  // after which chains should have moved
)

// report judges the model and calls Report. It changes nothing that training
// depends on.
func (t *Trainer) report(c *call) error {
	var r Report
	if err := t.within(c, func() (err error) { r, err = t.look(); return err }); err != nil {
		return err // the whole report can be tried again
	}
	t.due = 0
	if t.Report == nil {
		return nil
	}
	if err := t.Report(r); err != nil {
		return fmt.Errorf("rbm: after step %d: %w", r.Step, err)
	}
	return nil
}

// look returns the report on the model. What training keeps of it changes last, once
// nothing can fail or end it.
func (t *Trainer) look() (Report, error) {
	if err := t.checkFinite(); err != nil {
		return Report{}, err
	}
	if t.Report == nil && t.Held == nil {
		return Report{}, nil
	}
	var w watched
	if t.Report != nil {
		var err error
		if w, err = t.readWatched(); err != nil {
			return Report{}, err
		}
	}
	r := Report{
		Step:  t.state.steps,
		Epoch: t.Epochs(),
		Rate:  t.SGD.Rate,

		RowsPerSecond:           math.NaN(),
		HeldPseudoLogLikelihood: math.NaN(),
		FreeEnergyGap:           math.NaN(),
		ChainMove:               math.NaN(),
	}
	if t.elapsed > 0 {
		r.RowsPerSecond = float64(t.rows) / t.elapsed.Seconds()
	}
	if t.Held != nil {
		w.held, _, _ = t.watch(t.Held, nil, watchHeld)
		r.HeldPseudoLogLikelihood = weightedMean(t.Model.PseudoLogLikelihood(nil, w.held), nil)
	}
	if t.Report != nil {
		t.diagnose(&r, &w)
	}
	if t.Held != nil {
		r.Best = t.judge(r.HeldPseudoLogLikelihood)
	}
	if t.Report != nil {
		t.noted(&r)
	}
	t.rows, t.elapsed = 0, 0
	return r, nil
}

// judge notes the score of the model, and reports whether it is the best.
func (t *Trainer) judge(score float64) bool {
	s := &t.state
	if s.best != nil && !(score > s.score) {
		s.waited++
		return false
	}
	s.best, s.score, s.waited = t.Model.clone(), score, 0
	return true
}

// watched is what a report looks at.
type watched struct {
	data, held *Bits // held may be nil
	weights    []float64
	ones       []int // of all Data, for the first report, as far as they are observed
	observed   []int // then how many rows are; nil: all
}

// readWatched reads what a report needs of Data.
func (t *Trainer) readWatched() (w watched, err error) {
	data, known := t.Data, t.Data
	if t.Observed != nil {
		data = t.completions()
	}
	w.data, w.weights, err = t.watch(data, t.Weights, watchData)
	if err == nil && t.state.reported == 0 {
		if t.Observed != nil {
			known, w.observed = knownBits(t.Data.(*Bits), t.Observed, t.until()), t.Observed.ones()
		}
		w.ones, err = countOnes(known, t.until())
	}
	return w, err
}

// diagnose sets what else is in a report.
func (t *Trainer) diagnose(r *Report, w *watched) {
	m, s := t.Model, &t.state
	data, held, weights := w.data, w.held, w.weights
	hidden := m.HiddenProbs(nil, data)
	r.PseudoLogLikelihood = weightedMean(m.PseudoLogLikelihood(nil, data), weights)
	if held != nil {
		r.FreeEnergyGap = weightedMean(m.FreeEnergy(nil, held), nil) - weightedMean(m.FreeEnergy(nil, data), weights)
	}
	r.WeightRMS, r.HiddenActivity = norms(m.W, hidden, m.until())
	if sampler, ok := t.Sampler.(interface{ SwapRates() []float64 }); ok {
		r.SwapRates = sampler.SwapRates()
	}
	r.warn(warnOfUnits(hidden))
	if s.reported == 0 {
		r.warn(t.warnOfColumns(hidden, w))
	}
	r.warn(warnOfFall(r, t.peak(r), data))
	if chains := chainsOf(t.Sampler); chains != nil {
		spread := chains.spread()
		if s.chains.rows == chains.rows && s.chains.cols == chains.cols && spread > 0 {
			r.ChainMove = chains.difference(&s.chains) / spread
		}
		r.warn(warnOfChains(r.ChainMove, s.steps-s.reported, spread, data.spread()))
	}
}

// peak returns the largest pseudo-log-likelihood up to this report.
func (t *Trainer) peak(r *Report) float64 {
	if s := &t.state; s.reported > 0 && !(r.PseudoLogLikelihood > s.peak) {
		return s.peak
	}
	return r.PseudoLogLikelihood
}

// noted keeps what the next report compares with.
func (t *Trainer) noted(r *Report) {
	s := &t.state
	s.peak = t.peak(r)
	if chains := chainsOf(t.Sampler); chains != nil {
		s.chains.resize(chains.rows, chains.cols)
		copy(s.chains.words, chains.words)
	}
	s.reported = s.steps
}

func (r *Report) warn(warnings ...string) {
	for _, w := range warnings {
		if w != "" {
			r.Warnings = append(r.Warnings, w)
		}
	}
}

// watch returns the rows of data to watch, among those whose weights are not 0,
// and their weights. They are as many of Data as of Held, at most 500.
func (t *Trainer) watch(data Rows, weights []float64, purpose uint32) (rows *Bits, w []float64, err error) {
	all, _ := t.Data.Dims()
	k := min(watchedRows, positive(t.Weights, all))
	if t.Held != nil {
		k = min(k, t.Held.rows)
	}
	// Selection sampling (Fan, Muller & Rezucha, 1962): each row is taken with the
	// probability of those wanted among those left.
	n, _ := data.Dims()
	src, left := t.source(0, purpose, 0), positive(weights, n)
	chosen := make([]int, 0, k)
	for r := range n {
		if r%lookEvery == 0 {
			t.until().Look()
		}
		if weights != nil && weights[r] == 0 {
			continue
		}
		if src.IntN(left) < k-len(chosen) {
			chosen = append(chosen, r)
			if weights != nil {
				w = append(w, weights[r])
			}
		}
		left--
	}
	rows = new(Bits)
	return rows, w, gatherRows(rows, data, chosen, t.until())
}

// positive returns how many of n weights are positive, as all are that are nil.
func positive(weights []float64, n int) int {
	for _, w := range weights {
		if w == 0 {
			n--
		}
	}
	return n
}

// weightedMean returns the mean of x by weights, which nil weights leave equal.
func weightedMean(x, weights []float64) float64 {
	if weights == nil {
		return product.Sum(x) / float64(len(x))
	}
	var sum, total float64
	for i, w := range weights {
		sum += float64(w * x[i])
		total += w
	}
	return sum / total
}

// norms returns the root mean square of w and the mean of p.
func norms(w, p *mat.Dense, until *stop.Signal) (root, mean float64) {
	nh, nv := w.Dims()
	for j := range nh {
		until.Look()
		for _, x := range w.RawRowView(j) {
			root += float64(x * x)
		}
	}
	n, _ := p.Dims()
	for r := range n {
		mean += product.Sum(p.RawRowView(r))
	}
	return math.Sqrt(root / float64(nh*nv)), mean / float64(n*nh)
}

// warnOfUnits tells of hidden units that say nothing about the rows, given ĥ.
func warnOfUnits(hidden *mat.Dense) (off, on string) {
	n, nh := hidden.Dims()
	if n < fewRows {
		return "", ""
	}
	var units [2][]int // off, on
	for j := range nh {
		low, high := 1., 0.
		for r := range n {
			p := hidden.At(r, j)
			low, high = min(low, p), max(high, p)
		}
		switch {
		case high < sureUnit:
			units[0] = append(units[0], j)
		case low > 1-sureUnit:
			units[1] = append(units[1], j)
		}
	}
	tell := func(units []int, state string) string {
		if len(units) == 0 {
			return ""
		}
		verb := "are"
		if len(units) == 1 {
			verb = "is"
		}
		return fmt.Sprintf("%d of %d hidden units %s %s for all %d rows watched (the first is %d)", len(units), nh, verb, state, n, units[0])
	}
	return tell(units[0], "off"), tell(units[1], "on")
}

// warnOfColumns tells of constant columns of Data that the model does not take for
// such, given ĥ of the rows watched.
func (t *Trainer) warnOfColumns(hidden *mat.Dense, w *watched) string {
	visible := t.Model.VisibleProbs(nil, hidden)
	n, nv := visible.Dims()
	all, _ := t.Data.Dims()
	var constant []int
	var other float64 // mean probability of the other value
	for i, k := range w.ones {
		if w.observed != nil {
			all = w.observed[i]
		}
		if all == 0 || k != 0 && k != all {
			continue
		}
		var p float64
		for r := range n {
			p += visible.At(r, i) / float64(n)
		}
		if k != 0 {
			p = 1 - p
		}
		if p > unlikelyValue {
			constant = append(constant, i)
			other += p
		}
	}
	if len(constant) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d columns of Data are constant (the first is %d) and the model gives their other value a probability of %.2g: FitVisibleBias before training would tell it",
		len(constant), nv, constant[0], other/float64(len(constant)))
}

// warnOfFall tells that the pseudo-log-likelihood has fallen from its peak, or lies
// below that of a model without parameters. What is much is measured by the entropy
// of the units of data one by one, about what there is to gain.
func warnOfFall(r *Report, peak float64, data *Bits) string {
	coins := -float64(data.cols) * math.Ln2
	if r.PseudoLogLikelihood < 1.1*coins {
		return fmt.Sprintf("the pseudo-log-likelihood is %.4g nats, worse than the %.4g of tossing coins: the rate %.4g may be too high", r.PseudoLogLikelihood, coins, r.Rate)
	}
	if peak-r.PseudoLogLikelihood > float64(fallOfEntropy*data.entropy()) {
		return fmt.Sprintf("the pseudo-log-likelihood fell from %.4g to %.4g nats: the rate %.4g may be too high", peak, r.PseudoLogLikelihood, r.Rate)
	}
	return ""
}

// warnOfChains tells of chains that hardly differ from each other, or from where
// they were so many steps ago.
func warnOfChains(move float64, steps int, spread, dataSpread float64) string {
	switch {
	case spread < collapsed*dataSpread:
		return fmt.Sprintf("the chains are nearly alike: two of them differ in %.2g%% of the visible units, two rows of Data in %.2g%%", 100*spread, 100*dataSpread)
	case move < stuckMove && steps >= stuckSteps:
		return fmt.Sprintf("the chains are stuck: in %d steps they moved %.2g%% as far as two of them are apart", steps, 100*move)
	}
	return ""
}

// chainsOf returns the states of the persistent chains of s, or nil if there are
// none, or only one.
func chainsOf(s Sampler) *Bits {
	p, ok := s.(interface{ Visible() *Bits })
	if !ok {
		return nil
	}
	if c, ok := s.(interface{ unstarted() bool }); ok && c.unstarted() {
		return nil
	}
	v := p.Visible()
	if v == nil || v.rows < 2 {
		return nil
	}
	return v
}

// ones returns how many rows have each bit.
func (b *Bits) ones() []int {
	ones := make([]int, b.cols)
	b.addOnes(ones)
	return ones
}

// addOnes adds how many rows have each bit.
func (b *Bits) addOnes(ones []int) {
	for r := range b.rows {
		for w, word := range b.row(r) {
			for ; word != 0; word &= word - 1 {
				ones[w*wordBits+bits.TrailingZeros64(word)]++
			}
		}
	}
}

// entropy returns the sum of the entropies of the columns, in nats.
func (b *Bits) entropy() (sum float64) {
	for _, k := range b.ones() {
		for _, k := range []int{k, b.rows - k} {
			if k > 0 {
				p := float64(k) / float64(b.rows)
				sum -= float64(p * logistic.Log(p))
			}
		}
	}
	return sum
}

// spread returns the share of bits by which two different rows differ, in the mean
// over all pairs.
func (b *Bits) spread() float64 {
	if b.rows < 2 {
		return 0
	}
	var pairs float64
	for _, k := range b.ones() {
		pairs += float64(float64(k) * float64(b.rows-k))
	}
	n := float64(b.rows)
	return pairs / (n * (n - 1) / 2) / float64(b.cols)
}

// difference returns the share of bits by which b differs from a of the same size.
func (b *Bits) difference(a *Bits) float64 {
	n := 0
	for r := range b.rows {
		before := a.row(r)
		for w, word := range b.row(r) {
			n += bits.OnesCount64(word ^ before[w])
		}
	}
	return float64(n) / (float64(b.rows) * float64(b.cols))
}
