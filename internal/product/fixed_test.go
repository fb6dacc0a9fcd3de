package product

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gorbm/rbm/internal/spec"
	"github.com/gorbm/rbm/internal/twin"
)

// packed returns the matrix p in fixed point.
func packed(p *Panels, bias []float64) *Fixed {
	f := new(Fixed)
	f.Reset(p.rows, p.cols)
	for t := range (p.cols + wordBits - 1) / wordBits {
		f.Pack(t, p, bias, absOf(p, t))
	}
	return f
}

// viewsOf returns the matrix a as a view and as a transpose, with strides larger than rows.
func viewsOf(a [][]float64) (rows, columns *Panels) {
	k, m := len(a), len(a[0])
	rows, columns = new(Panels), new(Panels)
	rows.View(k, m, m+3, flat(a, m+3))
	columns.ViewT(k, m, k+5, flat(transposed(a), k+5))
	return rows, columns
}

// wholeWords returns x followed by as many -Inf as fill the last word.
func wholeWords(x []float64) []float64 {
	x = append([]float64(nil), x...)
	for len(x)%wordBits != 0 {
		x = append(x, math.Inf(-1))
	}
	return x
}

// at returns the number of row i and column j.
func (f *Fixed) at(i, j int) int32 {
	return f.Panel((j/wordBits)*FixedPanels + j%wordBits/FixedLanes)[i][j%FixedLanes]
}

// packedColumn is a column in fixed point by the definition of Fixed, in exact numbers. If
// the sum of its absolute values is too near a power of two for the rounding of float64s to
// be of no account, larger is true: the unit may be twice as large.
func packedColumn(column []float64, bias float64) (unit float64, q0 int32, q []int32, larger bool) {
	q = make([]int32, len(column))
	total := 0.
	for _, w := range column {
		total += math.Abs(w)
	}
	infinite := math.IsInf(total, 0) || math.IsNaN(total) // if only because it is too large
	switch {
	case math.IsNaN(bias):
		return 0x1p-25, -Never << 25, q, false
	case infinite:
		return math.Inf(1), 0, q, false
	case math.IsInf(bias, -1):
		return 0x1p-25, -Never << 25, q, false
	case math.IsInf(bias, 1):
		return 0x1p-25, Never << 25, q, false
	}
	exact := func(x float64) *big.Float { return new(big.Float).SetPrec(2500).SetFloat64(x) }
	sum := new(big.Float).Abs(exact(bias))
	for _, w := range column {
		sum.Add(sum, new(big.Float).Abs(exact(w)))
	}
	// The smallest power of two with sum < 2³⁰·unit, at least 2⁻⁴⁰.
	e := -40
	for sum.Cmp(new(big.Float).SetMantExp(big.NewFloat(1), 30+e)) >= 0 {
		e++
	}
	if e > 970 {
		return math.Inf(1), 0, q, false
	}
	near := new(big.Float).Mul(sum, exact(1+0x1p-40))
	larger = near.Cmp(new(big.Float).SetMantExp(big.NewFloat(1), 30+e)) >= 0
	nearest := func(x float64) int32 {
		x = math.Ldexp(x, -e) // exact, as is what follows, unless it is nearly 0
		floor := math.Floor(x)
		switch n := int32(floor); {
		case x-floor < 0.5, x-floor == 0.5 && n%2 == 0:
			return n
		default:
			return n + 1
		}
	}
	for i, w := range column {
		q[i] = nearest(w)
	}
	return math.Ldexp(1, e), nearest(bias), q, larger
}

