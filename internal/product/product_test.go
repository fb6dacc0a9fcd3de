package product

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// definition returns the sum of the package comment, literally: the rows of f
// (k×m) that are set in a row of weights are added to acc.
func definition(acc []float64, weights []float64, f [][]float64) []float64 {
	acc = append([]float64(nil), acc...)
	for j := range acc {
		for i := 0; i < len(f); i += 4 {
			part, set := 0.0, false
			for b := i; b < min(i+4, len(f)); b++ {
				switch w := weights[b]; {
				case w == 0:
				case set:
					part += float64(w * f[b][j])
				default:
					part, set = float64(w*f[b][j]), true
				}
			}
			if set {
				acc[j] += part
			}
		}
	}
	return acc
}

type operands struct {
	v    [][]float64 // n×k
	f    [][]float64 // k×m
	init [][]float64 // n×m
}

func newOperands(rnd *rand.Rand, n, k, m int, density float64) operands {
	var o operands
	matrix := func(r, c int, f func() float64) [][]float64 {
		a := make([][]float64, r)
		for i := range a {
			a[i] = make([]float64, c)
			for j := range a[i] {
				a[i][j] = f()
			}
		}
		return a
	}
	o.v = matrix(n, k, func() float64 {
		if rnd.Float64() < density {
			return 1
		}
		return 0
	})
	o.f = matrix(k, m, rnd.NormFloat64)
	o.init = matrix(n, m, rnd.NormFloat64)
	o.init[0][0] = math.Copysign(0, -1)
	return o
}

func (o operands) bits() Bits {
	b := Bits{Rows: len(o.v), Cols: len(o.v[0]), Stride: (len(o.v[0])+63)/64 + 2}
	b.Words = make([]uint64, b.Rows*b.Stride)
	for i := range b.Words {
		b.Words[i] = 0xbad
	}
	for r, row := range o.v {
		clear(b.Words[r*b.Stride:][:b.Stride-2])
		for i, x := range row {
			if x == 1 {
				b.Words[r*b.Stride+i/64] |= 1 << (i % 64)
			}
		}
	}
	return b
}

func flat(a [][]float64, stride int) []float64 {
	x := make([]float64, len(a)*stride)
	for i, row := range a {
		copy(x[i*stride:], row)
	}
	return x
}

func transposed(a [][]float64) [][]float64 {
	t := make([][]float64, len(a[0]))
	for j := range t {
		for i := range a {
			t[j] = append(t[j], a[i][j])
		}
	}
	return t
}

// check compares every way to compute the product with the definition.
func (o operands) check(t *testing.T, name string) {
	t.Helper()
	n, k, m := len(o.v), len(o.f), len(o.f[0])
	var rows, columns Panels
	rows.View(k, m, m+3, flat(o.f, m+3))
	columns.Reset(k, m)
	ft := flat(transposed(o.f), k+5)
	for q := range columns.Count() {
		columns.Pack(q, k+5, ft)
	}
	tab := Lines(TableLines)
	weights := Weights{Rows: n, Cols: k, Row: k, Col: 1, Data: flat(o.v, k)}
	var lists Lists
	lists.Build(o.bits(), n)
	for _, way := range []string{"direct", "list", "weights"} {
		for _, p := range []*Panels{&rows, &columns} {
			for q := range p.Count() {
				x := Lines(2 * n)
				for r := range n {
					copy(x[2*r][:], o.init[r][q*Lanes:])
				}
				// In two calls, as goroutines share the rows.
				for _, part := range [][2]int{{0, n / 2}, {n / 2, n}} {
					switch way {
					case "weights":
						weights.Mul(x[2*part[0]:], 2, p.Panel(q), part[0], part[1])
					default:
						lists.direct = way == "direct"
						lists.Mul(x[2*part[0]:], 2, p.Panel(q), tab, part[0], part[1])
					}
				}
				for r := range n {
					want := definition(o.init[r], o.v[r], o.f)
					for l := range min(Lanes, m-q*Lanes) {
						got, want := x[2*r][l], want[q*Lanes+l]
						if math.Float64bits(got) != math.Float64bits(want) {
							t.Fatalf("%s, %s: result[%d, %d] = %v, want %v", name, way, r, q*Lanes+l, got, want)
						}
					}
				}
			}
		}
	}
}

func TestMul(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{1, 2, 3, 4, 5, 63, 64, 65, 127, 511, 512, 513, 1100} {
		for _, s := range []struct{ n, m int }{{1, 1}, {3, 7}, {5, 8}, {4, 20}} {
			for _, density := range []float64{0, 0.01, 0.13, 0.5, 1} {
				o := newOperands(rnd, s.n, k, s.m, density)
				o.check(t, fmt.Sprintf("n=%d/k=%d/m=%d/density=%v", s.n, k, s.m, density))
			}
		}
	}
}

