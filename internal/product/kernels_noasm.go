//go:build !amd64 || purego

package product

const (
	listLen   = blockGroups           // room for a list
	tileLines = blockGroups*group + 1 // lines of a tile

	rowPanels    = 1 // panels that addRows takes at a time
	weightPanels = 1 // panels that addWeights takes at a time
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

func addNibble(x, rows []Line, n uint) { addNibbleGo(x, rows, n) }

// Dot returns the sum of weights[i]·x[i], in the order of the definition.
func Dot(weights, x []float64) float64 { return dotGo(0, weights, x) }

// TransposeRows transposes n columns of the first eight rows of src into eight columns of
// the first n rows of dst. The strides of dst and src are to and from.
func TransposeRows(dst []float64, to int, src []float64, from, n int) {
	transposeGo(dst, to, src, from, n)
}

// HasNaN reports whether a NaN is in x.
func HasNaN(x []float64) bool { return hasNaNGo(x) }

func unpack(panel []Line, dst []float64, stride int) { unpackGo(panel, dst, stride) }

// Nonzero sets bit i of words where x[i] ≠ 0, clears the others, and reports whether all
// x[i] are 0 or 1. There is a word for each 64 numbers begun.
func Nonzero(words []uint64, x []float64) (binary bool) { return nonzeroGo(words, x) }

// Unit copies x to dst, with 0 in place of -0, and reports whether all x[i] are numbers
// in [0, 1]. The slices have the same length.
func Unit(dst, x []float64) (ok bool) { return unitGo(dst, x) }
