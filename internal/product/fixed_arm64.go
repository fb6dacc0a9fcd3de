//go:build !purego

package product

import (
	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

const (
	// blockGroups is the number of nibbles of a block, whose tables take a KB each, half of
	// the first-level cache of most processors.
	blockGroups = 32

	rowsAtOnce = spec.RowsAtOnce // rows whose lists are processed together

	lineBytes = spec.LineBytes

	// callWords is the largest number of words of a call of assembly, which cannot be
	// preempted.
	callWords = 256
)

// buildFixedNEON computes the tables of buildFixedGo for n groups, as lines of int32s and not
// in pairs.
//
//go:noescape
func buildFixedNEON(tab *int32, groups *int32, n int, lines *int32)

// addFixedNEON is addFixedGo for 4·times rows.
//
//go:noescape
func addFixedNEON(x *int32, tab *int32, rows *uint16, entry *uint16, length *uint8, times int)

// addBitsNEON is addBitsGo for n words. The strides, in bytes, go from a line of x to the
// line of the next panel, and from panel to panel of the lines.
//
//go:noescape
func addBitsNEON(x *int32, xstride int, lines *int32, room int, words *uint64, n int)

// The Go assembler has no multiplication, conversion or absolute value of vectors of float64s.
func addAbs(sums, row []float64, lanes *[spec.AbsStep]float64) { addAbsGo(sums, row, lanes) }

func packRows(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	packRowsGo(lines, src, stride, scale)
}

func packColumns(lines []FixedLine, src []float64, stride int, scale *[FixedLanes]float64) {
	packColumnsGo(lines, src, stride, scale)
}

// buildFixed is buildFixedGo, for addFixed alone to read.
func buildFixed(tab, lines []FixedLine, groups []int32) {
	if !cpu.NEON {
		buildFixedGo(tab, lines, groups)
		return
	}
	// What assembly reaches must exist.
	n := len(groups)
	_, _ = tab[n*entries-1], lines[int(groups[n-1]+1)*group-1]
	buildFixedNEON(&tab[0][0], &groups[0], n, &lines[0][0])
}

// addFixed is addFixedGo for the first rows of x.
func addFixed(x []FixedLine, rows int, tab []FixedLine, list list) {
	if !cpu.NEON {
		addFixedGo(x[:rows], tab, list)
		return
	}
	_ = x[rows-1]
	times := (rows + rowsAtOnce - 1) / rowsAtOnce
	_, _, _ = list.rows[rowsAtOnce*times-1], list.entry[rowsAtOnce*times*listLen-1], list.length[rowsAtOnce*times-1]
	addFixedNEON(&x[0][0], &tab[0][0], &list.rows[0], &list.entry[0], &list.length[0], times)
}

// addBits is addBitsGo.
func addBits(x []FixedLine, n int, lines []FixedLine, room int, words []uint64) {
	if !cpu.NEON {
		addBitsGo(x, n, lines, room, words)
		return
	}
	// A word of bits has none behind the last column, so lines are read up to the last row.
	_, _ = x[(FixedPanels-1)*n], lines[FixedPanels*room-1]
	for i := 0; i < len(words); i += callWords {
		addBitsNEON(&x[0][0], n*lineBytes, &lines[i*wordBits][0], room*lineBytes, &words[i], min(callWords, len(words)-i))
	}
}

func addFloats(lo, hi []Line, lines []FixedLine, unit float64) { addFloatsGo(lo, hi, lines, unit) }

func setFloats(lo, hi []Line, lines []FixedLine, unit float64) { setFloatsGo(lo, hi, lines, unit) }
