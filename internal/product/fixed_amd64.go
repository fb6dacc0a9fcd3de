//go:build amd64 && !purego

package product

import (
	"math"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

// addAbs is addAbsGo.
func addAbs(sums, row []float64, lanes *[spec.AbsStep]float64) {
	for cpu.AVX2 && len(row) >= spec.AbsStep {
		n := min(len(row)&^(spec.AbsStep-1), callRows*Lanes)
		_ = sums[n-1]
		addAbsAVX2(&sums[0], &row[0], n, lanes)
		sums, row = sums[n:], row[n:]
	}
	addAbsGo(sums, row, lanes)
}

// packRows is packRowsGo.
func packRows(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	if !cpu.AVX2 || hasZero(scale) {
		packRowsGo(lines, src, stride, scale)
		return
	}
	n := len(lines)
	_ = src[(n-1)*stride+FixedLanes-1]
	for i := 0; i < n; i += callRows {
		packRowsAVX2(&lines[i][0], &src[i*stride], stride*floatBytes, &scale[0], min(callRows, n-i))
	}
}

// packColumns is packColumnsGo.
func packColumns(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	n := len(lines) &^ (spec.PackStep - 1)
	if !cpu.AVX2 || hasZero(scale) {
		n = 0
	}
	if n > 0 {
		_ = src[(FixedLanes-1)*stride+n-1]
		for i := 0; i < n; i += callRows {
			packColumnsAVX2(&lines[i][0], &src[i], stride*floatBytes, &scale[0], min(callRows, n-i))
		}
	}
	if n < len(lines) {
		packColumnsGo(lines[n:], src[n:], stride, scale)
	}
}

// hasZero reports whether a scale is 0. Times 0, infinity would be NaN.
func hasZero(scale *[FixedLanes]float64) bool {
	least := math.Inf(1)
	for _, s := range scale {
		least = min(least, s)
	}
	return least == 0
}

// buildFixed is buildFixedGo, for addFixed alone to read.
func buildFixed(tab, lines []FixedLine, groups []int32) {
	if !cpu.AVX2 {
		buildFixedGo(tab, lines, groups)
		return
	}
	n := len(groups)
	_, _ = tab[n*entries-1], lines[int(groups[n-1]+1)*group-1]
	kernel := buildFixedAVX2
	if cpu.AVX512 {
		kernel = buildFixedAVX512
	}
	kernel(&tab[0][0], &groups[0], n, &lines[0][0])
}

// addFixed is addFixedGo for the first rows of x.
func addFixed(x []FixedLine, rows int, tab []FixedLine, list list) {
	if !cpu.AVX2 {
		addFixedGo(x[:rows], tab, list)
		return
	}
	kernel := addFixedAVX2
	if cpu.AVX512 {
		kernel = addFixedAVX512
	}
	_ = x[rows-1]
	times := (rows + rowsAtOnce - 1) / rowsAtOnce
	_, _, _ = list.rows[rowsAtOnce*times-1], list.entry[rowsAtOnce*times*listLen-1], list.length[rowsAtOnce*times-1]
	kernel(&x[0][0], &tab[0][0], &list.rows[0], &list.entry[0], &list.length[0], times)
}

// callWords is the largest number of words of a call of addBits.
const callWords = 256

// addBits is addBitsGo.
func addBits(x []FixedLine, n int, lines []FixedLine, room int, words []uint64) {
	if !cpu.AVX2 {
		addBitsGo(x, n, lines, room, words)
		return
	}
	kernel := addBitsAVX2
	if cpu.AVX512 {
		kernel = addBitsAVX512
	}
	// A word of bits has none behind the last column, so lines are read up to the last row.
	_, _ = x[(FixedPanels-1)*n], lines[FixedPanels*room-1]
	for i := 0; i < len(words); i += callWords {
		kernel(&x[0][0], n*lineBytes, &lines[i*wordBits][0], room*lineBytes, &words[i], min(callWords, len(words)-i))
	}
}

// addFloats is addFloatsGo.
func addFloats(lo, hi []Line, lines []FixedLine, unit float64) {
	if !cpu.AVX2 {
		addFloatsGo(lo, hi, lines, unit)
		return
	}
	for i := 0; i < len(lines); i += callRows {
		n := min(callRows, len(lines)-i)
		_, _ = lo[i+n-1], hi[i+n-1]
		addFloatsAVX2(&lo[i][0], &hi[i][0], &lines[i][0], n, unit)
	}
}

// setFloats is setFloatsGo.
func setFloats(lo, hi []Line, lines []FixedLine, unit float64) {
	if !cpu.AVX2 {
		setFloatsGo(lo, hi, lines, unit)
		return
	}
	for i := 0; i < len(lines); i += callRows {
		n := min(callRows, len(lines)-i)
		_, _ = lo[i+n-1], hi[i+n-1]
		setFloatsAVX2(&lo[i][0], &hi[i][0], &lines[i][0], n, unit)
	}
}
