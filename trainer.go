package rbm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Trainer trains a model on minibatches, with reports of how it goes: a loop over parts
// that are all exported. Make one with [NewTrainer], set its fields, and call
// [Trainer.Train].
//
// Each epoch takes every row of Data once, in an order that depends on the seed and the
// number of the epoch. Interrupted training continues bit for bit. The settings may
// change between steps, except Data, BatchSize and ShuffleBlock, by which epochs are
// counted. Do not copy a Trainer after its first step. With Weights, the gradient of a
// minibatch is multiplied by the mean weight of its rows.
//
// # Rows that do not fit in memory
//
// With ShuffleBlock, an epoch takes blocks of neighboring rows in random order, and the
// rows of each block in random order; minibatches cross their borders. A source on disk
// is read block by block, once an epoch, and one block is in memory. If neighbors are
// alike, shuffle the source once and let a block have many minibatches. The first report
// and the first checkpoint take a pass over all rows. Without ShuffleBlock all rows are
// shuffled together, and a source is read row by row, slowly. Training is the same, bit
// for bit, in memory and from a source of the same rows.
//
// # Missing values
//
// With Observed, training climbs the likelihood of the observed units. The positive phase
// averages over the missing units given the others, which are clamped,
//
//	∂ log p(v_observed) = -⟨∂F⟩ given v_observed + ⟨∂F⟩ model
//
// by one completion of each row: a chain that starts from the visible biases and moves by
// MissingSweeps Gibbs sweeps, as [Chains.GibbsGiven], whenever its row is visited. This
// is data augmentation (Tanner & Wong, 1987) with stochastic approximation (Younes,
// 1989). It is unbiased if values are missing at random (Rubin, 1976).
// [RBM.CompletionsGiven] has the exact mean, for a few missing units.
//
// # Classification
//
// With a Classifier, whose Model is Model, steps climb its objective. [Classifier.Join]
// makes the rows of Data and HeldOut, inputs followed by the label; a row has no label if
// none of its units is on. A minibatch without a row that counts moves nothing. Sampler
// may be nil if Generative and Unlabeled are 0.
//
// Reports have Error and LogProb in place of log-likelihoods. The best model has the
// least Error and, among equals, the largest LogProb. With Observed, a label is observed
// as a whole or not at all, and then its row has none. Missing inputs are completed given
// the others and the label, if there is one: the discriminative term is log p(y|x) of
// completed inputs.
type Trainer struct {
	sealed

	Model          *RBM
	Data           Rows      // the rows to train on: Bits, Values or a source of Bits
	Weights        []float64 // of the rows of Data, at least 0; nil: equal
	HeldOut        Rows      // validation rows, by which a [Report] finds the best model; nil: none
	HeldOutWeights []float64 // of the rows of HeldOut, at least 0; nil: equal

	Observed      *Bits // a one for each known unit of Data, which then are Bits; nil: all are known
	MissingSweeps int   // Gibbs sweeps of the missing units at each visit of their row, up to 2²⁴; 0: one

	BatchSize    int // rows of a step, the last of an epoch having what is left
	ShuffleBlock int // rows that are shuffled together, see above; 0: all

	Sampler    Sampler
	Classifier *Classifier // nil: Model learns its rows as a whole
	SGD        SGD         // its Rate counts where there is no Schedule
	Schedule   Schedule    // of the number of steps before; nil: as SGD and [NewTrainer] say
	Centering  *Centering  // nil: the ordinary gradient
	Sparsity   *Sparsity   // a penalty, before centering; nil: none
	Frozen     *Frozen     // parameters that stay as they are, as of a [Gradient]; nil: none
	Single     bool        // single precision, as of a [Gradient]

	Patience    int // reports in a row without a better model after which Train stops; 0: never; needs HeldOut
	ReportEvery int // steps between reports; 0: one at the end of each epoch

	// OnReport, unless nil, is called at each report; an error ends Train. It may change
	// settings, say by [PT.Adapt], and at last save a checkpoint.
	OnReport func(Report) error

	state          trainerState
	order          epochOrder
	batch          Bits
	part           Bits      // of batch
	values         mat.Dense // the batch, if Data are Values
	groups         oneHot    // of Model
	weights        []float64
	classification classification
	gradient       *Gradient // nil before the first step
	fused          fused
	printed        *printed // what has been found out about Data
	missing        missing
	guard          parallel.Guard
	spare          *RBM  // the last best model, whose memory the next one takes
	train          *call // of Train, once it was called
	call           *call // that a step or a report is in, if it is in one
	kept           struct {
		rate  float64
		drawn Bits
	}

	due     int // steps before a report that could not be made, or 0
	rows    int // trained on by Train since its last report
	elapsed time.Duration
}

