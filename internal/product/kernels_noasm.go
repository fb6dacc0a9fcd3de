//go:build !amd64 || purego

package product

const (
	// blockGroups is how many nibbles have tables at a time: more than with assembly,
	// as it takes longer to begin a list and no longer to wait for a table.
	blockGroups = 128

	listLen = blockGroups // room for the entries of a row

	rowsAtOnce   = 1 // in addEntries
	rowPanels    = 1 // that addRows takes at a time
	weightPanels = 1 // that addWeights takes at a time
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

func addWeights(x []Line, _, rows int, tile []Line, _ int, w Weights, groups []int32, list list) {
	addWeightsGo(x[:rows], tilePanel(tile), inOrder[:], w, groups, list)
}

func addWeightsDirect([]Line, int, int, Panel, int, []Line, Weights, []int32, list) int { return 0 }

func addColumns(x, src []float64, stride int, groups []int32, weights []quad) {
	addColumnsGo(x, src, stride, groups, weights)
}

// Dot adds the terms x[i], each times its weight.
func Dot(weights, x []float64) float64 { return dotGo(0, weights, x) }

// TransposeRows sets the first eight columns of n rows of dst to the columns of the
// first eight rows of src. They are to and from numbers from row to row.
func TransposeRows(dst []float64, to int, src []float64, from, n int) {
	transposeGo(dst, to, src, from, n)
}

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool { return hasNaNGo(x) }

func unpack(panel []Line, dst []float64, stride int) { unpackGo(panel, dst, stride) }

// Nonzero sets words, one for each 64 numbers of x begun, to the bits x[i] ≠ 0, and
// reports whether all x[i] are 0 or 1.
func Nonzero(words []uint64, x []float64) (binary bool) { return nonzeroGo(words, x) }

// Unit sets dst, which is as long, to x, with 0 in place of -0, and reports whether
// all x[i] are numbers in [0, 1].
func Unit(dst, x []float64) (ok bool) { return unitGo(dst, x) }
