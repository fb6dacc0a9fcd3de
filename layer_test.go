package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"weak"

	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Calls with a few rows are ended by the context of the call that they are in.
func TestFewRowsAreEnded(t *testing.T) {
	m := NewRandom(70, 70, 0.1, rand.NewPCG(1, 1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, n := range []int{1, 10, 40} {
		v := NewBits(n, 70)
		for i, f := range []func(m *RBM){
			func(m *RBM) { m.FreeEnergy(nil, v) },
			func(m *RBM) { m.HiddenProbs(nil, v) },
			func(m *RBM) { m.VisibleProbs(nil, v) },
			func(m *RBM) { m.Energy(nil, v, v) },
			func(m *RBM) { m.PseudoLogLikelihood(nil, v) },
			func(m *RBM) { m.UnitProbs(nil, v) },
		} {
			c := newCall(ctx)
			if !c.run(func() { f(m.in(c)) }) {
				t.Errorf("n=%d: call %d is not ended", n, i)
			}
		}
	}
	l, w := layer{bias: make([]float64, 8)}, mat.NewDense(8, 3, nil)
	w.Set(0, 0, math.NaN())
	l.scan(w.RawMatrix(), 0, 8, stop.On(ctx))
	if math.IsNaN(l.bias[0]) {
		t.Error("scan works on after its signal")
	}
}

// A weight that is NaN makes NaN of its unit alone, in batches of any size, wherever it
// is and whatever is on.
func TestNaNOfAnyUnit(t *testing.T) {
	const nv, nh = 70, 131
	for _, n := range []int{1, 3, 4, 32, 33} {
		v := NewBits(n, nv)
		for _, j := range []int{0, 31, 32, 40, 63, 64, 100, 127, 128, 130} {
			m := NewRandom(nv, nh, 0.1, rand.NewPCG(1, 1))
			want := m.HiddenProbs(nil, v)
			m.W.Set(j, nv-1, math.NaN())
			p := m.HiddenProbs(nil, v)
			for r := range n {
				for k := range nh {
					if x := p.At(r, k); k == j && !math.IsNaN(x) || k != j && x != want.At(r, k) {
						t.Fatalf("n=%d, NaN in unit %d: p[%d, %d] = %v", n, j, r, k, x)
					}
				}
			}
			for r, f := range m.FreeEnergy(nil, v) {
				if !math.IsNaN(f) {
					t.Fatalf("n=%d, NaN in unit %d: F[%d] = %v", n, j, r, f)
				}
			}
		}
	}
}

// So it is on several goroutines, for the race detector.
func TestNaNOnGoroutines(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	m := NewRandom(6000, 300, 0.1, rand.NewPCG(1, 1)) // whose rows would be split for 5 words
	isNaN := map[int]bool{3: true, 70: true, 199: true}
	for j := range isNaN {
		m.W.Set(j, 5999, math.NaN())
	}
	for _, n := range []int{1, 3, 19, 32} {
		for range 5 {
			p := m.HiddenProbs(nil, NewBits(n, 6000))
			for k := range 300 {
				if x := p.At(n-1, k); math.IsNaN(x) != isNaN[k] {
					t.Fatalf("n=%d: p[%d] = %v", n, k, x)
				}
			}
		}
	}
}

// What was NaN in one call is nothing to the next, and the other way round.
func TestNaNOfAnotherCall(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that calls have the same memory
	good, bad := New(9, 5), New(9, 5)
	bad.B.SetVec(3, math.NaN())
	for _, n := range []int{1, 3, 10, 32, 33} {
		v, h := NewBits(n, 9), NewBits(n, 5)
		for range 2 {
			for _, tt := range []struct {
				m    *RBM
				want bool
			}{{good, false}, {bad, true}, {good, false}} {
				if got := math.IsNaN(tt.m.FreeEnergy(nil, v)[0]); got != tt.want {
					t.Errorf("n=%d: FreeEnergy is NaN: %v", n, got)
				}
				good.FreeEnergy(nil, v)
				if got := math.IsNaN(tt.m.Energy(nil, v, h)[0]); got != tt.want {
					t.Errorf("n=%d: Energy is NaN: %v", n, got)
				}
			}
		}
	}
}

// A call forgets the caller's memory, although another call takes its own.
func TestCallsForget(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	m := NewRandom(70, 50, 0.1, rand.NewPCG(1, 1))
	prepared := m.Prepare()
	word := func(b *Bits) func() bool {
		p := weak.Make(&b.words[0])
		return func() bool { return p.Value() == nil }
	}
	number := func(x []float64) func() bool {
		p := weak.Make(&x[0])
		return func() bool { return p.Value() == nil }
	}
	rows := func(n int) (forgotten []func() bool) {
		v, h := NewBits(n, 70), NewBits(n, 50)
		e := m.Energy(nil, v, h)
		f := m.FreeEnergy(nil, v)
		p := m.HiddenProbs(nil, v)
		q := m.VisibleProbs(nil, h)
		return append(forgotten, word(v), word(h), number(e), number(f), number(p.RawMatrix().Data), number(q.RawMatrix().Data))
	}
	for name, f := range map[string]func() []func() bool{
		"few bits":  func() []func() bool { return rows(2) },
		"many bits": func() []func() bool { return rows(40) },
		"bits and then few": func() []func() bool {
			forgotten := rows(40)
			rows(2)
			return forgotten
		},
		"numbers": func() []func() bool {
			v, h := mat.NewDense(10, 70, nil), mat.NewDense(10, 50, nil)
			m.Energy(nil, v, h)
			m.HiddenProbs(nil, v)
			return []func() bool{number(v.RawMatrix().Data), number(h.RawMatrix().Data)}
		},
		"prepared": func() []func() bool {
			v, x := NewBits(2, 70), NewBits(2, 60)
			f, h := prepared.FreeEnergy(nil, v), prepared.HiddenProbs(nil, v)
			u, c := prepared.UnitProbs(nil, v), prepared.LogProbs(nil, x, 10)
			return []func() bool{word(v), word(x), number(f), number(h.RawMatrix().Data), number(u.RawMatrix().Data), number(c.RawMatrix().Data)}
		},
		"panic": func() []func() bool {
			m.FreeEnergy(nil, NewBits(1, 70))
			v := mat.NewDense(10, 70, nil)
			v.Set(9, 9, 2)
			defer func() {
				if recover() == nil {
					t.Error("no panic of a value of 2")
				}
			}()
			defer m.FreeEnergy(nil, v)
			return []func() bool{number(v.RawMatrix().Data)}
		},
		"model": func() []func() bool {
			m := NewRandom(70, 50, 0.1, rand.NewPCG(1, 1))
			m.FreeEnergy(nil, NewBits(2, 70))
			m.FreeEnergy(nil, NewBits(40, 70))
			m.VisibleProbs(nil, NewBits(40, 50))
			return []func() bool{number(m.W.RawMatrix().Data), number(m.B.RawVector().Data)}
		},
	} {
		forgotten := f()
		runtime.GC() // one, after which the pool still has its memory
		for i, ok := range forgotten {
			if !ok() {
				t.Errorf("%s: memory %d is kept", name, i)
			}
		}
	}
}

// What a panic leaves behind the last column is nothing for another gradient.
func TestNumbersBehindTheLastColumn(t *testing.T) {
	bad := mat.NewDense(5, 8, nil)
	for i := range 5 {
		for j := range 8 {
			bad.Set(i, j, math.NaN())
		}
	}
	var g Gradient
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic of NaN")
			}
		}()
		New(8, 9).Gradient(&g, bad, NewPCD(5, 1, rand.NewPCG(1, 2)))
	}()
	g.W, g.B, g.C = nil, nil, nil
	v := mat.NewDense(5, 5, nil)
	v.Apply(func(i, j int, _ float64) float64 { return float64(i+j) / 10 }, v)
	New(5, 9).Gradient(&g, v, NewPCD(5, 1, rand.NewPCG(1, 2)))
	for i, x := range g.W.RawMatrix().Data {
		if math.IsNaN(x) {
			t.Fatalf("entry %d of the gradient is NaN", i)
		}
	}
}
