package rbm_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// naiveUnitProbs is p(vᵢ=1|rest) by its definition, from minus the free energies of rows.
// With groups, it is p(unit i is the one that is on|units outside the group).
func naiveUnitProbs(m *rbm.RBM, v []float64, minusFree func(m *rbm.RBM, v []float64) float64) []float64 {
	p, w := make([]float64, len(v)), slices.Clone(v)
	for i := 0; i < len(v); {
		from, to := i, i+1
		k := groupAt(m, i)
		if k >= 0 {
			from, to = m.OneHot[k].From, m.OneHot[k].To
		}
		var logs []float64
		for on := from; on < to; on++ {
			clear(w[from:to])
			w[on] = 1
			logs = append(logs, minusFree(m, w))
		}
		if k < 0 {
			w[i] = 0
			logs = append(logs, minusFree(m, w))
		}
		copy(w[from:to], v[from:to])
		total := floats.LogSumExp(logs)
		for ; i < to; i++ {
			p[i] = math.Exp(logs[i-from] - total)
		}
	}
	return p
}

// checkUnitProbs compares with the definition. The tolerance is relative.
func checkUnitProbs(t *testing.T, name string, m *rbm.RBM, v mat.Matrix, minusFree func(m *rbm.RBM, v []float64) float64, tol float64) {
	t.Helper()
	got := m.UnitProbs(nil, v)
	n, _ := v.Dims()
	for r := range n {
		for i, want := range naiveUnitProbs(m, mat.Row(nil, r, v), minusFree) {
			checkNear(t, fmt.Sprintf("%s: p[%d, %d]", name, r, i), got.At(r, i), want, tol*want+1e-300)
		}
	}
}

func TestUnitProbs(t *testing.T) {
	for _, s := range []struct{ nv, nh, n int }{
		{1, 1, 2}, {1, 5, 2}, {5, 1, 4}, {7, 4, 34}, {8, 3, 7}, {9, 6, 3}, {4, 8, 3}, {63, 4, 4}, {64, 3, 3}, {65, 5, 3}, {130, 2, 3},
	} {
		bits := randomBits(s.n, s.nv, 0.3, 1)
		reals := gray(bits, 3)
		reals.SetRow(0, values(randomReals(1, s.nv, 4)))
		for _, std := range []float64{1e-3, 0.3, 2} {
			m := randomModel(s.nv, s.nh, std, 2)
			name := fmt.Sprintf("nv=%d/nh=%d/std=%v", s.nv, s.nh, std)
			tol := 1e-13 * (10 + magnitude(m))
			// by enumeration of the hidden units
			enumerated := func(m *rbm.RBM, v []float64) float64 { return -naiveFreeEnergy(m, v) }
			checkUnitProbs(t, name+"/bits", m, bits, enumerated, tol)
			checkUnitProbs(t, name+"/reals", m, reals, enumerated, tol)
		}
	}
}

// The value of a unit makes no difference to its own probability.
func TestUnitProbsOfAnyValue(t *testing.T) {
	const nv, nh, n = 66, 4, 6
	m := randomModel(nv, nh, 1, 1)
	v := gray(randomBits(n, nv, 0.4, 2), 3)
	want := m.UnitProbs(nil, v)
	for _, i := range []int{0, 7, 8, 63, 64, 65} {
		for _, x := range []float64{0, 1e-9, 0.5, 1} {
			changed := mat.DenseCopyOf(v)
			for r := range n {
				changed.Set(r, i, x)
			}
			got := m.UnitProbs(nil, changed)
			for r := range n {
				checkNear(t, fmt.Sprintf("p[%d, %d] at %v", r, i, x), got.At(r, i), want.At(r, i), 1e-12*want.At(r, i))
			}
		}
	}
}

func TestUnitProbsOfGroups(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		nv, nh := m.Dims()
		v := allowedSample(m, 40, 8)
		real := mat.DenseCopyOf(v)
		values := randomReals(40, nv, 9)
		for r := range 40 {
			for i := range nv {
				if r%3 != 0 && groupAt(m, i) < 0 && m.B.AtVec(i) > -500 {
					real.Set(r, i, values.At(r, i))
				}
			}
		}
		checkUnitProbs(t, "one row", m, v.Slice(0, 1, 0, nv), minusFree, 1e-11)
		checkUnitProbs(t, "rows", m, v, minusFree, 1e-11)
		checkUnitProbs(t, "real values", m, real, minusFree, 1e-11)
		for _, size := range []float64{30, 299, 301, 450, 700} { // 300 and 600 are the limits of the fast ways
			large := m.Clone()
			for j := range nh {
				for i := range nv {
					large.W.Set(j, i, math.Copysign(size, m.W.At(j, i)))
				}
			}
			checkUnitProbs(t, fmt.Sprintf("weights of ±%v", size), large, v, minusFree, 1e-15*(1e3+magnitude(large)))
		}
		for r, p := range m.UnitProbs(nil, v).RawMatrix().Data {
			if !(0 <= p && p <= 1) {
				t.Fatalf("value %d is %v", r, p)
			}
		}

		// The unit that is on cannot be. The others are as probable as they are beside one another.
		g := m.OneHot[len(m.OneHot)-1]
		if g.To-g.From == 1 {
			return
		}
		for r := range 40 {
			clear(v.RawRowView(r)[g.From:g.To])
			v.Set(r, g.From, 1)
		}
		impossible, unlikely := m.Clone(), m.Clone()
		impossible.B.SetVec(g.From, math.Inf(-1))
		unlikely.B.SetVec(g.From, -5000)
		got, want := impossible.UnitProbs(nil, v), unlikely.UnitProbs(nil, v)
		for r := range 40 {
			for i := range nv {
				checkNear(t, fmt.Sprintf("bias -Inf: p[%d, %d]", r, i), got.At(r, i), want.At(r, i), 1e-12)
			}
		}
	})
}

