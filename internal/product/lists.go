package product

import (
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/stop"
)

const (
	// ShareRows is how many rows of bits are sorted at a time, at most, and given
	// to assembly, which cannot be preempted.
	ShareRows = 512

	tableLines = blockGroups * entries

	// ScratchLines is the length of the scratch that products want.
	ScratchLines = tableLines + rowPanels*blockGroups*group
)

// Lists says where the set bits of a matrix stand: which table entries its rows
// add, in the order of the definition. The zero value is ready.
//
// The nibbles that are set in any row are cut into blocks of up to blockGroups,
// whose tables stay near the processor. A nibble's place is counted from the first
// of its block.
type Lists struct {
	Until *stop.Signal // ends Build and Mul early, with a result of no use; nil: nothing does

	bits   Bits
	share  int      // rows that are sorted together
	direct bool     // add rows, not table entries: right for a few rows of bits
	any    []uint64 // the bits of all rows together
	groups []int32  // the nibbles set in any row, in increasing order
	spans  []span   // where in a row they are
	block  []block
	rows   []uint16 // of each block and share, counted from the share's first
	entry  []uint16 // listLen for each of them: see entryOf
	length []uint8  // how many they are
}

// A block is the end of its groups and spans, which follow those of the block
// before.
type block struct{ groups, spans int }

// A span is the part of a word of bits that belongs to a block.
type span struct {
	word uint64          // its number in a row
	mask uint64          // the nibbles of the block
	base [nibbles]uint16 // of each, the list entry for no set bit
}

// Forget ends the reference to the bits of Build.
func (l *Lists) Forget() { l.bits.Words = nil }

// Build makes ready for the lists of b, for products that take share rows of b
// at a time: all, or a multiple of 4 up to ShareRows. Fill must follow for
// all parts.
func (l *Lists) Build(b Bits, share int) {
	l.bits, l.share = b, min(share, ShareRows)
	set := l.count()
	l.cut()
	// In lookups: without tables, a bit costs one and its nibble another one
	// that tables cost too; a table costs its entries, which are also stored,
	// for each share of the rows.
	shares := (b.Rows + share - 1) / share
	l.direct = set < 3*entries/2*len(l.groups)*shares

	// Room for any bits of this size, so that others allocate nothing.
	blocks := (b.words()*nibbles-1)/blockGroups + 1
	lists := blocks * b.padded()
	l.rows = grow(l.rows, lists)
	l.entry = grow(l.entry, lists*listLen)
	l.length = grow(l.length, lists)
}

// grow returns a slice of length n, in the memory of s if that is enough. Fresh memory
// is not touched, unlike by slices.Grow: a gigabyte would take long, and nothing could
// end that.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// count finds out which bits are set in any row, and how many are in all.
func (l *Lists) count() (set int) {
	b := &l.bits
	l.any = slices.Grow(l.any[:0], b.words())[:b.words()]
	for w := range l.any {
		if l.Until.Given() {
			break
		}
		var any uint64
		for r := range b.Rows {
			x := b.Words[r*b.Stride+w]
			any |= x
			set += bits.OnesCount64(x)
		}
		l.any[w] = any
	}
	return set
}

// cut finds the groups and cuts them into blocks of about the same size.
func (l *Lists) cut() {
	n := 0
	for _, x := range l.any {
		n += bits.OnesCount64(lowest(x))
	}
	most := len(l.any) * nibbles
	l.groups = slices.Grow(l.groups[:0], most)
	l.block = slices.Grow(l.block[:0], most/blockGroups+1)
	l.spans = slices.Grow(l.spans[:0], len(l.any)+most/blockGroups+1)
	blocks := (n + blockGroups - 1) / blockGroups
	end := 0 // of the groups of the current block
	first := 0
	for w, x := range l.any {
		var s *span
		for x := lowest(x); x != 0; x &= x - 1 {
			if len(l.groups) == end { // a new block
				if end > 0 {
					l.block = append(l.block, block{end, len(l.spans)})
				}
				first, s = end, nil
				end = n * (len(l.block) + 1) / blocks
			}
			if s == nil {
				l.spans = append(l.spans, span{word: uint64(w)})
				s = &l.spans[len(l.spans)-1]
			}
			k := bits.TrailingZeros64(x)
			s.mask |= (entries - 1) << k
			s.base[k/group] = entryOf(len(l.groups)-first, 0)
			l.groups = append(l.groups, int32(w*nibbles+k/group))
		}
	}
	if end > 0 {
		l.block = append(l.block, block{end, len(l.spans)})
	}
}