// checkPack compares Pack with the definition, for the matrix and for its transpose.
func checkPack(t *testing.T, title string, a [][]float64, bias []float64) {
	t.Helper()
	rows, columns := viewsOf(a)
	for _, p := range []*Panels{rows, columns} {
		f := new(Fixed)
		f.Reset(p.rows, p.cols)
		f.lines = AsFixed(guardedLines(len(f.lines)))
		for i := range f.lines {
			f.lines[i][i%FixedLanes] = 99 // of an earlier matrix
		}
		words := (p.cols + wordBits - 1) / wordBits
		for t := range words {
			f.Pack(t, p, wholeWords(bias), absOf(p, t))
		}
		checkGuards(t, unsafe.Slice((*Line)(unsafe.Pointer(&f.lines[0])), len(f.lines)))
		column := make([]float64, p.rows)
		for j := range words * wordBits {
			unit, q0, q := 0x1p-25, int32(-Never<<25), make([]int32, p.rows)
			larger := false
			if j < p.cols {
				for i := range column {
					column[i] = a[i][j]
				}
				unit, q0, q, larger = packedColumn(column, bias[j])
			}
			if larger && f.Units[j] == 2*unit {
				continue
			}
			if f.Units[j] != unit || f.Bias[j] != q0 {
				t.Fatalf("%s, transposed %v: column %d has the unit %v and the bias %d, want %v and %d", title, p.transposed, j, f.Units[j], f.Bias[j], unit, q0)
			}
			for i := range f.room {
				want := int32(0)
				if i < p.rows {
					want = q[i]
				}
				if got := f.at(i, j); got != want {
					t.Fatalf("%s, transposed %v: number (%d, %d) is %d, want %d", title, p.transposed, i, j, got, want)
				}
			}
		}
	}
}

func TestPack(t *testing.T) { each(t, testPack) }

func testPack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(30, 30))
	random := func(k, m int) (a [][]float64, bias []float64) {
		o := newOperands(rnd, 1, k, m, 0.5)
		for j := range m { // of all sizes
			size := math.Ldexp(1, rnd.IntN(60)-45)
			for i := range o.f {
				o.f[i][j] *= size
			}
			o.init[0][j] *= math.Ldexp(size, rnd.IntN(9))
		}
		return o.f, o.init[0]
	}
	for m := 1; m <= 70; m++ {
		for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 1 + rnd.IntN(70)} {
			a, bias := random(k, m)
			checkPack(t, fmt.Sprintf("%d×%d", k, m), a, bias)
		}
	}
	for _, k := range []int{65, 1027, 2050} { // more than assembly takes at a time
		a, bias := random(k, 33)
		checkPack(t, fmt.Sprintf("%d×33", k), a, bias)
	}
	for _, m := range []int{64, 128, 131} {
		a, bias := random(40, m)
		checkPack(t, fmt.Sprintf("40×%d", m), a, bias)
	}
}

// Ties, powers of two, and numbers that are none.
func TestPackOfOddNumbers(t *testing.T) { each(t, testPackOfOddNumbers) }

func testPackOfOddNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(31, 31))
	odd := []float64{
		0, math.Copysign(0, -1), 5e-324, -5e-324, 1e-300, 1e300, -1e300, math.MaxFloat64, 1, -1, 0x1p40,
		0x1p-41, -0x1p-41, 0x1p-40, 0x3p-41, -0x5p-41, 0x1p-42, // around the smallest unit
		math.Inf(1), math.Inf(-1), math.NaN(),
	}
	for _, numbers := range [][]float64{odd, odd[:11], odd[:5], odd[8:17], odd[11:17]} {
		for range 20 {
			k, m := 1+rnd.IntN(40), 1+rnd.IntN(70)
			o := newOperands(rnd, 1, k, m, 0.5)
			for _, row := range append(o.f, o.init[0]) {
				for j := range row {
					if j%3 != 0 || rnd.IntN(3) == 0 {
						row[j] = numbers[rnd.IntN(len(numbers))]
					}
				}
			}
			checkPack(t, "odd numbers", o.f, o.init[0])
		}
	}
	// Multiples of half a unit, all of them ties or whole: the sums are exact, so that a power
	// of two is not near but there.
	for range 50 {
		k, m := 2+rnd.IntN(30), 1+rnd.IntN(70)
		o := newOperands(rnd, 1, k, m, 0.5)
		for j := range m {
			e := rnd.IntN(30) - 10
			left := int64(1) << 30 // halves of a unit of 2ᵉ⁻³⁰, up to a sum of about 2ᵉ⁻¹
			for i := range o.f {
				n := rnd.Int64N(left/2 + 1)
				if i == k-1 {
					n = left - int64(rnd.IntN(2))
				}
				left -= n
				o.f[i][j] = math.Ldexp(float64(n*int64(1-2*rnd.IntN(2))), e-31)
			}
			o.init[0][j] = math.Ldexp(float64(rnd.IntN(5)-2), e-31)
		}
		checkPack(t, "halves", o.f, o.init[0])
	}
}

