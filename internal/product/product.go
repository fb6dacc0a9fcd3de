// Package product multiplies a matrix of bits by a matrix of float64s without
// multiplying: a row of the result is a sum of those rows of the float64 side
// whose bits are set.
//
// # One definition of the sum
//
// Floating-point addition is not associative, so the order of additions is part
// of the result. It is, for every implementation:
//
//	The sum runs over nibbles, four consecutive rows of the float64 side, in
//	increasing order. A nibble's partial sum adds its set rows in increasing
//	order; it is then added to the accumulator. A nibble without set rows adds
//	nothing.
//
// Where a weight stands in place of a bit, its row is multiplied by it, and is
// set if the weight is not 0.
//
// # Why it is fast
//
// By the method of four Russians, the 16 partial sums of a nibble are tabulated
// once and then looked up by every row of bits: one addition in place of four
// multiplications and additions, and none for a nibble without set bits. The
// table entry of n is built as the entry of n without its highest bit plus the
// row of that bit, which is the order above. Entry 0 is -0, the number that
// leaves every accumulator as it is.
//
// Work is cut into panels of eight columns, a cache line.
package product

import (
	"math"
	"math/bits"
	"slices"
	"unsafe"
)

// Lanes is the number of columns of a panel.
const Lanes = 8

// A Line is one row of a panel.
type Line = [Lanes]float64

const (
	group    = 4          // rows of a nibble
	entries  = 1 << group // of a nibble's table
	wordBits = 64
	nibbles  = wordBits / group // of a word
)

// A Panel is eight columns of the float64 side. Row i is Data[i·Stride:][:8].
type Panel struct {
	Data   []float64
	Stride int
	Rows   int
}

// Line returns row i.
func (p Panel) Line(i int) *Line { return (*Line)(p.Data[i*p.Stride:]) }

// Lines returns n lines of zeros that begin at a multiple of 64 bytes.
func Lines(n int) []Line {
	s := make([]float64, n*Lanes+Lanes-1)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s))) % 64 / 8)
	return unsafe.Slice((*Line)(unsafe.Pointer(&s[off])), n)
}

// Panels is a matrix cut into panels. The zero value is ready for View, Reset
// and Pack.
type Panels struct {
	rows, cols int
	data       []float64
	row, panel int    // distances in data from row to row and from panel to panel
	tail       []Line // the last panel, filled up with zeros, if cols is no multiple of 8
	lines      []Line // memory of Reset
}

// View makes p the row-major matrix data, which it refers to. A last panel of
// less than eight columns is copied.
func (p *Panels) View(rows, cols, stride int, data []float64) {
	p.rows, p.cols, p.data, p.row, p.panel = rows, cols, data, stride, Lanes
	p.tail = p.tail[:0]
	if cols%Lanes == 0 {
		return
	}
	if cap(p.tail) < rows {
		p.tail = Lines(rows)
	}
	p.tail = p.tail[:rows]
	for i := range p.tail {
		p.tail[i] = Line{}
		copy(p.tail[i][:], data[i*stride+cols/Lanes*Lanes:i*stride+cols])
	}
}

// Reset makes p a matrix in memory of its own, each panel in one piece. What it
// holds is not defined until each panel has been packed.
func (p *Panels) Reset(rows, cols int) {
	n := (cols + Lanes - 1) / Lanes * rows
	if cap(p.lines) < n {
		p.lines = Lines(n)
	}
	p.lines = p.lines[:n]
	p.rows, p.cols, p.row, p.panel = rows, cols, Lanes, rows*Lanes
	p.data = Floats(p.lines)
	p.tail = p.tail[:0]
}

// Pack sets panel q to the columns [8q, 8q+8) of the transpose of the row-major
// matrix data, as far as they exist, and zeros. It reports whether a NaN is
// among them.
func (p *Panels) Pack(q, stride int, data []float64) (nan bool) {
	panel := p.lines[q*p.rows:][:p.rows]
	n := min(Lanes, p.cols-q*Lanes)
	if n == Lanes && !pack(panel, data[q*Lanes*stride:], stride) {
		return false
	}
	clear(panel)
	for l := range n {
		for i, x := range data[(q*Lanes+l)*stride:][:p.rows] {
			panel[i][l] = x
			nan = nan || x != x
		}
	}
	return nan
}

