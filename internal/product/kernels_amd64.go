//go:build amd64 && !purego

package product

import (
	"math/bits"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

//go:generate go run -C ../_asm . -kernels product -out ../product/kernels_amd64.s -stubs ../product/stubs_amd64.go -pkg product

const (
	floatBytes, wordBytes, lineBytes = spec.FloatBytes, 8, spec.LineBytes

	blockGroups = spec.BlockGroups
	listLen     = spec.ListLen
	tileLines   = spec.TileLines

	rowsAtOnce   = spec.RowsAtOnce
	rowPanels    = 4 // panels that addRows takes at a time, at most
	weightPanels = 2 // panels that addWeights takes at a time, at most

	// callRows is the largest number of lines of a call of assembly, which cannot be
	// preempted.
	callRows = 1024
)

// fill is fillGo. The rows are 0, 1, … in some order, and the words of the spans increase.
func fill(entry, rows []uint16, words []uint64, stride int, spans []span) {
	if !cpu.AVX2 || len(rows) == 0 {
		fillGo(entry, rows, words, stride, spans)
		return
	}
	// What assembly reaches must exist.
	_, _ = entry[len(rows)*listLen-1], words[(len(rows)-1)*stride+int(spans[len(spans)-1].Word)]
	fillAVX2(&entry[0], &rows[0], len(rows), &words[0], stride*wordBytes, &spans[0].Word, len(spans))
}

// build is buildGo. The groups increase, and only the last may have fewer than four rows.
func build(tab []Line, p Panel, groups []int32) {
	whole := len(groups)
	if int(groups[whole-1]+1)*group > p.Rows {
		whole-- // assembly reads whole nibbles
	}
	if !cpu.AVX2 {
		whole = 0
	}
	if whole > 0 {
		// What assembly reaches must exist.
		_ = p.Data[(int(groups[whole-1])*group+group-1)*p.Stride+Lanes-1]
		_ = tab[whole*entries-1]
		kernel := buildAVX2
		if cpu.AVX512 {
			kernel = buildAVX512
		}
		kernel(&tab[0][0], &groups[0], whole, &p.Data[0], p.Stride*floatBytes)
	}
	buildGo(tab[whole*entries:], groups[whole:], p)
}

// buildColumns computes the tables of the given nibbles of a transpose: groups of four
// columns of the first eight rows of src. All nibbles must have four columns. Without
// AVX2 it does nothing and returns false.
func buildColumns(tab []Line, groups []int32, src []float64, stride int) bool {
	if !cpu.AVX2 {
		return false
	}
	_, _ = src[(Lanes-1)*stride+int(groups[len(groups)-1])*group+group-1], tab[len(groups)*entries-1]
	buildColumnsAVX2(&tab[0][0], &groups[0], len(groups), &src[0], stride*floatBytes)
	return true
}

// gather is gatherGo.
func gather(lines []Line, groups []int32, src []float64, stride int) {
	if !cpu.AVX2 {
		gatherGo(lines, groups, src, stride)
		return
	}
	_, _ = src[(Lanes-1)*stride+int(groups[len(groups)-1])*group+group-1], lines[len(groups)*group-1]
	gatherAVX2(&lines[0][0], &groups[0], len(groups), &src[0], stride*floatBytes)
}

// addEntries is addEntriesGo for the first rows of x.
func addEntries(x []Line, rows int, tab []Line, list list) {
	if !cpu.AVX2 {
		addEntriesGo(x[:rows], tab, list)
		return
	}
	kernel := addEntriesAVX2
	if cpu.AVX512 {
		kernel = addEntriesAVX512
	}
	_ = x[rows-1]
	times := (rows + rowsAtOnce - 1) / rowsAtOnce
	_, _, _ = list.rows[rowsAtOnce*times-1], list.entry[rowsAtOnce*times*listLen-1], list.length[rowsAtOnce*times-1]
	kernel(&x[0][0], &tab[0][0], &list.rows[0], &list.entry[0], &list.length[0], times)
}

// addRows is addRowsGo for several panels: as many of the next panels as a kernel takes.
// It returns their number. Panel i begins at p.Data[i·distance], and its rows of x at
// x[i·n].
func addRows(x []Line, n, rows int, p Panel, groups []int32, distance, panels int, list list) int {
	if !cpu.AVX2 {
		addRowsGo(x[:rows], p, groups, list)
		return 1
	}
	kernel, done := addRows1AVX2, 1
	switch {
	case cpu.AVX512 && panels >= 4:
		kernel, done = addRows4AVX512, 4
	case panels >= 2:
		kernel, done = addRows2AVX2, 2
	}
	last := min(int(groups[len(groups)-1]+1)*group, p.Rows) - 1
	_ = p.Data[(done-1)*distance+last*p.Stride+Lanes-1]
	_ = x[(done-1)*n+rows-1]
	_, _, _ = list.rows[rows-1], list.entry[rows*listLen-1], list.length[rows-1]
	kernel(&x[0][0], n*lineBytes, &p.Data[0], distance*floatBytes, p.Stride*floatBytes, &groups[0],
		&list.rows[0], &list.entry[0], &list.length[0], rows)
	return done
}

// addWeights is addWeightsGo for one or two panels, whose tiles follow each other. The
// rows of panel i begin at x[i·n].
func addWeights(x []Line, n, rows int, tiles []Line, panels int, w Weights, groups []int32, list list) {
	if !cpu.AVX2 {
		for q := range panels {
			addWeightsGo(x[q*n:][:rows], tilePanel(tiles[q*tileLines:]), inOrder[:], w, groups, list)
		}
		return
	}
	kernel := addWeights1AVX2
	switch {
	case cpu.AVX512 && panels == 2:
		kernel = addWeights2AVX512
	case cpu.AVX512:
		kernel = addWeights1AVX512
	case panels == 2:
		kernel = addWeights2AVX2
	}
	checkWeights(x, n, rows, panels, w, groups, list)
	_ = tiles[panels*tileLines-1]
	kernel(&x[0][0], n*lineBytes, &tiles[0][0], &w.Data[0], w.Stride*floatBytes,
		&groups[0], &list.rows[0], &list.entry[0], &list.length[0], rows)
}

// addWeightsDirect is addWeightsGo for two panels, with rows that stand side by side in
// a matrix. It returns the number of panels that it has processed: 2, or 0 if it cannot.
// The zeros are two lines of -0.
func addWeightsDirect(x []Line, n, rows int, p Panel, panels int, zeros []Line, w Weights, groups []int32, list list) int {
	if !cpu.AVX2 || panels < 2 {
		return 0
	}
	checkWeights(x, n, rows, 2, w, groups, list)
	_, _ = p.Data[(min(int(groups[len(groups)-1]+1)*group, p.Rows)-1)*p.Stride+2*Lanes-1], zeros[1]
	addWeightsDirectAVX2(&x[0][0], n*lineBytes, &p.Data[0], p.Stride*floatBytes, &zeros[0][0], &w.Data[0], w.Stride*floatBytes,
		&groups[0], &list.rows[0], &list.entry[0], &list.length[0], rows)
	return 2
}

// checkWeights panics unless what assembly reaches exists.
func checkWeights(x []Line, n, rows, panels int, w Weights, groups []int32, list list) {
	_ = x[(panels-1)*n+rows-1]
	_ = w.Data[(rows-1)*w.Stride+int(groups[len(groups)-1]+1)*group-1]
	_, _, _ = list.rows[rows-1], list.entry[rows*listLen-1], list.length[rows-1]
}

// addColumns is addColumnsGo for up to four rows of src. Every nibble has four columns.
func addColumns(x, src []float64, stride int, groups []int32, weights []quad) {
	if !cpu.AVX2 || len(x) < group || len(groups) == 0 {
		addColumnsGo(x, src, stride, groups, weights)
		return
	}
	// What assembly reaches must exist.
	_, _ = src[(group-1)*stride+int(groups[len(groups)-1]+1)*group-1], weights[len(groups)-1]
	for len(groups) > 0 {
		n := min(len(groups), callRows)
		addColumnsAVX2(&x[0], &src[0], stride*floatBytes, &groups[0], &weights[0][0], n)
		groups, weights = groups[n:], weights[n:]
	}
}

// addNibble is addNibbleGo.
func addNibble(x, rows []Line, n uint) {
	if !cpu.AVX2 || n == 0 || len(x) == 0 {
		addNibbleGo(x, rows, n)
		return
	}
	_ = rows[bits.Len(n)*len(x)-1] // the last line that assembly reaches must exist
	at := func(n uint) *float64 { return &rows[bits.TrailingZeros(n)*len(x)][0] }
	a, n1 := at(n), n&(n-1)
	b, c, d, count := a, a, a, 1
	if n1 != 0 {
		b, n1, count = at(n1), n1&(n1-1), 2
	}
	if n1 != 0 {
		c, n1, count = at(n1), n1&(n1-1), 3
	}
	if n1 != 0 {
		d, count = at(n1), 4
	}
	for i := 0; i < len(x); i += callRows {
		addNibbleAVX2(&x[i][0], min(callRows, len(x)-i), i*lineBytes, a, b, c, d, count)
	}
}

// Dot returns the sum of weights[i]·x[i], in the order of the definition.
func Dot(weights, x []float64) float64 {
	var sum float64
	for cpu.AVX2 && len(weights) >= spec.DotStep {
		n := min(len(weights)&^(spec.DotStep-1), callRows*Lanes)
		_ = x[n-1]
		dotAVX2(&sum, &weights[0], &x[0], n)
		weights, x = weights[n:], x[n:]
	}
	return dotGo(sum, weights, x)
}

// TransposeRows transposes n columns of the first eight rows of src into eight columns of
// the first n rows of dst. The strides of dst and src are to and from.
func TransposeRows(dst []float64, to int, src []float64, from, n int) {
	_, _ = dst[(n-1)*to+Lanes-1], src[(Lanes-1)*from+n-1]
	for cpu.AVX2 && n >= spec.TransposeStep {
		rows := min(n&^(spec.TransposeStep-1), callRows)
		transposeAVX2(&dst[0], to*floatBytes, &src[0], from*floatBytes, rows)
		if n -= rows; n == 0 {
			return
		}
		dst, src = dst[rows*to:], src[rows:]
	}
	transposeGo(dst, to, src, from, n)
}

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool {
	for cpu.AVX2 && len(x) >= spec.ScanStep {
		n := min(len(x)&^(spec.ScanStep-1), callRows*Lanes)
		if nanAVX2(&x[0], n) != 0 {
			return true
		}
		x = x[n:]
	}
	return hasNaNGo(x)
}

// unpack is unpackGo.
func unpack(panel []Line, dst []float64, stride int) {
	_ = dst[(Lanes-1)*stride+len(panel)-1]
	for cpu.AVX2 && len(panel) >= spec.TransposeStep {
		n := min(len(panel)&^(spec.TransposeStep-1), callRows)
		unpackAVX2(&panel[0][0], &dst[0], stride*floatBytes, n)
		if panel = panel[n:]; len(panel) == 0 {
			return
		}
		dst = dst[n:]
	}
	unpackGo(panel, dst, stride)
}

// Nonzero sets bit i of words where x[i] ≠ 0, clears the others, and reports whether all
// x[i] are 0 or 1. There is a word for each 64 numbers begun.
func Nonzero(words []uint64, x []float64) (binary bool) {
	binary = true
	for cpu.AVX2 && len(x) >= wordBits {
		n := min(len(x)/wordBits, callRows*Lanes/wordBits)
		_ = words[n-1]
		binary = nonzeroAVX2(&words[0], &x[0], n) == 0 && binary
		words, x = words[n:], x[n*wordBits:]
	}
	return nonzeroGo(words, x) && binary
}

// Unit copies x to dst, with 0 in place of -0, and reports whether all x[i] are numbers
// in [0, 1]. The slices have the same length.
func Unit(dst, x []float64) (ok bool) {
	ok = true
	for cpu.AVX2 && len(x) >= spec.UnitStep {
		n := min(len(x)&^(spec.UnitStep-1), callRows*Lanes)
		_ = dst[n-1]
		ok = unitAVX2(&dst[0], &x[0], n) == 0 && ok
		dst, x = dst[n:], x[n:]
	}
	return unitGo(dst, x) && ok
}
