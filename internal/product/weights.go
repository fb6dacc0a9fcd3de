package product

import (
	"math"
	"math/bits"
)

// Weights is a matrix of weights in place of bits. Entry (r, i) is
// Data[r·Row+i·Col].
type Weights struct {
	Cols, Row, Col int
	Data           []float64
}

// Mul adds the product of rows [r0, r1) of the weights with panels [q0, q1) to
// x, which holds the same rows of one panel after the other. It uses scratch,
// ScratchLines long.
func (w *Weights) Mul(x []Line, p *Panels, q0, q1 int, scratch []Line, r0, r1 int) {
	for q := q0; q < q1; q++ {
		x := x[(q-q0)*(r1-r0):]
		for i := 0; i < w.Cols; i += blockRows {
			panel, _, _ := p.block(q, q+1, i, blockRows, scratch[:blockRows])
			for r := r0; r < r1; r++ {
				addWeighted(&x[r-r0], panel, w.Data[r*w.Row+i*w.Col:], w.Col, min(panel.Rows, w.Cols-i))
			}
		}
	}
}

// addWeighted adds the n rows of p, each times its weight, to acc.
func addWeighted(acc *Line, p Panel, weights []float64, stride, n int) {
	for i := 0; i < n; i += group {
		var sum Line
		set := false
		for j := i; j < min(i+group, n); j++ {
			w := weights[j*stride]
			switch row := p.Line(j); {
			case w == 0:
			case set:
				for l := range sum {
					sum[l] += float64(w * row[l])
				}
			default:
				set = true
				for l := range sum {
					sum[l] = float64(w * row[l])
				}
			}
		}
		if set {
			for l := range acc {
				acc[l] += sum[l]
			}
		}
	}
}

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

// Dot adds the terms x[i], each times its weight.
func Dot(weights, x []float64) (sum float64) {
	for i := 0; i < len(weights); i += group {
		part := math.Copysign(0, -1)
		for j := i; j < min(i+group, len(weights)); j++ {
			if w := weights[j]; w != 0 {
				part += float64(w * x[j])
			}
		}
		sum += part
	}
	return sum
}
