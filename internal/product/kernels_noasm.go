//go:build !amd64 || purego

package product

// blockRows is how many rows of the float64 side have tables at a time: more than
// with assembly, as it takes longer to begin a list and no longer to wait for a
// table.
const blockRows = 512

func addEntries(x []Line, n int, p Panel, _, _ int, groups []int32, list pairList, tab []Line) int {
	buildGo(tab, 1, groups, p)
	addEntriesGo(x[:n], tab, 1, list)
	return 1
}

func addRows(x []Line, n int, p Panel, _, _ int, groups []int32, list pairList) int {
	addRowsGo(x[:n], p, groups, list)
	return 1
}

func pack(panel []Line, src []float64, stride int) bool { return packGo(panel, src, stride) }

func unpack(panel []Line, dst []float64, stride int) { unpackGo(panel, dst, stride) }
