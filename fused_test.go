package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// A Trainer stores the gradient of the weights only where it must, and its steps are the same.
func TestFusedStepStoresNoGradient(t *testing.T) {
	const nv, nh, n = 35, 12, 30
	data := NewBits(n, nv)
	for r := range n {
		for i := range nv {
			data.SetBit(r, i, r*i%3 == 1)
		}
	}
	for _, tt := range []struct {
		name    string
		sampler func() Sampler
		longest int
		stores  bool
	}{
		{"CD", func() Sampler { return NewCD(1, rand.NewPCG(1, 1)) }, longestFused, false},
		{"PCD", func() Sampler { return NewPCD(5, 1, rand.NewPCG(1, 1)) }, longestFused, false},
		{"a step too long to wait for", func() Sampler { return NewCD(1, rand.NewPCG(1, 1)) }, 0, true},
		{"Exact", func() Sampler { return new(Exact) }, longestFused, true},
	} {
		defer func(old int) { longestFused = old }(longestFused)
		longestFused = tt.longest
		start := func() *Trainer {
			tr := NewTrainer(NewRandom(nv, nh, 0.1, rand.NewPCG(2, 2)), data, tt.sampler(), rand.NewPCG(3, 3))
			tr.BatchSize, tr.SGD.Momentum = 12, 0.5
			return tr
		}
		tr := start()
		if err := tr.Train(context.Background(), 2); err != nil {
			t.Fatal(err)
		}
		if once := start(); once.Step() != nil || once.gradient.W != nil != (tt.name == "Exact") {
			t.Errorf("%s: a step that nothing ends stores the gradient of W: %v", tt.name, once.gradient.W != nil)
		}
		if stores := tr.gradient.W != nil; stores != tt.stores {
			t.Errorf("%s: the gradient of W is stored: %v, want %v", tt.name, stores, tt.stores)
		}

		longestFused = math.MaxInt
		other := start()
		if err := other.Train(context.Background(), 2); err != nil {
			t.Fatal(err)
		}
		if m, x := tr.Model, other.Model; !mat.Equal(m.W, x.W) || !mat.Equal(m.B, x.B) || !mat.Equal(m.C, x.C) {
			t.Errorf("%s: the model is another one", tt.name)
		}
	}
}

// What a fused step keeps for the next one is of no use after a step of the plain way.
func TestPlainStepAfterFused(t *testing.T) {
	defer func(n int) { longestFused = n }(longestFused)
	run := func(longest int) *RBM {
		longestFused = longest
		m := NewRandom(70, 40, 0.3, rand.NewPCG(1, 2))
		rows := NewBits(330, 70)
		for r := range 330 {
			for i := range 70 {
				rows.SetBit(r, i, (r*r+i*r+i*i)%5 < 2)
			}
		}
		tr := NewTrainer(m, rows, NewCD(2, rand.NewPCG(3, 4)), rand.NewPCG(5, 6))
		tr.BatchSize, tr.Single, tr.SGD.Rate = 300, true, 1
		if err := tr.Train(context.Background(), 5); err != nil {
			t.Fatal(err)
		}
		if plain := tr.gradient.W != nil; plain != (longest < 1<<20) {
			t.Errorf("longest = %d: steps of the plain way: %v", longest, plain)
		}
		return m
	}
	s := statistics{nv: 70, nh: 40, rows: 128} // of the 30 rows of the last minibatch
	got, want := run(s.flushWork()), run(math.MaxInt)
	if !mat.Equal(got.W, want.W) || !mat.Equal(got.B, want.B) || !mat.Equal(got.C, want.C) {
		t.Error("the model is another one than by fused steps alone")
	}
}
