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
	"unsafe"
)

// Lanes is the number of columns of a panel.
const Lanes = 8

// A Line is one row of a panel.
type Line = [Lanes]float64

const (
	group     = 4          // rows of a nibble
	entries   = 1 << group // of a nibble's table
	wordBits  = 64
	blockRows = 512               // rows of the float64 side whose tables are kept at a time
	blockTabs = blockRows / group // tables of a block

	// TableLines is the length of the scratch that Mul wants.
	TableLines = blockTabs * entries
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
	if n < Lanes {
		clear(panel)
		for l := range n {
			for i, x := range data[(q*Lanes+l)*stride:][:p.rows] {
				panel[i][l] = x
				nan = nan || x != x
			}
		}
		return nan
	}
	var src [Lanes][]float64
	for l := range src {
		src[l] = data[(q*Lanes+l)*stride:][:len(panel)]
	}
	var sum float64 // is NaN if any 0·x is
	for i := range panel {
		line := &panel[i]
		for l := range src {
			line[l] = src[l][i]
		}
		sum += 0 * ((line[0] + line[1]) + (line[2] + line[3]) + (line[4] + line[5]) + (line[6] + line[7]))
	}
	if sum == sum {
		return false
	}
	for i := range panel {
		for _, x := range panel[i] {
			nan = nan || x != x
		}
	}
	return nan
}

