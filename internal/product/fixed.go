package product

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/gorbm/rbm/internal/spec"
)

// FixedLanes is the number of columns of a panel in fixed point.
const FixedLanes = spec.FixedLanes

// A FixedLine is a row of a panel in fixed point: a cache line of 16 int32s.
type FixedLine = [FixedLanes]int32

// FixedPanels is the number of panels of a word in fixed point.
const FixedPanels = wordBits / FixedLanes

// Fixed is a matrix and biases in fixed point, a copy in panels of 16 columns. The numbers
// of a column are multiples of its Unit,
//
//	w ≈ q·unit    b ≈ q₀·unit    |q·unit - w| ≤ unit/2
//
// and a sum over rows is a sum of integers: exact, and the same in every order. The unit is
// a function of the column alone: the smallest power of two, at least 2⁻⁴⁰, for which
//
//	Σ|w| + |b| < 2³⁰·unit
//
// and so Σ|q| + |q₀| ≤ 2³⁰ + (rows+1)/2 < 2³¹: no sum overflows, whatever rows and however
// many it has. A sum that begins elsewhere may wrap around.
//
// A unit of the layer that is never on, as its bias is -Inf or NaN, has the bias -Never and
// no weights. If its bias is +Inf, it has the bias Never. If a weight is infinite, its Unit
// is +Inf and the column is of no use. The zero value is ready for Reset.
type Fixed struct {
	Units []float64 // of each column, whole words
	Bias  []int32   // of each column

	room  int // rows, filled up to whole nibbles with zeros
	lines []FixedLine
}

// Never is the input, in absolute value, of a column that is never on or always on.
const Never = 32

// Reset makes room for a matrix. Pack must follow for all words.
func (f *Fixed) Reset(rows, cols int) {
	f.room = (rows + group - 1) &^ (group - 1)
	n := (cols + wordBits - 1) &^ (wordBits - 1)
	f.Units, f.Bias = grow(f.Units, n), grow(f.Bias, n)
	if n := n / FixedLanes * f.room; cap(f.lines) < n {
		f.lines = AsFixed(Lines(n))
	} else {
		f.lines = f.lines[:n]
	}
}

// Pack sets the columns of word t to those of p with their biases, of which there are whole
// words. The sums are the sums of the absolute values of these columns, NaN if one is. Pack
// may be called for different words at the same time.
func (f *Fixed) Pack(t int, p *Panels, bias []float64, sums *[wordBits]float64) {
	var scale [FixedPanels][FixedLanes]float64
	rows := p.rows // at once
	if !p.transposed {
		rows = packRowsAtOnce // while they are near the processor
	}
	first := t * FixedPanels
	for q := range scale {
		at := (first + q) * FixedLanes
		f.prepare(first+q, p, (*[FixedLanes]float64)(bias[at:]), (*[FixedLanes]float64)(sums[q*FixedLanes:]), &scale[q])
	}
	for i := 0; i < p.rows; i += rows {
		for q := range scale {
			p.pack(f.Panel(first+q), i, min(i+rows, p.rows), (first+q)*FixedLanes, &scale[q])
		}
	}
}

// PackPanel packs panel q alone, given the biases and sums of its columns.
func (f *Fixed) PackPanel(q int, p *Panels, bias, sums *[FixedLanes]float64) {
	var scale [FixedLanes]float64
	f.prepare(q, p, bias, sums, &scale)
	p.pack(f.Panel(q), 0, p.rows, q*FixedLanes, &scale)
}

// prepare sets all of panel q but the numbers of p, and the scale of these.
func (f *Fixed) prepare(q int, p *Panels, bias, sums, scale *[FixedLanes]float64) {
	for l := range scale {
		at := q*FixedLanes + l
		f.Units[at], f.Bias[at], scale[l] = inFixed(bias[l], sums[l])
	}
	clear(f.Panel(q)[p.rows:])
}

// packRowsAtOnce is how many rows of a word fill half of a first-level cache.
const packRowsAtOnce = 32

// Panels returns the lines of panels [q0, q1), one after the other.
func (f *Fixed) Panels(q0, q1 int) []FixedLine { return f.lines[q0*f.room : q1*f.room] }

// Panel returns the lines of panel q.
func (f *Fixed) Panel(q int) []FixedLine { return f.lines[q*f.room:][:f.room] }

// inFixed returns the unit of a column, its bias in fixed point, and the scale of its numbers,
// given the bias and the sum of absolute values.
func inFixed(bias, sum float64) (unit float64, q int32, scale float64) {
	switch {
	case math.IsNaN(bias):
		return 0x1p-25, -Never << 25, 0
	case math.IsInf(sum, 0) || math.IsNaN(sum):
		return math.Inf(1), 0, 0
	case math.IsInf(bias, 0):
		return 0x1p-25, int32(math.Copysign(Never<<25, bias)), 0
	}
	sum = max(sum+math.Abs(bias), 0x1p-11)
	_, e := math.Frexp(sum) // sum < 2ᵉ, e ≥ -10
	if e > 1000 || math.IsInf(sum, 0) {
		return math.Inf(1), 0, 0
	}
	scale = math.Ldexp(1, 30-e)
	return math.Ldexp(1, e-30), int32(math.RoundToEven(bias * scale)), scale
}