// ErrDiverged is what the error of [Trainer.Train] and [Trainer.Step] wraps if a
// parameter of Model, or the gradient, is not finite. The error itself names the
// parameter, the step and the rate.
var ErrDiverged = errors.New("rbm: the model has diverged")

// trainerState is what changes in training, apart from what the exported fields
// hold.
type trainerState struct {
	seed  uint64
	steps int
	rate  float64 // of the last step

	best   *RBM  // nil before the first report with HeldOut
	score  score // of best
	waited int   // reports since

	peak     float64 // the largest pseudo-log-likelihood of a report, if there are columns
	reported int     // steps before the last report, 0 if none
	past     past
	columns  columns // of Data, as of the first report without a Classifier

	drawn Bits // Data, with what is missing as it was drawn last; empty before
}

// NewTrainer returns a Trainer with minibatches of 100 rows and centering, seeded by src. As
// long as its SGD.Rate stays and Schedule is nil, the rate falls, as Inverse(SGD.Rate, 1000)
// does, from 0.45, or 130/√(nv·nh) if that is less (see docs/training.md). A rate that is set
// is constant. It panics if the sizes do not fit, or if an argument is nil or data empty.
func NewTrainer(m *RBM, data Rows, s Sampler, src rand.Source) *Trainer {
	t := &Trainer{
		Model:     m,
		Data:      data,
		BatchSize: 100,
		Sampler:   s,
		Centering: new(Centering),
		printed:   new(printed),
	}
	t.check()
	t.SGD.Rate = usualRate(m.Dims())
	t.state.seed = seed(src)
	return t
}

// Train takes steps until this number of epochs is complete, counting earlier calls. It
// stops early when ctx is done, at an error of OnReport or of [Trainer.Step], or when
// Patience runs out. The error is wrapped; after one of ctx, OnReport or Data, Train may
// continue, bit for bit.
//
// When Patience runs out, Train sets Model to the best parameters and returns nil, and so
// do later calls, unless Patience has been raised or set to 0. It panics as Step does.
func (t *Trainer) Train(ctx context.Context, epochs int) error {
	t.check()
	checkNil("ctx", ctx)
	if t.train == nil {
		t.train = new(call)
	}
	t.checkHeldOutWeights()
	c := t.train
	c.begin(ctx)
	defer c.end()
	defer t.forget()
	for {
		if t.due > 0 && t.due == t.state.steps {
			if err := t.report(c); err != nil {
				return err
			}
		}
		if t.Patience > 0 && t.waited() >= t.Patience {
			t.state.best.copyTo(t.Model)
			return nil
		}
		if t.Epochs() >= epochs {
			return t.within(c, t.checkFinite)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("rbm: after step %d: %w", t.state.steps, err)
		}
		start := time.Now()
		if err := t.within(c, t.Step); err != nil {
			return err
		}
		t.elapsed += time.Since(start)
		t.rows += len(t.missing.rows)
		if t.state.steps%t.every() == 0 {
			t.due = t.state.steps
		}
	}
}

// forget makes the next step read all of Model.
func (t *Trainer) forget() {
	if t.gradient != nil {
		t.gradient.model.kept = nil
	}
}

// within does something with Model inside of a call. If that ends, nothing has
// changed.
func (t *Trainer) within(c *call, do func() error) (err error) {
	m := t.Model
	defer func() { t.call, m.call = nil, nil }()
	ended := c.run(func() {
		t.call, m.call = c, c
		c.keeps(t)
		err = do()
	})
	if ended {
		return fmt.Errorf("rbm: after step %d: %w", t.state.steps, c.ctx.Err())
	}
	return err
}

