package rbm

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A Report says how training goes. It watches rows of Data, and as many of HeldOut,
// at most 500 each, which are chosen once, by the seed of the Trainer. Of rows of
// Data that are not observed in full it watches their present completions. A figure
// that does not apply is NaN.
type Report struct {
	Step, Epoch   int     // done so far
	RowsPerSecond float64 // trained on since the last report, without the time that reports take
	Rate          float64 // of the last step

	// Means over the rows watched, those of Data by their Weights, in nats a row.
	PseudoLogLikelihood        float64
	HeldOutPseudoLogLikelihood float64
	FreeEnergyGap              float64 // as [RBM.FreeEnergyGap]: it rises when the model overfits

	// IndependentLogLikelihood is the PseudoLogLikelihood of a model that knows only
	// the means of Data, which is the mean log-likelihood of independent units. They
	// have the biases of [RBM.FitVisibleBias], with its ½ of a row more of each value,
	// by Weights and as far as Data are observed, as they were at the first report.
	IndependentLogLikelihood float64

	WeightRMS      float64 // the root mean square of W
	HiddenActivity float64 // the mean of ĥ over hidden units and the rows of Data watched

	SwapRates []float64 // of a Sampler that has them, as PT and PTT

	// ChainMove is the share of visible units by which the chains of PCD, PT or PTT, or
	// of another Sampler with a method Visible() *Bits, differ from their states at an
	// earlier report, divided by the share by which two of them differ now: about 1 if
	// they have forgotten those states, 0 if they are stuck. The earlier report is the
	// last one or, where reports are closer than 100 steps, one at least 100 steps
	// back; in the first 100 steps after the first report it is the first. The first
	// report looks 100 steps back, if there are as many.
	ChainMove float64

	// FreeEnergyShift compares the free energies F of the rows of Data watched with F′,
	// those at the same earlier report:
	//
	//	log ⟨exp(F - F′)⟩ - ⟨F - F′⟩
	//
	// in nats, the means being by Weights. It is 0 if all rows became more likely alike,
	// and what the mean log-likelihood gained if the model now fits the rows perfectly.
	// While a model learns, it is about what PseudoLogLikelihood gains; where it is much
	// more, the model goes up and down and does not learn. It is NaN with Observed, as
	// the completions change as well.
	FreeEnergyShift float64

	Best bool // the largest HeldOutPseudoLogLikelihood so far

	// Warnings say in words what seems to be wrong, with the figure, and what to do:
	//
	//   - hidden units are off or on for all rows watched;
	//   - at the first report, Data have constant columns that the model does not take
	//     for such;
	//   - the rate is 0, or the Schedule has been 0 for more than a step;
	//   - PseudoLogLikelihood has fallen far, or is worse than that of tossing coins;
	//   - PseudoLogLikelihood is no better than IndependentLogLikelihood, although the
	//     units of Data depend on each other, after 2,000 steps and 10 epochs, or 10
	//     epochs at the end of which the Schedule has nearly reached 0;
	//   - W is larger than any data can ask for;
	//   - FreeEnergyShift is far above the gain of PseudoLogLikelihood, at a rate that
	//     does not fall;
	//   - chains of PCD, PT or PTT are nearly alike or stuck;
	//   - the ladder of PTT has grown long.
	Warnings []string
}

const watchedRows = 500 // of Data, and of HeldOut

