package product

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/gorbm/rbm/internal/spec"
)

// The kernels in fixed point, in plain Go. They define the ones in assembly.

// addAbsGo adds the absolute values of row to sums, and to sixteen lanes.
//
//	sums[i] += |row[i]|
//	lanes[i mod 16] += |row[i]|
//
// What makes it fast: the lanes are four registers, whose additions do not wait for each
// other, and the row is read once for both sums.
func addAbsGo(sums, row []float64, lanes *[spec.AbsStep]float64) {
	for i, x := range row {
		x = math.Abs(x)
		sums[i] += x
		lanes[i%len(lanes)] += x
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
// of the sums: one addition adds both, and no carry has to be kept from the upper one. The lo
// is the lower half, and hi is what is left of the upper half when lo has been subtracted.
// The sum of the los must fit in an int32, as the sum of any rows of a Fixed does.
type pair uint64

func pairOf(lo, hi int32) pair { return pair(uint32(hi))<<32 + pair(int64(lo)) }

func (p pair) split() (lo, hi int32) {
	lo = int32(p)
	return lo, int32(int64(p-pair(int64(lo))) >> 32)
}

// addTo adds p to pair i of a line.
func (p pair) addTo(x *FixedLine, i int) {
	lo, hi := p.split()
	x[2*i] += lo
	x[2*i+1] += hi
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
// Only addFixedGo reads these tables: assembly has no need of pairs. What makes it fast in
// plain Go: each table is one array, whose address takes one register.
func buildFixedGo(tab, lines []FixedLine, groups []int32) {
	const p = FixedLanes / 2 // pairs of a line
	for i, g := range groups {
		t := (*[entries * p]pair)(unsafe.Pointer((*[entries]FixedLine)(tab[i*entries:])))
		rows := (*[group * FixedLanes]int32)(unsafe.Pointer((*[group]FixedLine)(lines[int(g)*group:])))
		for l := range p {
			a := pairOf(rows[2*l], rows[2*l+1])
			b := pairOf(rows[FixedLanes+2*l], rows[FixedLanes+2*l+1])
			c := pairOf(rows[2*FixedLanes+2*l], rows[2*FixedLanes+2*l+1])
			d := pairOf(rows[3*FixedLanes+2*l], rows[3*FixedLanes+2*l+1])
			ab, cd := a+b, c+d
			t[l], t[p+l], t[2*p+l], t[3*p+l] = 0, a, b, ab
			t[4*p+l], t[5*p+l], t[6*p+l], t[7*p+l] = c, a+c, b+c, ab+c
			t[8*p+l], t[9*p+l], t[10*p+l], t[11*p+l] = d, a+d, b+d, ab+d
			t[12*p+l], t[13*p+l], t[14*p+l], t[15*p+l] = cd, a+cd, b+cd, ab+cd
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
//
// What makes it fast in plain Go:
//
//  1. The loop over a list is a function of its own, so that nothing else takes registers
//     from its sums.
//  2. A remainder by the number of lines, where that is a power of two, is a mask, and
//     spares the check of a bound.
func addFixedGo(x, tab []FixedLine, list list) {
	t := (*[tableLines]pairs)(pairsOf(tab))
	for i := range x {
		acc := &x[list.rows[i]]
		a0, a1, a2, a3, a4, a5, a6, a7 := sumPairs(t, list.of(i))
		a0.addTo(acc, 0)
		a1.addTo(acc, 1)
		a2.addTo(acc, 2)
		a3.addTo(acc, 3)
		a4.addTo(acc, 4)
		a5.addTo(acc, 5)
		a6.addTo(acc, 6)
		a7.addTo(acc, 7)
	}
}

// sumPairs returns the sum of the lines that a list names.
//
//go:noinline
func sumPairs(t *[tableLines]pairs, list []uint16) (a0, a1, a2, a3, a4, a5, a6, a7 pair) {
	_ = t[0]
	for _, e := range list {
		t := &t[e/entryUnit%tableLines]
		a0 += t[0]
		a1 += t[1]
		a2 += t[2]
		a3 += t[3]
		a4 += t[4]
		a5 += t[5]
		a6 += t[6]
		a7 += t[7]
	}
	return a0, a1, a2, a3, a4, a5, a6, a7
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

// addFloatsGo adds lines in fixed point to the lines of two neighboring panels.
//
//	lo[i][l] += lines[i][l]·unit
//	hi[i][l] += lines[i][8+l]·unit
func addFloatsGo(lo, hi []Line, lines []FixedLine, unit float64) {
	for i := range lines {
		for l := range Lanes {
			lo[i][l] += float64(float64(lines[i][l]) * unit)
			hi[i][l] += float64(float64(lines[i][Lanes+l]) * unit)
		}
	}
}

// setFloatsGo is addFloatsGo to zeros.
//
//	lo[i][l] = lines[i][l]·unit
//	hi[i][l] = lines[i][8+l]·unit
func setFloatsGo(lo, hi []Line, lines []FixedLine, unit float64) {
	for i := range lines {
		for l := range Lanes {
			lo[i][l] = float64(lines[i][l]) * unit
			hi[i][l] = float64(lines[i][Lanes+l]) * unit
		}
	}
}
