package flip

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/spec"
	"github.com/gorbm/rbm/internal/twin"
)

// each runs a test with each set of kernels.
func each(t *testing.T, test func(t *testing.T)) {
	cpu.Each(func(name string) { t.Run(name, test) })
}

const guard = 1e100

// operands are the operands of Mul, for inputs and weights of some magnitude. They begin
// off floats behind the beginning of an array, and end where it ends.
type operands struct {
	e       [][Lanes]float64
	p, q    []float64
	stride  int
	on      []uint8
	x, want []Product // between guards
}

func newOperands(rnd *rand.Rand, rows, n, off int, input, weight float64) *operands {
	o := &operands{stride: n + off, on: make([]uint8, rows)}
	for range n {
		var e, inv [Lanes]float64
		for l := range e {
			e[l] = logistic.Exp(max(-weight, min(weight, weight*rnd.NormFloat64()/2)))
			inv[l] = 1 / e[l]
		}
		o.e = append(o.e, e, inv)
	}
	size := max(0, rows*o.stride-off)
	p, q := make([]float64, off+size), make([]float64, off+size)
	o.p, o.q = p[off:], q[off:]
	for i := range o.p {
		x := input * rnd.NormFloat64()
		o.p[i], o.q[i] = logistic.Sigmoid(x), logistic.Sigmoid(-x)
	}
	for r := range o.on {
		o.on[r] = uint8(rnd.Uint32())
	}
	o.x, o.want = make([]Product, rows+2), make([]Product, rows+2)
	for r := range o.x {
		for l := range Lanes {
			o.x[r].Frac[l], o.x[r].Exp[l] = guard, 12345
		}
	}
	copy(o.want, o.x)
	for r := range rows {
		o.want[r+1] = one
	}
	return o
}

// The assembly takes Exp to be a line behind Frac.
func TestLayout(t *testing.T) {
	if got, size := unsafe.Offsetof(Product{}.Exp), unsafe.Sizeof(Product{}); got != spec.LineBytes || size != 2*spec.LineBytes {
		t.Errorf("Exp is at %d of the %d bytes of a Product, want %d of %d", got, size, spec.LineBytes, 2*spec.LineBytes)
	}
}

// Every implementation gives the bits of plain Go, for every number of factors and rows,
// and writes to nothing else.
func TestImplementations(t *testing.T) { each(t, testImplementations) }

func testImplementations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	check := func(rows, n, off int, weight float64) {
		t.Helper()
		o := newOperands(rnd, rows, n, off, 3, weight)
		chunk := Chunk(weight)
		Mul(o.x[1:rows+1], o.e, o.p, o.q, o.stride, o.on, chunk)
		if n > 0 {
			mulGo(o.want[1:rows+1], o.e, o.p, o.q, o.stride, o.on, chunk)
		}
		for r := range o.x {
			if o.x[r] != o.want[r] {
				t.Fatalf("rows=%d/n=%d/off=%d/weight=%v: product %d = %v, want %v", rows, n, off, weight, r-1, o.x[r], o.want[r])
			}
		}
	}
	for n := range 200 {
		for _, weight := range []float64{0, 1, 30, 600} {
			check(1+n%5, n, n%9, weight)
		}
	}
	for rows := range 10 {
		check(rows, 77, 3, 1)
	}
	for _, n := range []int{255, 256, 257, 1000} {
		check(3, n, 0, 1)
	}
}

func TestTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	special := []float64{0, math.Inf(1), math.Inf(-1), math.NaN(), 1e6, -1e6, 600, -600, 708, -708, 709, -709, 709.5, 710, 745, -745}
	each(t, func(t *testing.T) {
		for n := range 300 {
			stride := Lanes + n%5
			w := make([]float64, max(0, (n-1)*stride+Lanes)+3)[3:]
			for i := range w {
				w[i] = 3 * rnd.NormFloat64()
				if rnd.IntN(8) == 0 {
					w[i] = special[rnd.IntN(len(special))]
				}
			}
			got, want := make([][Lanes]float64, 2*n+2), make([][Lanes]float64, 2*n+2)
			for l := range Lanes {
				got[0][l], got[2*n+1][l] = guard, guard
			}
			copy(want, got)
			Table(got[1:2*n+1], w, stride)
			tableGo(want[1:2*n+1], w, stride)
			for i := range got {
				for l, x := range got[i] {
					if y := want[i][l]; math.Float64bits(x) != math.Float64bits(y) && !(math.IsNaN(x) && math.IsNaN(y)) {
						t.Fatalf("n=%d: line %d, unit %d = %v, want %v", n, i-1, l, x, y)
					}
				}
			}
		}
	})
}

// Mul and Log follow their definition, whatever the inputs and weights are.
func TestMul(t *testing.T) { each(t, testMul) }

