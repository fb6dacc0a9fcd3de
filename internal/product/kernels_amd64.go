//go:build amd64 && !purego

package product

import "github.com/gorbm/rbm/internal/cpu"

//go:generate go run -C ../_asm . -kernels product -out ../product/kernels_amd64.s -stubs ../product/stubs_amd64.go -pkg product

const (
	entryBytes, floatBytes, lineBytes = 2, 8, 64

	// blockRows is how many rows of the float64 side have tables at a time.
	blockRows = 128

	// callRows is how many rows are given to assembly at a time, which cannot
	// be preempted.
	callRows = 1024
)

// addEntries adds the listed sums, through tables, to n lines of x for each of
// some of the panels from p on, which are distance apart, and returns for how
// many.
func addEntries(x []Line, n int, p Panel, distance, panels int, groups []int32, list pairList, tab []Line) int {
	if !cpu.AVX2 {
		buildGo(tab, 1, groups, p)
		addEntriesGo(x[:n], tab, 1, list)
		return 1
	}
	done := min(panels, tabPanels)
	build, add := build1AVX2, addEntries1AVX2
	switch {
	case cpu.AVX512 && done == 2:
		build, add = build2AVX512, addEntries2AVX512
	case cpu.AVX512:
		build, add = build1AVX512, addEntries1AVX512
	case done == 2:
		build, add = build2AVX2, addEntries2AVX2
	}
	// What assembly reaches must exist.
	last := int(groups[len(groups)-1])*group + group - 1
	_ = p.Data[(done-1)*distance+min(last, p.Rows-1)*p.Stride+Lanes-1]
	_, _ = tab[len(groups)*entries*done-1], x[done*n-1]
	_, _ = list.entry[(n+1)/2*listLen-1], list.length[(n+1)/2-1]
	whole := len(groups)
	if int(groups[whole-1]+1)*group > p.Rows {
		whole-- // assembly reads whole nibbles
	}
	for q := range done {
		p := Panel{p.Data[q*distance:], p.Stride, p.Rows}
		if whole > 0 {
			build(&tab[q][0], &groups[0], whole, &p.Data[0], p.Stride*floatBytes)
		}
		if whole < len(groups) {
			buildGo(tab[whole*entries*done+q:], done, groups[whole:], p)
		}
	}
	for r := 0; r < n-1; r += callRows {
		pairs := min(callRows, n-r) / 2
		list := list.from(r)
		add(&x[r][0], n*lineBytes, &tab[0][0], &list.entry[0], listLen*entryBytes, &list.length[0], pairs)
	}
	if r := n - 1; n%2 != 0 {
		last := list.from(r)
		for q := range done {
			addEntriesGo(x[q*n+r:][:1], tab[q:], done, last)
		}
	}
	return done
}

// addRows does the same without tables.
func addRows(x []Line, n int, p Panel, distance, panels int, groups []int32, list pairList) int {
	if !cpu.AVX2 {
		addRowsGo(x[:n], p, groups, list)
		return 1
	}
	kernel, done := addRows1AVX2, 1
	switch {
	case cpu.AVX512 && panels >= 4:
		kernel, done = addRows4AVX512, 4
	case panels >= 2:
		kernel, done = addRows2AVX2, 2
	}
	_ = p.Data[(done-1)*distance+min(int(groups[len(groups)-1])*group+group, p.Rows)*p.Stride-p.Stride+Lanes-1]
	_, _, _ = x[done*n-1], list.entry[(n+1)/2*listLen-1], list.length[(n+1)/2-1]
	for r := 0; r < n; r += callRows {
		list := list.from(r)
		kernel(&x[r][0], n*lineBytes, &p.Data[0], distance*floatBytes, p.Stride*floatBytes, &groups[0],
			&list.entry[0], listLen*entryBytes, &list.length[0], min(callRows, n-r))
	}
	return done
}

func pack(panel []Line, src []float64, stride int) (suspect bool) {
	_ = src[(Lanes-1)*stride+len(panel)-1]
	for cpu.AVX2 && len(panel) >= 4 {
		n := min(len(panel)&^3, callRows)
		suspect = packAVX2(&panel[0][0], &src[0], stride*floatBytes, n) != 0 || suspect
		if panel = panel[n:]; len(panel) == 0 {
			return suspect
		}
		src = src[n:]
	}
	return packGo(panel, src, stride) || suspect
}

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
