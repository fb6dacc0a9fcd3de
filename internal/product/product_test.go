package product

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/twin"
)

// each runs a test with each set of kernels.
func each(t *testing.T, test func(t *testing.T)) {
	cpu.Each(func(name string) { t.Run(name, test) })
}

// definition returns acc plus the rows of f (k×m) that are set in a row of weights. It
// follows the definition of the package comment literally.
func definition(acc []float64, weights []float64, f [][]float64) []float64 {
	acc = append([]float64(nil), acc...)
	for j := range acc { // the columns
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
			if x != 0 {
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

// check compares ways to compute the product, all of them unless some are named, with
// the definition.
func (o operands) check(t *testing.T, title string, ways ...string) {
	t.Helper()
	n, k, m := len(o.v), len(o.f), len(o.f[0])
	var rows, columns Panels
	rows.View(k, m, m+3, flat(o.f, m+3))
	columns.ViewT(k, m, k+5, flat(transposed(o.f), k+5))
	tab := guardedLines(ScratchLines)
	weights := Weights{Stride: Nibbles(k), Data: flat(o.v, Nibbles(k))}
	var lists Lists
	share := min(ShareRows, max(4, n/8*4))
	lists.Build(o.bits(), share)
	makeLists(&lists)
	if len(ways) == 0 {
		ways = []string{"direct", "tables", "weights"}
	}
	for _, way := range ways {
		lists.direct = way == "direct"
		for _, p := range []*Panels{&rows, &columns} {
			x := guardedLines(p.Count() * n)
			for q := range p.Count() {
				for r := range n {
					x[q*n+r] = Line{}
					copy(x[q*n+r][:], o.init[r][q*Lanes:])
				}
			}
			got := make([]float64, n*p.Count()*Lanes)
			// In parts, as goroutines share the rows and panels.
			for _, r := range [][2]int{{0, min(n, share)}, {min(n, share), min(n, 2*share)}, {min(n, 2*share), n}} {
				for _, q := range [][2]int{{0, p.Count() / 2}, {p.Count() / 2, p.Count()}} {
					rows := r[1] - r[0]
					part := guardedLines(rows * (q[1] - q[0]))
					for i := range part {
						part[i] = x[(q[0]+i/rows)*n+r[0]+i%rows]
					}
					if way == "weights" {
						lists.MulWeights(part, weights, p, q[0], q[1], tab, r[0], r[1])
					} else {
						lists.Mul(part, p, q[0], q[1], tab, r[0], r[1])
					}
					checkGuards(t, part)
					for i := range part {
						copy(got[((r[0]+i%rows)*p.Count()+q[0]+i/rows)*Lanes:], part[i][:])
					}
				}
			}
			for r := range n {
				for j, want := range definition(o.init[r], o.v[r], o.f) {
					got := got[r*p.Count()*Lanes+j]
					if math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
						t.Fatalf("%s, %s: result[%d, %d] = %v, want %v", title, way, r, j, got, want)
					}
				}
			}
		}
	}
	checkGuards(t, tab)
}

func makeLists(l *Lists) {
	for part := range l.Parts() {
		l.Fill(part)
	}
}

// guardedLines returns n lines between two guards, which checkGuards checks.
func guardedLines(n int) []Line {
	s := Lines(n + 2)
	for _, i := range []int{0, n + 1} {
		for l := range s[i] {
			s[i][l] = 1e100
		}
	}
	return s[1 : n+1 : n+1]
}

func checkGuards(t *testing.T, s []Line) {
	t.Helper()
	if len(s) == 0 {
		return
	}
	before := (*Line)(unsafe.Add(unsafe.Pointer(&s[0]), -64))
	after := (*Line)(unsafe.Add(unsafe.Pointer(&s[len(s)-1]), 64))
	for _, guard := range []*Line{before, after} {
		for _, x := range guard {
			if x != 1e100 {
				t.Fatalf("memory beside the destination was overwritten")
			}
		}
	}
}

func TestMul(t *testing.T) { each(t, testMul) }

func testMul(t *testing.T) {
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
	f.Add(uint64(3), uint16(12), uint16(170), uint16(24), 1.) // five rows of weights in shares of four
	f.Fuzz(func(t *testing.T, seed uint64, n, k, m uint16, density float64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		o := newOperands(rnd, 1+int(n%20), 1+int(k%700), 1+int(m%30), density)
		each(t, func(t *testing.T) { o.check(t, "fuzz") })
	})
}

// The product with weights follows the definition too, whatever rows have a weight of 0.
func TestMulWeights(t *testing.T) { each(t, testMulWeights) }

func testMulWeights(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e300, -5e-324}
	for _, n := range []int{1, 2, worthCopy - 1, worthCopy, 2*worthCopy + 3} {
		for _, k := range []int{1, 2, 3, 4, 5, 66, 4*blockGroups - 1, 4*blockGroups + 7} {
			for _, m := range []int{1, 8, 15, 16, 29, 40} {
				for _, density := range []float64{0.1, 0.6, 1} {
					o := newOperands(rnd, n, k, m, density)
					for _, row := range o.v {
						for i := range row {
							row[i] *= 1 - rnd.Float64()
							if rnd.IntN(50) == 0 {
								row[i] = 5e-324
							}
						}
					}
					if k > 1 {
						for range k * m / 20 {
							o.f[rnd.IntN(k)][rnd.IntN(m)] = odd[rnd.IntN(len(odd))]
						}
					}
					o.check(t, fmt.Sprintf("n=%d/k=%d/m=%d/density=%v", n, k, m, density), "weights")
				}
			}
		}
	}
}

// Weights of bits that are 0 change nothing.
func TestMulWeightsBesideBits(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(16, 16))
		for _, n := range []int{worthCopy - 1, worthCopy} {
			o := newOperands(rnd, n, 70, 16, 0.5)
			w := Weights{Stride: 72, Data: flat(o.v, 72)}
			for i := range w.Data {
				if w.Data[i] == 0 {
					w.Data[i] = rnd.Float64()
				}
			}
			var p Panels
			p.View(70, 16, 16, flat(o.f, 16))
			var l Lists
			l.Build(o.bits(), n)
			makeLists(&l)
			x := Lines(2 * n)
			l.MulWeights(x, w, &p, 0, 2, Lines(ScratchLines), 0, n)
			for r := range n {
				for j, want := range definition(make([]float64, 16), o.v[r], o.f) {
					if got := x[j/Lanes*n+r][j%Lanes]; got != want {
						t.Errorf("n=%d: result[%d, %d] = %v, want %v", n, r, j, got, want)
					}
				}
			}
		}
	})
}

