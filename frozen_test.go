package rbm_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// someFrozen returns marks on all kinds of parameters: some rows of W have none, and row 1 has
// nothing else.
func someFrozen(nv, nh int) *rbm.Frozen {
	f := &rbm.Frozen{W: randomBits(nh, nv, 0.3, 1), B: make([]bool, nv), C: make([]bool, nh)}
	for i := range nv {
		f.B[i] = i%3 == 1
		f.W.SetBit(0, i, false)
		f.W.SetBit(1, i, true)
	}
	for j := range nh {
		f.C[j] = j%2 == 0
	}
	return f
}

// marks returns whether each of the parameters, in the order of params, is frozen.
func marks(f *rbm.Frozen, nv, nh int) (frozen []bool) {
	for j := range nh {
		for i := range nv {
			frozen = append(frozen, f.W != nil && f.W.Bit(j, i))
		}
	}
	b, c := f.B, f.C
	if b == nil {
		b = make([]bool, nv)
	}
	if c == nil {
		c = make([]bool, nh)
	}
	return append(append(frozen, b...), c...)
}

func checkFrozen(t *testing.T, name string, got, before []float64, frozen []bool) {
	t.Helper()
	moved := 0
	for k, x := range before {
		switch same := math.Float64bits(got[k]) == math.Float64bits(x); {
		case frozen[k] && !same:
			t.Fatalf("%s: frozen parameter %d was %v, and is %v", name, k, x, got[k])
		case !same:
			moved++
		}
	}
	if moved == 0 {
		t.Fatalf("%s: nothing has moved", name)
	}
}

// A step leaves frozen parameters alone, to the bit, and keeps no momentum of theirs. The
// others move as if the frozen weights were none.
func TestFrozenStep(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{5, 3}, {70, 9}, {3, 66}} {
		for _, settings := range []rbm.SGD{{Rate: 0.1}, {Rate: 0.1, Momentum: 0.9}, {Rate: 0.1, Momentum: 0.5, L2: 0.1, L1: 0.2, MaxNorm: 1.5}, {Rate: 0.1, L1: 0.2, MaxNorm: 1}} {
			o := settings
			name := fmt.Sprintf("%dx%d/%v", s.nh, s.nv, &settings)
			f := someFrozen(s.nv, s.nh)
			frozen := marks(f, s.nv, s.nh)
			m, p := randomModel(s.nv, s.nh, 1, 2), o
			zero := func(m *rbm.RBM) *rbm.RBM { // at the frozen weights
				m = m.Clone()
				for j := range s.nh {
					for i := range s.nv {
						if f.W.Bit(j, i) {
							m.W.Set(j, i, 0)
						}
					}
				}
				return m
			}
			if o.Momentum != 0 { // there is some before they freeze
				o.L1, o.MaxNorm, p.L1, p.MaxNorm = 0, 0, 0, 0
				d, other := randomModel(s.nv, s.nh, 1, 9), zero(m)
				o.Step(m, &rbm.Gradient{W: d.W, B: d.B, C: d.C})
				d = zero(d)
				p.Step(other, &rbm.Gradient{W: d.W, B: d.B, C: d.C})
				o.L1, o.MaxNorm, p.L1, p.MaxNorm = settings.L1, settings.MaxNorm, settings.L1, settings.MaxNorm
			}
			m.W.Set(1, 0, math.Copysign(0, -1))
			m.W.Set(1, 1, 1e300)
			m.W.Set(1, 2, math.NaN())
			other := zero(m)
			before := params(m)
			for step := range 3 {
				d := randomModel(s.nv, s.nh, 1, uint64(3+step))
				g := rbm.Gradient{W: mat.DenseCopyOf(d.W), B: mat.VecDenseCopyOf(d.B), C: mat.VecDenseCopyOf(d.C), Frozen: f}
				o.Step(m, &g)
				if !mat.Equal(g.W, d.W) || !mat.Equal(g.B, d.B) || !mat.Equal(g.C, d.C) {
					t.Fatalf("%s: Step has changed the gradient", name)
				}
				d = zero(d)
				p.Step(other, &rbm.Gradient{W: d.W, B: d.B, C: d.C})
			}
			checkFrozen(t, name, params(m), before, frozen)
			want := params(other)
			for k, x := range params(m) {
				if !frozen[k] && x != want[k] {
					t.Fatalf("%s: parameter %d is %v, want %v", name, k, x, want[k])
				}
			}
			// Without a gradient only momentum moves what is free again.
			free := rbm.Gradient{W: mat.NewDense(s.nh, s.nv, nil), B: mat.NewVecDense(s.nv, nil), C: mat.NewVecDense(s.nh, nil)}
			o.L2, o.L1, o.MaxNorm = 0, 0, 0
			m.W.Set(1, 0, 1) // not -0, to which 0 is added
			before = params(m)
			o.Step(m, &free)
			if o.Momentum != 0 {
				checkFrozen(t, name+": velocity", params(m), before, frozen)
			}
		}
	}
}

