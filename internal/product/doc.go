// Package product multiplies a matrix of bits by a matrix of float64s without
// multiplying. A row of the result is the sum of those rows of the float64 matrix
// whose bits are set.
//
// # Notation
//
// The engine uses these words in this package, in package parallel, and in the passes
// between the layers of an RBM. A pass multiplies the bits of one layer by the weights
// to the other.
//
//	unit    a visible or hidden unit: a column of bits, and a row or column of weights
//	line    8 float64s, a cache line of 64 bytes: a row of a panel; 16 int32s in fixed point
//	panel   8 neighboring columns of the float64 matrix, the weights to 8 units of a layer; 16
//	        in fixed point
//	word    64 neighboring units: 64 bits of a row, or 8 panels
//	nibble  4 neighboring rows of the float64 matrix, and the 4 bits that select them
//	group   the number g of a nibble, whose rows are 4g to 4g+3
//	block   some nibbles, few enough for their tables to stay in the cache
//	table   the 16 partial sums of a nibble in a panel: a line for each value of the 4 bits
//	entry   an element of a list: the place of a nibble in its block, and the 4 bits
//	list    the entries of a row of bits in a block: one for each nibble with a set bit
//	tile    of inputs: the inputs of a word of units for some rows, panel by panel
//	        of weights: the lines of a block in a panel, copied side by side, and a line of -0
//	part    a numbered piece of a job, done by one worker: in a pass, some rows of a word
//	share   of rows: up to 512 rows of bits, whose lists are sorted by length
//	        of parts: a run of parts that a worker does before it helps other workers
//	sink    the code that takes the tiles of inputs of a pass: it stores, adds or draws
//	team    the workers that do the jobs of one call: its goroutine and its helpers
//	bias    where the input of a unit begins: -Inf behind the last unit, to fill the word
//	fixed   numbers in fixed point: int32s, which are multiples of a power of two, the unit
//
// # One definition of the sum
//
// Floating-point addition is not associative, so the order of the additions is part
// of the result. Every implementation has this order:
//
//	for each nibble with a set bit, in increasing order:
//		partial = the sum of its set rows, in increasing order
//		sum += partial
//
// With weights in place of bits, each row is multiplied by its weight, and a row is
// set if its weight is not 0.
//
// # What makes it fast
//
//  1. Tables, the method of the four Russians. The 16 partial sums of a nibble are
//     computed once and then looked up by every row of bits. A lookup is one addition
//     in place of four multiplications and four additions; a nibble without set bits
//     takes none. The entry of n is the entry of n without its highest bit, plus the
//     row of that bit: the order above. Entry 0 is -0, which changes no sum.
//  2. Lists. The bits of a row become a list of table entries once, and all panels
//     walk it. A panel is a cache line wide, so a lookup is one load and one addition
//     for each register that it fills.
//  3. Four rows at a time. Their sums do not wait for each other. Rows are sorted by
//     the length of their lists, so that the four have about the same length, and the
//     processor predicts where the loops end.
//  4. Blocks of 24 nibbles. The tables of a panel, a KB for each nibble, must stay in
//     the first-level cache, of 32 KB or more, beside the lists and sums that pass
//     through it. Only nibbles that are set in some row have tables: sparse rows have
//     few of them, far apart.
//  5. One copy of the weights in float64. Where their transpose is needed, tables are built
//     from the columns of the one matrix. Rows are prefetched. A model of 784×500 fills the
//     second-level cache several times over: where other programs use the memory too,
//     a training step of 100 rows waits for it as long as for anything else.
//  6. No tables for a few rows of bits. On a Zen 3, a lookup of eight float64s takes
//     0.5 to 0.7 ns, where the loads and additions alone would take 0.3. A table takes
//     12 ns, near the bound of its 32 stores, and pays from about thirty rows on. For
//     fewer, addRows adds the rows themselves. It takes several panels at a time, which
//     share the cost of finding out which rows are set. For a single row of bits, and a
//     matrix copied for it, AddOnes reads the rows that are set from end to end.
//  7. Fixed point, where the bits of a sum in float64 are not asked for: see Fixed. A line
//     has 16 int32s, so that a lookup adds twice as many numbers, and so does an addition
//     of two int32s in a uint64 in plain Go. Sums of integers do not depend on the order.
//     The weights are copied first, which takes 0.25 ms for 784×500 in both directions, on
//     one core of a Zen 3 (BenchmarkPack).
package product
