package spin

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// walsh returns the coefficients by their definition, means over all spins, and the largest
// |F|, whose rounding they share.
func walsh(m *rbm.RBM) (h []float64, j [][]float64, largest float64) {
	nv, _ := m.Dims()
	h, j = zeros(nv)
	for k := range 1 << nv {
		s, v := spins(nv, k)
		f := -m.FreeEnergy(nil, v)[0]
		largest = max(largest, math.Abs(f))
		for i := range s {
			h[i] += s[i] * f / float64(int(1)<<nv)
			for l := range i {
				j[i][l] += s[i] * s[l] * f / float64(int(1)<<nv)
				j[l][i] = j[i][l]
			}
		}
	}
	return h, j, largest
}

func zeros(nv int) (h []float64, j [][]float64) {
	h, j = make([]float64, nv), make([][]float64, nv)
	for i := range j {
		j[i] = make([]float64, nv)
	}
	return h, j
}

// check compares with coefficients that have an error of their own. That of Effective is at
// most 1e-14 of the weights: 4e-15 has been seen.
func check(t *testing.T, m *rbm.RBM, h []float64, j [][]float64, own float64) {
	t.Helper()
	const most = 1e-14
	nv, nh := m.Dims()
	gotH, gotJ := Effective(m)
	if gotH.Len() != nv || gotJ.SymmetricDim() != nv {
		t.Fatalf("%d fields and couplings of %d spins, want %d", gotH.Len(), gotJ.SymmetricDim(), nv)
	}
	for i := range nv {
		scale := math.Abs(m.B.AtVec(i))
		for k := range nh {
			scale += math.Abs(m.W.At(k, i))
		}
		if got := gotH.AtVec(i); !(math.Abs(got-h[i]) <= most*scale+own) {
			t.Errorf("h[%d] = %v, want %v", i, got, h[i])
		}
		for l := range nv {
			scale := 0.
			if i != l {
				for k := range nh {
					scale += min(math.Abs(m.W.At(k, i)), math.Abs(m.W.At(k, l)))
				}
			}
			if got := gotJ.At(i, l); !(math.Abs(got-j[i][l]) <= most*scale+own) || i == l && got != 0 {
				t.Errorf("J[%d,%d] = %v, want %v", i, l, got, j[i][l])
			}
		}
	}
}

func TestEffective(t *testing.T) {
	for _, std := range []float64{1e-3, 0.1, 1, 5, 50, 1000} {
		t.Run(fmt.Sprintf("std=%v", std), func(t *testing.T) {
			compare := func(t *testing.T, nv, nh int) {
				m := random(nv, nh, std, 5)
				h, j, largest := walsh(m)
				check(t, m, h, j, 1e-15*largest)
			}
			each(t, compare)
			t.Run("nv=10/nh=7", func(t *testing.T) { compare(t, 10, 7) })
		})
	}
}

// A hidden unit far from its threshold is a field, and one with few weights leaves the other
// spins alone.
func TestEffectiveOfExtremes(t *testing.T) {
	for _, c := range []float64{-1e4, -300, -60, -30, 30, 60, 300, 1e4} {
		m := random(6, 3, 2, 7)
		m.C.SetVec(1, c)
		m.W.Set(0, 2, 0)
		m.W.Set(2, 2, 0)
		m.W.Set(2, 3, 1e-9)
		h, j, largest := walsh(m)
		check(t, m, h, j, 1e-15*largest)
	}

	m := random(4, 2, 1, 8)
	want, _ := Effective(&rbm.RBM{W: m.W.Slice(0, 1, 0, 4).(*mat.Dense), B: m.B, C: m.C.SliceVec(0, 1).(*mat.VecDense)})
	m.C.SetVec(1, math.Inf(-1)) // off
	got, _ := Effective(m)
	if !mat.EqualApprox(got, want, 1e-15) {
		t.Errorf("h = %v with a unit that is off, want %v as without it", got, want)
	}
}

