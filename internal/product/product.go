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
// A row of bits becomes a list of table entries once, which all panels walk. A panel
// is eight columns, a cache line wide, so that a lookup is one load and one addition
// for each register it fills. Four rows are worked off together: sums that do not wait
// for each other. Rows are sorted by the length of their lists, so that the four match
// and a processor foresees where the loops end.
//
// The tables of a panel have to stay in the first level cache, of 32 KB or more, beside
// the lists and sums that pass by. So there are tables for 24 nibbles at a time, a KB
// each, and only for those that are set in any row: on sparse rows these are few, and
// far apart.
//
// W stands once in memory, however often it is used: where its transpose is wanted,
// tables are built out of its columns, and rows are fetched before their turn. A model
// of 784×500 fills the second level cache several times over, so that a training step
// of 100 rows waits for memory as long as for anything else where other programs use
// it too.
//
// On a Zen 3 a lookup of eight float64s takes 0.5 to 0.7 ns, where the loads and
// additions alone would take 0.3, and a table 12 ns a nibble and panel, near the bound
// of its 32 stores. So tables are not worth it for a few rows of bits, less than about
// thirty: addRows adds the rows themselves, several panels at a time to spread the
// cost of finding out which.
package product

// Lanes is the number of columns of a panel.
const Lanes = 8

// A Line is one row of a panel.
type Line = [Lanes]float64

// Nibble is the number of rows of a nibble.
const Nibble = group

const (
	group    = 4          // rows of a nibble
	entries  = 1 << group // of a nibble's table
	wordBits = 64
	nibbles  = wordBits / group // of a word
)
