// Package recipe chooses the settings of a training by rules that hold for tables of many
// kinds: the hidden units, the rate, the number of epochs and the decay of the weights.
//
//	m, err := recipe.Train(ctx, rows) // a first model
//
// does all of it for complete rows. To give some of the settings, to look at reports, or
// with missing values, take the steps of Train one by one:
//
//	train, heldOut := recipe.Split(rows, 0.1, 1)
//	r := recipe.Recipe{Hidden: 20}
//	err := r.Fill(ctx, train, heldOut, nil)
//	t := r.Trainer(train, heldOut, nil)
//	err = t.Train(ctx, r.Epochs)
//	m := recipe.Best(t)
//
// The file docs/training.md says how the rules were found, and what they are worth.
package recipe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// Recipe has the settings of a training. Set what you know, call [Recipe.Fill], which
// chooses those that are 0, and then [Recipe.Trainer].
type Recipe struct {
	Hidden    int     // hidden units
	Epochs    int     // passes over the rows
	BatchSize int     // rows of a step
	Chains    int     // of PTT, or of PCD for a large model
	Rate      float64 // of the first step; it falls linearly to 0 over Epochs
	L2        float64 // decay of the weights; negative: none

	Seed   uint64      // any number
	OneHot []rbm.Group // of the model; nil: all units are free
}

// The rules.
const (
	usualBatch  = 100
	usualChains = 100
	usualSteps  = 10000
	usualRate   = 0.5
	mostHidden  = 500
	mostWeights = 1 << 14 // for PTT
	mostReports = 50

	// With fewer rows for each hidden unit a trial looks whether the model overfits.
	rowsOfUnit = 100
	trialShare = 4    // it is the first of so many parts of the training
	leastFall  = 0.02 // of the score of the rows held out, beside what they gain on independent units
)

// Fill chooses the settings that are 0, for the rows to train on and those that judge the
// model. HeldOut, of complete rows, may be nil. Observed has a one for each known unit of
// train, or is nil.
//
// To choose Epochs for a model with many hidden units it may train for a quarter of the
// time: if the rows held out become less likely then, Epochs are twice the number that
// made them likely. The error comes from ctx or from this training, or names a setting
// that is out of range. It panics if the sizes do not fit.
//
// To resume a training from a checkpoint, keep the filled Recipe, and skip Fill.
func (r *Recipe) Fill(ctx context.Context, train, heldOut, observed *rbm.Bits) error {
	n, nv := sizes(train, heldOut, observed)
	if err := r.check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if r.BatchSize == 0 {
		r.BatchSize = min(usualBatch, n)
	}
	if r.Chains == 0 {
		r.Chains = usualChains
	}
	chosen := r.Epochs > 0
	if !chosen {
		r.Epochs = max(1, usualSteps/r.epochSteps(n))
		if r.Epochs > mostReports {
			r.Epochs -= r.Epochs % mostReports // the last epoch has a report
		}
	}
	if r.Hidden == 0 {
		r.Hidden = max(1, min(nv, n/20, mostHidden))
	}
	if r.Rate == 0 {
		r.Rate = min(usualRate, 140/math.Sqrt(float64(nv)*float64(r.Hidden)))
	}
	if r.L2 == 0 {
		r.L2 = 1 / float64(n)
	}
	if chosen || heldOut == nil || n >= rowsOfUnit*r.Hidden {
		return nil
	}
	return r.shorten(ctx, train, heldOut, observed)
}

// shorten sets Epochs to less, if the beginning of the training tells that the model overfits.
func (r *Recipe) shorten(ctx context.Context, train, heldOut, observed *rbm.Bits) error {
	t := r.Trainer(train, heldOut, observed)
	var epochs []int
	var trained, held []float64
	independent, best := 0., 0
	t.OnReport = func(r rbm.Report) error {
		x, y := r.LogLikelihood, r.HeldOutLogLikelihood
		if math.IsNaN(x) {
			x, y = r.PseudoLogLikelihood, r.HeldOutPseudoLogLikelihood
		}
		if r.Best {
			best = len(epochs)
		}
		independent = r.IndependentLogLikelihood
		epochs, trained, held = append(epochs, r.Epoch), append(trained, x), append(held, y)
		return nil
	}
	if err := t.Train(ctx, r.Epochs/trialShare); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	last := len(epochs) - 3 // of which the mean counts
	if best >= last {
		return nil
	}
	rise, fall := mean(trained[last:])-trained[best], held[best]-mean(held[last:])
	if rise > 0 && fall > leastFall*(held[best]-independent) {
		r.Epochs = 2 * epochs[best]
	}
	return nil
}

func mean(x []float64) (m float64) {
	for _, x := range x {
		m += x
	}
	return m / float64(len(x))
}