// A hidden spin without a field that has two weights couples two spins by
// log(cosh(w₁+w₂)/cosh(w₁-w₂))/2, and nothing else.
func TestIsing(t *testing.T) {
	couplings := []float64{0.3, -1, 1e-5, 2, -0.7, 20}
	n := len(couplings)
	for _, ratio := range []float64{1, 0.5, 3} {
		x := newRBM(n, n) // a ring
		h, j := zeros(n)
		for k, c := range couplings {
			w := ratio * math.Sqrt(math.Abs(c))
			x.W.Set(k, k, w)
			x.W.Set(k, (k+1)%n, math.Copysign(w/ratio, c))
			j[k][(k+1)%n] = math.Log(math.Cosh(w+w/ratio)/math.Cosh(w-w/ratio)) / 2
			if w := math.Sqrt(math.Abs(c)); c == 1e-5 {
				j[k][(k+1)%n] = (math.Log1p(2*sinh2(w*(ratio+1)/2)) - math.Log1p(2*sinh2(w*(ratio-1)/2))) / 2
			}
			j[k][(k+1)%n] = math.Copysign(j[k][(k+1)%n], c)
			j[(k+1)%n][k] = j[k][(k+1)%n]
			x.A.SetVec(k, 0.1*float64(k))
			h[k] = 0.1 * float64(k)
		}
		m, _ := FromSpins(x)
		check(t, m, h, j, 0)
	}
}

func sinh2(x float64) float64 { return math.Sinh(x) * math.Sinh(x) }

// Where all weights are equal, the sum of many spins is binomial.
func TestEffectiveOfMany(t *testing.T) {
	for _, test := range []struct {
		n    int
		w, d float64
	}{{40, 0.3, 0.2}, {1000, 0.05, -0.7}, {1000, 1, 3}, {300, 4, 0}, {300, 4, 50}} {
		t.Run(fmt.Sprintf("n=%d/w=%v/d=%v", test.n, test.w, test.d), func(t *testing.T) {
			n, w, d := test.n, test.w, test.d
			x := newRBM(n, 1)
			for i := range n {
				x.W.Set(0, i, w)
			}
			x.D.SetVec(0, d)
			f := func(y float64) float64 { return math.Abs(y) + math.Log1p(math.Exp(-2*math.Abs(y))) }
			field := binomialMean(n-1, func(sum float64) float64 {
				y := d + w*sum
				return (f(y+w) - f(y-w)) / 2
			})
			coupling := binomialMean(n-2, func(sum float64) float64 {
				y := d + w*sum
				return (f(y+2*w) - 2*f(y) + f(y-2*w)) / 4
			})
			m, _ := FromSpins(x)
			h, j := zeros(n)
			for i := range n {
				h[i] = field
				for k := range n {
					if k != i {
						j[i][k] = coupling
					}
				}
			}
			check(t, m, h, j, 1e-14) // the rounding of f
		})
	}
}

// binomialMean returns the mean of f over sums of n spins.
func binomialMean(n int, f func(sum float64) float64) (mean float64) {
	all, _ := math.Lgamma(float64(n) + 1)
	for up := range n + 1 {
		x, _ := math.Lgamma(float64(up) + 1)
		y, _ := math.Lgamma(float64(n-up) + 1)
		mean += math.Exp(all-x-y-float64(n)*math.Ln2) * f(float64(2*up-n))
	}
	return mean
}

func TestEffectiveOfNaN(t *testing.T) {
	for _, set := range []func(m *rbm.RBM){
		func(m *rbm.RBM) { m.W.Set(1, 2, math.NaN()) },
		func(m *rbm.RBM) { m.C.SetVec(1, math.NaN()) },
	} {
		m := random(4, 3, 1, 9)
		set(m)
		h, j := Effective(m)
		for i := range 4 {
			if !math.IsNaN(h.AtVec(i)) {
				t.Errorf("h[%d] = %v, want NaN", i, h.AtVec(i))
			}
			for k := range i {
				if !math.IsNaN(j.At(i, k)) {
					t.Errorf("J[%d,%d] = %v, want NaN", i, k, j.At(i, k))
				}
			}
		}
	}
	m := random(4, 3, 1, 9)
	m.B.SetVec(2, math.NaN())
	h, j := Effective(m)
	for i := range 4 {
		if math.IsNaN(h.AtVec(i)) != (i == 2) {
			t.Errorf("h[%d] = %v with B[2] = NaN", i, h.AtVec(i))
		}
		for k := range i {
			if math.IsNaN(j.At(i, k)) {
				t.Errorf("J[%d,%d] = NaN with B[2] = NaN", i, k)
			}
		}
	}
}

