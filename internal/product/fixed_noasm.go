//go:build !amd64 || purego

package product

func sumAbs(sums, src []float64, stride, rows int) { sumAbsGo(sums, src, stride, rows) }

func packRows(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) int {
	packRowsGo(lines, src, stride, scale)
	return len(lines)
}

func packColumns(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) int {
	packColumnsGo(lines, src, stride, scale)
	return len(lines)
}

func buildFixed(tab, lines []FixedLine, groups []int32) { buildFixedGo(tab, lines, groups) }

func addFixed(x []FixedLine, rows int, tab []FixedLine, list list) { addFixedGo(x[:rows], tab, list) }

func addBits(x []FixedLine, n int, lines []FixedLine, room int, words []uint64) {
	addBitsGo(x, n, lines, room, words)
}