func TestNonzero(t *testing.T) { each(t, testNonzero) }

func testNonzero(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 17))
	for _, n := range []int{0, 1, 63, 64, 65, 200, 9000} {
		for offset := range 4 {
			x := make([]float64, offset+n+1)[offset:]
			x[n] = 0.5 // behind the end
			for i := range n {
				x[i] = float64(rnd.IntN(2))
			}
			check := func(binary bool) {
				t.Helper()
				words := make([]uint64, (n+63)/64+2)
				for i := range words {
					words[i] = 0xbad
				}
				if got := Nonzero(words[1:len(words)-1], x[:n]); got != binary {
					t.Errorf("n=%d: Nonzero = %v, want %v", n, got, binary)
				}
				for i := range (n + 63) / 64 * 64 {
					if got, want := words[1+i/64]>>(i%64)&1 == 1, i < n && x[i] != 0; got != want {
						t.Errorf("n=%d: bit %d is %v, want %v", n, i, got, want)
					}
				}
				if words[0] != 0xbad || words[len(words)-1] != 0xbad {
					t.Errorf("n=%d: memory beside the words was overwritten", n)
				}
			}
			check(true)
			for i := offset; i < n; i += 1 + n/50 {
				was := x[i]
				for _, tt := range []struct {
					x      float64
					binary bool
				}{{math.Copysign(0, -1), true}, {0.5, false}, {5e-324, false}, {-1, false}, {math.NaN(), false}, {math.Inf(1), false}} {
					x[i] = tt.x
					check(tt.binary)
				}
				x[i] = was
			}
		}
	}
}

func TestUnit(t *testing.T) { each(t, testUnit) }

