package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/monitor"
	"gonum.org/v1/gonum/mat"
)

const levels = 20 // temperatures of pt

// samplers are the values of -sampler.
var samplers = []string{"pcd", "cd", "pt", "ptt"}

// schedules are the values of -schedule.
var schedules = []string{"linear", "cosine", "inverse", "constant"}

// A training is what a checkpoint holds, and where that lies.
type training struct {
	o        options
	dir      keep.Folder
	settings keep.Settings
	trainer  *rbm.Trainer
	interval time.Duration // between checkpoints, at least
	saved    time.Time
}

// newTraining returns a training of which nothing is done.
func newTraining(o options, d data, dir keep.Folder) *training {
	src := rand.NewPCG(o.seed, 0)
	m := newModel(o, d, src)
	t := rbm.NewTrainer(m, d.train, newSampler(o, d, src), src)
	t.HeldOut = d.held
	t.BatchSize = o.batch
	t.Patience = o.patience
	t.SGD.L2 = o.decay
	if o.plain {
		t.Centering = nil
	}
	return &training{o: o, dir: dir, settings: newSettings(o, d), trainer: t, interval: time.Minute}
}

// newModel returns a model with random weights that cancel where the visible units
// have the means of the data and the hidden ones are undecided, which makes the
// start the same on flipped pictures.
func newModel(o options, d data, src rand.Source) *rbm.RBM {
	m := rbm.New(idx.Pixels, o.hidden)
	uniform := rand.New(src)
	for j := range o.hidden {
		for i := range idx.Pixels {
			m.W.Set(j, i, o.init*(2*uniform.Float64()-1))
		}
	}
	m.FitVisibleBias(d.train)
	means := m.VisibleProbs(nil, rbm.NewBits(1, o.hidden)).RowView(0) // without hidden units
	undecided := mat.NewVecDense(o.hidden, nil)
	for j := range o.hidden {
		undecided.SetVec(j, 0.5)
	}
	var shift mat.VecDense
	shift.MulVec(m.W, means)
	m.C.SubVec(m.C, &shift)
	shift.Reset()
	shift.MulVec(m.W.T(), undecided)
	m.B.SubVec(m.B, &shift)
	return m
}

// rateOver returns the schedule of the rate over so many steps.
func (o options) rateOver(steps int) rbm.Schedule {
	switch o.schedule {
	case "cosine":
		return rbm.Cosine(o.rate, 0, steps)
	case "inverse":
		return rbm.Inverse(o.rate, max(1, steps/10))
	case "constant":
		return rbm.Constant(o.rate)
	default:
		return rbm.Linear(o.rate, 0, steps)
	}
}

func newSampler(o options, d data, src rand.Source) rbm.Sampler {
	switch o.sampler {
	case "cd":
		return rbm.NewCD(o.k, src)
	case "pt":
		pt := rbm.NewPT(o.batch, o.k, levels, src)
		pt.Base = rbm.New(idx.Pixels, 1).FittedBias(d.train, nil, nil)
		return pt
	case "ptt":
		return rbm.NewPTT(o.batch, o.k, nil, src)
	default:
		return rbm.NewPCD(o.batch, o.k, src)
	}
}

// resume goes on from the checkpoint, if there is one.
func (t *training) resume() (found bool, err error) {
	return t.dir.Load(t.settings, t.trainer)
}

func (t *training) save() error {
	t.saved = time.Now()
	return t.dir.Save(t.settings, t.trainer)
}

// steps returns how many steps there are in so many epochs.
func (t *training) steps(epochs int) int {
	n, _ := t.trainer.Data.Dims()
	return epochs * ((n + t.o.batch - 1) / t.o.batch)
}

// run trains until all is done, or until ctx is. It saves a checkpoint now and then
// and at the end. It writes a line for each report to w, and before each step calls reach
// with the number of the steps before.
func (t *training) run(ctx context.Context, w io.Writer, reach func(step int)) error {
	table, err := monitor.CSV(t.dir.Path(historyFile), t.trainer.Steps())
	if err != nil {
		return err
	}
	rate := t.o.rateOver(t.steps(t.o.epochs))
	t.trainer.Schedule = func(step int) float64 {
		reach(step)
		return rate(step)
	}
	t.trainer.OnReport = monitor.All(monitor.Lines(w), table, func(rbm.Report) error {
		if pt, ok := t.trainer.Sampler.(*rbm.PT); ok {
			pt.Adapt()
		}
		if time.Since(t.saved) < t.interval {
			return nil
		}
		return t.save()
	})
	t.saved = time.Now()
	err = t.trainer.Train(ctx, t.o.epochs)
	if err != nil && !errors.Is(err, ctx.Err()) {
		return err
	}
	return errors.Join(t.save(), err)
}
