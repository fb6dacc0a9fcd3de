//go:build (!amd64 && !arm64) || purego

package product

import "github.com/gorbm/rbm/internal/spec"

const (
	// blockGroups is the number of nibbles of a block: more than with assembly, as
	// plain Go takes longer to begin a list, and no longer to wait for a table.
	blockGroups = 128

	rowsAtOnce = 1 // rows whose lists are processed together
)

func addAbs(sums, row []float64, lanes *[spec.AbsStep]float64) { addAbsGo(sums, row, lanes) }

func packRows(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	packRowsGo(lines, src, stride, scale)
}

func packColumns(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	packColumnsGo(lines, src, stride, scale)
}

func buildFixed(tab, lines []FixedLine, groups []int32) { buildFixedGo(tab, lines, groups) }

func addFixed(x []FixedLine, rows int, tab []FixedLine, list list) { addFixedGo(x[:rows], tab, list) }

func addBits(x []FixedLine, n int, lines []FixedLine, room int, words []uint64) {
	addBitsGo(x, n, lines, room, words)
}

func addFloats(lo, hi []Line, lines []FixedLine, unit float64) { addFloatsGo(lo, hi, lines, unit) }

func setFloats(lo, hi []Line, lines []FixedLine, unit float64) { setFloatsGo(lo, hi, lines, unit) }