// Unpack is the inverse: it sets the columns [8q, 8q+8) of the transpose of the
// row-major matrix data, as far as there are n of them, to a panel.
func Unpack(panel []Line, q, n, stride int, data []float64) {
	if n == Lanes {
		unpack(panel, data[q*Lanes*stride:], stride)
		return
	}
	for l := range n {
		dst := data[(q*Lanes+l)*stride:][:len(panel)]
		for i := range dst {
			dst[i] = panel[i][l]
		}
	}
}

// Panel returns panel q.
func (p *Panels) Panel(q int) Panel {
	if len(p.tail) > 0 && q == p.cols/Lanes {
		return Panel{Data: Floats(p.tail), Stride: Lanes, Rows: p.rows}
	}
	return Panel{Data: p.data[q*p.panel:], Stride: p.row, Rows: p.rows}
}

// run returns panel q and how many panels from q on, before q1, stand at the same
// distance from each other.
func (p *Panels) run(q, q1 int) (first Panel, n int) {
	if len(p.tail) > 0 && q < p.cols/Lanes {
		q1 = min(q1, p.cols/Lanes)
	}
	return p.Panel(q), q1 - q
}

// Count returns the number of panels.
func (p *Panels) Count() int { return (p.cols + Lanes - 1) / Lanes }

// Floats returns the elements of s, one after the other.
func Floats(s []Line) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*Lanes)
}

// Bits is the bit side. Row i begins at Words[i·Stride]; in the last of its
// words, the bits behind the last column are 0.
type Bits struct {
	Rows, Cols, Stride int
	Words              []uint64
}

const (
	blockRows = 128 // of the float64 side, whose tables are kept at a time
	tabPanels = 2   // whose tables are kept, an entry of one beside that of the other

	listLen  = 2 * blockRows / group
	listStep = 2 * 4 // lists are filled up with zeros, so that loops end where a processor expects

	// TableLines is the length of the scratch that Mul wants.
	TableLines = blockRows / group * entries * tabPanels
)

// Lists says where the set bits of a matrix stand: which table entries its rows
// add, in the order of the definition. The zero value is ready.
type Lists struct {
	bits   Bits
	direct bool     // add rows, not table entries: right for a few rows of bits
	groups []int32  // the nibbles set in any row, in increasing order
	block  []int    // those of block k are groups[block[k]:block[k+1]]
	entry  []uint16 // listLen for each block and pair of rows, alternately of each: see entryOf
	length []int32  // how many of them count, a multiple of listStep
}

// Build makes ready for the lists of b, for products that take share rows of b
// at a time. Fill must follow for all rows.
func (l *Lists) Build(b Bits, share int) {
	l.bits = b
	// Room for any bits of this size, so that others allocate nothing.
	groups := (b.Cols + group - 1) / group
	blocks := (b.Cols + blockRows - 1) / blockRows
	l.groups = slices.Grow(l.groups[:0], groups)
	l.block = slices.Grow(l.block[:0], blocks+1)
	lists := blocks * b.pairs()
	l.entry = slices.Grow(l.entry[:0], lists*listLen)[:lists*listLen]
	l.length = slices.Grow(l.length[:0], lists)[:lists]
	set := 0
	for w := range b.words() {
		if w%(blockRows/wordBits) == 0 {
			l.block = append(l.block, len(l.groups))
		}
		var any uint64
		for r := range b.Rows {
			x := b.Words[r*b.Stride+w]
			any |= x
			set += bits.OnesCount64(x)
		}
		for x := lowest(any); x != 0; x &= x - 1 {
			l.groups = append(l.groups, int32(w*nibbles+bits.TrailingZeros64(x)/group))
		}
	}
	l.block = append(l.block, len(l.groups))
	// In lookups: without tables, a bit costs one and its nibble another one
	// that tables cost too; a table costs its entries, which are also stored,
	// for each share of the rows.
	shares := (b.Rows + share - 1) / share
	l.direct = set < 3*entries/2*len(l.groups)*shares
}