func testUnit(t *testing.T) {
	rnd := rand.New(rand.NewPCG(18, 18))
	for _, n := range []int{0, 1, 7, 8, 9, 100, 8300} {
		for offset := range 4 {
			x := make([]float64, offset+n+1)[offset:]
			x[n] = 7 // behind the end
			for i := range n {
				x[i] = rnd.Float64()
			}
			check := func(ok bool) {
				t.Helper()
				dst := make([]float64, n+offset+2)[offset:]
				dst[0], dst[n+1] = 1e100, 1e100
				if got := Unit(dst[1:n+1], x[:n]); got != ok {
					t.Errorf("n=%d: Unit = %v, want %v", n, got, ok)
				}
				for i, x := range x[:n] {
					if got, want := dst[1+i], x+0; math.Float64bits(got) != math.Float64bits(want) {
						t.Errorf("n=%d: element %d is %v, want %v", n, i, got, want)
					}
				}
				if dst[0] != 1e100 || dst[n+1] != 1e100 {
					t.Errorf("n=%d: memory beside the destination was overwritten", n)
				}
			}
			check(true)
			for i := offset; i < n; i += 1 + n/10 {
				was := x[i]
				for _, tt := range []struct {
					x  float64
					ok bool
				}{
					{0, true}, {math.Copysign(0, -1), true}, {1, true}, {5e-324, true},
					{math.Nextafter(1, 2), false}, {-5e-324, false}, {math.NaN(), false}, {math.Inf(1), false}, {math.Inf(-1), false},
				} {
					x[i] = tt.x
					check(tt.ok)
				}
				x[i] = was
			}
		}
	}
}

func TestTransposeRows(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, n := range []int{1, 3, 4, 5, 8, 61, 1030} {
			const to, from = 11, 1033
			src, dst := make([]float64, 8*from), make([]float64, n*to)
			for i := range src {
				src[i] = float64(i)
			}
			TransposeRows(dst[1:], to, src[2:], from, n)
			for i := range n {
				for l := range to {
					want := 0.
					if 1 <= l && l <= 8 {
						want = src[2+(l-1)*from+i]
					}
					if got := dst[i*to+l]; got != want {
						t.Fatalf("n=%d: element (%d, %d) is %v, want %v", n, i, l, got, want)
					}
				}
			}
		}
	})
}

// The sums of one column follow the definition too.
func TestSums(t *testing.T) { each(t, testSums) }

func testSums(t *testing.T) {
	for n := range 142 {
		if n > 139 {
			n = n*8192/140 + 5 // more than assembly takes at a time
		}
		rnd := rand.New(rand.NewPCG(3, uint64(n)))
		f, x, y := make([][]float64, n), make([]float64, n), make([]float64, n)
		ones, bits, weights := make([]float64, n), make([]float64, n), make([]float64, n)
		words := make([]uint64, n/64+1)
		for i := range x {
			x[i] = rnd.NormFloat64()
			f[i], ones[i] = x[i:i+1], 1
			y[i] = x[i]
			if rnd.IntN(2) == 0 {
				bits[i], weights[i] = 1, rnd.Float64()
				words[i/64] |= 1 << (i % 64)
			} else if rnd.IntN(9) == 0 {
				y[i] = math.Inf(1) // has no weight
			}
		}
		for _, tt := range []struct {
			name      string
			got, want float64
		}{
			{"Sum", Sum(x), definition([]float64{0}, ones, f)[0]},
			{"SumBits", SumBits(words[:(n+63)/64], x), definition([]float64{0}, bits, f)[0]},
			{"Dot of bits", Dot(bits, x), definition([]float64{0}, bits, f)[0]},
			{"Dot", Dot(weights, y), definition([]float64{0}, weights, f)[0]},
		} {
			if tt.got != tt.want {
				t.Errorf("%s of %d terms = %v, want %v", tt.name, n, tt.got, tt.want)
			}
		}
	}
}

func TestHasNaN(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 15, 16, 17, 40, 8192, 8192 + 50} {
			x := make([]float64, n+1)
			x[n] = math.NaN() // behind the end
			x = x[:n]
			step := 1 + n/100
			for i := 0; i < n; i += step {
				for _, tt := range []struct {
					x    float64
					want bool
				}{{math.NaN(), true}, {math.Inf(1), false}, {math.MaxFloat64, false}} {
					x[i] = tt.x
					if got := HasNaN(x); got != tt.want {
						t.Errorf("HasNaN of %d numbers with %v at %d = %v, want %v", n, tt.x, i, got, tt.want)
					}
				}
				x[i] = 0
			}
			if HasNaN(x) {
				t.Errorf("HasNaN of %d zeros = true, want false", n)
			}
		}
	})
}

