package product

import "math/bits"

// Weights stand in place of the ones of a matrix of bits. Entry (r, i) is
// Data[r·Stride+i]. Rows are whole nibbles; where a bit is 0, the weight is any finite
// number that is not negative, nor -0.
type Weights struct {
	Stride int
	Data   []float64
}

// MulWeights is Mul with weights in place of ones.
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

// A tile has the lines of a block of a panel side by side, where they do not throw each
// other out of the cache, and behind them one of -0.
const (
	tileLines = blockGroups*group + 1

	worthCopy = 8 // rows of weights that are worth a tile
)

// tilePanel returns the panel that is copied to a tile.
func tilePanel(tile []Line) Panel { return Panel{Floats(tile), Lanes, tileLines} }

// row returns the weights from row r on.
func (w Weights) row(r int) Weights { return Weights{w.Stride, w.Data[r*w.Stride:]} }

// Nibbles returns n, filled up to whole nibbles.
func Nibbles(n int) int { return (n + group - 1) / group * group }

// Sum adds the terms x[i] in the order of the definition, every i being set.
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

// SumBits adds the terms x[i] for which bit i is set.
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