// The smallest unit by which no sum overflows.
func TestUnits(t *testing.T) {
	for _, tt := range []struct{ weight, bias, unit float64 }{
		{1, 0, 0x1p-29},
		{math.Nextafter(1, 0), 0, 0x1p-30},
		{0.5, -0.5, 0x1p-29},
		{0, 0, 0x1p-40},
		{0x1p-11, 0, 0x1p-40},
		{0x1p-10, 0, 0x1p-39},
		{0x1p999, 0, 0x1p970},
		{0x1p1000, 0, math.Inf(1)},
		{1e-300, 3, 0x1p-28},
	} {
		var p Panels
		p.View(1, 1, 1, []float64{tt.weight})
		if f := packed(&p, wholeWords([]float64{tt.bias})); f.Units[0] != tt.unit {
			t.Errorf("weight %v, bias %v: the unit is %v, want %v", tt.weight, tt.bias, f.Units[0], tt.unit)
		}
	}
}

// A fixedProduct is bits, numbers in fixed point and sums to begin with. The numbers of a
// column are as large as the sum of any of them allows, and the sums begin anywhere: about
// half of them wrap around on the way.
type fixedProduct struct {
	n, k, m int
	bits    Bits
	f       Fixed
	init    []FixedLine // FixedPanels·n for each word
}

func newFixedProduct(rnd *rand.Rand, n, k, m int, density float64) *fixedProduct {
	p := &fixedProduct{n: n, k: k, m: m}
	p.bits = operandBits(rnd, n, k, density)
	p.f.Reset(k, m)
	p.f.lines = AsFixed(guardedLines(len(p.f.lines)))
	for t := range len(p.f.Units) / wordBits {
		for q := range FixedPanels {
			lines := p.f.Panel(t*FixedPanels + q)
			for i := range k {
				for l := range lines[i] {
					lines[i][l] = int32((2*rnd.Float64() - 1) * math.MaxInt32 / float64(k))
				}
			}
		}
	}
	p.init = make([]FixedLine, len(p.f.Units)/FixedLanes*n)
	for i := range p.init {
		for l := range p.init[i] {
			p.init[i][l] = int32(rnd.Uint32())
		}
	}
	return p
}

// operandBits returns random bits, n×k.
func operandBits(rnd *rand.Rand, n, k int, density float64) Bits {
	v := make([][]float64, n)
	for r := range v {
		v[r] = make([]float64, k)
		for i := range v[r] {
			if rnd.Float64() < density {
				v[r][i] = 1
			}
		}
	}
	return operands{v: v}.bits()
}

// check compares MulFixed with a naive sum, with and without tables.
func (p *fixedProduct) check(t *testing.T, title string, share int) {
	t.Helper()
	var l Lists
	l.Build(p.bits, share)
	for i := range l.entry {
		l.entry[i] = entryOf(0, 1) // of earlier lists
	}
	for i := range l.length {
		l.length[i] = listLen
	}
	makeLists(&l)
	scratch := guardedLines(ScratchLines)
	for _, l.direct = range []bool{false, true} {
		for word := range len(p.f.Units) / wordBits {
			init := p.init[word*FixedPanels*p.n:][:FixedPanels*p.n]
			// In parts, as goroutines share the rows.
			for _, r := range [][2]int{{0, min(p.n, share)}, {min(p.n, share), p.n}} {
				n := r[1] - r[0]
				memory := guardedLines(FixedPanels * n)
				x := AsFixed(memory)
				for i := range x {
					x[i] = init[i/n*p.n+r[0]+i%n]
				}
				l.MulFixed(x, &p.f, word*FixedPanels, (word+1)*FixedPanels, scratch, r[0], r[1])
				checkGuards(t, memory)
				for i := range x {
					row, panel := r[0]+i%n, i/n
					want := init[panel*p.n+row]
					lines := p.f.Panel(word*FixedPanels + panel)
					for j := range p.k {
						if p.bits.Words[row*p.bits.Stride+j/64]>>(j%64)&1 != 0 {
							for l := range want {
								want[l] += lines[j][l]
							}
						}
					}
					if x[i] != want {
						t.Fatalf("%s, direct %v: word %d, row %d, panel %d: %v, want %v", title, l.direct, word, row, panel, x[i], want)
					}
				}
			}
		}
	}
	checkGuards(t, scratch)
}

func TestMulFixed(t *testing.T) { each(t, testMulFixed) }