func testMul(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{0, 1, 2, 7, 63, 64, 65, 500} {
		for _, weight := range []float64{0, 1e-9, 0.1, 1, 9, 10, 30, 300, 301, 600} {
			for _, input := range []float64{0, 1, 50, 2000} {
				const rows = 3
				o := newOperands(rnd, rows, n, 0, input, weight)
				x := o.x[1 : rows+1]
				Mul(x, o.e, o.p, o.q, o.stride, o.on, Chunk(weight))
				for r := range x {
					for l := range Lanes {
						sum, size := new(big.Float).SetPrec(100), 0.
						for j := range n {
							p, q := o.p[r*o.stride+j], o.q[r*o.stride+j]
							f := math.Log(q + p*o.e[2*j+int(o.on[r]>>l&1)][l])
							sum.Add(sum, big.NewFloat(f))
							size += math.Abs(f)
						}
						got := x[r].Log(l)
						want, _ := sum.Float64()
						if !(math.Abs(got-want) <= 1e-15*(float64(n)+size)) {
							t.Errorf("n=%d/weight=%v/input=%v: log of row %d, unit %d = %v, want %v", n, weight, input, r, l, got, want)
						}
						if f := x[r].Frac[l]; !(1 <= f && f < 2) {
							t.Errorf("n=%d/weight=%v/input=%v: fraction of row %d, unit %d = %v", n, weight, input, r, l, f)
						}
					}
				}
			}
		}
	}
}

// It makes no difference when the exponent is moved to Exp.
func TestMulOfAnyChunk(t *testing.T) {
	each(t, func(t *testing.T) {
		const rows, n = 3, 150
		o := newOperands(rand.New(rand.NewPCG(3, 3)), rows, n, 0, 3, 5)
		var want [rows]Product
		Mul(want[:], o.e, o.p, o.q, o.stride, o.on, 1)
		for chunk := 2; chunk <= Chunk(5); chunk++ {
			var got [rows]Product
			Mul(got[:], o.e, o.p, o.q, o.stride, o.on, chunk)
			if got != want {
				t.Errorf("chunk=%d: products = %v, want %v", chunk, got, want)
			}
		}
	})
}

// The largest and the smallest product of a chunk.
func TestMulDoesNotOverflow(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, w := range []float64{600, 599, 300, 200.1, 9.375, 9.37} {
			for _, w := range []float64{w, -w} {
				for _, x := range []float64{1e6, 800, 0, -800, -1e6} {
					const n = 1000
					e, p, q := make([][Lanes]float64, 2*n), make([]float64, n), make([]float64, n)
					for j := range n {
						for l := range Lanes {
							e[2*j][l], e[2*j+1][l] = logistic.Exp(w), logistic.Exp(-w)
						}
						p[j], q[j] = logistic.Sigmoid(x), logistic.Sigmoid(-x)
					}
					var got [2]Product
					Mul(got[:], e, p, q, 0, []uint8{0, 0xff}, Chunk(math.Abs(w)))
					f := logistic.Log(q[0] + p[0]*e[0][0])
					g := logistic.Log(q[0] + p[0]*e[1][0])
					for l := range Lanes {
						if d := math.Abs(got[0].Log(l) - n*f); !(d <= 1e-12*n) {
							t.Errorf("w=%v/x=%v: off: log of the product is %v off", w, x, d)
						}
						if d := math.Abs(got[1].Log(l) - n*g); !(d <= 1e-12*n) {
							t.Errorf("w=%v/x=%v: on: log of the product is %v off", w, x, d)
						}
					}
				}
			}
		}
	})
}

func TestChunk(t *testing.T) {
	for _, tt := range []struct {
		magnitude float64
		want      int
	}{
		{0, 64}, {1, 64}, {600. / 64, 64}, {9.5, 63}, {300, 2}, {301, 1}, {600, 1}, {600.1, 0}, {1e6, 0}, {math.Inf(1), 0}, {math.NaN(), 0},
	} {
		if got := Chunk(tt.magnitude); got != tt.want {
			t.Errorf("Chunk(%v) = %d, want %d", tt.magnitude, got, tt.want)
		}
	}
}

func BenchmarkMul(b *testing.B) {
	const rows, n = 32, 500
	o := newOperands(rand.New(rand.NewPCG(4, 4)), rows, n, 0, 1, 1)
	cpu.Each(func(name string) {
		b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
			for b.Loop() {
				Mul(o.x[:rows], o.e, o.p, o.q, o.stride, o.on, 64)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows*n*Lanes), "ns/element")
		})
	})
}

func BenchmarkTwin(b *testing.B) {
	const rows, n = 8, 500
	o := newOperands(rand.New(rand.NewPCG(4, 4)), rows, n, 0, 1, 1)
	w := make([]float64, n*Lanes)
	b.Run("Table", func(b *testing.B) { twin.Run(b, func() { Table(o.e, w, Lanes) }) })
	b.Run("Mul", func(b *testing.B) {
		twin.Run(b, func() { Mul(o.x[:rows], o.e, o.p, o.q, o.stride, o.on, 64) })
	})
}