// Unpack is the inverse: it sets the columns [8q, 8q+8) of the transpose of the
// row-major matrix data, as far as there are n of them, to a panel.
func Unpack(panel []Line, q, n, stride int, data []float64) {
	if n < Lanes {
		for l := range n {
			dst := data[(q*Lanes+l)*stride:][:len(panel)]
			for i := range dst {
				dst[i] = panel[i][l]
			}
		}
		return
	}
	var dst [Lanes][]float64
	for l := range dst {
		dst[l] = data[(q*Lanes+l)*stride:][:len(panel)]
	}
	for i := range panel {
		line := &panel[i]
		for l := range dst {
			dst[l][i] = line[l]
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

// Lists says where the set bits of a matrix stand: which table entries its rows
// add, in the order of the definition. The zero value is ready.
type Lists struct {
	bits   Bits
	direct bool
	blocks []block
	entry  []uint16 // the table entries, slot·16 + nibble
	start  []int    // those of block k, row r are entry[start[k·Rows+r]:start[k·Rows+r+1]]
}

// A block is a run of up to blockRows rows of the float64 side.
type block struct {
	groups []int32 // the nibbles set in any row: the one with table slot s is groups[s]
}

// Build makes the lists of b for products that take share rows of b at a time.
func (l *Lists) Build(b Bits, share int) {
	l.bits = b
	n := (b.Cols + blockRows - 1) / blockRows
	if cap(l.blocks) < n {
		l.blocks = append(l.blocks[:cap(l.blocks)], make([]block, n-cap(l.blocks))...)
	}
	l.blocks = l.blocks[:n]
	l.entry = l.entry[:0]
	l.start = append(l.start[:0], 0)
	var set, active int
	for k := range l.blocks {
		blk := &l.blocks[k]
		w0 := k * (blockRows / wordBits)
		w1 := min((b.Cols+wordBits-1)/wordBits, w0+blockRows/wordBits)
		// slot[g] is the table slot of the block's nibble g.
		var slot [blockTabs]uint16
		blk.groups = blk.groups[:0]
		for w := w0; w < w1; w++ {
			var any uint64
			for r := range b.Rows {
				any |= b.Words[r*b.Stride+w]
			}
			for x := any; x != 0; {
				g := bits.TrailingZeros64(x) / group
				x &^= 0xf << (g * group)
				g += w * (wordBits / group)
				slot[g%blockTabs] = uint16(len(blk.groups) * entries)
				blk.groups = append(blk.groups, int32(g))
			}
		}
		for r := range b.Rows {
			for w := w0; w < w1; w++ {
				x := b.Words[r*b.Stride+w]
				set += bits.OnesCount64(x)
				base := w * (wordBits / group) % blockTabs
				for x != 0 {
					g := bits.TrailingZeros64(x) / group
					l.entry = append(l.entry, slot[base+g]|uint16(x>>(g*group)&0xf))
					x &^= 0xf << (g * group)
				}
			}
			l.start = append(l.start, len(l.entry))
		}
		active += len(blk.groups)
	}
	// In additions of a line: without tables, a bit costs one and so does a
	// nibble; a table costs its entries, which are also stored.
	l.direct = (set+len(l.entry))*share < (len(l.entry)*share + 20*active*b.Rows)
}

// Len returns the number of lookups in a product with one panel.
func (l *Lists) Len() int { return len(l.entry) }

// Mul adds the product of rows [r0, r1) of the bits with p to x: row r to
// x[(r-r0)·stride]. It uses tab, TableLines long, as scratch.
func (l *Lists) Mul(x []Line, stride int, p Panel, tab []Line, r0, r1 int) {
	for k := range l.blocks {
		blk := &l.blocks[k]
		if len(blk.groups) == 0 {
			continue
		}
		start := l.start[k*l.bits.Rows:]
		if !l.direct {
			build(tab, blk.groups, p)
		}
		for r := r0; r < r1; r++ {
			acc := &x[(r-r0)*stride]
			list := l.entry[start[r]:start[r+1]]
			if l.direct {
				addRows(acc, blk.groups, p, list)
			} else {
				addEntries(acc, tab, list)
			}
		}
	}
}

// build tabulates the partial sums of each of the given nibbles.
func build(tab []Line, groups []int32, p Panel) {
	var zero Line
	for s, g := range groups {
		t := (*[entries]Line)(tab[s*entries:])
		i := int(g) * group
		// Rows behind the last are never set.
		r0, r1, r2, r3 := p.Line(i), &zero, &zero, &zero
		switch min(group, p.Rows-i) {
		case 4:
			r1, r2, r3 = p.Line(i+1), p.Line(i+2), p.Line(i+3)
		case 3:
			r1, r2 = p.Line(i+1), p.Line(i+2)
		case 2:
			r1 = p.Line(i + 1)
		}
		for l := range Lanes {
			a, b, c, d := r0[l], r1[l], r2[l], r3[l]
			ab, ac, bc, abc := a+b, a+c, b+c, a+b+c
			t[0][l] = math.Copysign(0, -1)
			t[1][l], t[2][l], t[3][l], t[4][l] = a, b, ab, c
			t[5][l], t[6][l], t[7][l], t[8][l] = ac, bc, abc, d
			t[9][l], t[10][l], t[11][l], t[12][l] = a+d, b+d, ab+d, c+d
			t[13][l], t[14][l], t[15][l] = ac+d, bc+d, abc+d
		}
	}
}

// addEntries adds the listed table entries to acc.
func addEntries(acc *Line, tab []Line, list []uint16) {
	a0, a1, a2, a3, a4, a5, a6, a7 := acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]
	for _, e := range list {
		t := &tab[e]
		a0 += t[0]
		a1 += t[1]
		a2 += t[2]
		a3 += t[3]
		a4 += t[4]
		a5 += t[5]
		a6 += t[6]
		a7 += t[7]
	}
	*acc = Line{a0, a1, a2, a3, a4, a5, a6, a7}
}

// addRows adds the same from the rows themselves.
func addRows(acc *Line, groups []int32, p Panel, list []uint16) {
	for _, e := range list {
		i := int(groups[e/entries]) * group
		n := e % entries
		row := p.Line(i + bits.TrailingZeros16(n))
		a0, a1, a2, a3, a4, a5, a6, a7 := row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
		for n &= n - 1; n != 0; n &= n - 1 {
			row = p.Line(i + bits.TrailingZeros16(n))
			a0 += row[0]
			a1 += row[1]
			a2 += row[2]
			a3 += row[3]
			a4 += row[4]
			a5 += row[5]
			a6 += row[6]
			a7 += row[7]
		}
		acc[0] += a0
		acc[1] += a1
		acc[2] += a2
		acc[3] += a3
		acc[4] += a4
		acc[5] += a5
		acc[6] += a6
		acc[7] += a7
	}
}

// Weights is a matrix of weights in place of bits. Entry (r, i) is
// Data[r·Row+i·Col].
type Weights struct {
	Rows, Cols, Row, Col int
	Data                 []float64
}

// Mul adds the product of rows [r0, r1) of the weights with p to x: row r to
// x[(r-r0)·stride].
func (w *Weights) Mul(x []Line, stride int, p Panel, r0, r1 int) {
	for r := r0; r < r1; r++ {
		acc := &x[(r-r0)*stride]
		for i := 0; i < w.Cols; i += group {
			var sum Line
			first := true
			for j := i; j < min(i+group, w.Cols); j++ {
				a := w.Data[r*w.Row+j*w.Col]
				if a == 0 {
					continue
				}
				row := p.Line(j)
				if first {
					for l := range sum {
						sum[l] = float64(a * row[l])
					}
					first = false
					continue
				}
				for l := range sum {
					sum[l] += float64(a * row[l])
				}
			}
			if !first {
				for l := range acc {
					acc[l] += sum[l]
				}
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

// Transpose sets dst[i*stride], for every column i of b, to rows [r0, r0+64) of
// that column.
func Transpose(dst []uint64, stride int, b Bits, r0 int) {
	var a [wordBits]uint64
	n := min(wordBits, b.Rows-r0)
	for w := range (b.Cols + wordBits - 1) / wordBits {
		clear(a[n:])
		for r := range n {
			a[r] = b.Words[(r0+r)*b.Stride+w]
		}
		transpose(&a)
		for i := w * wordBits; i < min(b.Cols, (w+1)*wordBits); i++ {
			dst[i*stride] = a[i%wordBits]
		}
	}
}

// transpose transposes 64×64 bits: it exchanges the off-diagonal halves, then
// those of each quarter, and so on.
func transpose(a *[wordBits]uint64) {
	mask := uint64(1<<32 - 1)
	for j := 32; j != 0; j /= 2 {
		for k := 0; k < wordBits; k = (k + j + 1) &^ j {
			t := (a[k]>>j ^ a[k+j]) & mask
			a[k] ^= t << j
			a[k+j] ^= t
		}
		mask ^= mask << (j / 2)
	}
}
