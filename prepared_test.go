package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/mat"
)

// figuresOf returns what a Prepared computes of rows, by the RBM and by the Prepared. There
// are so many classes, if any.
func figuresOf(m *rbm.RBM, p *rbm.Prepared, v *rbm.Bits, classes int) (want, got map[string][]float64) {
	want = map[string][]float64{"FreeEnergy": m.FreeEnergy(nil, v), "HiddenProbs": values(m.HiddenProbs(nil, v)), "UnitProbs": values(m.UnitProbs(nil, v))}
	got = map[string][]float64{"FreeEnergy": p.FreeEnergy(nil, v), "HiddenProbs": values(p.HiddenProbs(nil, v)), "UnitProbs": values(p.UnitProbs(nil, v))}
	if n, nv := v.Dims(); classes > 0 {
		x := rbm.NewBits(n, nv-classes)
		for r := range n {
			for i := range nv - classes {
				x.SetBit(r, i, v.Bit(r, i))
			}
		}
		want["LogProbs"] = values((&rbm.Classifier{Model: m, Classes: classes}).LogProbs(nil, x))
		got["LogProbs"] = values(p.LogProbs(nil, x, classes))
	}
	return want, got
}

// checkPrepared compares all results with those of the model, bit for bit. One NaN is as
// good as another.
func checkPrepared(t *testing.T, name string, m *rbm.RBM, p *rbm.Prepared, v *rbm.Bits, classes int) {
	t.Helper()
	want, got := figuresOf(m, p, v, classes)
	for of, want := range want {
		if !slices.EqualFunc(got[of], want, func(a, b float64) bool {
			return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
		}) {
			t.Errorf("%s: %s = %v, want %v", name, of, got[of], want)
		}
	}
}

func TestPrepared(t *testing.T) {
	sizes := []int{1, 3, 4, 5, 7, 8, 9, 63, 64, 65, 130}
	cpu.Each(func(name string) {
		for k, nv := range sizes {
			for l, nh := range sizes {
				n := []int{1, 2, 3, 19}[(k+l)%4]
				m := randomModel(nv, nh, []float64{0.1, 1, 30}[(k+2*l)%3], uint64(nv+nh))
				v := randomBits(n, nv, []float64{0.15, 0.5, 1}[(k+l)%3], 2)
				checkPrepared(t, fmt.Sprintf("%s/nv=%d/nh=%d", name, nv, nh), m, m.Prepare(), v, min(nv-1, 1+k%4))
			}
		}
	})
}

func TestPreparedOfManyUnits(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{784, 500}, {30, 9000}} {
		m, v := randomModel(s.nv, s.nh, 0.05, 1), randomBits(2, s.nv, 0.13, 2)
		checkPrepared(t, fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), m, m.Prepare(), v, 10)
	}
	m := stridedModel(randomModel(21, 13, 1, 3))
	checkPrepared(t, "strides", m, m.Prepare(), randomBits(4, 21, 0.5, 4), 2)
}

func TestPreparedOfGroups(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		nv, nh := m.Dims()
		v := bitRows(t, allowedSample(m, 11, 3))
		last := m.OneHot[len(m.OneHot)-1]
		classes := 0
		if last.To == nv && last.From > 0 {
			classes = nv - last.From
		}
		for _, size := range []float64{0, 299, 301, 700, 1000} {
			large := m.Clone()
			for j := range nh {
				for i := range nv {
					if size > 0 {
						large.W.Set(j, i, math.Copysign(size, m.W.At(j, i)))
					}
				}
			}
			p := large.Prepare()
			checkPrepared(t, fmt.Sprintf("weights of ±%v", size), large, p, v, classes)
			checkPrepared(t, fmt.Sprintf("weights of ±%v, a row", size), large, p, v.Slice(4, 5), classes)
		}
	})
}

func TestPreparedOfAnyParameters(t *testing.T) {
	const nv, nh = 21, 13
	v := randomBits(9, nv, 0.4, 2)
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 599, 601, -1e6, math.Copysign(0, -1)} {
		for k, set := range []func(m *rbm.RBM){
			func(m *rbm.RBM) { m.W.Set(12, 20, x) },
			func(m *rbm.RBM) { m.W.Set(0, 0, x) },
			func(m *rbm.RBM) { m.W.Set(5, 3, x); m.W.Set(5, 9, -x) },
			func(m *rbm.RBM) { m.B.SetVec(20, x) },
			func(m *rbm.RBM) { m.B.SetVec(3, x) },
			func(m *rbm.RBM) { m.C.SetVec(12, x) },
			func(m *rbm.RBM) { m.C.SetVec(3, x) },
		} {
			m := randomModel(nv, nh, 1, 1)
			set(m)
			checkPrepared(t, fmt.Sprintf("case %d of %v", k, x), m, m.Prepare(), v, 5)
		}
	}
}

// A change of the model is none of what was prepared.
func TestPreparedDoesNotFollow(t *testing.T) {
	m := randomModel(10, 9, 1, 1)
	m.OneHot = []rbm.Group{{From: 1, To: 4}}
	p, old := m.Prepare(), m.Clone()
	v := rbm.NewBits(3, 10)
	for r := range 3 {
		v.SetBit(r, 1+r, true)
		v.SetBit(r, 9-r, true)
	}
	checkPrepared(t, "before", old, p, v, 3)
	m.W.Scale(2, m.W)
	m.B.SetVec(3, 7)
	m.C.SetVec(3, 7)
	m.OneHot[0].To = 5
	checkPrepared(t, "after", old, p, v, 3)
}

