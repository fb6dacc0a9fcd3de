package product

import (
	"math"
	"math/bits"
)

// The kernels in plain Go. They define the ones in assembly, which give the same bits.
// The pseudocode says what a kernel computes. What makes it fast is said of the kernel
// in assembly. A line, x[r] say, is eight float64s, and an operation on lines is one on
// each of the eight.

var minusZero = func() (z Line) {
	for l := range z {
		z[l] = math.Copysign(0, -1)
	}
	return z
}()

// fillGo makes the lists of rows of bits, which are stride words apart, for one block.
//
//	for each i, r of rows:
//		for each span s, nibble k of word s.Word of row r that s.Mask has:
//			if the four bits n of the nibble are not 0:
//				append s.Base[k] + n·entryUnit to list i
//
// What makes it fast:
//
//  1. No branch depends on a bit. Eight nibbles at a time are spread over 16-bit lanes,
//     and a table of 256 shuffles moves those that are not 0 together.
//  2. All eight lanes are stored, and the end of the list moves by the number of nibbles
//     that are not 0. What is stored behind the end is overwritten or never read.
func fillGo(entry, rows []uint16, words []uint64, stride int, spans []span) {
	for i, r := range rows {
		entry := entry[i*listLen:][:listLen]
		at := 0
		for j := range spans {
			s := &spans[j]
			x := words[int(r)*stride+int(s.Word)] & s.Mask
			for low := lowest(x); low != 0; low &= low - 1 {
				k := bits.TrailingZeros64(low)
				entry[at] = s.Base[k/group] + uint16(x>>k%entries)*entryUnit
				at++
			}
		}
	}
}

// buildGo computes the tables of the given nibbles of p, one after the other.
//
//	for each i, g of groups:
//		tab[16i] = -0
//		for n = 1 to 15, with b the highest bit of n:
//			tab[16i + n] = tab[16i + n without b] + row 4g+b of p
//
// The entry of a single bit is the row itself. What makes it fast:
//
//  1. A table takes 11 additions of lines: each partial sum is a shorter one plus a row.
//  2. Rows and sums stay in registers. A table takes four loads and 16 stores of lines,
//     which are two registers each in AVX2: 12 ns on a Zen 3, near the bound of its 32
//     stores.
//  3. The rows of the next panel, a cache line further on, are prefetched.
//  4. For the columns of a transpose, four rows of four numbers each are transposed in
//     registers on their way. No copy of the matrix is made.
func buildGo(tab []Line, groups []int32, p Panel) {
	for i, g := range groups {
		buildNibble((*[entries]Line)(tab[i*entries:]), int(g)*group, p)
	}
}

// buildNibble computes the table of rows i to i+3 of p.
func buildNibble(t *[entries]Line, i int, p Panel) {
	var zero Line
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
	t[0] = minusZero
	for l := range Lanes {
		a, b, c, d := r0[l], r1[l], r2[l], r3[l]
		ab, ac, bc, abc := a+b, a+c, b+c, a+b+c
		t[1][l], t[2][l], t[3][l], t[4][l] = a, b, ab, c
		t[5][l], t[6][l], t[7][l], t[8][l] = ac, bc, abc, d
		t[9][l], t[10][l], t[11][l], t[12][l] = a+d, b+d, ab+d, c+d
		t[13][l], t[14][l], t[15][l] = ac+d, bc+d, abc+d
	}
}

// addEntriesGo adds the lines of the tables that the lists name to the rows of x.
//
//	for each i:
//		for each entry e of list i:
//			x[list.rows[i]] += tab[e/entryUnit]
//
// What makes it fast:
//
//  1. A lookup is one addition with an operand in memory for each register of a line:
//     two in AVX2, one in AVX-512. An entry times 4 is the offset of its line in bytes,
//     a factor that the addressing mode has.
//  2. Four rows are processed at a time, whose additions do not wait for each other.
//  3. One loop serves the four. Their lists have the same length: they are sorted by it,
//     and filled up with entry 0, the line of -0.
//  4. Four entries of a list are one load of 64 bits.
//  5. The sums stay in registers from the first entry of a list to the last.
func addEntriesGo(x, tab []Line, list list) {
	for i := range x {
		acc := &x[list.rows[i]]
		a0, a1, a2, a3, a4, a5, a6, a7 := acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]
		for _, e := range list.of(i) {
			t := &tab[e/entryUnit]
			a0 += t[0]
			a1 += t[1]
			a2 += t[2]
			a3 += t[3]
			a4 += t[4]
			a5 += t[5]
			a6 += t[6]
			a7 += t[7]
		}
		acc[0], acc[1], acc[2], acc[3] = a0, a1, a2, a3
		acc[4], acc[5], acc[6], acc[7] = a4, a5, a6, a7
	}
}

