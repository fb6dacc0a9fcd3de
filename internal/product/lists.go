package product

import (
	"math/bits"
	"slices"
)

const (
	tabPanels = 2 // whose tables are kept, an entry of one beside that of the other

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
	if n == 0 {
		return
	}
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

// lowest returns the nibbles that are not 0 as ones.
func lowest(x uint64) uint64 {
	x |= x >> 2
	x |= x >> 1
	return x & 0x1111111111111111
}
