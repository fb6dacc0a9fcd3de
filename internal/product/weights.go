package product

import "math/bits"

// Weights stand in place of the ones of a matrix of bits. Element (r, i) is
// Data[r·Stride+i]. Rows are whole nibbles. Where a bit is 0, the weight may be any finite
// number without a minus sign: neither negative nor -0.
type Weights struct {
	Stride int
	Data   []float64
}

// MulWeights is Mul with weights in place of ones.
//
//	for each block, and one or two panels:
//		copy the rows of the block to a tile
//		for each share of the rows, row and entry of its list:
//			x += the sum of the rows that the entry names, times their weights
//
// What makes it fast: a tile, made once, serves all rows of weights. For fewer than 8 of
// them there is no tile. addWeightsGo has more notes.
func (l *Lists) MulWeights(x []Line, w Weights, p *Panels, q0, q1 int, scratch []Line, r0, r1 int) {
	n := r1 - r0
	if n == 0 {
		return
	}
	zeros, tiles := scratch[:weightPanels], scratch[weightPanels:]
	for i := range zeros {
		zeros[i] = minusZero
	}
	for k := range l.block {
		groups, list := l.of(k, r0)
		for q := q0; q < q1; {
			if l.Until.Given() {
				return
			}
			x := x[(q-q0)*n:]
			panels := min(q1-q, weightPanels)
			if n < worthCopy && n <= l.share && !p.transposed {
				first, _, _, side := p.rowsOf(q, q+panels, groups, nil)
				if done := addWeightsDirect(x, n, n, first, side, zeros, w.row(r0), groups, list); done > 0 {
					q += done
					continue
				}
			}
			for i := range panels {
				p.tile(tiles[i*tileLines:][:tileLines], q+i, groups)
			}
			for r := 0; r < n && !l.Until.Given(); r += l.share {
				addWeights(x[r:], n, min(l.share, n-r), tiles, panels, w.row(r0+r), groups, list.from(r))
			}
			q += panels
		}
	}
}

// worthCopy is the least number of rows of weights that is worth a tile.
const worthCopy = 8

// tilePanel returns the lines of a tile as a panel. A tile is a copy of the lines of a
// block in a panel. They stand side by side, where they do not throw each other out of
// the cache, and a line of -0 follows them.
func tilePanel(tile []Line) Panel { return Panel{Floats(tile), Lanes, tileLines} }

// row returns the weights from row r on.
func (w Weights) row(r int) Weights { return Weights{w.Stride, w.Data[r*w.Stride:]} }

// Nibbles returns n, rounded up to a multiple of Nibble.
func Nibbles(n int) int { return (n + group - 1) / group * group }

// Sum returns the sum of all x[i], in the order of the definition.
func Sum(x []float64) (sum float64) {
	for len(x) > group {
		sum += ((x[0] + x[1]) + x[2]) + x[3]
		x = x[group:]
	}
	if len(x) > 0 {
		part := x[0]
		for _, x := range x[1:] {
			part += x
		}
		sum += part
	}
	return sum
}

// SumBits returns the sum of the x[i] whose bit i is set, in the order of the definition.
func SumBits(words []uint64, x []float64) (sum float64) {
	for w, word := range words {
		x := x[w*wordBits:]
		for low := lowest(word); low != 0; low &= low - 1 {
			at := bits.TrailingZeros64(low)
			n := word >> at & 0xf
			i := at + bits.TrailingZeros64(n)
			part := x[i]
			for n &= n - 1; n != 0; n &= n - 1 {
				part += x[at+bits.TrailingZeros64(n)]
			}
			sum += part
		}
	}
	return sum
}
