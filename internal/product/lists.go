package product

import (
	"math/bits"
	"slices"
)

const (
	tabPanels = 2 // whose tables are kept, an entry of one beside that of the other

	listLen = 2 * blockRows / group

	// sortRows is how many rows of bits are sorted at a time, and given to
	// assembly, which cannot be preempted.
	sortRows = 256

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
	rows   []uint16 // of each block and share, the pairs of rows, counted from the share's first
	entry  []uint16 // listLen for each of them, alternately of one and the other row: see entryOf
	length []int32  // how many each of the two has
}

// Build makes ready for the lists of b, for products that take share rows of b
// at a time, an even number if not all. Fill must follow for all parts.
func (l *Lists) Build(b Bits, share int) {
	l.bits, l.share = b, min(share, sortRows)
	// Room for any bits of this size, so that others allocate nothing.
	groups := (b.Cols + group - 1) / group
	blocks := (b.Cols + blockRows - 1) / blockRows
	l.groups = slices.Grow(l.groups[:0], groups)
	l.block = slices.Grow(l.block[:0], blocks+1)
	lists := blocks * b.pairs()
	l.rows = slices.Grow(l.rows[:0], 2*lists)[:2*lists]
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

// pairs returns the number of pairs of rows.
func (b *Bits) pairs() int { return (b.Rows + 1) / 2 }

// words returns the number of words of a row.
func (b *Bits) words() int { return (b.Cols + wordBits - 1) / wordBits }

// shares returns how many times rows are sorted.
func (l *Lists) shares() int { return (l.bits.Rows + l.share - 1) / l.share }

// of returns the nibbles of block k and the lists of the rows from r on, at which
// a share begins.
func (l *Lists) of(k, r int) (groups []int32, list pairList) {
	i := k*l.bits.pairs() + r/2
	return l.groups[l.block[k]:l.block[k+1]], pairList{l.rows[2*i:], l.entry[i*listLen:], l.length[i:]}
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
	groups, list := l.of(k, r0)
	var first [blockRows / group]uint16 // table entries of the block's nibbles
	for slot, g := range groups {
		first[g] = entryOf(slot, 0)
	}
	w0 := k * (blockRows / wordBits)
	w1 := min(l.bits.words(), w0+blockRows/wordBits)
	words := func(r int) []uint64 {
		at := (r0 + r) * l.bits.Stride
		return l.bits.Words[at+w0 : at+w1]
	}

	var length [sortRows]uint8
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
		list.rows[start[length[r]]] = uint16(r)
		start[length[r]]++
	}
	if n%2 != 0 {
		list.rows[n] = list.rows[n-1]
	}

	for i := range (n + 1) / 2 {
		entry := (*[listLen]uint16)(list.entry[i*listLen:])
		long := listRow(entry, 0, words(int(list.rows[2*i])), &first)
		short := 1
		if 2*i+1 < n {
			short = listRow(entry, 1, words(int(list.rows[2*i+1])), &first)
		}
		for ; short < long; short += 2 {
			entry[short] = 0
		}
		list.length[i] = int32(long / 2)
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
						done = addRows(x[r:], n, rows, first, distance, end-q, groups, list.from(r))
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

// A pairList holds the lists of pairs of rows: pair i are rows[2i] and
// rows[2i+1], counted from the first of their share, with the entries
// entry[i·listLen:][:2·length[i]]. The last row of an odd number is a pair with
// itself.
type pairList struct {
	rows   []uint16
	entry  []uint16
	length []int32
}

// from returns the lists of rows from r on, at which a share begins.
func (l pairList) from(r int) pairList {
	return pairList{l.rows[r:], l.entry[r/2*listLen:], l.length[r/2:]}
}

// row returns the entries of the i-th row, which are every other one, up to the
// first that is 0.
func (l *pairList) row(i int) []uint16 {
	return l.entry[i/2*listLen+i%2:][:max(0, 2*int(l.length[i/2])-i%2)]
}

// lowest returns the nibbles that are not 0 as ones.
func lowest(x uint64) uint64 {
	x |= x >> 2
	x |= x >> 1
	return x & 0x1111111111111111
}
