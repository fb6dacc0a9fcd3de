package rbm_test

import (
	"fmt"
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
			"momentum and decay", rbm.SGD{Rate: 0.5, Momentum: 0.5, L2: 0.25},
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
			"decay", rbm.SGD{Rate: 0.5, L2: 0.25},
			[]float64{1.125, -1.25, 0.5, 3.5, 8.125},
			[]float64{1.234375, -0.59375, 1, 3, 8.25},
		},
		{
			"L1", rbm.SGD{Rate: 0.5, L1: 1},
			// W + ½g = [1¼ −1½], nearer to 0 by ½
			[]float64{0.75, -1, 0.5, 3.5, 8.125},
			// [1 −½]
			[]float64{0.5, 0, 1, 3, 8.25},
		},
		{
			"L1 and momentum", rbm.SGD{Rate: 0.5, Momentum: 0.5, L1: 1},
			// as above: ΔW = [−¼ 1]
			[]float64{0.75, -1, 0.5, 3.5, 8.125},
			// ΔW = ½[−¼ 1] + ½[½ 1] = [⅛ 1], W = [⅞ 0]
			[]float64{0.375, 0, 1.25, 2.75, 8.3125},
		},
		{
			"L1 and decay", rbm.SGD{Rate: 0.5, L2: 0.25, L1: 1},
			// W + ½(g − ¼W) = [1⅛ −1¼]
			[]float64{0.625, -0.75, 0.5, 3.5, 8.125},
			// [51/64 −5/32]
			[]float64{0.296875, 0, 1, 3, 8.25},
		},
		{
			"zero value", rbm.SGD{},
			[]float64{1, -2, 0, 4, 8},
			[]float64{1, -2, 0, 4, 8},
		},
		{
			"no rate", rbm.SGD{Momentum: 0.5, L2: 0.25},
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

// Row 0 is too long and row 1 is not; the biases are, but are no row. All numbers are
// binary fractions.
func TestSGDMaxNormTwoSteps(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sgd    rbm.SGD
		g, get [2][]float64 // gradients of W, and W
	}{
		{
			"alone", rbm.SGD{Rate: 0.5, MaxNorm: 2.5},
			[2][]float64{{4, -4, 1, 0}, {3, -4, 1, 3.5}},
			// [3 −4] is 5 long, [1 ¼] less than 2½; [3 −4] again, and [1½ 2] is as long as may be
			[2][]float64{{1.5, -2, 1, 0.25}, {1.5, -2, 1.5, 2}},
		},
		{
			"momentum", rbm.SGD{Rate: 0.5, Momentum: 0.5, MaxNorm: 2.5},
			[2][]float64{{4, -4, 1, 0}, {2.5, -4, 0.5, 3.5}},
			// ΔW = [½ 0] and [½ 0] of what remains; then ½ΔW + ½g = [1½ −2] and [½ 1¾]
			[2][]float64{{1.5, -2, 1, 0.25}, {1.5, -2, 1.5, 2}},
		},
		{
			"momentum, decay and L1", rbm.SGD{Rate: 0.5, Momentum: 0.5, L2: 0.25, L1: 1, MaxNorm: 2.5},
			[2][]float64{{5.25, -5.5, -0.375, 0.0625}, {3.875, -5.5, 0.5, 3.25}},
			// [3½ −4½] is shrunk to [3 −4] and then scaled; ΔW = [½ 0] and [−½ −¼];
			// then ½ΔW + ½(g − ¼W) = [2 −2½] and [0 1½]
			[2][]float64{{1.5, -2, 0, 0}, {1.5, -2, 0, 1}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &rbm.RBM{
				W: mat.NewDense(2, 2, []float64{1, -2, 0.5, 0.25}),
				B: mat.NewVecDense(2, []float64{30, 40}),
				C: mat.NewVecDense(2, []float64{-50, 0.125}),
			}
			for step, g := range tt.g {
				tt.sgd.Step(m, &rbm.Gradient{W: mat.NewDense(2, 2, g), B: mat.NewVecDense(2, nil), C: mat.NewVecDense(2, nil)})
				want := append(append([]float64(nil), tt.get[step]...), 30, 40, -50, 0.125)
				checkSame(t, fmt.Sprintf("step %d", step), params(m), want)
			}
		})
	}
}