// addRowsGo adds the sums that the lists name to the rows of x. It takes them from the rows
// of p, without tables.
//
//	for each i:
//		for each entry of list i, with its nibble's group g and bits n:
//			partial = -0
//			for each bit b of n, in increasing order:
//				partial += row 4g+b of p
//			x[list.rows[i]] += partial
//
// What makes it fast:
//
//  1. No table is computed. Tables pay from about thirty rows on.
//  2. Up to two panels in AVX2, or four in AVX-512, are processed at a time. They share the
//     branches on the bits.
//  3. The sums of all these panels stay in registers along a list.
func addRowsGo(x []Line, p Panel, groups []int32, list list) {
	for i := range x {
		acc := &x[list.rows[i]]
		for _, e := range list.of(i) {
			e /= entryUnit
			n := uint(e % entries)
			i := int(groups[e/entries]) * group
			row := p.Line(i + bits.TrailingZeros(n))
			a0, a1, a2, a3, a4, a5, a6, a7 := row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
			for n &= n - 1; n != 0; n &= n - 1 {
				row = p.Line(i + bits.TrailingZeros(n))
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
}

// gatherGo copies the given nibbles of a transpose: groups of four columns of the first
// eight rows of src.
//
//	for each i, g of groups, and b = 0 to 3:
//		for l = 0 to 7:
//			lines[4i + b][l] = src[l·stride + 4g + b]
//
// What makes it fast: 4×4 numbers are transposed in registers.
func gatherGo(lines []Line, groups []int32, src []float64, stride int) {
	for i, g := range groups {
		to := (*[group]Line)(lines[i*group:])
		for l := range Lanes {
			from := (*[group]float64)(src[l*stride+int(g)*group:])
			to[0][l], to[1][l], to[2][l], to[3][l] = from[0], from[1], from[2], from[3]
		}
	}
}

// addWeightsGo adds the weighted rows of p that the lists name to the rows of x. The
// nibble at place j of the block has its rows in p from row 4·at[j] on, and its weights
// from weight 4·groups[j] on.
//
//	for each i, r = list.rows[i]:
//		for each entry of list i, with place j and bits n:
//			for b = 0 to 3:
//				line[b] = row 4·at[j]+b of p if n has bit b, -0 otherwise
//				term[b] = weight 4·groups[j]+b of row r · line[b]
//			x[r] += ((term[0] + term[1]) + term[2]) + term[3]
//
// The weight of a bit that is 0 times -0 is -0, which changes no sum. What makes it
// fast:
//
//  1. No branch depends on a bit: a conditional move replaces the address of a row by
//     the address of the line of -0.
//  2. The rows are copied to a tile first, where they do not throw each other out of the
//     cache. Fewer than 8 rows of weights are not worth the copy: addWeightsDirect reads
//     the rows of two panels where they stand, unless the matrix is a transpose.
//  3. Up to two panels are processed at a time. They share the addresses, and the registers
//     that are filled with a weight.
//  4. The sums stay in registers along a list.
func addWeightsGo(x []Line, p Panel, at []int32, w Weights, groups []int32, list list) {
	for i := range x {
		acc, weights := &x[list.rows[i]], w.Data[int(list.rows[i])*w.Stride:]
		for _, e := range list.of(i) {
			e /= entryUnit
			place, nibble := int(e/entries), e%entries
			w := (*[group]float64)(weights[int(groups[place])*group:])
			rows := [group]*Line{&minusZero, &minusZero, &minusZero, &minusZero} // 0·(-0) changes no sum
			for b := range rows {
				if nibble>>b&1 != 0 {
					rows[b] = p.Line(int(at[place])*group + b)
				}
			}
			for l := range acc {
				sum := float64(w[0]*rows[0][l]) + float64(w[1]*rows[1][l])
				sum += float64(w[2] * rows[2][l])
				sum += float64(w[3] * rows[3][l])
				acc[l] += sum
			}
		}
	}
}

// addColumnsGo adds the products of the first len(x) rows of src and one row of weights
// to x. The row has weights for the given nibbles, and zeros elsewhere.
//
//	for each l:
//		for each i, g of groups:
//			partial = -0
//			for b = 0 to 3, if weights[i][b] ≠ 0:
//				partial += weights[i][b] · src[l·stride + 4g + b]
//			x[l] += partial
//
// What makes it fast:
//
//  1. The rows are read where they stand, once: no table, no tile.
//  2. Four rows are processed at a time. A register has the four terms of a nibble in
//     one row. Four of them are transposed: then each has one term of all four rows, and
//     three additions make four partial sums.
//  3. No branch depends on a weight: where one is 0, the term is replaced by -0.
//  4. The four rows that follow are prefetched, a line of each for every nibble.
func addColumnsGo(x, src []float64, stride int, groups []int32, weights []quad) {
	for l, sum := range x {
		row := src[l*stride:]
		for i, g := range groups {
			part := minusZero[0]
			for b, w := range weights[i] {
				if w != 0 {
					part += float64(w * row[int(g)*group+b])
				}
			}
			sum += part
		}
		x[l] = sum
	}
}

// addNibbleGo adds the sum of up to four rows to x. Bit b of n selects row b, which is
// rows[b·len(x):][:len(x)].
//
//	for each q < len(x):
//		partial = -0
//		for each bit b of n, in increasing order:
//			partial += rows[b·len(x) + q]
//		x[q] += partial
//
// What makes it fast: the rows are read from end to end, as processors prefetch. There is
// a loop for each number of rows, so that none has a branch on a bit.
func addNibbleGo(x, rows []Line, n uint) {
	to := Floats(x)
	next := func() (row []float64) {
		row = Floats(rows[bits.TrailingZeros(n)*len(x):][:len(x)])
		n &= n - 1
		return row[:len(to)]
	}
	switch bits.OnesCount(n) {
	case 1:
		for i, a := range next() {
			to[i] += a
		}
	case 2:
		a, b := next(), next()
		for i := range to {
			to[i] += a[i] + b[i]
		}
	case 3:
		a, b, c := next(), next(), next()
		for i := range to {
			to[i] += a[i] + b[i] + c[i]
		}
	case 4:
		a, b, c, d := next(), next(), next(), next()
		for i := range to {
			to[i] += a[i] + b[i] + c[i] + d[i]
		}
	}
}

// dotGo returns sum plus the products of the weights and x.
//
//	for each nibble of the weights:
//		partial = -0
//		for each weight w ≠ 0 of the nibble, with x its element of x:
//			partial += w·x
//		sum += partial
//
// What makes it fast: the terms of four nibbles are transposed in registers, and three
// additions make the four partial sums. Only their additions to the sum wait for each
// other.
func dotGo(sum float64, weights, x []float64) float64 {
	for i := 0; i < len(weights); i += group {
		part := minusZero[0]
		for j := i; j < min(i+group, len(weights)); j++ {
			if w := weights[j]; w != 0 {
				part += float64(w * x[j])
			}
		}
		sum += part
	}
	return sum
}

// transposeGo transposes n columns of the first eight rows of src.
//
//	for l = 0 to 7, i < n:
//		dst[i·to + l] = src[l·from + i]
//
// What makes it fast: 4×4 numbers are transposed in registers.
func transposeGo(dst []float64, to int, src []float64, from, n int) {
	for l := range Lanes {
		for i, x := range src[l*from:][:n] {
			dst[i*to+l] = x
		}
	}
}

// hasNaNGo reports whether a NaN is in x.
//
// What makes it fast: one comparison finds a NaN in either of two registers, and the
// loop has no branch on what it finds.
func hasNaNGo(x []float64) bool {
	for _, x := range x {
		if x != x {
			return true
		}
	}
	return false
}

// unpackGo transposes a panel into the first eight rows of dst.
//
//	for each i, l = 0 to 7:
//		dst[l·stride + i] = panel[i][l]
//
// What makes it fast: 4×4 numbers are transposed in registers.
func unpackGo(panel []Line, dst []float64, stride int) {
	var rows [Lanes][]float64
	for l := range rows {
		rows[l] = dst[l*stride:][:len(panel)]
	}
	for i := range panel {
		line := &panel[i]
		for l := range rows {
			rows[l][i] = line[l]
		}
	}
}

// nonzeroGo sets bit i of words where x[i] ≠ 0, and reports whether all x[i] are 0 or 1.
//
// What makes it fast: a comparison makes four bits at a time, without branches.
func nonzeroGo(words []uint64, x []float64) (binary bool) {
	binary = true
	for w := range words {
		var word uint64
		for i, x := range x[w*wordBits:][:min(wordBits, len(x)-w*wordBits)] {
			if x != 0 {
				word |= 1 << i
				binary = binary && x == 1
			}
		}
		words[w] = word
	}
	return binary
}

// unitGo copies x to dst, with 0 in place of -0, and reports whether all x[i] are
// numbers in [0, 1].
//
// What makes it fast: adding 0 turns -0 into 0 and leaves all other numbers as they are,
// and the loop has no branch on what the comparisons find.
func unitGo(dst, x []float64) (ok bool) {
	ok = true
	for i, x := range x {
		dst[i] = x + 0
		ok = ok && 0 <= x && x <= 1
	}
	return ok
}
