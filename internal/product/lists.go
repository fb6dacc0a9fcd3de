package product

import (
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/spec"
	"github.com/gorbm/rbm/internal/stop"
)

const (
	// ShareRows is the largest number of rows of a share. It bounds a call of assembly,
	// which cannot be preempted.
	ShareRows = 512

	tableLines = blockGroups * entries

	// ScratchLines is the length of the scratch that a product uses.
	ScratchLines = tableLines + rowPanels*blockGroups*group
)

// Lists are the lists of a matrix of bits: for each row and block the table entries that
// the row adds, in the order of the definition. The zero value is ready.
//
// The nibbles that are set in any row are cut into blocks of up to blockGroups, whose
// tables stay in the cache. A nibble's place is counted from the first of its block.
type Lists struct {
	Until *stop.Signal // ends Build and Mul early, with a useless result; may be nil

	bits   Bits
	share  int      // the number of rows of a share
	direct bool     // add rows, not table entries: right for a few rows of bits
	any    []uint64 // the bits of all rows together
	ones   []int    // of each row
	most   int      // the largest number of them
	groups []int32  // the nibbles set in any row, in increasing order
	spans  []span   // where they are in a row
	block  []block
	rows   []uint16 // of each block and share, counted from the first row of the share
	entry  []uint16 // a list of room listLen for each of them: see entryOf
	length []uint8  // of these lists
}

// A block is the end of its groups and spans. They begin where the block before ends.
type block struct{ groups, spans int }

// A span is the part of a word of bits that belongs to a block.
type span = spec.Span

// Forget drops the reference to the bits of Build.
func (l *Lists) Forget() { l.bits.Words = nil }

// Build prepares the lists of b, for products that take share rows of b at a time: all
// rows, or a multiple of 4 up to ShareRows. Fill must follow for all parts.
func (l *Lists) Build(b Bits, share int) {
	l.bits, l.share = b, min(share, ShareRows)
	set := l.count()
	l.cut()
	// The costs, in lookups. Both ways, one for each nibble of a list. Without tables,
	// one more for each bit. With tables, one and a half for each line of a table, which
	// is computed and stored, by each product of share rows.
	shares := (b.Rows + share - 1) / share
	l.direct = set < 3*entries/2*len(l.groups)*shares

	// Room for any bits of this size, so that the next ones allocate nothing.
	blocks := (b.words()*nibbles-1)/blockGroups + 1
	lists := blocks * b.padded()
	l.rows = grow(l.rows, lists)
	l.entry = grow(l.entry, lists*listLen)
	l.length = grow(l.length, lists)
}

// grow returns a slice of length n, in the memory of s if that is enough. Unlike
// slices.Grow it does not touch new memory: a gigabyte would take long, and nothing could
// end it.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// count finds the bits that are set in any row, and returns the number of set bits of
// all rows.
func (l *Lists) count() (set int) {
	b := &l.bits
	l.any = slices.Grow(l.any[:0], b.words())[:b.words()]
	l.ones = grow(l.ones, b.Rows)
	clear(l.ones)
	for w := range l.any {
		if l.Until.Given() {
			break
		}
		var any uint64
		for r := range l.ones {
			x := b.Words[r*b.Stride+w]
			any |= x
			l.ones[r] += bits.OnesCount64(x)
		}
		l.any[w] = any
	}
	l.most = 0
	for _, n := range l.ones {
		set += n
		l.most = max(l.most, n)
	}
	return set
}

// cut finds the groups, and cuts them into blocks of about the same size.
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
				l.spans = append(l.spans, span{Word: uint64(w)})
				s = &l.spans[len(l.spans)-1]
			}
			k := bits.TrailingZeros64(x)
			s.Mask |= (entries - 1) << k
			s.Base[k/group] = entryOf(len(l.groups)-first, 0)
			l.groups = append(l.groups, int32(w*nibbles+k/group))
		}
	}
	if end > 0 {
		l.block = append(l.block, block{end, len(l.spans)})
	}
}