func TestPreparedOnGoroutines(t *testing.T) {
	for _, groups := range [][]rbm.Group{nil, {{From: 0, To: 40}}} {
		m := randomModel(70, 65, 0.3, 1)
		m.OneHot = groups
		p, v := m.Prepare(), rbm.NewBits(40, 70)
		for r := range 40 {
			v.SetBit(r, r, true)
			v.SetBit(r, 69-r/2, true)
		}
		want, _ := figuresOf(m, p, v, 3)
		var wait sync.WaitGroup
		for g := range 8 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for k := range 20 {
					r := (7*g + k) % 37
					_, got := figuresOf(m, p, v.Slice(r, r+3), 3)
					for of, got := range got {
						w := len(want[of]) / 40
						checkSame(t, fmt.Sprintf("%s of row %d", of, r), got, want[of][r*w:(r+3)*w])
					}
				}
			}()
		}
		wait.Wait()
	}
}

func TestPreparedDestinations(t *testing.T) {
	m := randomModel(13, 9, 1, 1)
	p, v := m.Prepare(), randomBits(3, 13, 0.5, 2)
	x := rbm.NewBits(3, 10)
	f, h, u, l := make([]float64, 3), mat.NewDense(3, 9, nil), strided(mat.NewDense(3, 13, nil)), strided(mat.NewDense(3, 3, nil))
	if &p.FreeEnergy(f, v)[0] != &f[0] || p.HiddenProbs(h, v) != h || p.UnitProbs(u, v) != u || p.LogProbs(l, x, 3) != l {
		t.Error("a destination is not returned")
	}
	checkSame(t, "UnitProbs in a view", values(u), values(m.UnitProbs(nil, v)))
	checkSame(t, "LogProbs in a view", values(l), values(p.LogProbs(new(mat.Dense), x, 3)))
}

func TestPreparedMisuse(t *testing.T) {
	m := rbm.New(10, 7)
	m.OneHot = []rbm.Group{{From: 1, To: 4}, {From: 8, To: 10}}
	p, good := m.Prepare(), rbm.NewBits(3, 10)
	rows := rbm.NewBits(3, 10)
	for r := range 3 {
		good.SetBit(r, 1+r, true)
		good.SetBit(r, 8, true)
		rows.SetBit(r, 8, true)
		rows.SetBit(r, 1, r != 1)
	}
	x := rbm.NewBits(3, 8)
	x.SetBit(0, 2, true)
	x.SetBit(2, 2, true)
	tails := rbm.NewBits(2, 10)
	tails.RawRow(1)[0] = 1 << 12
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"FreeEnergy v", func() { p.FreeEnergy(nil, rbm.NewBits(3, 9)) }, []string{"v is 3×9", "n×10"}},
		{"FreeEnergy no rows", func() { p.FreeEnergy(nil, new(rbm.Bits)) }, []string{"v is 0×0", "n×10"}},
		{"FreeEnergy dst", func() { p.FreeEnergy(make([]float64, 2), good) }, []string{"dst has length 2, want 3"}},
		{"FreeEnergy group", func() { p.FreeEnergy(nil, rows) }, []string{"row 1 of v has 0 units on in the group [1, 4)"}},
		{"FreeEnergy bits behind", func() { rbm.New(10, 2).Prepare().FreeEnergy(nil, tails) }, []string{"v", "1"}},
		{"HiddenProbs v", func() { p.HiddenProbs(nil, rbm.NewBits(3, 11)) }, []string{"v is 3×11", "n×10"}},
		{"HiddenProbs dst", func() { p.HiddenProbs(mat.NewDense(3, 8, nil), good) }, []string{"dst is 3×8", "3×7"}},
		{"UnitProbs v", func() { p.UnitProbs(nil, rbm.NewBits(3, 11)) }, []string{"v is 3×11", "n×10"}},
		{"UnitProbs dst", func() { p.UnitProbs(mat.NewDense(2, 10, nil), good) }, []string{"dst is 2×10", "3×10"}},
		{"UnitProbs group", func() { p.UnitProbs(nil, rows) }, []string{"row 1 of v has 0 units on in the group [1, 4)"}},
		{"LogProbs x", func() { p.LogProbs(nil, good, 2) }, []string{"x is 3×10", "n×8"}},
		{"LogProbs dst", func() { p.LogProbs(mat.NewDense(3, 3, nil), x, 2) }, []string{"dst is 3×3", "3×2"}},
		{"LogProbs classes", func() { p.LogProbs(nil, x, 10) }, []string{"10 classes of 10 visible units"}},
		{"LogProbs no classes", func() { p.LogProbs(nil, x, 0) }, []string{"0 classes"}},
		{"LogProbs group", func() { p.LogProbs(nil, x, 2) }, []string{"row 1 of x has 0 units on in the group [1, 4)"}},
		{"zero value", func() { new(rbm.Prepared).FreeEnergy(nil, good) }, []string{"empty", "Prepare"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
	checkPrepared(t, "after panics", m, p, good, 2)
}
