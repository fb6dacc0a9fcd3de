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
// A row of bits becomes a list of table entries once, which all columns walk.
// Rows whose lists are of like length are worked off in pairs, and two panels of
// eight columns together: four sums that do not wait for each other, and loops
// whose ends a processor foresees. A panel is a cache line wide, so that a lookup
// is one load and one addition for each register it fills. Tables for 128 rows of
// two panels take 64 KB: more would not stay near the processor, and less would
// make the lists short.
//
// W stands once in memory, however often it is used: where its transpose is
// wanted, 128 rows of a few panels are copied at a time, next to where they are
// used, and rows are fetched before their turn. A model of 784×500 fills the
// second level cache several times over, so that a training step of 100 rows
// waits for memory as long as for anything else where other programs use it too.
//
// On a Zen 4 at 3.6 GHz a lookup of eight float64s takes 0.40 to 0.45 ns, where the
// load and addition alone take 0.30 to 0.35 out of the first level cache; a table
// costs about 12 ns a nibble and panel. So tables are not worth it for a few rows
// of bits, less than about thirty: addRows adds the rows themselves, several
// panels at a time to spread the cost of finding out which.
package product

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