// So does a Trainer, which is the loop.
func TestFrozenTrainer(t *testing.T) {
	const n, nv, nh = 60, 70, 20
	data := randomBits(n, nv, 0.3, 1)
	all := someFrozen(nv, nh)
	for name, f := range map[string]*rbm.Frozen{"all kinds": all, "W": {W: all.W}, "B": {B: all.B}, "C": {C: all.C}} {
		for _, centered := range []bool{false, true} {
			for _, single := range []bool{false, true} {
				name := fmt.Sprintf("%s/centered=%v/single=%v", name, centered, single)
				m := randomModel(nv, nh, 0.2, 2)
				tr := rbm.NewTrainer(m.Clone(), data, rbm.NewPCD(10, 1, newSource(3)), newSource(4))
				tr.BatchSize, tr.Frozen, tr.Single = 20, f, single
				tr.SGD = rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 1e-3, L1: 1e-3, MaxNorm: 2}
				if !centered {
					tr.Centering = nil
				}
				sgd, c, sampler, src := tr.SGD, new(rbm.Centering), rbm.NewPCD(10, 1, newSource(3)), philox.NewSource(newSource(4).Uint64())
				trainFor(t, tr, 3)
				before := params(m)
				checkFrozen(t, name, params(tr.Model), before, marks(f, nv, nh))
				g := rbm.Gradient{Single: single, Frozen: f}
				for range 3 {
					for batch := range rbm.Minibatches(data, 20, src) {
						m.Gradient(&g, batch, sampler)
						if centered {
							c.Center(&g)
						}
						sgd.Step(m, &g)
					}
				}
				checkSame(t, name, params(tr.Model), params(m))
			}
		}
	}
}

// The centered gradient is that in the centered parameters that are free, turned into the
// ordinary ones: with b̃ = b + Wᵀλ and c̃ = c + Wμ of the biases that are free.
func TestCenteringOfFrozen(t *testing.T) {
	const nv, nh = 5, 4
	all := someFrozen(nv, nh)
	for name, f := range map[string]*rbm.Frozen{"none": {}, "all kinds": all, "W": {W: all.W}, "B": {B: all.B}, "C": {C: all.C}} {
		frozen := marks(f, nv, nh)
		m, v := randomModel(nv, nh, 1, 2), randomBits(20, nv, 0.4, 3)
		var plain rbm.Gradient
		g := rbm.Gradient{Frozen: f}
		m.Gradient(&plain, v, rbm.NewCD(1, newSource(4)))
		m.Gradient(&g, v, rbm.NewCD(1, newSource(4)))
		c := rbm.Centering{Enhanced: true}
		c.Center(&g)
		var free rbm.Centering // the offsets do not depend on what is frozen
		free.Enhanced = true
		var h rbm.Gradient
		m.Gradient(&h, v, rbm.NewCD(1, newSource(4)))
		free.Center(&h)
		checkSame(t, name+": V", c.V, free.V)
		checkSame(t, name+": H", c.H, free.H)

		// Column k of jacobian is the change of all parameters by that of centered parameter k.
		size := nv*nh + nv + nh
		jacobian := mat.NewDense(size, size, nil)
		for k := range size {
			if frozen[k] {
				continue
			}
			jacobian.Set(k, k, 1)
			if j, i := k/nv, k%nv; k < nv*nh {
				if b := nv*nh + i; !frozen[b] {
					jacobian.Set(b, k, -c.H[j])
				}
				if b := nv*nh + nv + j; !frozen[b] {
					jacobian.Set(b, k, -c.V[i])
				}
			}
		}
		var slope, want mat.VecDense
		slope.MulVec(jacobian.T(), vec(gradientValues(&plain)))
		want.MulVec(jacobian, &slope)
		checkGradient(t, name, &g, mat.Col(nil, 0, &want), "free centered parameters", 1e-12)
	}
}