// A probability far below the rounding of 1 has all its digits.
func TestUnitProbsOfTinyProbabilities(t *testing.T) {
	for _, nh := range []int{1, 3} {
		m := rbm.New(9, nh)
		for i, b := range []float64{-700, -300, -50, 50, 300, 700, math.Inf(1), math.Inf(-1), 0} {
			m.B.SetVec(i, b)
			for j := range nh {
				m.W.Set(j, i, -2)
			}
		}
		for _, v := range []mat.Matrix{rbm.NewBits(1, 9), ones(1, 9), randomReals(1, 9, 1)} {
			var sum float64
			for i := range 9 {
				sum -= 2 * v.At(0, i)
			}
			for i, got := range m.UnitProbs(nil, v).RawRowView(0) {
				off := sum + 2*v.At(0, i)
				a := m.B.AtVec(i) + float64(nh)*(softplus(off-2)-softplus(off))
				checkNear(t, fmt.Sprintf("nh=%d: p[%d]", nh, i), got, 1/(1+math.Exp(-a)), 1e-13/(1+math.Exp(-a)))
			}
		}
	}
}

// PseudoLogLikelihood is the sum of the logs of the probabilities of what a row has.
func TestUnitProbsAddUp(t *testing.T) {
	cpu.Each(func(name string) {
		for _, s := range []struct{ nv, nh, n int }{{5, 9, 3}, {64, 65, 40}, {70, 300, 600}, {200, 30, 2}} {
			free := randomModel(s.nv, s.nh, 0.1, 1)
			v := randomBits(s.n, s.nv, 0.4, 2)
			grouped := free.Clone()
			for i := 1; i+3 <= s.nv; i += 4 {
				grouped.OneHot = append(grouped.OneHot, rbm.Group{From: i, To: i + 3})
			}
			oneOn := rbm.NewBits(s.n, s.nv)
			for r := range s.n {
				for i := range s.nv {
					k := groupAt(grouped, i)
					oneOn.SetBit(r, i, k < 0 && v.Bit(r, i) || k >= 0 && i == grouped.OneHot[k].From+(r+k)%3)
				}
			}
			for _, tt := range []struct {
				name string
				m    *rbm.RBM
				v    *rbm.Bits
			}{{"free", free, v}, {"groups", grouped, oneOn}} {
				p, pll := tt.m.UnitProbs(nil, tt.v), tt.m.PseudoLogLikelihood(nil, tt.v)
				for r, want := range pll {
					var sum float64
					for i := range s.nv {
						switch on := tt.v.Bit(r, i); {
						case on:
							sum += math.Log(p.At(r, i))
						case groupAt(tt.m, i) < 0:
							sum += math.Log1p(-p.At(r, i))
						}
					}
					checkNear(t, fmt.Sprintf("%s/nv=%d/nh=%d/%s: row %d", name, s.nv, s.nh, tt.name, r), sum, want, 1e-12*max(1, math.Abs(want)))
				}
			}
		}
	})
}

func TestUnitProbsSameForEveryInstructionSet(t *testing.T) {
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 3}, {130, 70, 33}, {70, 300, 600}} {
		m := randomModel(s.nv, s.nh, 0.3, 11)
		m.W.Set(0, 0, 700)
		bits := randomBits(s.n, s.nv, 0.3, 12)
		grouped := randomModel(s.nv, s.nh, 0.3, 11)
		grouped.OneHot = []rbm.Group{{From: 1, To: s.nv}}
		one := rbm.NewBits(s.n, s.nv)
		for r := range s.n {
			one.SetBit(r, 1+r%(s.nv-1), true)
		}
		var want []float64
		cpu.Each(func(name string) {
			for _, procs := range []int{1, 3} {
				old := runtime.GOMAXPROCS(procs)
				got := slices.Concat(values(m.UnitProbs(nil, bits)), values(m.UnitProbs(nil, gray(bits, 13))), values(grouped.UnitProbs(nil, one)))
				runtime.GOMAXPROCS(old)
				if want == nil {
					want = got
				}
				checkSame(t, fmt.Sprintf("nv=%d/nh=%d/n=%d/%s/procs=%d", s.nv, s.nh, s.n, name, procs), got, want)
			}
		})
		for r := range min(s.n, 5) {
			row := mat.DenseCopyOf(gray(bits, 13)).Slice(r, r+1, 0, s.nv)
			checkSame(t, fmt.Sprintf("row %d alone", r), values(m.UnitProbs(nil, row)), want[(s.n+r)*s.nv:(s.n+r+1)*s.nv])
			checkSame(t, fmt.Sprintf("row %d alone, grouped", r), values(grouped.UnitProbs(nil, one.Slice(r, r+1))), want[(2*s.n+r)*s.nv:(2*s.n+r+1)*s.nv])
		}
	}
}