// AddAbs adds the absolute values of row to sums, and returns their sum, which is NaN if one
// of them is. The slices have the same length.
//
// The returned sum is that of sixteen lanes, which are added by halves: 8 to 8, 4 to 4, and so
// on.
func AddAbs(sums, row []float64) float64 {
	var lanes [spec.AbsStep]float64
	addAbs(sums[:len(row)], row, &lanes)
	for h := len(lanes) / 2; h > 0; h /= 2 {
		for i, x := range lanes[h : 2*h] {
			lanes[i] += x
		}
	}
	return lanes[0]
}

// pack sets lines [i0, i1) to the 16 columns from column from on, each times its scale and
// rounded, ties to even. Columns behind the last are zeros.
func (p *Panels) pack(lines []FixedLine, i0, i1, from int, scale *[FixedLanes]float64) {
	n := max(0, min(FixedLanes, p.cols-from))
	switch lines := lines[i0:i1]; {
	case n < FixedLanes:
		for i := range lines {
			lines[i] = FixedLine{}
			for l := range n {
				at := (i0+i)*p.stride + from + l
				if p.transposed {
					at = (from+l)*p.stride + i0 + i
				}
				lines[i][l] = round(p.data[at], scale[l])
			}
		}
	case p.transposed:
		packColumns(lines, p.data[from*p.stride+i0:], p.stride, scale)
	default:
		packRows(lines, p.data[i0*p.stride+from:], p.stride, scale)
	}
}

// round returns x·scale to the nearest integer, ties to even. Times a scale of 0, any
// number is 0.
func round(x, scale float64) int32 {
	if scale == 0 {
		return 0
	}
	return int32(math.RoundToEven(x * scale))
}

// Begin sets the n rows of each panel of word t in x to the biases.
func (f *Fixed) Begin(x []FixedLine, t, n int) {
	for q := range FixedPanels {
		bias := FixedLine(f.Bias[t*wordBits+q*FixedLanes:])
		for r := range n {
			x[q*n+r] = bias
		}
	}
}

// MulFixed adds the product of rows [r0, r1) of the bits and panels [q0, q1) of f to x. There
// are n = r1-r0 rows: the sum of row r0+i and panel q0+j is x[j·n+i]. A share must begin at
// r0. The scratch is ScratchLines long. If x has room for all panels of a word, from q0 on,
// those behind q1 may change too.
func (l *Lists) MulFixed(x []FixedLine, f *Fixed, q0, q1 int, scratch []Line, r0, r1 int) {
	n := r1 - r0
	if n == 0 {
		return
	}
	if l.direct && len(x) >= FixedPanels*n {
		lines := f.Panels(q0, q0+FixedPanels)
		for r := range n {
			if l.Until.Given() {
				return
			}
			addBits(x[r:], n, lines, f.room, l.bits.Words[(r0+r)*l.bits.Stride:][:l.bits.words()])
		}
		return
	}
	tab := AsFixed(scratch[:tableLines])
	for k := range l.block {
		groups, list := l.of(k, r0)
		for q := q0; q < q1; q++ {
			buildFixed(tab, f.Panel(q), groups)
			for r := 0; r < n; r += l.share {
				if l.Until.Given() {
					return
				}
				addFixed(x[(q-q0)*n+r:], min(l.share, n-r), tab, list.from(r))
			}
		}
	}
}

// MaxOnes returns the largest number of ones of a row of the bits.
func (l *Lists) MaxOnes() int { return l.most }

// Input returns bias plus the sum of column j over the rows that are set in words, by the
// definition of the sum.
func (p *Panels) Input(bias float64, words []uint64, j int) float64 {
	at, step := j, p.stride
	if p.transposed {
		at, step = j*p.stride, 1
	}
	for w, word := range words {
		for low := lowest(word); low != 0; low &= low - 1 {
			k := bits.TrailingZeros64(low)
			part := minusZero[0]
			for n := word >> k & (entries - 1); n != 0; n &= n - 1 {
				part += p.data[at+(w*wordBits+k+bits.TrailingZeros64(n))*step]
			}
			bias += part
		}
	}
	return bias
}

// AddFloats adds lines in fixed point, times unit, to the lines of two neighboring panels.
func AddFloats(lo, hi []Line, lines []FixedLine, unit float64) {
	addFloats(lo[:len(lines)], hi[:len(lines)], lines, unit)
}

// SetFloats sets the lines of two neighboring panels to lines in fixed point, times unit.
func SetFloats(lo, hi []Line, lines []FixedLine, unit float64) {
	setFloats(lo[:len(lines)], hi[:len(lines)], lines, unit)
}

// AsFixed returns the memory of s as lines in fixed point.
func AsFixed(s []Line) []FixedLine {
	return unsafe.Slice((*FixedLine)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}