func FuzzMul(f *testing.F) {
	f.Add(uint64(1), uint16(3), uint16(70), uint16(9), 0.3)
	f.Add(uint64(2), uint16(1), uint16(600), uint16(1), 0.9)
	f.Fuzz(func(t *testing.T, seed uint64, n, k, m uint16, density float64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		o := newOperands(rnd, 1+int(n%20), 1+int(k%700), 1+int(m%30), density)
		o.check(t, "fuzz")
	})
}

// Weights that are not bits go by the definition too.
func TestWeights(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	o := newOperands(rnd, 5, 30, 8, 1)
	for _, row := range o.v {
		for i := range row {
			if rnd.IntN(3) > 0 {
				row[i] = rnd.Float64()
			}
		}
	}
	var p Panels
	p.View(30, 8, 8, flat(o.f, 8))
	x := Lines(5)
	for r := range x {
		copy(x[r][:], o.init[r])
	}
	w := Weights{Rows: 5, Cols: 30, Row: 1, Col: 5, Data: flat(transposed(o.v), 5)}
	w.Mul(x, 1, p.Panel(0), 0, 5)
	for r := range x {
		for l, want := range definition(o.init[r], o.v[r], o.f) {
			if x[r][l] != want {
				t.Errorf("result[%d, %d] = %v, want %v", r, l, x[r][l], want)
			}
		}
	}
}

// A sum over rows that is interrupted goes on as if it had not been, if it is
// interrupted between nibbles: Mul adds to what is there.
func TestSum(t *testing.T) {
	for n := range 14 {
		f, ones := make([][]float64, n), make([]float64, n)
		x := make([]float64, n)
		rnd := rand.New(rand.NewPCG(3, uint64(n)))
		for i := range x {
			x[i] = rnd.NormFloat64()
			f[i], ones[i] = x[i:i+1], 1
		}
		if got, want := Sum(x), definition([]float64{0}, ones, f)[0]; got != want {
			t.Errorf("Sum of %d = %v, want %v", n, got, want)
		}
	}
}

func TestPackNaN(t *testing.T) {
	for _, cols := range []int{3, 8} {
		const k = 5
		data := make([]float64, cols*k)
		var p Panels
		p.Reset(k, cols)
		for i := range data {
			for _, tt := range []struct {
				x    float64
				want bool
			}{{math.NaN(), true}, {math.Inf(1), false}, {math.MaxFloat64, false}} {
				data[i] = tt.x
				if got := p.Pack(0, k, data); got != tt.want {
					t.Errorf("Pack of %d columns with %v at %d reports %v, want %v", cols, tt.x, i, got, tt.want)
				}
			}
			data[i] = 0
		}
	}
}

func TestUnpack(t *testing.T) {
	const k, cols, stride = 5, 19, 7
	data := make([]float64, cols*stride)
	for i := range data {
		data[i] = float64(i)
	}
	var p Panels
	p.Reset(k, cols)
	got := make([]float64, len(data))
	for q := range p.Count() {
		p.Pack(q, stride, data)
		Unpack(p.lines[q*k:][:k], q, min(Lanes, cols-q*Lanes), stride, got)
	}
	for i := range data {
		want := data[i]
		if i%stride >= k {
			want = 0 // behind the row
		}
		if got[i] != want {
			t.Errorf("data[%d] = %v after Pack and Unpack, want %v", i, got[i], want)
		}
	}
}

func TestTranspose(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	for _, s := range []struct{ n, k int }{{1, 1}, {64, 64}, {70, 130}, {200, 65}} {
		o := newOperands(rnd, s.n, s.k, 1, 0.4)
		b := o.bits()
		stride := (s.n + 63) / 64
		got := make([]uint64, s.k*stride)
		for w := range stride {
			Transpose(got[w:], stride, b, w*64)
		}
		for r := range s.n {
			for i := range s.k {
				if bit := got[i*stride+r/64] >> (r % 64) & 1; float64(bit) != o.v[r][i] {
					t.Fatalf("n=%d/k=%d: bit (%d, %d) of the transpose is %d, want %v", s.n, s.k, i, r, bit, o.v[r][i])
				}
			}
		}
		// Bits of rows that do not exist are 0.
		for i := range s.k {
			if last := got[(i+1)*stride-1] >> ((s.n-1)%64 + 1); s.n%64 != 0 && last != 0 {
				t.Fatalf("n=%d/k=%d: bits behind the last row of column %d are %b, want 0", s.n, s.k, i, last)
			}
		}
	}
}