// pairs returns the number of pairs of rows.
func (b *Bits) pairs() int { return (b.Rows + 1) / 2 }

// words returns the number of words of a row.
func (b *Bits) words() int { return (b.Cols + wordBits - 1) / wordBits }

// lowest returns the nibbles that are not 0 as ones.
func lowest(x uint64) uint64 {
	x |= x >> 2
	x |= x >> 1
	return x & 0x1111111111111111
}

// of returns the nibbles of block k and the lists of its pairs of rows.
func (l *Lists) of(k int) (groups []int32, list pairList) {
	pairs := l.bits.pairs()
	return l.groups[l.block[k]:l.block[k+1]], pairList{l.entry[k*pairs*listLen:], l.length[k*pairs:]}
}

// Fill makes the lists of rows [r0, r1) of the bits, r0 being even. It may be
// called for different rows at the same time.
func (l *Lists) Fill(r0, r1 int) {
	b := l.bits
	for k := range len(l.block) - 1 {
		groups, list := l.of(k)
		var first [blockRows / group]uint16 // table entries of the block's nibbles
		for slot, g := range groups {
			first[g%(blockRows/group)] = entryOf(slot, 0)
		}
		w0 := k * (blockRows / wordBits)
		w1 := min(b.words(), w0+blockRows/wordBits)
		for r := r0; r < r1; r += 2 {
			entry := (*[listLen]uint16)(list.entry[r/2*listLen:])
			n0 := listRow(entry, 0, b.Words[r*b.Stride+w0:r*b.Stride+w1], &first)
			n1 := 1
			if r+1 < b.Rows {
				n1 = listRow(entry, 1, b.Words[(r+1)*b.Stride+w0:(r+1)*b.Stride+w1], &first)
			}
			n := (max(n0, n1-1) + listStep - 1) / listStep * listStep
			for ; n0 < n; n0 += 2 {
				entry[n0] = 0
			}
			for ; n1 < n; n1 += 2 {
				entry[n1] = 0
			}
			list.length[r/2] = int32(n)
		}
	}
}

// listRow sets every other element of entry, from the first on, to the entries
// of a row of bits, and returns where they end.
func listRow(entry *[listLen]uint16, n int, words []uint64, first *[blockRows / group]uint16) int {
	for w, x := range words {
		first := (*[nibbles]uint16)(first[w*nibbles:])
		for low := lowest(x); low != 0; low &= low - 1 {
			at := uint(bits.TrailingZeros64(low))
			entry[n%listLen] = first[at/group%nibbles] + uint16(x>>(at%wordBits)%entries*entryUnit)
			n += 2
		}
	}
	return n
}

// An entry of a list is 16 times the number of a table entry, 16 times the slot
// plus the nibble. It is 0 for the first one, which changes no sum, and for no
// other one that a list needs.
func entryOf(slot, nibble int) uint16 { return uint16((slot*entries + nibble) * entryUnit) }

const entryUnit = 16

// Mul adds the product of rows [r0, r1) of the bits, r0 being even, with panels
// [q0, q1) to x, which holds the same rows of one panel after the other. It uses
// tab, TableLines long, as scratch.
func (l *Lists) Mul(x []Line, p *Panels, q0, q1 int, tab []Line, r0, r1 int) {
	n := r1 - r0
	for k := range len(l.block) - 1 {
		groups, list := l.of(k)
		if len(groups) == 0 {
			continue
		}
		list = list.from(r0)
		for q := q0; q < q1; {
			x := x[(q-q0)*n:]
			panel, run := p.run(q, q1)
			if l.direct {
				q += addRows(x, n, panel, p.panel, run, groups, list)
			} else {
				q += addEntries(x, n, panel, p.panel, run, groups, list, tab)
			}
		}
	}
}

// A pairList holds the lists of pairs of rows: that of pair i is
// entry[i·listLen:][:length[i]].
type pairList struct {
	entry  []uint16
	length []int32
}

// from returns the lists of rows from r on, r being even.
func (l pairList) from(r int) pairList { return pairList{l.entry[r/2*listLen:], l.length[r/2:]} }