// padded returns the number of rows, filled up to a multiple of rowsAtOnce.
func (b *Bits) padded() int { return (b.Rows + rowsAtOnce - 1) / rowsAtOnce * rowsAtOnce }

// words returns the number of words of a row.
func (b *Bits) words() int { return (b.Cols + wordBits - 1) / wordBits }

// shares returns how many times rows are sorted.
func (l *Lists) shares() int { return (l.bits.Rows + l.share - 1) / l.share }

// before returns where the groups and spans of block k begin.
func (l *Lists) before(k int) block {
	if k == 0 {
		return block{}
	}
	return l.block[k-1]
}

// of returns the nibbles of block k and the lists of the rows from r on, at which
// a share begins.
func (l *Lists) of(k, r int) (groups []int32, of list) {
	i := k*l.bits.padded() + r
	return l.groups[l.before(k).groups:l.block[k].groups], list{l.rows[i:], l.entry[i*listLen:], l.length[i:]}
}

// Parts returns how many parts Fill has.
func (l *Lists) Parts() int { return len(l.block) * l.shares() }

// Fill makes some of the lists. It may be called for different parts at the same
// time.
//
// Within a share, rows are taken in the order of the length of their lists, the
// longest first, so that those taken at once match, and a processor foresees where
// lists end.
func (l *Lists) Fill(part int) {
	k, r0 := part/l.shares(), part%l.shares()*l.share
	n := min(l.share, l.bits.Rows-r0)
	_, list := l.of(k, r0)
	spans := l.spans[l.before(k).spans:l.block[k].spans]
	words := l.bits.Words[r0*l.bits.Stride:]

	var length [ShareRows]uint8
	var start [blockGroups + 1]int // of the rows whose lists have a length
	for i := range spans {
		word, mask := int(spans[i].word), spans[i].mask
		for r := range n {
			length[r] += uint8(bits.OnesCount64(lowest(words[r*l.bits.Stride+word] & mask)))
		}
	}
	for _, k := range length[:n] {
		start[k]++
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
	fill(list.entry, list.rows[:n], words, l.bits.Stride, spans)
	for n%rowsAtOnce != 0 {
		list.rows[n], list.length[n] = list.rows[n-1], 0
		n++
	}
	for i := 0; i < n; i += rowsAtOnce {
		for j := i + 1; j < i+rowsAtOnce; j++ {
			for at := list.length[j]; at < list.length[i]; at++ {
				list.entry[j*listLen+int(at)] = 0
			}
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
	for k := range l.block {
		groups, list := l.of(k, r0)
		for q := q0; q < q1; {
			x := x[(q-q0)*n:]
			if !l.direct {
				p.build(tab, q, groups, lines)
				for r := 0; r < n; r += l.share {
					if l.Until.Given() {
						return
					}
					addEntries(x[r:], min(l.share, n-r), tab, list.from(r))
				}
				q++
				continue
			}
			first, rows, distance, panels := p.rowsOf(q, min(q1, q+rowPanels), groups, lines)
			for panels > 0 {
				done := 0
				for r := 0; r < n; r += l.share {
					if l.Until.Given() {
						return
					}
					done = addRows(x[r:], n, min(l.share, n-r), first, rows, distance, panels, list.from(r))
				}
				q += done
				if panels -= done; panels > 0 {
					first.Data, x = first.Data[done*distance:], x[done*n:]
				}
			}
		}
	}
}

// A list holds the entries of rows: those of rows[i], counted from the first of
// the share, are entry[i·listLen:][:length[i]]. Rows are taken rowsAtOnce at a time:
// those of the others are followed by zeros up to the length of the first. The last
// rows are filled up with the last one, and nothing.
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
