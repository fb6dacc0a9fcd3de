//go:build amd64 && !purego

package product

import "github.com/gorbm/rbm/internal/cpu"

//go:generate go run -C ../_asm . -kernels product -out ../product/kernels_amd64.s -stubs ../product/stubs_amd64.go -pkg product

const (
	floatBytes, wordBytes, lineBytes = 8, 8, 64

	// blockRows is how many rows of the float64 side have tables at a time.
	blockRows = 128

	rowPanels = 4 // that addRows takes at a time

	// callRows is how many lines are copied by assembly at a time, which cannot
	// be preempted.
	callRows = 1024
)

func fill(entry, rows []uint16, words []uint64, stride, n int) {
	if !cpu.AVX2 {
		fillGo(entry, rows, words, stride, n)
		return
	}
	_, _ = entry[len(rows)*listLen-1], words[(len(rows)-1)*stride+n-1] // rows are 0, 1, … in any order
	fillAVX2(&entry[0], &rows[0], len(rows), &words[0], stride*wordBytes, n)
}

// build tabulates the sums of the groups for some of the panels from p on, which
// are distance apart, and returns for how many.
func build(tab []Line, p Panel, distance, panels int, groups []int32) int {
	if !cpu.AVX2 {
		buildGo(tab, groups, p)
		return 1
	}
	done := min(panels, tabPanels)
	kernel := build1AVX2
	switch {
	case cpu.AVX512 && done == 2:
		kernel = build2AVX512
	case cpu.AVX512:
		kernel = build1AVX512
	case done == 2:
		kernel = build2AVX2
	}
	// What assembly reaches must exist.
	last := int(groups[len(groups)-1])*group + group - 1
	_ = p.Data[(done-1)*distance+min(last, p.Rows-1)*p.Stride+Lanes-1]
	_ = tab[(last/group+1)*entries*done-1]
	whole := len(groups)
	if int(groups[whole-1]+1)*group > p.Rows {
		whole-- // assembly reads whole nibbles
	}
	for q := range done {
		tab[q] = minusZero // the entry that lists are filled up with
		p := Panel{p.Data[q*distance:], p.Stride, p.Rows}
		if whole > 0 {
			kernel(&tab[q][0], &groups[0], whole, &p.Data[0], p.Stride*floatBytes, done*distance*floatBytes)
		}
		if whole < len(groups) {
			var t [entries]Line
			g := int(groups[whole])
			buildNibble(&t, g*group, p)
			for e, line := range t {
				tab[(g*entries+e)*done+q] = line
			}
		}
	}
	return done
}

// addEntries adds the listed table entries of so many panels to so many rows of
// x, whose lines of the next panel are n lines on.
func addEntries(x []Line, n, rows int, tab []Line, panels int, list list) {
	if !cpu.AVX2 {
		addEntriesGo(x[:rows], tab, list)
		return
	}
	kernel := addEntries1AVX2
	switch {
	case cpu.AVX512 && panels == 2:
		kernel = addEntries2AVX512
	case cpu.AVX512:
		kernel = addEntries1AVX512
	case panels == 2:
		kernel = addEntries2AVX2
	}
	_ = x[(panels-1)*n+rows-1]
	pairs := (rows + 1) / 2
	_, _, _ = list.rows[2*pairs-1], list.entry[2*pairs*listLen-1], list.length[2*pairs-1]
	kernel(&x[0][0], n*lineBytes, &tab[0][0], &list.rows[0], &list.entry[0], &list.length[0], pairs)
}

// addRows adds the listed sums of some of the panels from p on, which are
// distance apart, without tables, and returns of how many.
func addRows(x []Line, n, rows int, p Panel, distance, panels int, list list) int {
	if !cpu.AVX2 {
		addRowsGo(x[:rows], p, list)
		return 1
	}
	kernel, done := addRows1AVX2, 1
	switch {
	case cpu.AVX512 && panels >= 4:
		kernel, done = addRows4AVX512, 4
	case panels >= 2:
		kernel, done = addRows2AVX2, 2
	}
	_ = p.Data[(done-1)*distance+(p.Rows-1)*p.Stride+Lanes-1]
	_ = x[(done-1)*n+rows-1]
	_, _, _ = list.rows[rows-1], list.entry[rows*listLen-1], list.length[rows-1]
	kernel(&x[0][0], n*lineBytes, &p.Data[0], distance*floatBytes, p.Stride*floatBytes,
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
