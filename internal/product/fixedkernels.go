package product

import (
	"math"
	"math/bits"
	"unsafe"
)

// The kernels in fixed point, in plain Go. They define the ones in assembly.

// sumAbsGo adds the absolute values of neighboring columns over some rows of src to sums.
//
//	for each i < rows, l:
//		sums[l] += |src[i·stride + l]|
//
// What makes it fast: the sums of 32 columns stay in registers.
func sumAbsGo(sums, src []float64, stride, rows int) {
	for i := range rows {
		for l, x := range src[i*stride:][:len(sums)] {
			sums[l] += math.Abs(x)
		}
	}
}

// packRowsGo sets line i to the first 16 numbers of row i of src, in fixed point.
//
//	lines[i][l] = src[i·stride + l] · scale[l], to the nearest integer, ties to even
//
// What makes it fast: a conversion to integers rounds like that.
func packRowsGo(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	for i := range lines {
		for l, x := range src[i*stride:][:FixedLanes] {
			lines[i][l] = round(x, scale[l])
		}
	}
}

// packColumnsGo sets line i to column i of the first 16 rows of src, in fixed point.
//
//	lines[i][l] = src[l·stride + i] · scale[l], to the nearest integer, ties to even
//
// What makes it fast: 4×4 integers are transposed in registers.
func packColumnsGo(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	for l, s := range scale {
		for i, x := range src[l*stride:][:len(lines)] {
			lines[i][l] = round(x, s)
		}
	}
}

// A pair is two int32s in one number, hi·2³² + lo modulo 2⁶⁴. The sum of pairs is the pair
// of the sums: one addition adds both, and no carry has to be kept from the upper one. lo
// is the lower half, and hi is what is left of the upper half when lo has been subtracted.
type pair uint64

func pairOf(lo, hi int32) pair { return pair(int64(hi)<<32 + int64(lo)) }

func (p pair) split() (lo, hi int32) {
	lo = int32(p)
	return lo, int32(int64(p-pair(int64(lo))) >> 32)
}

// pairs is a line of a table in plain Go.
type pairs = [FixedLanes / 2]pair

// pairsOf returns the memory of a table as pairs.
func pairsOf(tab []FixedLine) []pairs {
	return unsafe.Slice((*pairs)(unsafe.Pointer(unsafe.SliceData(tab))), len(tab))
}

// buildFixedGo computes the tables of the given nibbles, in pairs.
//
//	for each i, g of groups:
//		for n = 0 to 15:
//			tab[16i + n] = the sum of lines 4g+b over the bits b of n
//
// Only addFixedGo reads these tables: assembly has no need of pairs.
func buildFixedGo(tab, lines []FixedLine, groups []int32) {
	for i, g := range groups {
		t := (*[entries]pairs)(pairsOf(tab[i*entries:][:entries]))
		rows := (*[group]FixedLine)(lines[int(g)*group:])
		for l := range t[0] {
			var row [group]pair
			for b := range row {
				row[b] = pairOf(rows[b][2*l], rows[b][2*l+1])
			}
			a, b, c, d := row[0], row[1], row[2], row[3]
			ab, cd := a+b, c+d
			t[0][l], t[1][l], t[2][l], t[3][l] = 0, a, b, ab
			t[4][l], t[5][l], t[6][l], t[7][l] = c, a+c, b+c, ab+c
			t[8][l], t[9][l], t[10][l], t[11][l] = d, a+d, b+d, ab+d
			t[12][l], t[13][l], t[14][l], t[15][l] = cd, a+cd, b+cd, ab+cd
		}
	}
}

// addFixedGo adds the lines of the tables that the lists name to the rows of x.
//
//	for each i:
//		for each entry e of list i:
//			x[list.rows[i]] += tab[e/entryUnit]
//
// It is addEntriesGo with integers: a line has twice as many numbers.
func addFixedGo(x, tab []FixedLine, list list) {
	t := pairsOf(tab)
	for i := range x {
		var a0, a1, a2, a3, a4, a5, a6, a7 pair
		for _, e := range list.of(i) {
			t := &t[e/entryUnit]
			a0 += t[0]
			a1 += t[1]
			a2 += t[2]
			a3 += t[3]
			a4 += t[4]
			a5 += t[5]
			a6 += t[6]
			a7 += t[7]
		}
		acc := &x[list.rows[i]]
		for l, a := range [...]pair{a0, a1, a2, a3, a4, a5, a6, a7} {
			lo, hi := a.split()
			acc[2*l] += lo
			acc[2*l+1] += hi
		}
	}
}

// addBitsGo adds the lines that a row of bits names to the four panels of a word, without
// tables. The lines of a panel begin room lines behind the panel before, and its row of x
// n lines behind the row before.
//
//	for each bit i that is set in words, q = 0 to 3:
//		x[q·n] += lines[q·room + i]
//
// What makes it fast: the sums of all four panels stay in registers, and the only branch
// is one a bit.
func addBitsGo(x []FixedLine, n int, lines []FixedLine, room int, words []uint64) {
	for q := range FixedPanels {
		acc := &x[q*n]
		for w, word := range words {
			for ; word != 0; word &= word - 1 {
				line := &lines[q*room+w*wordBits+bits.TrailingZeros64(word)]
				for l := range acc {
					acc[l] += line[l]
				}
			}
		}
	}
}
