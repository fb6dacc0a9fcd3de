package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

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
	t.forget()
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
	heldOut := t.heldOut()
	if t.OnReport == nil && heldOut == nil {
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
		Rate:  t.state.rate,

		RowsPerSecond:              math.NaN(),
		HeldOutPseudoLogLikelihood: math.NaN(),
		Error:                      math.NaN(),
		LogProb:                    math.NaN(),
		FreeEnergyGap:              math.NaN(),
		ChainMove:                  math.NaN(),
		FreeEnergyShift:            math.NaN(),
	}
	if t.elapsed > 0 {
		r.RowsPerSecond = float64(t.rows) / t.elapsed.Seconds()
	}
	if heldOut != nil {
		t.checkHeldOutWeights()
	}
	if heldOut != nil && t.Classifier != nil {
		if err := t.classify(&r, heldOut); err != nil {
			return Report{}, err
		}
	} else if heldOut != nil {
		if err := t.checkHeldOut(heldOut); err != nil {
			return Report{}, err
		}
		var err error
		if w.held, w.heldWeights, err = t.watch(heldOut, t.HeldOutWeights, watchHeld); err != nil {
			return Report{}, err
		}
		r.HeldOutPseudoLogLikelihood = weightedMean(t.Model.PseudoLogLikelihood(nil, w.held), w.heldWeights)
	}
	if t.OnReport != nil {
		t.diagnose(&r, &w)
	}
	judged := score{classifier: true, first: -r.Error, second: r.LogProb}
	if t.Classifier == nil {
		judged = score{first: t.addExact(&r, &w)}
	}
	if heldOut != nil {
		r.Best = t.judge(judged)
	}
	if t.OnReport != nil {
		t.noted(&r, &w)
	}
	t.rows, t.elapsed = 0, 0
	return r, nil
}

// addExact sets the log-likelihoods of r, if log Z is cheap, and returns the score of the
// model: the log-likelihood of the held-out rows or, if it is not cheap, the other figure.
func (t *Trainer) addExact(r *Report, w *watched) (score float64) {
	r.LogLikelihood, r.HeldOutLogLikelihood = math.NaN(), math.NaN()
	logZ, ok := t.Model.cheapLogZ()
	if !ok {
		return r.HeldOutPseudoLogLikelihood
	}
	if w.data != nil {
		r.LogLikelihood = exactly(weightedMean(w.free, w.weights), logZ).Mean
	}
	if w.held != nil {
		r.HeldOutLogLikelihood = exactly(weightedMean(t.Model.FreeEnergy(nil, w.held), w.heldWeights), logZ).Mean
	}
	return r.HeldOutLogLikelihood
}

// judge notes the score of the model, and reports whether it is the best.
func (t *Trainer) judge(x score) bool {
	s := &t.state
	if s.best != nil && x.classifier == s.score.classifier && !x.above(s.score) {
		s.waited++
		return false
	}
	if nv, nh := t.Model.Dims(); t.spare == nil || t.spare.B.Len() != nv || t.spare.C.Len() != nh {
		t.spare = New(nv, nh)
	}
	t.Model.copyTo(t.spare)
	s.best, t.spare = t.spare, s.best
	s.score, s.waited = x, 0
	return true
}

// watched is what a report looks at.
type watched struct {
	data, held           mat.Matrix // each a *Bits or a *mat.Dense; held may be nil
	weights, heldWeights []float64
	free                 []float64 // energies of data
	columns              *columns  // for the first report
}