// note remembers what changes in a step before it is done.
func (t *Trainer) note() { t.kept.rate, t.kept.drawn = t.state.rate, t.state.drawn }

// back goes back to that.
func (t *Trainer) back() { t.state.rate, t.state.drawn = t.kept.rate, t.kept.drawn }

// until returns what ends work of the Trainer in its middle, or nil if nothing does.
func (t *Trainer) until() *stop.Signal { return t.call.until() }

// Step trains on one minibatch, without a report. A minibatch whose weights are all zero
// only counts.
//
// The error wraps [ErrDiverged] if a parameter is no longer finite: at once for a bias, one
// step later for a weight. Any other error comes from Data, or names a value that is not in
// [0, 1] or a row that does not have exactly one unit of a group on, or more than one of the
// label; then nothing has changed, and the step may be tried again. Step panics if a setting is
// out of range or the sizes do not fit.
func (t *Trainer) Step() error {
	checkNil("Trainer", t)
	defer t.guard.Take("Trainer").Release()
	t.check()
	if err := t.startMissing(); err != nil {
		return err
	}
	v, weights, ok, err := t.minibatch()
	if err != nil {
		return err
	}
	if !ok {
		t.state.steps++
		return nil
	}
	if t.Observed != nil && !t.missing.complete(t.Model, &t.batch, t.Observed, &t.state.drawn, t.labelUnits(), t.MissingSweeps, t.state.seed, t.state.steps) {
		return t.diverged()
	}
	t.state.rate = t.rateAt(t.state.steps)
	if !t.climb(v, weights) {
		return t.diverged()
	}
	if t.Observed != nil {
		t.missing.completed(&t.batch, &t.state.drawn)
	}
	t.state.steps++
	if past := &t.state.past; past.younger.step == 0 && (t.state.steps+pastSteps)%t.every() == 0 {
		past.begin(t.state.steps, chainsOf(t.sampler()))
	}
	if firstNotFinite(t.Model.B) >= 0 || firstNotFinite(t.Model.C) >= 0 {
		return t.diverged()
	}
	return nil
}

// climb moves Model along the gradient of a minibatch, unless that is NaN.
func (t *Trainer) climb(v mat.Matrix, weights []float64) (ok bool) {
	m, factor := t.Model, 1.0
	if weights != nil {
		factor = mean(weights, m.until()) / t.order.weight
	}
	if t.gradient == nil {
		t.gradient = &Gradient{noW: true}
	}
	t.gradient.Single, t.gradient.Frozen = t.Single, t.Frozen
	if t.Classifier != nil {
		t.classGradient(v, weights)
	} else if t.climbFused(v, weights, factor) {
		return true
	}
	isNaN := math.IsNaN(t.gradient.C.AtVec(0)) // as all of it is if a parameter is
	if t.Sparsity != nil {
		t.Sparsity.penalize(t.gradient, m)
	}
	if t.Centering != nil {
		t.Centering.center(t.gradient, m)
	}
	if isNaN || math.IsNaN(t.gradient.C.AtVec(0)) {
		return false
	}
	if weights != nil {
		t.gradient.scale(factor, m.until())
	}
	t.SGD.step(m, t.gradient, t.state.rate)
	return true
}

// climbFused takes a fused step or, if there is none, finds the gradient of the minibatch.
func (t *Trainer) climbFused(v mat.Matrix, weights []float64, factor float64) (done bool) {
	g := t.gradient
	defer g.take().Release()
	var w work
	defer w.end()
	w.sums(g, t.Model, v, weights, t.Sampler)
	keep := t.call != nil // in Train, which forgets it before somebody can change Model
	if t.Sparsity == nil && t.fused.step(&w, &t.SGD, t.Centering, t.state.rate, factor, keep) {
		return true
	}
	g.size(t.Model.Dims())
	w.gradient(g)
	return false
}

// rateAt returns the rate of the step after so many.
func (t *Trainer) rateAt(steps int) float64 {
	if t.Schedule != nil {
		return t.Schedule(steps)
	}
	if t.SGD.Rate == usualRate(t.Model.Dims()) {
		return t.SGD.Rate / (1 + float64(steps)/usualHalf)
	}
	return t.SGD.Rate
}