// A step finds out that a weight is NaN, or that weights make the gradient NaN, where all
// biases are frozen.
func TestFrozenTrainerDiverges(t *testing.T) {
	for _, spoil := range []func(m *rbm.RBM){
		func(m *rbm.RBM) { m.W.Set(2, 3, math.NaN()) },
		func(m *rbm.RBM) { m.W.Set(0, 3, math.Inf(1)); m.W.Set(0, 4, math.Inf(-1)) },
	} {
		for _, centered := range []bool{false, true} {
			tr := rbm.NewTrainer(randomModel(9, 4, 1, 1), randomBits(20, 9, 0.7, 2), rbm.NewCD(1, newSource(3)), newSource(4))
			tr.Frozen = &rbm.Frozen{B: make([]bool, 9), C: []bool{true, true, true, true}}
			for i := range tr.Frozen.B {
				tr.Frozen.B[i] = true
			}
			if !centered {
				tr.Centering = nil
			}
			spoil(tr.Model)
			if err := tr.Step(); !errors.Is(err, rbm.ErrDiverged) {
				t.Errorf("centered=%v: error %v", centered, err)
			}
		}
	}
}

// A gradient that is NaN moves nothing, also where the first bias is frozen and no
// parameter is NaN.
func TestFrozenTrainerOfInfinities(t *testing.T) {
	for _, s := range samplers {
		for _, centered := range []bool{false, true} {
			tr := rbm.NewTrainer(randomModel(9, 4, 1, 1), ones(20, 9), s.new(5), newSource(3))
			tr.Frozen = &rbm.Frozen{C: []bool{true, false, false, false}}
			if !centered {
				tr.Centering = nil
			}
			tr.Model.W.Set(0, 3, math.Inf(1))
			tr.Model.W.Set(0, 4, math.Inf(-1))
			before := params(tr.Model)
			if err := tr.Step(); !errors.Is(err, rbm.ErrDiverged) {
				t.Errorf("%s, centered=%v: error %v", s.name, centered, err)
			}
			checkSame(t, fmt.Sprintf("%s, centered=%v", s.name, centered), params(tr.Model), before)
		}
	}
}

func TestFrozenMisuse(t *testing.T) {
	const nv, nh = 5, 3
	for _, tt := range []struct {
		f    rbm.Frozen
		want string
	}{
		{rbm.Frozen{W: rbm.NewBits(5, 3)}, "rbm: W of frozen is 5×3, want 3×5"},
		{rbm.Frozen{B: make([]bool, 3)}, "rbm: B of frozen has length 3, want 5"},
		{rbm.Frozen{C: make([]bool, 5)}, "rbm: C of frozen has length 5, want 3"},
	} {
		m := rbm.New(nv, nh)
		g := rbm.Gradient{Frozen: &tt.f}
		m.Gradient(&g, rbm.NewBits(4, nv), rbm.NewCD(1, newSource(1)))
		wantPanic(t, "Step", func() { new(rbm.SGD).Step(m, &g) }, tt.want)
		wantPanic(t, "Center", func() { new(rbm.Centering).Center(&g) }, tt.want)
		tr := rbm.NewTrainer(m, rbm.NewBits(4, nv), rbm.NewCD(1, newSource(1)), newSource(2))
		tr.Frozen = &tt.f
		wantPanic(t, "Trainer", func() { tr.Step() }, tt.want)
	}
}