// The formulas as loops.
func TestSGDIsItsFormula(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		for _, o := range []rbm.SGD{
			{Rate: 0.1, L2: 0.2},
			{Rate: 0.1, L1: 0.5},
			{Rate: 0.1, MaxNorm: 0.9},
			{Rate: 0.1, Momentum: 0.7, L2: 0.2, L1: 0.5, MaxNorm: 0.9},
		} {
			m, zeros := randomModel(nv, nh, 1, 1), 0
			w, d := mat.DenseCopyOf(m.W), mat.NewDense(nh, nv, nil)
			for step := range 5 {
				g := randomModel(nv, nh, 1, uint64(2+step))
				o.Step(m, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
				for j := range nh {
					old, x := mat.Row(nil, j, w), make([]float64, nv)
					for i := range x {
						x[i] = old[i] + o.Momentum*d.At(j, i) + o.Rate*(g.W.At(j, i)-o.L2*old[i])
						x[i] = math.Copysign(math.Max(math.Abs(x[i])-o.Rate*o.L1, 0), x[i])
					}
					if length := mat.Norm(mat.NewVecDense(nv, x), 2); o.MaxNorm > 0 && length > o.MaxNorm {
						for i := range x {
							x[i] *= o.MaxNorm / length
						}
					}
					for i := range x {
						d.Set(j, i, x[i]-old[i])
						w.Set(j, i, x[i])
						checkNear(t, fmt.Sprintf("%+v: step %d: W[%d,%d]", o, step, j, i), m.W.At(j, i), x[i], 1e-14)
						if m.W.At(j, i) == 0 {
							zeros++
						}
					}
				}
			}
			if o.L1 > 0 && nv*nh > 8 && zeros == 0 || o.L1 == 0 && zeros > 0 {
				t.Errorf("%+v: %d weights of 0", o, zeros)
			}
		}
	})
}

// The highest point of -½(w-a)² - L1·|w| is at |w| = max(|a|-L1, 0), and momentum must not move it.
func TestSGDL1IsTheSameForEveryMomentum(t *testing.T) {
	for _, momentum := range []float64{0, 0.5, 0.9} {
		m, a := rbm.New(4, 1), []float64{2, -0.75, 0.125, -0.25}
		o := rbm.SGD{Rate: 0.125, Momentum: momentum, L1: 0.25}
		g := rbm.Gradient{W: mat.NewDense(1, 4, nil), B: mat.NewVecDense(4, nil), C: mat.NewVecDense(1, nil)}
		for range 1000 {
			for i := range a {
				g.W.Set(0, i, a[i]-m.W.At(0, i))
			}
			o.Step(m, &g)
		}
		for i, want := range []float64{1.75, -0.5, 0, 0} {
			if got := m.W.At(0, i); !(math.Abs(got-want) <= 1e-14) || want == 0 && got != 0 {
				t.Errorf("momentum %v: W[%d] = %v, want %v", momentum, i, got, want)
			}
		}
	}
}

// What does not take part has no influence on the bits.
func TestSGDOfNoEffect(t *testing.T) {
	const nv, nh = 70, 9
	for _, momentum := range []float64{0, 0.9} {
		a, b, g := randomModel(nv, nh, 1, 1), randomModel(nv, nh, 1, 1), randomModel(nv, nh, 1, 2)
		plain := rbm.SGD{Rate: 0.1, Momentum: momentum, L2: 0.01}
		bounded := plain
		bounded.MaxNorm = 1000
		for range 3 {
			plain.Step(a, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
			bounded.Step(b, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
		}
		checkSame(t, "three steps with a bound that is not reached", params(b), params(a))
	}
}

func TestSGDNaN(t *testing.T) {
	for _, momentum := range []float64{0, 0.5} {
		m, g := rbm.New(2, 3), rbm.New(2, 3)
		m.W = mat.NewDense(3, 2, []float64{3, math.NaN(), 3, 4, 0, 0})
		g.W.Set(2, 1, math.NaN())
		o := rbm.SGD{Rate: 1, Momentum: momentum, L1: 1e300, MaxNorm: 1}
		for range 2 {
			o.Step(m, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
			for j, nan := range []bool{true, false, true} {
				if x := m.W.At(j, 1); nan != math.IsNaN(x) || !nan && x != 0 {
					t.Errorf("momentum %v: W[%d,1] = %v", momentum, j, x)
				}
			}
		}
		o = rbm.SGD{Rate: 1, Momentum: momentum, MaxNorm: 1}
		m.W.SetRow(0, []float64{3, math.NaN()})
		o.Step(m, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
		if x, y := m.W.At(0, 0), m.W.At(0, 1); x != 3 || !math.IsNaN(y) {
			t.Errorf("momentum %v: W[0] = %v, %v, want 3, NaN", momentum, x, y)
		}
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
	a := rbm.SGD{Rate: 0.1, Momentum: 0.9, L2: 0.01, L1: 0.1, MaxNorm: 8}
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
	for _, bad := range []float64{math.NaN(), -0.25, math.Inf(1)} {
		for name, o := range map[string]rbm.SGD{
			"rate": {Rate: bad}, "L2": {L2: bad}, "L1": {L1: bad}, "MaxNorm": {MaxNorm: bad},
		} {
			m := smallModel()
			wantPanic(t, name, func() { o.Step(m, smallGradient()) }, fmt.Sprintf("rbm: %s of SGD is %v, want a finite number of at least 0", name, bad))
			checkSame(t, name, params(m), params(smallModel()))
		}
	}
	for _, bad := range []float64{math.NaN(), -0.25, 1, math.Inf(1)} {
		o := rbm.SGD{Momentum: bad}
		wantPanic(t, "momentum", func() { o.Step(smallModel(), smallGradient()) }, fmt.Sprintf("rbm: momentum of SGD is %v, want one in [0, 1)", bad))
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
