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
)

// Trainer trains a model on minibatches, with reports of how it goes. It is a loop
// over parts that are all exported: whoever wants another one writes it.
//
// Each epoch takes every row of Data once, in an order that is a function of the
// seed and of the number of the epoch. Training that was interrupted goes on bit
// for bit. The settings may change between steps, but for Data, BatchSize and
// ShuffleBlock, by
// which epochs are counted. A Trainer is made by NewTrainer, belongs to one
// goroutine at a time and must not be copied after its first step.
//
// With Weights, the gradient of a minibatch counts as much as its rows do in the
// mean, so that an epoch climbs the weighted mean log-likelihood of all rows.
//
// # Rows that do not fit into memory
//
// With ShuffleBlock, an epoch takes blocks of so many rows, which are neighbours in Data, in
// random order, and the rows of each in random order; minibatches go across their
// borders. A source on disk is then read a block at a time, each once an epoch, and
// one block is held in memory. Neighbours stay in the same or in successive
// minibatches: where they are alike, shuffle the source once, and let a block have
// many minibatches. The first report, for the means of the columns, and the first
// checkpoint, for a checksum, take a pass over all rows.
//
// Without ShuffleBlock, rows are shuffled all together, and a source is read row by row:
// slow, and the order takes a word a row. The order depends on ShuffleBlock, but not on
// where the rows are: training is the same, bit for bit, in memory and from a source
// of the same rows.
//
// # Missing values
//
// With Observed, the likelihood that training climbs is that of what is observed: the
// positive phase averages over the missing units given the others,
//
//	∂ log p(v_observed) = -⟨∂F⟩ given v_observed + ⟨∂F⟩ model
//
// by one completion of each row, which is kept: the missing units are a chain that
// goes on, by MissingSweeps sweeps of [Chains.GibbsGiven] whenever its row is visited, with
// the groups of the Chains of [CD] or [PCD]. This is data augmentation (Tanner & Wong,
// 1987), with a stochastic approximation (Younes, 1989) that follows the model in
// both phases. The chains start from the visible biases before the first step, as
// [Chains.StartGiven] does. Where all is observed, training is the same, bit for bit,
// as without Observed.
//
// This is right if what is missing does not depend on its own values, given what is
// observed (Rubin, 1976). Of a report, the rows of Data watched are completions;
// rows of HeldOut are complete. For an exact mean over all completions, in a loop of
// your own, see [RBM.Completions].
//
// # Stopping early
//
// The model of each report is judged by the mean pseudo-log-likelihood of rows of
// HeldOut. The free-energy gap alone cannot be the judge, as it is least before
// training. Nor can the pseudo-log-likelihood of rows trained on minus the gap: it
// counts what units know of each other more than once, and drowns the gap.
type Trainer struct {
	sealed

	Model   *RBM
	Data    Rows      // the rows to train on
	Weights []float64 // of the rows of Data, at least 0; nil: equal
	HeldOut *Bits     // rows that are not trained on; nil: none

	// Observed marks by a one which units of Data are known, row by row, see above;
	// nil: all. Data then are Bits, in which the others may be anything.
	Observed      *Bits
	MissingSweeps int // of the missing units, at each visit of their row, up to 2²⁴; 0: one

	BatchSize    int // rows of a step, the last of an epoch having what is left
	ShuffleBlock int // rows that are shuffled together, see above; 0: all

	Sampler   Sampler
	SGD       SGD        // its Rate counts where there is no Schedule
	Schedule  Schedule   // of the number of steps before; nil: as SGD says
	Centering *Centering // nil: the ordinary gradient

	Patience    int // reports in a row without a better model after which Train stops; 0: never; needs HeldOut
	ReportEvery int // steps between reports; 0: one at the end of each epoch

	// OnReport, unless it is nil, is called at each report; an error ends Train. It may
	// change settings, say by [PT.Adapt], and save a checkpoint: last, as it is not
	// called again for the same report where training goes on.
	OnReport func(Report) error

	state    trainerState
	order    epochOrder
	batch    Bits
	part     Bits   // of batch
	groups   oneHot // of Model
	weights  []float64
	gradient *Gradient // nil before the first step
	printed  *printed  // what has been found out about Data
	missing  missing
	guard    parallel.Guard
	spare    *RBM  // the last best model, whose memory the next one takes
	train    *call // of Train, once it was called
	call     *call // that a step or a report is in, if it is in one
	kept     struct {
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

	best   *RBM    // nil before the first report with HeldOut
	score  float64 // of best
	waited int     // reports since

	peak     float64 // the largest pseudo-log-likelihood of a report, 0 if none
	reported int     // steps before the last report, 0 if none
	past     past
	columns  columns // of Data, as of the first report

	drawn Bits // Data, with what is missing as it was drawn last; empty before
}

// NewTrainer returns a Trainer with minibatches of 100 rows, a rate of 0.01 and
// centring, whose order of the rows is seeded by src. It panics if the sizes do
// not fit, data is empty, or an argument is nil.
func NewTrainer(m *RBM, data Rows, s Sampler, src rand.Source) *Trainer {
	t := &Trainer{
		Model:     m,
		Data:      data,
		BatchSize: 100,
		Sampler:   s,
		SGD:       SGD{Rate: 0.01},
		Centering: new(Centering),
		printed:   new(printed),
	}
	t.check()
	t.state.seed = seed(src)
	return t
}

// Train takes steps until there have been so many epochs in all, those of earlier
// calls included. Model then has the last parameters, and a later call goes on
// from there, bit for bit as if there had been one call.
//
// The error is that of ctx, of OnReport or of Step, wrapped. After one of ctx, of
// OnReport or of Data, Train may go on as well.
//
// When Patience runs out, Train sets Model to the best parameters and returns nil,
// as do later calls, unless Patience has been raised or set to 0: then training
// goes on from the best parameters. It panics as Step does.
func (t *Trainer) Train(ctx context.Context, epochs int) error {
	t.check()
	checkNil("ctx", ctx)
	if t.train == nil {
		t.train = new(call)
	}
	c := t.train
	c.begin(ctx)
	defer c.end()
	for {
		if t.due > 0 && t.due == t.state.steps {
			if err := t.report(c); err != nil {
				return err
			}
		}
		if t.Patience > 0 && t.state.waited >= t.Patience {
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
		t.rows += t.batch.rows
		if t.state.steps%t.every() == 0 {
			t.due = t.state.steps
		}
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

// Step trains on one minibatch, without a report. A minibatch whose weights are
// all zero only counts.
//
// The error wraps ErrDiverged if a parameter is no longer finite, which is found at
// once for a bias and for a weight that is NaN in the next step; or it is that of
// Data, with the numbers of the rows: then nothing has changed, and the step may be
// tried again.
// It panics if the sizes do not fit, if BatchSize is less than 1, ShuffleBlock, ReportEvery or
// Patience less than 0, if there is Patience without HeldOut, or for the reasons of what
// it calls; or if MissingSweeps is out of range, or if there is Observed and Data are no Bits,
// have another size or, where they are observed, do not fit the groups.
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
	if t.Observed != nil && !t.missing.complete(t.Model, &t.batch, t.Observed, &t.state.drawn, t.MissingSweeps, t.state.seed, t.state.steps) {
		return t.diverged()
	}
	if t.gradient == nil {
		t.gradient = new(Gradient)
	}
	t.state.rate = t.rateAt(t.state.steps)
	t.Model.WeightedGradient(t.gradient, v, weights, t.Sampler)
	if t.Centering != nil {
		t.Centering.center(t.gradient, t.Model)
	}
	if math.IsNaN(t.gradient.C.AtVec(0)) { // as all of it is if a parameter is
		return t.diverged()
	}
	if weights != nil {
		t.gradient.scale(mean(weights, t.Model.until())/t.order.weight, t.Model.until())
	}
	t.SGD.step(t.Model, t.gradient, t.state.rate)
	if t.Observed != nil {
		t.missing.completed(&t.batch, &t.state.drawn)
	}
	t.state.steps++
	if past := &t.state.past; past.younger.step == 0 && (t.state.steps+pastSteps)%t.every() == 0 {
		past.begin(t.state.steps, chainsOf(t.Sampler))
	}
	if firstNotFinite(t.Model.B) >= 0 || firstNotFinite(t.Model.C) >= 0 {
		return t.diverged()
	}
	return nil
}

// rateAt returns the rate of the step after so many.
func (t *Trainer) rateAt(steps int) float64 {
	if t.Schedule != nil {
		return t.Schedule(steps)
	}
	return t.SGD.Rate
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
func (t *Trainer) minibatch() (v *Bits, weights []float64, ok bool, err error) {
	steps := t.epochSteps()
	epoch, first := t.state.steps/steps, t.state.steps%steps*t.BatchSize
	all, cols := t.Data.Dims()
	n := min(t.BatchSize, all-first)
	t.batch.resize(n, cols)
	t.weights, t.missing.rows = t.weights[:0], t.missing.rows[:0]
	ok = t.Weights == nil
	t.groups.load(t.Model.OneHot)
	t.order.start(t.Data, t.Weights, t.ShuffleBlock, t.state.seed, epoch, t.until())
	for done := 0; done < n; {
		rows := t.order.from(first+done, t.until())
		rows = rows[:min(n-done, len(rows), lookEvery)]
		t.batch.slice(&t.part, done, done+len(rows))
		if err := t.order.gather(&t.part, t.Data, t.ShuffleBlock > 0, rows, t.until()); err != nil {
			return nil, nil, false, err
		}
		if t.Observed == nil { // else they have been checked
			if err := t.groups.checkRows("Data", &t.part, rows); err != nil {
				return nil, nil, false, err
			}
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
	return &t.batch, weights, ok, nil
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
	if t.HeldOut != nil {
		checkBatch("HeldOut", t.HeldOut, nv)
	}
	if t.Weights != nil {
		checkLength("Weights", t.Weights, n)
	}
	t.checkObserved()
	checkNil("sampler", t.Sampler)
	checkAtLeast("BatchSize", t.BatchSize, 1)
	checkAtLeast("ShuffleBlock", t.ShuffleBlock, 0)
	checkAtLeast("ReportEvery", t.ReportEvery, 0)
	checkAtLeast("Patience", t.Patience, 0)
	if t.Patience > 0 && t.HeldOut == nil {
		panic(fmt.Sprintf("rbm: Patience is %d and HeldOut is nil, want rows to judge by", t.Patience))
	}
	if best := t.state.best; best != nil {
		if bv, bh := best.Dims(); bv != nv || bh != nh {
			panic(fmt.Sprintf("rbm: Model is %d×%d, want %d×%d as at the best report", nh, nv, bh, bv))
		}
	}
}

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
	all, err := t.missing.startAll(t.Model, data, t.Observed, t.state.seed, t.until())
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
	drawn, data := &t.state.drawn, t.Data.(*Bits)
	for r := range drawn.rows {
		t.until().Look()
		observe(drawn.row(r), data.row(r), t.Observed.row(r))
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
	if s := &t.state; s.reported > 0 && !(r.PseudoLogLikelihood > s.peak) {
		return s.peak
	}
	return r.PseudoLogLikelihood
}
