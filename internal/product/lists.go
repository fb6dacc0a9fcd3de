package product

import (
	"math/bits"
	"slices"
)

const (
	tabPanels = 2 // whose tables are kept, an entry of one beside that of the other

	listLen = blockRows / group // room for the entries of a row

	// ShareRows is how many rows of bits are sorted at a time, at most, and given
	// to assembly, which cannot be preempted.
	ShareRows = 512

	tableLines = blockRows / group * entries * tabPanels

	// ScratchLines is the length of the scratch that products want.
	ScratchLines = tableLines + rowPanels*blockRows
)

// Lists says where the set bits of a matrix stand: which table entries its rows
// add, in the order of the definition. The zero value is ready.
type Lists struct {
	bits   Bits
	share  int      // rows that are sorted together
	direct bool     // add rows, not table entries: right for a few rows of bits
	groups []int32  // the nibbles set in any row, in increasing order, counted from the first of their block
	block  []int    // those of block k are groups[block[k]:block[k+1]]
	rows   []uint16 // of each block and share, counted from the share's first
	entry  []uint16 // listLen for each of them: see entryOf
	length []uint8  // how many they are
}

// Build makes ready for the lists of b, for products that take share rows of b
// at a time: all, or an even number up to ShareRows. Fill must follow for all
// parts.
func (l *Lists) Build(b Bits, share int) {
	l.bits, l.share = b, min(share, ShareRows)
	// Room for any bits of this size, so that others allocate nothing.
	groups := (b.Cols + group - 1) / group
	blocks := (b.Cols + blockRows - 1) / blockRows
	l.groups = slices.Grow(l.groups[:0], groups)
	l.block = slices.Grow(l.block[:0], blocks+1)
	lists := blocks * b.even()
	l.rows = slices.Grow(l.rows[:0], lists)[:lists]
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
			l.groups = append(l.groups, int32(w*nibbles%(blockRows/group)+bits.TrailingZeros64(x)/group))
		}
	}
	l.block = append(l.block, len(l.groups))
	// In lookups: without tables, a bit costs one and its nibble another one
	// that tables cost too; a table costs its entries, which are also stored,
	// for each share of the rows.
	shares := (b.Rows + share - 1) / share
	l.direct = set < 3*entries/2*len(l.groups)*shares
}

// even returns the number of rows, or one more, to make it even.
func (b *Bits) even() int { return (b.Rows + 1) &^ 1 }

// words returns the number of words of a row.
func (b *Bits) words() int { return (b.Cols + wordBits - 1) / wordBits }

// shares returns how many times rows are sorted.
func (l *Lists) shares() int { return (l.bits.Rows + l.share - 1) / l.share }

// of returns the nibbles of block k and the lists of the rows from r on, at which
// a share begins.
func (l *Lists) of(k, r int) (groups []int32, of list) {
	i := k*l.bits.even() + r
	return l.groups[l.block[k]:l.block[k+1]], list{l.rows[i:], l.entry[i*listLen:], l.length[i:]}
}

// Parts returns how many parts Fill has.
func (l *Lists) Parts() int { return (len(l.block) - 1) * l.shares() }

// Fill makes some of the lists. It may be called for different parts at the same
// time.
//
// Within a share, rows are taken in the order of the length of their lists, the
// longest first, so that pairs match, and a processor foresees where lists end.
func (l *Lists) Fill(part int) {
	k, r0 := part/l.shares(), part%l.shares()*l.share
	n := min(l.share, l.bits.Rows-r0)
	_, list := l.of(k, r0)
	w0 := k * (blockRows / wordBits)
	w1 := min(l.bits.words(), w0+blockRows/wordBits)
	words := func(r int) []uint64 {
		at := (r0 + r) * l.bits.Stride
		return l.bits.Words[at+w0 : at+w1]
	}

	var length [ShareRows]uint8
	var start [blockRows/group + 1]int // of the rows whose lists have a length
	for r := range n {
		for _, x := range words(r) {
			length[r] += uint8(bits.OnesCount64(lowest(x)))
		}
		start[length[r]]++
	}
	at := 0
	for i := len(start) - 1; i >= 0; i-- {
		start[i], at = at, at+start[i]
	}
	for r := range n {
		i := &start[length[r]]
		list.rows[*i] = uint16(r)
		list.length[*i] = length[r]
		*i++
	}
	if n%2 != 0 {
		list.rows[n], list.length[n] = list.rows[n-1], 0
	}
	if w1 > w0 {
		fill(list.entry, list.rows[:n], l.bits.Words[r0*l.bits.Stride+w0:], l.bits.Stride, w1-w0)
	}
	for i := 0; i < n; i += 2 {
		for at := list.length[i+1]; at < list.length[i]; at++ {
			list.entry[(i+1)*listLen+int(at)] = 0
		}
	}
}

// An entry of a list is 16 times the number of a table entry, 16 times the nibble's
// place in the block plus the nibble. It is 0 for the first one, which changes no
// sum, and for no other one that a list needs.
func entryOf(place, nibble int) uint16 { return uint16((place*entries + nibble) * entryUnit) }

const entryUnit = 16

// Mul adds the product of rows [r0, r1) of the bits, r0 beginning a share, with
// panels [q0, q1) to x, which holds the same rows of one panel after the other.
// It uses scratch, ScratchLines long.
func (l *Lists) Mul(x []Line, p *Panels, q0, q1 int, scratch []Line, r0, r1 int) {
	n := r1 - r0
	if n == 0 {
		return
	}
	tab, lines := scratch[:tableLines], scratch[tableLines:]
	if !l.direct {
		lines = lines[:min(tabPanels, rowPanels)*blockRows]
	}
	for k := range len(l.block) - 1 {
		groups, list := l.of(k, r0)
		if len(groups) == 0 {
			continue
		}
		for q := q0; q < q1; {
			first, distance, panels := p.block(q, q1, k*blockRows, blockRows, lines)
			for end := q + panels; q < end; {
				x := x[(q-q0)*n:]
				var done int
				if !l.direct {
					done = build(tab, first, distance, end-q, groups)
				}
				for r := 0; r < n; r += l.share {
					rows := min(l.share, n-r)
					if l.direct {
						done = addRows(x[r:], n, rows, first, distance, end-q, list.from(r))
					} else {
						addEntries(x[r:], n, rows, tab, done, list.from(r))
					}
				}
				if q += done; q < end {
					first.Data = first.Data[done*distance:]
				}
			}
		}
	}
}

// A list holds the entries of rows: those of rows[i], counted from the first of
// the share, are entry[i·listLen:][:length[i]]. Rows are taken in pairs: those of
// the second are followed by zeros up to the length of the first. The last row of
// an odd number is a pair with itself, and nothing.
type list struct {
	rows   []uint16
	entry  []uint16
	length []uint8
}

// from returns the lists of rows from r on, at which a share begins.
func (l list) from(r int) list { return list{l.rows[r:], l.entry[r*listLen:], l.length[r:]} }

// of returns the entries of the i-th row.
func (l *list) of(i int) []uint16 { return l.entry[i*listLen:][:l.length[i]] }

// lowest returns the nibbles that are not 0 as ones.
func lowest(x uint64) uint64 {
	x |= x >> 2
	x |= x >> 1
	return x & 0x1111111111111111
}
