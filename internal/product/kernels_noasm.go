//go:build !amd64 || purego

package product

const (
	// blockGroups is how many nibbles have tables at a time: more than with assembly,
	// as it takes longer to begin a list and no longer to wait for a table.
	blockGroups = 128

	listLen = blockGroups // room for the entries of a row

	rowsAtOnce = 1 // in addEntries
	rowPanels  = 1 // that addRows takes at a time

	blockRows = 512 // that Weights takes at a time
)

func fill(entry, rows []uint16, words []uint64, stride int, spans []span) {
	fillGo(entry, rows, words, stride, spans)
}

func build(tab []Line, p Panel, groups []int32) { buildGo(tab, groups, p) }

func buildColumns([]Line, []int32, []float64, int) bool { return false }

func gather(lines []Line, groups []int32, src []float64, stride int) {
	gatherGo(lines, groups, src, stride)
}

func addEntries(x []Line, rows int, tab []Line, list list) { addEntriesGo(x[:rows], tab, list) }

func addRows(x []Line, _, rows int, p Panel, groups []int32, _, _ int, list list) int {
	addRowsGo(x[:rows], p, groups, list)
	return 1
}

func pack(panel []Line, src []float64, stride int) { packGo(panel, src, stride) }

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool { return hasNaNGo(x) }

func unpack(panel []Line, dst []float64, stride int) { unpackGo(panel, dst, stride) }
