//go:build !amd64 || purego

package product

// blockRows is how many rows of the float64 side have tables at a time: more than
// with assembly, as it takes longer to begin a list and no longer to wait for a
// table.
const blockRows = 512

const rowPanels = 1 // that addRows takes at a time

func fill(entry, rows []uint16, words []uint64, stride, n int) {
	fillGo(entry, rows, words, stride, n)
}

func build(tab []Line, p Panel, _, _ int, groups []int32) int {
	buildGo(tab, groups, p)
	return 1
}

func addEntries(x []Line, _, rows int, tab []Line, _ int, list list) {
	addEntriesGo(x[:rows], tab, list)
}

func addRows(x []Line, _, rows int, p Panel, _, _ int, list list) int {
	addRowsGo(x[:rows], p, list)
	return 1
}

func pack(panel []Line, src []float64, stride int) { packGo(panel, src, stride) }

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool { return hasNaNGo(x) }

func unpack(panel []Line, dst []float64, stride int) { unpackGo(panel, dst, stride) }
