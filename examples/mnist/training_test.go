package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"gonum.org/v1/gonum/mat"
)

func TestNewTraining(t *testing.T) {
	o := small(t)
	o.held, o.sampler = 50, "pt"
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	training := newTraining(o, d, keep.Folder{})
	m := training.trainer.Model
	if nv, nh := m.Dims(); nv != idx.Pixels || nh != o.hidden {
		t.Fatalf("the model has %d and %d units, want %d and %d", nv, nh, idx.Pixels, o.hidden)
	}
	if training.trainer.Data != d.train || training.trainer.HeldOut != d.held {
		t.Error("the rows to train on or to watch are others")
	}
	fit := rbm.New(idx.Pixels, 1)
	fit.FitVisibleBias(d.train)
	means := fit.VisibleProbs(nil, rbm.NewBits(1, 1))
	half := make([]float64, o.hidden)
	for j := range half {
		half[j] = 0.5
	}
	undecided := mat.NewDense(1, o.hidden, half)
	if !mat.EqualApprox(m.VisibleProbs(nil, undecided), means, 1e-12) {
		t.Error("undecided hidden units do not give the means of the training rows")
	}
	if !mat.EqualApprox(m.HiddenProbs(nil, means), undecided, 1e-12) {
		t.Error("the means of the training rows do not leave the hidden units undecided")
	}
	if !mat.Equal(training.trainer.Sampler.(*rbm.PT).Base, fit.B) {
		t.Error("the base of pt is not that of the training rows")
	}
}

func TestFlagsOfTraining(t *testing.T) {
	o := small(t)
	o.init = 0.25
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	if centered := newTraining(o, d, keep.Folder{}).trainer; centered.Centering == nil || centered.SGD.L2 != 0 {
		t.Errorf("without flags: centering %v, decay %v", centered.Centering, centered.SGD.L2)
	}
	p, q := o, o
	p.plain, p.decay, q.flip = true, 0.5, true
	if plain := newTraining(p, d, keep.Folder{}).trainer; plain.Centering != nil || plain.SGD.L2 != 0.5 {
		t.Errorf("-plain -decay 0.5: centering %v, decay %v", plain.Centering, plain.SGD.L2)
	}
	flipped, err := load(q)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][2]*rbm.Bits{"training": {d.train, flipped.train}, "test": {d.test, flipped.test}} {
		n, _ := b[0].Dims()
		for r := range n {
			for i := range idx.Pixels {
				if b[0].Bit(r, i) == b[1].Bit(r, i) {
					t.Fatalf("-flip: pixel %d of %s row %d is the same", i, name, r)
				}
			}
		}
	}
	w := newTraining(o, d, keep.Folder{}).trainer.Model.W
	if low, high := mat.Min(w), mat.Max(w); low < -0.25 || low > -0.24 || high > 0.25 || high < 0.24 {
		t.Errorf("-init 0.25: weights from %v to %v", low, high)
	}
	seen := make(map[string]bool)
	for _, o := range []options{o, p, q} {
		seen[fmt.Sprint(newSettings(o, d))] = true
	}
	if len(seen) != 3 {
		t.Errorf("there are %d settings, want 3", len(seen))
	}
}

func TestJudge(t *testing.T) {
	o := small(t)
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	m := rbm.NewRandom(idx.Pixels, 5, 0.1, rand.NewPCG(1, 0))
	m.FitVisibleBias(d.train)
	var out bytes.Buffer
	if err := judge(context.Background(), m, d, o, &out); err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]*rbm.Bits{"test": d.test, "training": d.train} {
		l, err := m.LogLikelihood(context.Background(), rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("log-likelihood of a %s row: %.2f nats", name, l.Mean); !strings.Contains(out.String(), want) {
			t.Errorf("judge printed no %q:\n%s", want, out.String())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := judge(ctx, rbm.New(idx.Pixels, 30), d, o, &out); err == nil {
		t.Error("judge took no notice that it was to stop")
	}
}

// The chains of this model leave the empty image at once for one in which nearly
// all pixels are on, and only that turns its hidden unit on.
func TestSample(t *testing.T) {
	m := rbm.New(idx.Pixels, 1)
	for i := range idx.Pixels {
		m.W.Set(0, i, 0.1)
		m.B.SetVec(i, 3)
	}
	m.C.SetVec(0, -40)
	p := sample(m, rbm.NewBits(4, idx.Pixels), rand.NewPCG(1, 0))
	if r, c := p.Dims(); r != 4 || c != idx.Pixels {
		t.Fatalf("the samples are %d×%d, want 4×%d", r, c, idx.Pixels)
	}
	for r := range 4 {
		for i, got := range p.RawRowView(r) {
			if want := 1 / (1 + math.Exp(-3.1)); math.Abs(got-want) > 1e-9 {
				t.Fatalf("pixel %d of sample %d has a probability of %v, want %v", i, r, got, want)
			}
		}
	}
}