// check returns an error that names a setting that is out of range.
func (r *Recipe) check() error {
	for _, x := range []struct {
		name  string
		value int
	}{{"Hidden", r.Hidden}, {"Epochs", r.Epochs}, {"BatchSize", r.BatchSize}, {"Chains", r.Chains}} {
		if x.value < 0 {
			return fmt.Errorf("recipe: %s is %d, want at least 1, or 0 to have it chosen", x.name, x.value)
		}
	}
	if !(r.Rate >= 0) || math.IsInf(r.Rate, 0) {
		return fmt.Errorf("recipe: Rate is %v, want a number above 0, or 0 to have it chosen", r.Rate)
	}
	if math.IsNaN(r.L2) || math.IsInf(r.L2, 1) {
		return fmt.Errorf("recipe: L2 is %v, want a number, 0 to have it chosen, or less for none", r.L2)
	}
	return nil
}

// sizes returns the size of train, and panics if the others do not fit.
func sizes(train, heldOut, observed *rbm.Bits) (n, nv int) {
	if train == nil {
		panic("recipe: train is nil")
	}
	n, nv = train.Dims()
	if n == 0 {
		panic("recipe: train is empty, want rows")
	}
	if heldOut != nil {
		if h, c := heldOut.Dims(); c != nv || h == 0 {
			panic(fmt.Sprintf("recipe: heldOut is %d×%d, want n×%d", h, c, nv))
		}
	}
	if observed != nil {
		if o, c := observed.Dims(); o != n || c != nv {
			panic(fmt.Sprintf("recipe: observed is %d×%d, want %d×%d", o, c, n, nv))
		}
	}
	return n, nv
}

// epochSteps returns the number of steps of an epoch of n rows.
func (r *Recipe) epochSteps(n int) int { return (n-1)/r.BatchSize + 1 }

// Trainer returns a Trainer with the settings, after Fill: PTT, or PCD for a model of more
// than 16,384 weights, the centered gradient, a rate that falls linearly to 0, and a model
// whose visible biases fit the means of train. HeldOut judges it up to 50 times. It panics if
// a setting is 0 or the sizes do not fit.
func (r *Recipe) Trainer(train, heldOut, observed *rbm.Bits) *rbm.Trainer {
	n, nv := sizes(train, heldOut, observed)
	if err := r.check(); err != nil {
		panic(err.Error())
	}
	if r.Hidden == 0 || r.Epochs == 0 || r.BatchSize == 0 || r.Chains == 0 || r.Rate == 0 {
		panic(fmt.Sprintf("recipe: settings are %+v, want those of Fill", *r))
	}
	src := rand.NewPCG(r.Seed, 0x7265636970650000)
	m := rbm.NewRandom(nv, r.Hidden, 0.01, src)
	m.OneHot = r.OneHot
	m.B = m.FittedBias(train, nil, observed)
	var sampler rbm.Sampler
	if nv*r.Hidden <= mostWeights {
		ptt := rbm.NewPTT(r.Chains, 1, nil, src)
		ptt.MinSwapRate = 0.1
		sampler = ptt
	} else {
		sampler = rbm.NewPCD(r.Chains, 1, src)
	}
	t := rbm.NewTrainer(m, train, sampler, src)
	t.HeldOut, t.Observed = heldOut, observed
	t.BatchSize = r.BatchSize
	t.SGD.L2 = max(0, r.L2)
	steps := r.epochSteps(n)
	t.Schedule = rbm.Linear(r.Rate, 0, r.Epochs*steps)
	t.ReportEvery = steps * ((r.Epochs-1)/mostReports + 1)
	return t
}

// Best returns the model of t at the best of its reports, or as it is without HeldOut.
func Best(t *rbm.Trainer) *rbm.RBM {
	if best := t.Best(); best != nil {
		return best
	}
	return t.Model
}

// Split returns the rows in random order, a share of them as heldOut, for Fill. It panics
// unless both have rows.
func Split(rows *rbm.Bits, share float64, seed uint64) (train, heldOut *rbm.Bits) {
	n, _ := rows.Dims()
	k := int(math.Round(share * float64(n)))
	if !(k >= 1 && k < n) {
		panic(fmt.Sprintf("recipe: a share of %v of %d rows is %d, want at least 1 row and 1 left", share, n, k))
	}
	all := rows.Gather(nil, rand.New(rand.NewPCG(seed, 0)).Perm(n))
	return all.Slice(k, n), all.Slice(0, k)
}

// Train returns a model of rows: with the settings that Fill chooses, as it was when it
// judged a tenth of the rows best. A missing value counts as the 0 that it is in Bits, and
// all units are free: otherwise take the steps of the package comment. The error comes from
// ctx or from training.
func Train(ctx context.Context, rows *rbm.Bits) (*rbm.RBM, error) {
	var heldOut *rbm.Bits
	train := rows
	if n, _ := rows.Dims(); n >= fewRows {
		train, heldOut = Split(rows, 0.1, 1)
	}
	var r Recipe
	if err := r.Fill(ctx, train, heldOut, nil); err != nil {
		return nil, err
	}
	t := r.Trainer(train, heldOut, nil)
	if err := t.Train(ctx, r.Epochs); err != nil {
		return nil, err
	}
	return Best(t), nil
}

const fewRows = 100 // of which none are held out