func TestUnpack(t *testing.T) {
	each(t, func(t *testing.T) {
		testUnpack(t, 5, 19, 7)
		testUnpack(t, 12, 16, 13)
	})
}

func testUnpack(t *testing.T, k, cols, stride int) {
	data := make([]float64, cols*stride)
	for i := range data {
		data[i] = float64(i)
	}
	panel := Lines(k)
	got := make([]float64, len(data))
	for j := 0; j < cols; j += Lanes {
		n := min(Lanes, cols-j)
		for i := range panel {
			for l := range n {
				panel[i][l] = data[(j+l)*stride+i]
			}
		}
		Unpack(panel, j/Lanes, n, stride, got)
	}
	for i := range data {
		want := data[i]
		if i%stride >= k {
			want = 0 // behind the row
		}
		if got[i] != want {
			t.Errorf("data[%d] = %v after Unpack, want %v", i, got[i], want)
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
			for c := range (s.k + 63) / 64 {
				Transpose(got[c*64*stride+w:], stride, b, w*64, c)
			}
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

// This compares the ways. Build should choose the faster one.
func BenchmarkMul(b *testing.B) {
	for _, s := range []struct {
		k, m    int
		density float64
	}{{784, 504, 0.13}, {500, 784, 0.5}} {
		for _, n := range []int{10, 30, 100, 512} {
			rnd := rand.New(rand.NewPCG(5, 5))
			o := newOperands(rnd, n, s.k, s.m, s.density)
			var p Panels
			p.View(s.k, s.m, s.m, flat(o.f, s.m))
			tab, x := Lines(ScratchLines), Lines(n*p.Count())
			for _, way := range []string{"direct", "tables"} {
				b.Run(fmt.Sprintf("k=%d/m=%d/density=%v/n=%d/%s", s.k, s.m, s.density, n, way), func(b *testing.B) {
					var lists Lists
					lists.Build(o.bits(), n)
					makeLists(&lists)
					lists.direct = way == "direct"
					for b.Loop() {
						lists.Mul(x, &p, 0, p.Count(), tab, 0, n)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*p.Count()), "ns/line")
				})
			}
		}
	}
}

func BenchmarkFill(b *testing.B) {
	for _, s := range []struct {
		n, k    int
		density float64
	}{{100, 784, 0.13}, {100, 500, 0.5}, {785, 200, 0.13}} {
		b.Run(fmt.Sprintf("n=%d/k=%d/density=%v", s.n, s.k, s.density), func(b *testing.B) {
			var lists Lists
			bits := newOperands(rand.New(rand.NewPCG(6, 6)), s.n, s.k, 1, s.density).bits()
			for b.Loop() {
				lists.Build(bits, s.n)
				makeLists(&lists)
			}
		})
	}
}

// There are more rows than a kernel takes at a time, and enough panels for every kernel.
func TestMulOfManyRows(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(7, 7))
		for _, s := range []struct{ n, k, m int }{{2101, 9, 20}, {4100, 6, 3}, {5, 70, 67}} {
			o := newOperands(rnd, s.n, s.k, s.m, 0.3)
			o.check(t, fmt.Sprintf("n=%d/k=%d/m=%d", s.n, s.k, s.m))
		}
	})
}

// A sum of terms that are all -0 is -0.
func TestMulOfMinusZeros(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(8, 8))
		o := newOperands(rnd, 6, 11, 67, 0.4)
		for _, a := range [][][]float64{o.f, o.init} {
			for _, row := range a {
				for j := range row {
					row[j] = math.Copysign(0, -1)
				}
			}
		}
		o.check(t, "minus zeros")
		o.v = o.v[:FewRows]
		o.checkFew(t, "minus zeros", true)
	})
}

// Lists that are used again, for an odd and smaller number of rows, forget the earlier ones.
func TestListsUsedAgain(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(10, 10))
		var l Lists
		for _, n := range []int{40, 3, 1, 17} {
			o := newOperands(rnd, n, 70, 16, 0.9)
			l.Build(o.bits(), n)
			makeLists(&l)
			var p Panels
			p.View(70, 16, 16, flat(o.f, 16))
			for _, l.direct = range []bool{false, true} {
				x := Lines(p.Count() * n)
				l.Mul(x, &p, 0, p.Count(), Lines(ScratchLines), 0, n)
				for r := range n {
					for j, want := range definition(make([]float64, 16), o.v[r], o.f) {
						if got := x[j/Lanes*n+r][j%Lanes]; got != want {
							t.Fatalf("n=%d, direct %v: result[%d, %d] = %v, want %v", n, l.direct, r, j, got, want)
						}
					}
				}
			}
		}
	})
}