// The result does not depend on the number of goroutines, or on the processor.
func TestEffectiveIsTheSame(t *testing.T) {
	m := random(150, 3, 0.3, 10)
	h, j := Effective(m)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	h4, j4 := Effective(m)
	if !mat.Equal(h, h4) || !mat.Equal(j, j4) {
		t.Error("other fields or couplings with GOMAXPROCS=4")
	}
	hash := fnv.New64a()
	for _, x := range append(j.RawSymmetric().Data, h.RawVector().Data...) {
		binary.Write(hash, binary.LittleEndian, math.Float64bits(x))
	}
	if got := fmt.Sprintf("%x", hash.Sum64()); got != "b8af87bf42f54f24" {
		t.Errorf("the hash is %s, want b8af87bf42f54f24", got)
	}
}

func TestTrig(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		x := (random.Float64() - 0.5) * math.Exp(random.Float64()*14)
		sin, cos := sincos(x)
		if e := max(math.Abs(sin-math.Sin(x)), math.Abs(cos-math.Cos(x))); e > 0x1p-52 {
			t.Fatalf("sincos(%v) = %v, %v, want %v, %v", x, sin, cos, math.Sin(x), math.Cos(x))
		}
		if a := math.Abs(x); a < 1 && sin != 0 && math.Abs(sin/math.Sin(x)-1) > 0x1p-51 {
			t.Fatalf("sincos(%v) = %v, %v, want a sine of %v", x, sin, cos, math.Sin(x))
		}
		y := random.Float64() * 45
		if got, want := overSinh(y), y/math.Sinh(y); math.Abs(got/want-1) > 2e-15 {
			t.Fatalf("overSinh(%v) = %v, want %v", y, got, want)
		}
	}
	if got := overSinh(0); got != 1 {
		t.Errorf("overSinh(0) = %v, want 1", got)
	}
}

func BenchmarkEffective(b *testing.B) {
	for _, nh := range []int{20, 500} {
		b.Run(fmt.Sprintf("nv=784/nh=%d", nh), func(b *testing.B) {
			m := random(784, nh, 0.3, 11)
			for range b.N {
				Effective(m)
			}
		})
	}
}

// A point where two cosines are as good as 0 counts for the coupling of the two units, also
// if a third is small.
func TestEffectiveWhereCosinesVanish(t *testing.T) {
	for _, w := range [][]float64{{2, 2, 2.003}, {2 + 0x1p-51, 2, 2.003}, {2, 2 + 0x1p-51, 2.003}} {
		const d = 5.997 // the sum has a period of 32, and a point at ω = π/4
		x := &RBM{W: mat.NewDense(1, 3, w), A: mat.NewVecDense(3, nil), D: mat.NewVecDense(1, []float64{d})}
		m, _ := FromSpins(x)
		_, j := Effective(m)
		var want float64
		for c := range 8 {
			s := [3]float64{float64(c&1)*2 - 1, float64(c>>1&1)*2 - 1, float64(c>>2&1)*2 - 1}
			sum := d + w[0]*s[0] + w[1]*s[1] + w[2]*s[2]
			want += s[0] * s[1] * (math.Abs(sum) + math.Log1p(math.Exp(-2*math.Abs(sum)))) / 8
		}
		if got := j.At(0, 1); math.Abs(got-want) > 1e-13 {
			t.Errorf("w = %v: J[0, 1] = %v, want %v", w, got, want)
		}
	}
}