func testMulFixed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(32, 32))
	for _, k := range []int{1, 2, 3, 4, 5, 63, 64, 65, 127, 513, 4*blockGroups + 1, 1100} {
		for _, n := range []int{1, 2, 3, 4, 5, 9, 40} {
			for _, density := range []float64{0, 0.02, 0.3, 0.9, 1} {
				p := newFixedProduct(rnd, n, k, 1+rnd.IntN(130), density)
				p.check(t, fmt.Sprintf("n=%d/k=%d/density=%v", n, k, density), max(4, n/8*4))
			}
		}
	}
	for _, k := range []int{30, 64*callOfBits + 70} { // several shares, and more words than assembly takes at a time
		p := newFixedProduct(rnd, []int{1300, 3}[min(1, k/100)], k, 16, 0.2)
		p.check(t, fmt.Sprintf("n=%d/k=%d", p.n, k), min(ShareRows, max(4, p.n&^3)))
	}
}

// callOfBits is at least the number of words that assembly takes at a time.
const callOfBits = 256

func FuzzMulFixed(f *testing.F) {
	f.Add(uint64(1), uint16(3), uint16(70), uint16(9), 0.3)
	f.Add(uint64(2), uint16(1), uint16(600), uint16(1), 0.9)
	f.Add(uint64(3), uint16(12), uint16(170), uint16(64), 1.)
	f.Fuzz(func(t *testing.T, seed uint64, n, k, m uint16, density float64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		p := newFixedProduct(rnd, 1+int(n%20), 1+int(k%700), 1+int(m%130), density)
		each(t, func(t *testing.T) { p.check(t, "fuzz", max(4, p.n/8*4)) })
	})
}

// The sums of columns that Pack has made are within their bound of the sums of float64s,
// where they are as large as they can be.
func TestFixedSumsFit(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(33, 33))
		const n, k, m = 9, 300, 70
		o := newOperands(rnd, n, k, m, 0.5)
		for i := range o.f {
			for j := range o.f[i] {
				o.f[i][j] = math.Abs(o.f[i][j])
			}
		}
		for i := range o.v[0] {
			o.v[0][i] = 1
		}
		bias := wholeWords(o.init[0])
		rows, columns := viewsOf(o.f)
		for _, p := range []*Panels{rows, columns} {
			f := packed(p, bias)
			var l Lists
			l.Build(o.bits(), n)
			makeLists(&l)
			x := AsFixed(Lines(FixedPanels * n))
			for word := range 2 {
				f.Begin(x, word, n)
				l.MulFixed(x, f, word*FixedPanels, (word+1)*FixedPanels, Lines(ScratchLines), 0, n)
				for r := range n {
					for j := word * wordBits; j < min(m, (word+1)*wordBits); j++ {
						sum, ones := bias[j], 0.
						for i := range k {
							sum += o.v[r][i] * o.f[i][j]
							ones += o.v[r][i]
						}
						got := float64(x[j%wordBits/FixedLanes*n+r][j%FixedLanes]) * f.Units[j]
						if bound := f.Units[j] * (ones + 1) * (0.5 + 0x1p-22); math.Abs(got-sum) > bound {
							t.Errorf("row %d, column %d: %v, want %v within %v", r, j, got, sum, bound)
						}
					}
				}
			}
		}
	})
}

// Input gives the bits of Mul.
func TestInput(t *testing.T) { each(t, testInput) }

func testInput(t *testing.T) {
	rnd := rand.New(rand.NewPCG(34, 34))
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e300, -5e-324}
	for _, k := range []int{1, 3, 4, 66, 130} {
		for _, m := range []int{1, 8, 13, 70} {
			for _, density := range []float64{0, 0.02, 0.3, 0.9} {
				const n = 5
				o := newOperands(rnd, n, k, m, density)
				for i := range k * m / 40 {
					o.f[rnd.IntN(k)][rnd.IntN(m)] = odd[i%len(odd)]
				}
				for i := range m / 5 {
					o.init[rnd.IntN(n)][rnd.IntN(m)] = odd[i%len(odd)]
				}
				if m == 8 { // zeros, all of them negative
					for _, row := range append(append([][]float64{}, o.f...), o.init...) {
						for j := range row {
							row[j] = math.Copysign(0, -1)
						}
					}
				}
				b := o.bits()
				var l Lists
				l.Build(b, n)
				makeLists(&l)
				rows, columns := viewsOf(o.f)
				for _, p := range []*Panels{rows, columns} {
					x := Lines(p.Count() * n)
					for r := range n {
						for j := range m {
							x[j/Lanes*n+r][j%Lanes] = o.init[r][j]
						}
					}
					l.Mul(x, p, 0, p.Count(), Lines(ScratchLines), 0, n)
					for r := range n {
						for j := range m {
							got := p.Input(o.init[r][j], b.Words[r*b.Stride:][:b.words()], j)
							want := x[j/Lanes*n+r][j%Lanes]
							if math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
								t.Fatalf("k=%d/m=%d/density=%v, transposed %v: Input(row %d, column %d) = %v, want %v", k, m, density, p.transposed, r, j, got, want)
							}
						}
					}
				}
			}
		}
	}
}