// row returns the entries of row r, which are every other one, up to the first
// that is 0.
func (l *pairList) row(r int) []uint16 {
	i := r / 2
	return l.entry[i*listLen+r%2:][:max(0, int(l.length[i])-r%2)]
}

// Weights is a matrix of weights in place of bits. Entry (r, i) is
// Data[r·Row+i·Col].
type Weights struct {
	Rows, Cols, Row, Col int
	Data                 []float64
}

// Mul adds the product of rows [r0, r1) of the weights with panels [q0, q1) to
// x, which holds the same rows of one panel after the other.
func (w *Weights) Mul(x []Line, p *Panels, q0, q1, r0, r1 int) {
	for q := q0; q < q1; q++ {
		for r := r0; r < r1; r++ {
			addWeighted(&x[(q-q0)*(r1-r0)+r-r0], p.Panel(q), w.Data[r*w.Row:], w.Col, w.Cols)
		}
	}
}

// addWeighted adds the n rows of p, each times its weight, to acc.
func addWeighted(acc *Line, p Panel, weights []float64, stride, n int) {
	for i := 0; i < n; i += group {
		var sum Line
		set := false
		for j := i; j < min(i+group, n); j++ {
			w := weights[j*stride]
			switch row := p.Line(j); {
			case w == 0:
			case set:
				for l := range sum {
					sum[l] += float64(w * row[l])
				}
			default:
				set = true
				for l := range sum {
					sum[l] = float64(w * row[l])
				}
			}
		}
		if set {
			for l := range acc {
				acc[l] += sum[l]
			}
		}
	}
}

// Sum adds the terms x[i] in the order of the definition, every i being set.
func Sum(x []float64) (sum float64) {
	for len(x) > group {
		sum += ((x[0] + x[1]) + x[2]) + x[3]
		x = x[group:]
	}
	if len(x) > 0 {
		part := x[0]
		for _, x := range x[1:] {
			part += x
		}
		sum += part
	}
	return sum
}

// SumBits adds the terms x[i] for which bit i is set.
func SumBits(words []uint64, x []float64) (sum float64) {
	for w, word := range words {
		x := x[w*wordBits:]
		for low := lowest(word); low != 0; low &= low - 1 {
			at := bits.TrailingZeros64(low)
			n := word >> at & 0xf
			i := at + bits.TrailingZeros64(n)
			part := x[i]
			for n &= n - 1; n != 0; n &= n - 1 {
				part += x[at+bits.TrailingZeros64(n)]
			}
			sum += part
		}
	}
	return sum
}

// Dot adds the terms x[i], each times its weight.
func Dot(weights, x []float64) (sum float64) {
	for i := 0; i < len(weights); i += group {
		part := math.Copysign(0, -1)
		for j := i; j < min(i+group, len(weights)); j++ {
			if w := weights[j]; w != 0 {
				part += float64(w * x[j])
			}
		}
		sum += part
	}
	return sum
}

// Transpose sets dst[i·stride], for the columns 64w+i of b, to rows [r0, r0+64)
// of that column.
func Transpose(dst []uint64, stride int, b Bits, r0, w int) {
	var a [wordBits]uint64
	for r := range min(wordBits, b.Rows-r0) {
		a[r] = b.Words[(r0+r)*b.Stride+w]
	}
	transpose(&a)
	for i := range min(wordBits, b.Cols-w*wordBits) {
		dst[i*stride] = a[i]
	}
}

// transpose transposes 64×64 bits: it exchanges the off-diagonal halves, then
// those of each quarter, and so on.
func transpose(a *[wordBits]uint64) {
	mask := uint64(1<<32 - 1)
	for j := uint(32); j != 0; j /= 2 {
		for k := uint(0); k < wordBits; k = (k + j + 1) &^ j {
			x, y := &a[k%wordBits], &a[(k+j)%wordBits]
			t := (*x>>(j%wordBits) ^ *y) & mask
			*x ^= t << (j % wordBits)
			*y ^= t
		}
		mask ^= mask << (j / 2)
	}
}
