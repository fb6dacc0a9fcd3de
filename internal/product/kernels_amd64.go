//go:build amd64 && !purego

package product

import "github.com/gorbm/rbm/internal/cpu"

//go:generate go run -C ../_asm . -kernels product -out ../product/kernels_amd64.s -stubs ../product/stubs_amd64.go -pkg product

const (
	floatBytes, wordBytes, lineBytes = 8, 8, 64

	// blockGroups is how many nibbles have tables at a time: a KB each, which have to
	// stay in the first level cache, of 32 KB or more.
	blockGroups = 24

	listLen = 32 // room for the entries of a row, and for what fill writes behind

	rowsAtOnce = 4 // in addEntries

	blockRows = 128 // that Weights takes at a time

	rowPanels = 4 // that addRows takes at a time

	// callRows is how many lines are copied by assembly at a time, which cannot
	// be preempted.
	callRows = 1024
)

func fill(entry, rows []uint16, words []uint64, stride int, spans []span) {
	if !cpu.AVX2 || len(rows) == 0 {
		fillGo(entry, rows, words, stride, spans)
		return
	}
	// Rows are 0, 1, … in any order, and spans in the order of their words.
	_, _ = entry[len(rows)*listLen-1], words[(len(rows)-1)*stride+int(spans[len(spans)-1].word)]
	fillAVX2(&entry[0], &rows[0], len(rows), &words[0], stride*wordBytes, &spans[0].word, len(spans))
}

// build tabulates the sums of the given nibbles, which are rows of p.
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

// buildColumns does the same for nibbles of the columns of the first eight rows of
// src, all of them whole, or reports that it cannot.
func buildColumns(tab []Line, groups []int32, src []float64, stride int) bool {
	if !cpu.AVX2 {
		return false
	}
	_, _ = src[(Lanes-1)*stride+int(groups[len(groups)-1])*group+group-1], tab[len(groups)*entries-1]
	buildColumnsAVX2(&tab[0][0], &groups[0], len(groups), &src[0], stride*floatBytes)
	return true
}

func gather(lines []Line, groups []int32, src []float64, stride int) {
	if !cpu.AVX2 {
		gatherGo(lines, groups, src, stride)
		return
	}
	_, _ = src[(Lanes-1)*stride+int(groups[len(groups)-1])*group+group-1], lines[len(groups)*group-1]
	gatherAVX2(&lines[0][0], &groups[0], len(groups), &src[0], stride*floatBytes)
}

// addEntries adds the listed table entries to so many rows of x.
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

// addRows adds the listed sums of some of the panels from p on, which are
// distance apart, without tables, and returns of how many.
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

func pack(panel []Line, src []float64, stride int) {
	_ = src[(Lanes-1)*stride+len(panel)-1]
	for cpu.AVX2 && len(panel) >= 4 {
		n := min(len(panel)&^3, callRows)
		packAVX2(&panel[0][0], &src[0], stride*floatBytes, n)
		if panel = panel[n:]; len(panel) == 0 {
			return
		}
		src = src[n:]
	}
	packGo(panel, src, stride)
}

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool {
	for cpu.AVX2 && len(x) >= scanStep {
		n := min(len(x)&^(scanStep-1), callRows*Lanes)
		if nanAVX2(&x[0], n) != 0 {
			return true
		}
		x = x[n:]
	}
	return hasNaNGo(x)
}

const scanStep = 16

func unpack(panel []Line, dst []float64, stride int) {
	_ = dst[(Lanes-1)*stride+len(panel)-1]
	for cpu.AVX2 && len(panel) >= 4 {
		n := min(len(panel)&^3, callRows)
		unpackAVX2(&panel[0][0], &dst[0], stride*floatBytes, n)
		if panel = panel[n:]; len(panel) == 0 {
			return
		}
		dst = dst[n:]
	}
	unpackGo(panel, dst, stride)
}