const usualHalf = 1000 // steps by which a usual rate has fallen to its half

// usualRate returns the rate of the first step where none is set.
func usualRate(nv, nh int) float64 {
	return min(0.45, 130/math.Sqrt(float64(nv)*float64(nh)))
}

// Steps returns the number of steps so far.
func (t *Trainer) Steps() int {
	checkNil("Trainer", t)
	return t.state.steps
}

// Epochs returns the number of epochs that are complete.
func (t *Trainer) Epochs() int {
	t.check()
	return t.state.steps / t.epochSteps()
}

// Best returns a copy of the model at the best report so far, or nil if there was
// none with HeldOut.
func (t *Trainer) Best() *RBM {
	checkNil("Trainer", t)
	if t.state.best == nil {
		return nil
	}
	return t.state.best.Clone()
}

// minibatch returns the rows of the next step with their weights, and whether
// there is anything to learn from them.
func (t *Trainer) minibatch() (v mat.Matrix, weights []float64, ok bool, err error) {
	steps := t.epochSteps()
	epoch, first := t.state.steps/steps, t.state.steps%steps*t.BatchSize
	all, cols := t.Data.Dims()
	n := min(t.BatchSize, all-first)
	v = t.makeBatch(n, cols)
	t.weights, t.missing.rows = t.weights[:0], t.missing.rows[:0]
	ok = t.Weights == nil
	t.loadGroups()
	t.order.start(t.Data, t.Weights, t.ShuffleBlock, t.state.seed, epoch, t.until())
	for done := 0; done < n; {
		rows := t.order.from(first+done, t.until())
		rows = rows[:min(n-done, len(rows), lookEvery)]
		if err := t.readBatch(done, rows); err != nil {
			return nil, nil, false, err
		}
		if t.Weights != nil {
			for _, r := range rows {
				t.weights = append(t.weights, t.Weights[r])
				ok = ok || t.Weights[r] != 0
			}
			weights = t.weights
		}
		t.missing.rows = append(t.missing.rows, rows...)
		done += len(rows)
	}
	if t.Classifier != nil {
		ok, err = t.readLabels(v, t.missing.rows, weights)
	}
	return v, weights, ok, err
}

// makeBatch returns the memory of a minibatch.
func (t *Trainer) makeBatch(n, cols int) mat.Matrix {
	if _, ok := valuesOf(t.Data); ok {
		t.values.Reset()
		t.values.ReuseAs(n, cols)
		return &t.values
	}
	t.batch.resize(n, cols)
	return &t.batch
}

// readBatch reads the rows with these numbers, and checks them, from row k of the minibatch on.
func (t *Trainer) readBatch(k int, rows []int) error {
	if a, ok := valuesOf(t.Data); ok {
		for _, r := range rows {
			t.until().Look()
			if err := t.groups.readValues(t.values.RawRowView(k), "Data", a, r); err != nil {
				return err
			}
			k++
		}
		return nil
	}
	t.batch.slice(&t.part, k, k+len(rows))
	err := t.order.gather(&t.part, t.Data, t.ShuffleBlock > 0, rows, t.until())
	if err == nil && t.Observed == nil { // else they have been checked
		err = t.groups.checkRows("Data", &t.part, 0, rows)
	}
	return err
}

// heldOut returns HeldOut, or nil if it holds a pointer that is.
func (t *Trainer) heldOut() Rows {
	if isNil(t.HeldOut) {
		return nil
	}
	return t.HeldOut
}

// epochSteps returns the number of steps of an epoch.
func (t *Trainer) epochSteps() int {
	n, _ := t.Data.Dims()
	return (n-1)/t.BatchSize + 1
}

// every returns the number of steps between reports.
func (t *Trainer) every() int {
	if t.ReportEvery == 0 {
		return t.epochSteps()
	}
	return t.ReportEvery
}