func TestUnitProbsInPlace(t *testing.T) {
	const nv, nh, n = 13, 5, 1100 // more rows than are worked off at a time
	m := randomModel(nv, nh, 1, 1)
	for _, a := range []*mat.Dense{mat.DenseCopyOf(randomBits(n, nv, 0.4, 2)), gray(randomBits(n, nv, 0.4, 2), 3)} {
		want := values(m.UnitProbs(nil, a))
		if got := m.UnitProbs(a, a); got != a {
			t.Error("the destination is not returned")
		}
		checkSame(t, "dst = v", values(a), want)
	}
}

// A NaN makes NaN of what depends on it: a visible bias that of its unit or group, and any
// other parameter all units.
func TestUnitProbsOfNaN(t *testing.T) {
	const nv, nh = 21, 4
	good := randomModel(nv, nh, 1, 1)
	good.OneHot = []rbm.Group{{From: 9, To: 12}}
	v := rbm.NewBits(40, nv)
	for r := range 40 {
		v.SetBit(r, 9+r%3, true)
		v.SetBit(r, 12+r%9, true)
	}
	want := good.UnitProbs(nil, v)
	for _, n := range []int{1, 40} {
		for _, tt := range []struct {
			name     string
			set      func(m *rbm.RBM)
			from, to int // units of NaN
		}{
			{"B", func(m *rbm.RBM) { m.B.SetVec(2, math.NaN()) }, 2, 3},
			{"B of a group", func(m *rbm.RBM) { m.B.SetVec(10, math.NaN()) }, 9, 12},
			{"C", func(m *rbm.RBM) { m.C.SetVec(3, math.NaN()) }, 0, nv},
			{"W", func(m *rbm.RBM) { m.W.Set(1, 20, math.NaN()) }, 0, nv},
		} {
			m := good.Clone()
			tt.set(m)
			got := m.UnitProbs(nil, v.Slice(0, n))
			for r := range n {
				for i := range nv {
					isNaN := tt.from <= i && i < tt.to
					if x := got.At(r, i); isNaN != math.IsNaN(x) || !isNaN && x != want.At(r, i) {
						t.Errorf("NaN in %s, n=%d: p[%d, %d] = %v", tt.name, n, r, i, x)
					}
				}
			}
		}
	}
}

// An infinite weight leaves no plausible number that is wrong: a probability is right, or NaN where
// PseudoLogLikelihood is.
func TestUnitProbsOfInfiniteWeights(t *testing.T) {
	const nv, nh = 19, 3
	for _, w := range []float64{math.Inf(1), math.Inf(-1)} {
		m, large := randomModel(nv, nh, 1, 1), randomModel(nv, nh, 1, 1)
		m.W.Set(1, 4, w)
		large.W.Set(1, 4, math.Copysign(1e5, w))
		v := randomBits(12, nv, 0.4, 2)
		got, want, pll := m.UnitProbs(nil, v), large.UnitProbs(nil, v), m.PseudoLogLikelihood(nil, v)
		numbers := 0
		for r := range 12 {
			row := got.RawRowView(r)
			if floats.HasNaN(row) != math.IsNaN(pll[r]) {
				t.Errorf("W[1, 4] = %v: row %d has pseudo-log-likelihood %v and probabilities %v", w, r, pll[r], row)
			}
			for i, p := range row {
				if !math.IsNaN(p) {
					numbers++
					checkNear(t, fmt.Sprintf("W[1, 4] = %v: p[%d, %d]", w, r, i), p, want.At(r, i), 1e-12)
				}
			}
		}
		if numbers < 12*(nv-8) {
			t.Errorf("W[1, 4] = %v: %d numbers of %d", w, numbers, 12*nv)
		}
	}
	m := randomModel(nv, nh, 1, 3)
	m.W.Set(1, 2, math.Inf(1))
	m.W.Set(1, 18, math.Inf(-1))
	for _, p := range m.UnitProbs(nil, ones(1, nv)).RawMatrix().Data {
		if !math.IsNaN(p) {
			t.Errorf("opposite infinities: %v, want NaN", p)
		}
	}
}