// padded returns the number of rows, rounded up to a multiple of rowsAtOnce.
func (b *Bits) padded() int { return (b.Rows + rowsAtOnce - 1) / rowsAtOnce * rowsAtOnce }

// words returns the number of words of a row.
func (b *Bits) words() int { return (b.Cols + wordBits - 1) / wordBits }

// shares returns the number of shares of the rows.
func (l *Lists) shares() int { return (l.bits.Rows + l.share - 1) / l.share }

// before returns the block before block k, where the groups and spans of k begin.
func (l *Lists) before(k int) block {
	if k == 0 {
		return block{}
	}
	return l.block[k-1]
}

// of returns the nibbles of block k, and the lists of its rows from r on. A share must
// begin at r.
func (l *Lists) of(k, r int) (groups []int32, of list) {
	i := k*l.bits.padded() + r
	return l.groups[l.before(k).groups:l.block[k].groups], list{l.rows[i:], l.entry[i*listLen:], l.length[i:]}
}

// Parts returns the number of parts of Fill: one for each block and share.
func (l *Lists) Parts() int { return len(l.block) * l.shares() }

// Fill makes the lists of a part. It may be called for different parts at the same time.
//
//	sort the rows of the share by the length of their lists, the longest first
//	make the lists, in this order
//	for each rowsAtOnce lists, fill up all to the length of the first with entry 0
//
// What makes it fast:
//
//  1. The length of a list is a number of bits: lowest leaves one for each nibble with a
//     set bit.
//  2. The rows are sorted by counting the lists of each length. No two are compared.
func (l *Lists) Fill(part int) {
	k, r0 := part/l.shares(), part%l.shares()*l.share
	n := min(l.share, l.bits.Rows-r0)
	_, list := l.of(k, r0)
	spans := l.spans[l.before(k).spans:l.block[k].spans]
	words := l.bits.Words[r0*l.bits.Stride:]

	var length [ShareRows]uint8
	var start [blockGroups + 1]int // for each length, where the rows with such lists begin
	for i := range spans {
		word, mask := int(spans[i].Word), spans[i].Mask
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

// entryOf returns the list entry for the place of a nibble in its block, and its four bits.
// It is entryUnit times the number of a line of the block's tables. Entry 0 is the line of
// -0 of the first nibble, which changes no sum. No nibble with a set bit has entry 0.
func entryOf(place, nibble int) uint16 { return uint16((place*entries + nibble) * entryUnit) }

const entryUnit = spec.EntryUnit

// Mul adds the product of rows [r0, r1) of the bits and panels [q0, q1) of p to x. There
// are n = r1-r0 rows: the sum of row r0+i and panel q0+j is x[j·n+i]. A share must begin
// at r0. The scratch is ScratchLines long.
//
//	for each block, panel, and share of the rows:
//		for each row and entry of its list:
//			x += the line of the table, or the sum of the rows, that the entry names
//
// What makes it fast: the tables of a block and panel, made once, serve all rows while
// they are in the first-level cache. Each kernel has notes of its own.
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

// A list holds the lists of some rows, the longest first: list i is for row rows[i] of
// its share, and is entry[i·listLen:][:length[i]]. The kernels take rowsAtOnce lists at a
// time, so shorter ones are followed by zeros up to the length of the first. Behind the
// last row there are empty lists of the same row, up to a multiple of rowsAtOnce.
type list struct {
	rows   []uint16
	entry  []uint16
	length []uint8
}

// from returns the lists from row r on. A share must begin there.
func (l list) from(r int) list { return list{l.rows[r:], l.entry[r*listLen:], l.length[r:]} }

// of returns list i.
func (l *list) of(i int) []uint16 { return l.entry[i*listLen:][:l.length[i]] }

// lowest returns x with every nibble that is not 0 replaced by 1.
func lowest(x uint64) uint64 {
	x |= x >> 2
	x |= x >> 1
	return x & 0x1111111111111111
}