// Build counts the ones of each row, and MaxOnes is the largest number.
func TestMaxOnes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(35, 35))
	var l Lists
	for _, density := range []float64{0.9, 0.5, 0.1, 0.01, 0} { // fewer and fewer
		for _, k := range []int{1, 63, 64, 65, 200} {
			b := operandBits(rnd, 1+rnd.IntN(20), k, density)
			l.bits = b
			set := l.count()
			all, most := 0, 0
			union := make([]uint64, b.words())
			for r := range b.Rows {
				ones := 0
				for w, x := range b.Words[r*b.Stride:][:b.words()] {
					ones += bits.OnesCount64(x)
					union[w] |= x
				}
				all, most = all+ones, max(most, ones)
			}
			if set != all || l.MaxOnes() != most {
				t.Errorf("k=%d, density %v: %d ones, at most %d in a row, want %d and %d", k, density, set, l.MaxOnes(), all, most)
			}
			for w := range union {
				if l.any[w] != union[w] {
					t.Errorf("k=%d, density %v: word %d of all rows together is %x, want %x", k, density, w, l.any[w], union[w])
				}
			}
		}
	}
}

func TestAddAbs(t *testing.T) { each(t, testAddAbs) }

func testAddAbs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(36, 36))
	for n := range 100 {
		offset := rnd.IntN(8)
		row, sums := make([]float64, offset+n)[offset:], make([]float64, n+2)
		for i := range row {
			row[i] = rnd.NormFloat64() * float64(1-i%9/8) // some -0
		}
		for i := range sums {
			sums[i] = rnd.Float64()
		}
		want, total := append([]float64(nil), sums...), 0.
		for i, x := range row {
			want[1+i] += math.Abs(x)
			total += math.Abs(x)
		}
		got := AddAbs(sums[1:n+1], row)
		for i := range sums {
			if sums[i] != want[i] {
				t.Fatalf("%d numbers: sum %d is %v, want %v", n, i-1, sums[i], want[i])
			}
		}
		var lanes [spec.AbsStep]float64
		addAbsGo(make([]float64, n), row, &lanes)
		for h := len(lanes) / 2; h > 0; h /= 2 {
			for i := range h {
				lanes[i] += lanes[h+i]
			}
		}
		if got != lanes[0] || math.Abs(got-total) > 1e-13*total {
			t.Fatalf("%d numbers: the sum is %v, want %v, about %v", n, got, lanes[0], total)
		}
		if n > 0 {
			row[rnd.IntN(n)] = math.NaN()
			if got := AddAbs(sums[1:n+1], row); got == got {
				t.Fatalf("%d numbers: the sum is %v, want NaN", n, got)
			}
		}
	}
	big := make([]float64, 20_000) // more than a call of assembly takes
	for i := range big {
		big[i] = -1
	}
	if got := AddAbs(make([]float64, len(big)), big); got != float64(len(big)) {
		t.Errorf("the sum of %d ones is %v", len(big), got)
	}
}

// absOf returns the sums of the absolute values of the columns of word t.
func absOf(p *Panels, t int) *[wordBits]float64 {
	var sums [wordBits]float64
	for i := range p.rows {
		for j := t * wordBits; j < min(p.cols, (t+1)*wordBits); j++ {
			at := i*p.stride + j
			if p.transposed {
				at = j*p.stride + i
			}
			sums[j%wordBits] += math.Abs(p.data[at])
		}
	}
	return &sums
}