// Few rows are added directly, and many by tables. No result shows this choice.
func TestDirectForFewRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 11))
	for n, want := range map[int]bool{2: true, 10: true, 200: false} {
		var l Lists
		l.Build(newOperands(rnd, n, 784, 1, 0.3).bits(), n)
		if l.direct != want {
			t.Errorf("%d rows: direct is %v, want %v", n, l.direct, want)
		}
	}
}

// Blocks of nibbles that are far apart, and lists that end with one.
func TestMulOfWideSparseRows(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(12, 12))
		for _, s := range []struct {
			n, k, m int
			density float64
		}{{50, 5000, 11, 0.002}, {3, 9001, 9, 0.01}, {9, 64*blockGroups + 3, 8, 0.02}, {4, 4*blockGroups*3 + 1, 8, 1}} {
			o := newOperands(rnd, s.n, s.k, s.m, s.density)
			o.check(t, fmt.Sprintf("n=%d/k=%d/density=%v", s.n, s.k, s.density))
		}
	})
}

// Rows without a bit have no blocks, and add nothing.
func TestMulOfNothing(t *testing.T) {
	each(t, func(t *testing.T) {
		newOperands(rand.New(rand.NewPCG(13, 13)), 5, 300, 9, 0).check(t, "no bits")
	})
}

// Blocks have about the same size and are in order. They cover each set nibble once.
func TestBlocks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(14, 14))
	for _, k := range []int{1, 64, 4 * blockGroups, 4*blockGroups + 1, 1000, 5000} {
		for _, density := range []float64{0, 0.01, 0.3} {
			var l Lists
			b := newOperands(rnd, 7, k, 1, density).bits()
			l.Build(b, 7)
			var groups int
			for i := range l.block {
				before, here := l.before(i), l.block[i]
				size := here.groups - before.groups
				if size < 1 || size > blockGroups || len(l.block) > 1 && size < blockGroups/2 {
					t.Errorf("k=%d, density %v: block %d has %d nibbles", k, density, i, size)
				}
				place := 0
				for _, s := range l.spans[before.spans:here.spans] {
					for low := lowest(s.Mask); low != 0; low &= low - 1 {
						nibble := bits.TrailingZeros64(low) / group
						if got := int(l.groups[before.groups+place]); got != int(s.Word)*nibbles+nibble {
							t.Fatalf("k=%d, density %v: block %d: nibble %d is %d, want %d", k, density, i, place, got, int(s.Word)*nibbles+nibble)
						}
						if want := entryOf(place, 0); s.Base[nibble] != want {
							t.Fatalf("k=%d, density %v: block %d: entry of nibble %d is %d, want %d", k, density, i, place, s.Base[nibble], want)
						}
						place++
					}
				}
				if place != size {
					t.Fatalf("k=%d, density %v: block %d has %d nibbles in its spans, want %d", k, density, i, place, size)
				}
				groups += size
			}
			if groups != len(l.groups) {
				t.Errorf("k=%d, density %v: blocks have %d nibbles, want %d", k, density, groups, len(l.groups))
			}
		}
	}
}