// check panics if the settings do not fit.
func (t *Trainer) check() {
	checkNil("Trainer", t)
	nv, nh := t.Model.Dims()
	n := checkBatch("Data", t.Data, nv)
	held := t.heldOut()
	if held != nil {
		checkBatch("HeldOut", held, nv)
	}
	if t.Weights != nil {
		checkLength("Weights", t.Weights, n)
	}
	if t.HeldOutWeights != nil {
		n := 0
		if held != nil {
			n, _ = held.Dims()
		}
		checkLength("HeldOutWeights", t.HeldOutWeights, n)
	}
	t.checkObserved()
	t.Frozen.check(nv, nh)
	t.checkClassifier()
	checkAtLeast("BatchSize", t.BatchSize, 1)
	checkAtLeast("ShuffleBlock", t.ShuffleBlock, 0)
	checkAtLeast("ReportEvery", t.ReportEvery, 0)
	checkAtLeast("Patience", t.Patience, 0)
	if t.Patience > 0 && held == nil {
		panic(fmt.Sprintf("rbm: Patience is %d and HeldOut is nil, want rows to judge by", t.Patience))
	}
	if best := t.state.best; best != nil {
		if bv, bh := best.Dims(); bv != nv || bh != nh {
			panic(fmt.Sprintf("rbm: Model is %d×%d, want %d×%d as at the best report", nh, nv, bh, bv))
		}
	}
}

// checkHeldOutWeights panics unless the weights have a mean.
func (t *Trainer) checkHeldOutWeights() { checkWeights("HeldOutWeights", t.HeldOutWeights, t.until()) }

// checkObserved panics if Observed does not fit.
func (t *Trainer) checkObserved() {
	checkRange("MissingSweeps", t.MissingSweeps, 0, maxSweeps)
	if t.Observed == nil {
		return
	}
	data, ok := t.Data.(*Bits)
	if !ok {
		panic(fmt.Sprintf("rbm: Data is a %T with Observed, want a *rbm.Bits", t.Data))
	}
	if t.Observed.rows != data.rows || t.Observed.cols != data.cols {
		panic(fmt.Sprintf("rbm: Observed is %d×%d, want %d×%d", t.Observed.rows, t.Observed.cols, data.rows, data.cols))
	}
}

// startMissing draws what is missing of all rows, unless that has been done.
func (t *Trainer) startMissing() error {
	drawn := &t.state.drawn
	if t.Observed == nil {
		*drawn = Bits{}
		return nil
	}
	data := t.Data.(*Bits)
	if drawn.rows == data.rows && drawn.cols == data.cols {
		return nil
	}
	all, err := t.missing.startAll(t.Model, data, t.Observed, t.labelUnits(), t.state.seed, t.until())
	if err == nil {
		*drawn = *all
	}
	return err
}

// completions returns all rows, what is missing being as it was drawn last.
func (t *Trainer) completions() (*Bits, error) {
	if err := t.startMissing(); err != nil {
		return nil, err
	}
	drawn, data, label, mask := &t.state.drawn, t.Data.(*Bits), t.labelUnits(), NewBits(1, t.Observed.cols).row(0)
	for r := range drawn.rows {
		t.until().Look()
		label.mask(mask, data.row(r), t.Observed.row(r))
		observe(drawn.row(r), data.row(r), mask)
	}
	return drawn, nil
}

// checkFinite returns an error if a parameter is not finite.
func (t *Trainer) checkFinite() error {
	if t.Model.notFinite() != "" {
		return t.diverged()
	}
	return nil
}

// diverged returns the error of a model that is of no more use.
func (t *Trainer) diverged() error {
	what := t.Model.notFinite()
	if what == "" {
		what = "the gradient is NaN"
	}
	if t.state.steps == 0 {
		return divergence(fmt.Sprintf("rbm: before the first step: %s", what))
	}
	return divergence(fmt.Sprintf("rbm: after step %d: %s; is the rate %.4g too high?", t.state.steps, what, t.state.rate))
}

// divergence says where a model has diverged.
type divergence string

func (d divergence) Error() string { return string(d) }
func (d divergence) Unwrap() error { return ErrDiverged }

// peak returns the largest pseudo-log-likelihood up to this report.
func (t *Trainer) peak(r *Report) float64 {
	if s := &t.state; len(s.columns.biases) > 0 && !(r.PseudoLogLikelihood > s.peak) {
		return s.peak
	}
	return r.PseudoLogLikelihood
}