func TestFloatsOfFixed(t *testing.T) { each(t, testFloatsOfFixed) }

func testFloatsOfFixed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(38, 38))
	for _, n := range []int{0, 1, 2, 7, 100, 2500} {
		lines := make([]FixedLine, n)
		lo, hi, start := guardedLines(n), guardedLines(n), [2][]Line{make([]Line, n), make([]Line, n)}
		fill := func() {
			for i := range n {
				for l := range Lanes {
					lo[i][l], hi[i][l] = rnd.NormFloat64(), rnd.NormFloat64()
				}
				for l := range lines[i] {
					lines[i][l] = int32(rnd.Uint32())
				}
			}
			copy(start[0], lo)
			copy(start[1], hi)
		}
		const unit = 0.3 // a product is rounded
		check := func(name string, factor float64) {
			t.Helper()
			for i := range n {
				for l := range Lanes {
					wantLo := float64(factor*start[0][i][l]) + float64(float64(lines[i][l])*unit)
					wantHi := float64(factor*start[1][i][l]) + float64(float64(lines[i][Lanes+l])*unit)
					if lo[i][l] != wantLo || hi[i][l] != wantHi {
						t.Fatalf("%s, line %d of %d, lane %d: %v and %v, want %v and %v", name, i, n, l, lo[i][l], hi[i][l], wantLo, wantHi)
					}
				}
			}
			checkGuards(t, lo)
			checkGuards(t, hi)
		}
		fill()
		AddFloats(lo, hi, lines, unit)
		check("AddFloats", 1)
		fill()
		SetFloats(lo, hi, lines, unit)
		check("SetFloats", 0)
	}
}

func BenchmarkPack(b *testing.B) {
	const nv, nh = 784, 500
	data := make([]float64, nv*nh)
	for i := range data {
		data[i] = float64(i%17) * 0.01
	}
	bias := make([]float64, 1024)
	for _, transposed := range []bool{false, true} {
		b.Run(map[bool]string{false: "rows", true: "columns"}[transposed], func(b *testing.B) {
			var p Panels
			var f Fixed
			rows, cols := nh, nv
			if transposed {
				rows, cols = nv, nh
				p.ViewT(rows, cols, nv, data)
			} else {
				p.View(rows, cols, nv, data)
			}
			f.Reset(rows, cols)
			var sums [wordBits]float64
			for i := range sums {
				sums[i] = float64(rows)
			}
			for b.Loop() {
				for t := range (cols + 63) / 64 {
					f.Pack(t, &p, bias, &sums)
				}
			}
		})
	}
}

func BenchmarkTwinFixed(b *testing.B) {
	const n, k = 100, 4 * blockGroups
	rnd := rand.New(rand.NewPCG(37, 37))
	p := newFixedProduct(rnd, n, k, wordBits, 0.3)
	o := newOperands(rnd, 1, k, wordBits, 0.3)
	rows, columns := viewsOf(o.f)
	var l Lists
	l.Build(p.bits, n)
	makeLists(&l)
	groups, list := l.of(0, 0)
	tab, x := AsFixed(Lines(tableLines)), AsFixed(Lines(FixedPanels*n))
	lines := p.f.Panel(0*FixedPanels + 0)
	var scale [FixedLanes]float64
	for i := range scale {
		scale[i] = 0x1p20
	}
	sums, floats := make([]float64, k), Lines(2*k)
	for _, bb := range []struct {
		name string
		f    func()
	}{
		{"AddAbs", func() { AddAbs(sums, rows.data[:k]) }},
		{"PackRows", func() { packRows(lines[:k], rows.data, rows.stride, &scale) }},
		{"PackColumns", func() { packColumns(lines[:k], columns.data, columns.stride, &scale) }},
		{"AddFloats", func() { AddFloats(floats[:k], floats[k:], lines[:k], 0x1p-30) }},
		{"SetFloats", func() { SetFloats(floats[:k], floats[k:], lines[:k], 0x1p-30) }},
		{"BuildFixed", func() { buildFixed(tab, lines, groups) }},
		{"AddFixed", func() { addFixed(x, n, tab, list) }},
		{"AddBits", func() { addBits(x, n, p.f.lines, p.f.room, p.bits.Words[:p.bits.words()]) }},
	} {
		b.Run(bb.name, func(b *testing.B) { twin.Run(b, bb.f) })
	}
}
