package rbm_test

import (
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// smallModel has nv=2, nh=1.
func smallModel() *rbm.RBM {
	return &rbm.RBM{
		W: mat.NewDense(1, 2, []float64{1, -2}),
		B: mat.NewVecDense(2, []float64{0, 4}),
		C: mat.NewVecDense(1, []float64{8}),
	}
}

func smallGradient() *rbm.Gradient {
	return &rbm.Gradient{
		W: mat.NewDense(1, 2, []float64{0.5, 1}),
		B: mat.NewVecDense(2, []float64{1, -1}),
		C: mat.NewVecDense(1, []float64{0.25}),
	}
}

// All numbers are binary fractions: the steps are exact.
func TestSGDTwoSteps(t *testing.T) {
	for _, tt := range []struct {
		name          string
		sgd           rbm.SGD
		first, second []float64 // W, W, B, B, C
	}{
		{
			"momentum and decay", rbm.SGD{Rate: 0.5, Momentum: 0.5, Decay: 0.25},
			// ΔW = ½([½ 1] − ¼[1 −2]) = [⅛ ¾], ΔB = [½ −½], ΔC = ⅛
			[]float64{1.125, -1.25, 0.5, 3.5, 8.125},
			// ΔW = ½[⅛ ¾] + ½([½ 1] − ¼[1⅛ −1¼]) = [11/64 33/32], ΔB = [¾ −¾], ΔC = 3/16
			[]float64{1.296875, -0.21875, 1.25, 2.75, 8.3125},
		},
		{
			"rate alone", rbm.SGD{Rate: 0.5},
			[]float64{1.25, -1.5, 0.5, 3.5, 8.125},
			[]float64{1.5, -1, 1, 3, 8.25},
		},
		{
			"momentum", rbm.SGD{Rate: 0.5, Momentum: 0.5},
			[]float64{1.25, -1.5, 0.5, 3.5, 8.125},
			[]float64{1.625, -0.75, 1.25, 2.75, 8.3125},
		},
		{
			"decay", rbm.SGD{Rate: 0.5, Decay: 0.25},
			[]float64{1.125, -1.25, 0.5, 3.5, 8.125},
			[]float64{1.234375, -0.59375, 1, 3, 8.25},
		},
		{
			"zero value", rbm.SGD{},
			[]float64{1, -2, 0, 4, 8},
			[]float64{1, -2, 0, 4, 8},
		},
		{
			"no rate", rbm.SGD{Momentum: 0.5, Decay: 0.25},
			[]float64{1, -2, 0, 4, 8},
			[]float64{1, -2, 0, 4, 8},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, g := smallModel(), smallGradient()
			tt.sgd.Step(m, g)
			checkSame(t, "first step", params(m), tt.first)
			tt.sgd.Step(m, g)
			checkSame(t, "second step", params(m), tt.second)
			checkSame(t, "gradient", gradientValues(g), []float64{0.5, 1, 1, -1, 0.25})
		})
	}
}

func TestSGDSettingsMayChange(t *testing.T) {
	m := smallModel()
	o := rbm.SGD{Rate: 0.5, Momentum: 0.5}
	o.Step(m, smallGradient())
	o.Rate = 0 // Δ = μΔ
	o.Step(m, smallGradient())
	checkSame(t, "second step", params(m), []float64{1.375, -1.25, 0.75, 3.25, 8.1875})
}

// surrounded returns a model of the same values inside larger matrices of NaN, and those matrices.
func surrounded(m *rbm.RBM) (view *rbm.RBM, around []*mat.Dense) {
	nv, nh := m.Dims()
	w, b, c := mat.NewDense(nh+2, nv+3, nil), mat.NewDense(nv+1, 3, nil), mat.NewDense(nh+1, 2, nil)
	around = []*mat.Dense{w, b, c}
	for _, a := range around {
		a.Apply(func(_, _ int, _ float64) float64 { return math.NaN() }, a)
	}
	view = &rbm.RBM{
		W: w.Slice(1, nh+1, 2, nv+2).(*mat.Dense),
		B: b.Slice(1, nv+1, 0, 3).(*mat.Dense).ColView(1).(*mat.VecDense),
		C: c.Slice(0, nh, 0, 2).(*mat.Dense).ColView(0).(*mat.VecDense),
	}
	view.W.Copy(m.W)
	view.B.CopyVec(m.B)
	view.C.CopyVec(m.C)
	return view, around
}

// checkSurroundings fails unless all but the values of nv×nh model parameters are still NaN.
func checkSurroundings(t *testing.T, nv, nh int, around []*mat.Dense) {
	t.Helper()
	for k, inside := range []int{nv * nh, nv, nh} {
		values := 0
		for _, x := range around[k].RawMatrix().Data {
			if !math.IsNaN(x) {
				values++
			}
		}
		if values != inside {
			t.Errorf("%d values in the matrix around %c, want %d", values, "WBC"[k], inside)
		}
	}
}

func TestSGDOnViews(t *testing.T) {
	const nv, nh = 70, 9
	plain, gradient := randomModel(nv, nh, 1, 1), randomModel(nv, nh, 1, 2)
	view, around := surrounded(plain)
	gradientView, _ := surrounded(gradient)
	a := rbm.SGD{Rate: 0.1, Momentum: 0.9, Decay: 0.01}
	b := a
	for range 3 {
		a.Step(plain, &rbm.Gradient{W: gradient.W, B: gradient.B, C: gradient.C})
		b.Step(view, &rbm.Gradient{W: gradientView.W, B: gradientView.B, C: gradientView.C})
	}
	checkSame(t, "three steps on views", params(view), params(plain))
	checkSurroundings(t, nv, nh, around)
}

func TestSGDMisuse(t *testing.T) {
	var stepped rbm.SGD
	stepped.Rate = 1
	stepped.Momentum = 0.5
	stepped.Step(smallModel(), smallGradient())
	other := randomModel(3, 4, 1, 1)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"empty gradient", func() { (&rbm.SGD{Rate: 1}).Step(smallModel(), &rbm.Gradient{}) }, nil},
		{"gradient of another model", func() { (&rbm.SGD{Rate: 1}).Step(other, smallGradient()) }, []string{"1×2", "4×3"}},
		{"short B", func() {
			g := smallGradient()
			g.B = mat.NewVecDense(7, nil)
			(&rbm.SGD{Rate: 1}).Step(smallModel(), g)
		}, []string{"B", "7", "2"}},
		{"long C", func() {
			g := smallGradient()
			g.C = mat.NewVecDense(7, nil)
			(&rbm.SGD{Rate: 1}).Step(smallModel(), g)
		}, []string{"C", "7", "1"}},
		{"velocity of another model", func() {
			stepped.Step(other, &rbm.Gradient{W: other.W, B: other.B, C: other.C})
		}, []string{"1×2", "4×3"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
}

// Momentum that pauses goes on with the steps made in between.
func TestSGDMomentumPauses(t *testing.T) {
	m := rbm.New(1, 1)
	var sgd rbm.SGD
	sgd.Rate = 1
	step := func(g, momentum float64) {
		sgd.Momentum = momentum
		sgd.Step(m, &rbm.Gradient{W: mat.NewDense(1, 1, []float64{g}), B: mat.NewVecDense(1, nil), C: mat.NewVecDense(1, nil)})
	}
	step(100, 0.5) // Δ = 100
	step(1, 0)     // Δ = 1
	step(1, 0)     // Δ = 1
	step(1, 0.5)   // Δ = 1.5
	if got, want := m.W.At(0, 0), 103.5; got != want {
		t.Errorf("W = %v, want %v", got, want)
	}
}