// report judges the model and calls OnReport. It changes nothing that training
// depends on.
func (t *Trainer) report(c *call) error {
	var r Report
	if err := t.within(c, func() (err error) { r, err = t.look(); return err }); err != nil {
		return err // the whole report can be tried again
	}
	t.due = 0
	if t.OnReport == nil {
		return nil
	}
	if err := t.OnReport(r); err != nil {
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
	if t.OnReport == nil && t.HeldOut == nil {
		return Report{}, nil
	}
	var w watched
	if t.OnReport != nil {
		var err error
		if w, err = t.readWatched(); err != nil {
			return Report{}, err
		}
	}
	r := Report{
		Step:  t.state.steps,
		Epoch: t.Epochs(),
		Rate:  t.SGD.Rate,

		RowsPerSecond:              math.NaN(),
		HeldOutPseudoLogLikelihood: math.NaN(),
		FreeEnergyGap:              math.NaN(),
		ChainMove:                  math.NaN(),
		FreeEnergyShift:            math.NaN(),
	}
	if t.elapsed > 0 {
		r.RowsPerSecond = float64(t.rows) / t.elapsed.Seconds()
	}
	if t.HeldOut != nil {
		w.held, _, _ = t.watch(t.HeldOut, nil, watchHeld)
		r.HeldOutPseudoLogLikelihood = weightedMean(t.Model.PseudoLogLikelihood(nil, w.held), nil)
	}
	if t.OnReport != nil {
		t.diagnose(&r, &w)
	}
	if t.HeldOut != nil {
		r.Best = t.judge(r.HeldOutPseudoLogLikelihood)
	}
	if t.OnReport != nil {
		t.noted(&r, &w)
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
	if nv, nh := t.Model.Dims(); t.spare == nil || t.spare.B.Len() != nv || t.spare.C.Len() != nh {
		t.spare = New(nv, nh)
	}
	t.Model.copyTo(t.spare)
	s.best, t.spare = t.spare, s.best
	s.score, s.waited = score, 0
	return true
}

// watched is what a report looks at.
type watched struct {
	data, held *Bits // held may be nil
	weights    []float64
	free       []float64 // energies of data
	columns    *columns  // for the first report
}

// readWatched reads what a report needs of Data.
func (t *Trainer) readWatched() (w watched, err error) {
	data := t.Data
	if t.Observed != nil {
		data = t.completions()
	}
	w.data, w.weights, err = t.watch(data, t.Weights, watchData)
	if err == nil && t.state.reported == 0 {
		w.columns, err = t.readColumns(data)
	}
	return w, err
}

// diagnose sets what else is in a report.
func (t *Trainer) diagnose(r *Report, w *watched) {
	m := t.Model
	hidden := m.HiddenProbs(nil, w.data)
	w.free = m.FreeEnergy(nil, w.data)
	r.PseudoLogLikelihood = weightedMean(m.PseudoLogLikelihood(nil, w.data), w.weights)
	if w.held != nil {
		r.FreeEnergyGap = weightedMean(m.FreeEnergy(nil, w.held), nil) - weightedMean(w.free, w.weights)
	}
	r.IndependentLogLikelihood = weightedMean(w.data.independentLogLikelihoods(t.columns(w).biases), w.weights)
	r.WeightRMS, r.HiddenActivity = norms(m.W, hidden, m.until())
	if sampler, ok := t.Sampler.(interface{ SwapRates() []float64 }); ok {
		r.SwapRates = sampler.SwapRates()
	}
	before := t.state.past.before(r.Step)
	r.ChainMove = before.move(chainsOf(t.Sampler), t.until())
	if t.Observed == nil {
		r.FreeEnergyShift = before.shift(w.free, w.weights)
	}
	t.addWarnings(r, w, hidden, before)
}

// peak returns the largest pseudo-log-likelihood up to this report.
func (t *Trainer) peak(r *Report) float64 {
	if s := &t.state; s.reported > 0 && !(r.PseudoLogLikelihood > s.peak) {
		return s.peak
	}
	return r.PseudoLogLikelihood
}

// noted keeps what later reports compare with.
func (t *Trainer) noted(r *Report, w *watched) {
	s := &t.state
	s.peak = t.peak(r)
	s.columns = columns{biases: t.columns(w).biases, dependence: t.columns(w).dependence}
	s.past.keep(r, w.free, chainsOf(t.Sampler))
	s.reported = s.steps
}

// watch returns the rows of data to watch, and their weights. They are as many of
// Data as of HeldOut, at most 500.
func (t *Trainer) watch(data Rows, weights []float64, purpose uint32) (rows *Bits, w []float64, err error) {
	all, _ := t.Data.Dims()
	k := min(watchedRows, positive(t.Weights, all))
	if t.HeldOut != nil {
		k = min(k, t.HeldOut.rows)
	}
	return t.choose(data, weights, purpose, k)
}

// choose returns k rows of data among those whose weights are not 0, and their
// weights.
func (t *Trainer) choose(data Rows, weights []float64, purpose uint32, k int) (rows *Bits, w []float64, err error) {
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
func (b *Bits) ones(until *stop.Signal) []int {
	ones := make([]int, b.cols)
	b.addOnes(ones, until)
	return ones
}

// addOnes adds how many rows have each bit.
func (b *Bits) addOnes(ones []int, until *stop.Signal) {
	for r := range b.rows {
		until.Look()
		for w, word := range b.row(r) {
			for ; word != 0; word &= word - 1 {
				ones[w*wordBits+bits.TrailingZeros64(word)]++
			}
		}
	}
}

// spread returns the share of bits by which two different rows differ, in the mean
// over all pairs.
func (b *Bits) spread(until *stop.Signal) float64 {
	if b.rows < 2 {
		return 0
	}
	var pairs float64
	for _, k := range b.ones(until) {
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