// checkHeldOut returns an error unless the rows fit the model.
func (t *Trainer) checkHeldOut(rows Rows) error {
	t.groups.load(t.Model.OneHot)
	if _, ok := valuesOf(rows); !ok && len(t.groups.groups) == 0 {
		return nil
	}
	for _, err := range t.groups.blocks("HeldOut", rows, t.until()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// readWatched reads what a report needs of Data.
func (t *Trainer) readWatched() (w watched, err error) {
	data := t.Data
	if t.Observed != nil {
		all, err := t.completions()
		if err != nil {
			return w, err
		}
		data = all
	}
	w.data, w.weights, err = t.watch(data, t.Weights, watchData)
	if err != nil || t.Classifier != nil || len(t.state.columns.biases) > 0 {
		return w, err
	}
	n, _ := t.Data.Dims()
	some, _ := chooseRows(n, t.Weights, min(dependentRows, positive(t.Weights, n)), sourceOf(t.state.seed, 0, watchData, 0), t.until())
	if a, ok := fractionsOf(data, t.until()); ok {
		w.columns, err = readValueColumns(a, t.Weights, some, t.Model.OneHot, t.until())
		return w, err
	}
	rows := new(Bits)
	if err = gatherRows(rows, data, some, t.until()); err == nil {
		w.columns, err = readColumns(t.Data, t.Weights, t.Observed, rows, t.Model.OneHot, t.until())
	}
	return w, err
}

// diagnose sets what else is in a report.
func (t *Trainer) diagnose(r *Report, w *watched) {
	m := t.Model
	before := t.state.past.before(r.Step)
	if t.Classifier != nil {
		t.fillLabels(w.data)
		r.noFigures()
	} else {
		t.compare(r, w, before)
	}
	hidden := m.HiddenProbs(nil, w.data)
	r.WeightRMS, r.HiddenActivity = norms(m.W, hidden, m.until())
	if sampler, ok := t.sampler().(interface{ SwapRates() []float64 }); ok {
		r.SwapRates = sampler.SwapRates()
	}
	r.ChainMove = before.move(chainsOf(t.sampler()), t.until())
	t.addWarnings(r, w, hidden, before)
}

// compare sets the figures of the log-likelihood.
func (t *Trainer) compare(r *Report, w *watched, before *snapshot) {
	m := t.Model
	w.free = m.FreeEnergy(nil, w.data)
	r.PseudoLogLikelihood = weightedMean(m.PseudoLogLikelihood(nil, w.data), w.weights)
	if w.held != nil {
		r.FreeEnergyGap = weightedMean(m.FreeEnergy(nil, w.held), w.heldWeights) - weightedMean(w.free, w.weights)
	}
	r.IndependentLogLikelihood = weightedMean(independentLogLikelihoods(w.data, t.columns(w).biases, t.Model.OneHot), w.weights)
	if t.Observed == nil {
		r.FreeEnergyShift = before.shift(w.free, w.weights)
	}
}

// columns returns what is known of them at a report.
func (t *Trainer) columns(w *watched) *columns {
	if w.columns != nil {
		return w.columns
	}
	return &t.state.columns
}

// noted keeps what later reports compare with.
func (t *Trainer) noted(r *Report, w *watched) {
	s := &t.state
	if t.Classifier == nil {
		s.peak = t.peak(r)
		s.columns = columns{biases: t.columns(w).biases, dependence: t.columns(w).dependence}
	}
	s.past.keep(r.Step, r.Rate, r.PseudoLogLikelihood, w.free, chainsOf(t.sampler()))
	s.reported = s.steps
}

// watch returns the rows of data to watch, and their weights. They are as many of Data as of
// HeldOut, at most 500: a *Bits, or of Values a *mat.Dense.
func (t *Trainer) watch(data Rows, weights []float64, purpose uint32) (rows mat.Matrix, w []float64, err error) {
	all, _ := t.Data.Dims()
	k := min(watchedRows, positive(t.Weights, all))
	if held := t.heldOut(); held != nil {
		n, _ := held.Dims()
		k = min(k, positive(t.HeldOutWeights, n))
	}
	n, _ := data.Dims()
	numbers, w := chooseRows(n, weights, k, sourceOf(t.state.seed, 0, purpose, 0), t.until())
	t.loadGroups()
	name := "Data"
	if purpose == watchHeld {
		name = "HeldOut"
	}
	rows, err = t.groups.gather(name, data, numbers, t.until())
	if b, ok := rows.(*Bits); ok && err == nil {
		err = t.groups.checkRows(name, b, 0, numbers)
	}
	return rows, w, err
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

// addWarnings adds the warnings of a report whose figures are there, and which is compared
// with an earlier one, unless that is nil.
func (t *Trainer) addWarnings(r *Report, w *watched, hidden *mat.Dense, before *snapshot) {
	r.warn(warnOfUnits(hidden, t.until()))
	if w.columns != nil {
		r.warn(t.warnOfColumns(hidden, w.columns))
	}
	r.warn(t.warnOfRate())
	if t.Classifier == nil {
		coins := -logZOfBiases(0, make([]float64, t.Model.B.Len()), t.Model.OneHot)
		if warning := warnOfFall(r, t.peak(r), coins); warning != "" {
			r.warn(warning)
		} else {
			r.warn(t.warnOfNothing(r, t.columns(w).dependence))
		}
	}
	r.warn(warnOfWeights(r), warnOfShift(r, before))
	if chains := chainsOf(t.sampler()); chains != nil {
		r.warn(warnOfChains(r, before, chains.spread(t.until()), spreadOf(w.data, t.until())))
	}
	r.warn(warnOfLadder(t.sampler()))
}