func BenchmarkTwin(b *testing.B) {
	const n, k = 100, 4 * blockGroups
	o := newOperands(rand.New(rand.NewPCG(15, 15)), n, k, Lanes, 0.3)
	var rows, columns Panels
	rows.View(k, Lanes, Lanes, flat(o.f, Lanes))
	columns.ViewT(k, Lanes, k, flat(transposed(o.f), k))
	var l Lists
	l.Build(o.bits(), n)
	makeLists(&l)
	groups, list := l.of(0, 0)
	scratch, x := Lines(ScratchLines), Lines(n)
	tab, lines := scratch[:tableLines], scratch[tableLines:]
	panel, tile := Lines(k), Lines(tileLines)
	weights := Weights{Stride: k, Data: flat(o.v, k)}
	few := operands{v: o.v[:1]}.few(false)
	numbers, copied, words := flat(o.v, k), make([]float64, n*k), make([]uint64, (n*k+63)/64)
	const long = 64 // lines of a row
	long64, ones := Lines(65*long), []uint64{0x8421_3579_ace0_0f1b}
	for _, bb := range []struct {
		name string
		f    func()
	}{
		{"Fill", func() { l.Fill(0) }},
		{"Build", func() { rows.build(tab, 0, groups, lines) }},
		{"BuildColumns", func() { columns.build(tab, 0, groups, lines) }},
		{"AddEntries", func() { addEntries(x, n, tab, list) }},
		{"AddRows", func() { addRows(x, n, n, rows.Panel(0), groups, 0, 1, list) }},
		{"Gather", func() { columns.gather(panel, 0, groups) }},
		{"AddWeights", func() { addWeights(x, n, n, tile, 1, weights, groups, list) }},
		{"AddOnes", func() { AddOnes(long64[:long], long64[long:], ones) }},
		{"Few", func() { few.Mul(x, &columns, 0, 1) }},
		{"Dot", func() { Dot(o.v[0], o.v[1]) }},
		{"TransposeRows", func() { TransposeRows(Floats(panel), Lanes, columns.data, k, k) }},
		{"Unpack", func() { Unpack(panel, 0, Lanes, k, columns.data) }},
		{"HasNaN", func() { HasNaN(columns.data) }},
		{"Nonzero", func() { Nonzero(words, numbers) }},
		{"Unit", func() { Unit(copied, numbers) }},
	} {
		b.Run(bb.name, func(b *testing.B) { twin.Run(b, bb.f) })
	}
}

// until is a context that is done from look number last on. It counts the looks.
type until struct {
	context.Context
	looks, last int
}

func (c *until) Err() error {
	if c.looks++; c.looks >= c.last {
		return context.Canceled
	}
	return nil
}

// A large product looks at its signal for every block of columns and every share of rows,
// and Build looks for every word.
func TestUntil(t *testing.T) {
	for _, tt := range []struct{ rows, cols int }{{3, 5000}, {40, 5000}, {3000, 70}} {
		b := Bits{Rows: tt.rows, Cols: tt.cols, Stride: (tt.cols + 63) / 64}
		b.Words = make([]uint64, b.Rows*b.Stride)
		for r := range b.Rows {
			for i := r % 3; i < b.Cols; i += 3 {
				b.Words[r*b.Stride+i/64] |= 1 << (i % 64)
			}
		}
		var p Panels
		p.View(tt.cols, 16, 16, make([]float64, tt.cols*16))
		for i := range p.data {
			p.data[i] = 1
		}
		x, scratch := Lines(2*tt.rows), Lines(ScratchLines)
		product := func(last int) (looks [2]int) {
			ctx := &until{Context: context.Background(), last: last}
			clear(x)
			l := Lists{Until: stop.On(ctx)}
			l.Build(b, b.Rows)
			looks[0] = ctx.looks
			for part := range l.Parts() {
				l.Fill(part)
			}
			l.Mul(x, &p, 0, 2, scratch, 0, tt.rows)
			looks[1] = ctx.looks - looks[0]
			return looks
		}
		all := product(math.MaxInt)
		if whole := x[0][0]; whole < 20 {
			t.Errorf("%d×%d: a sum is %v, want more", tt.rows, tt.cols, whole)
		}
		shares := (tt.rows + ShareRows - 1) / ShareRows
		if all[0] < b.Stride || all[1] < shares*tt.cols/(blockGroups*group) {
			t.Errorf("%d×%d: %d looks in making lists and %d in the product, in %d words and %d shares", tt.rows, tt.cols, all[0], all[1], b.Stride, shares)
		}
		whole := x[0][0]
		for _, last := range []int{1, all[0] + 1} {
			if product(last); x[0][0] != 0 {
				t.Errorf("%d×%d: done at look %d a sum is %v", tt.rows, tt.cols, last, x[0][0])
			}
		}
		if all[1] > 2*shares {
			if product(all[0] + all[1]/2); !(x[0][0] < whole) {
				t.Errorf("%d×%d: done half-way a sum is %v of %v", tt.rows, tt.cols, x[0][0], whole)
			}
		}
	}
}
