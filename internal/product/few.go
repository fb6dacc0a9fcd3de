package product

import (
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/stop"
)

// Few are a few rows of bits or weights: those nibbles of each that are not 0. The
// product with a transpose reads its columns where they stand, which is faster than to
// copy them for up to FewRows rows. The zero value is ready.
type Few struct {
	Until *stop.Signal // ends Mul early, with a result of no use; nil: nothing does

	groups  []int32
	weights []quad
	rows    []int // where their nibbles end
}

// FewRows is how many rows are few.
const FewRows = 3

// A quad has the weights of a nibble.
type quad = [group]float64

// Reset makes f empty, with room for any rows of this size, so that others allocate
// nothing.
func (f *Few) Reset(rows, cols int) {
	n := rows * ((cols + group - 1) / group)
	f.groups = slices.Grow(f.groups[:0], n)
	f.weights = slices.Grow(f.weights[:0], n)
	f.rows = slices.Grow(f.rows[:0], rows)
}

// Add adds a row: the bits that are set, or their weights unless those are nil.
func (f *Few) Add(words []uint64, weights []float64) {
	for w, word := range words {
		for low := lowest(word); low != 0; low &= low - 1 {
			k := bits.TrailingZeros64(low)
			var of quad
			for b := range of {
				if i := k + b; word>>i&1 != 0 {
					of[b] = 1
					if weights != nil {
						of[b] = weights[w*wordBits+i]
					}
				}
			}
			f.groups = append(f.groups, int32(w*nibbles+k/group))
			f.weights = append(f.weights, of)
		}
	}
	f.rows = append(f.rows, len(f.groups))
}

// Mul adds the product of the rows with panels [q0, q1) of a transpose, no more than a
// word of columns, to x, which holds all rows of one panel after the other. It returns
// which of the columns have a NaN, whatever that is multiplied by.
func (f *Few) Mul(x []Line, p *Panels, q0, q1 int) (nan uint64) {
	for j := q0 * Lanes; j < min(p.cols, q1*Lanes); j += group {
		if f.Until.Given() {
			return nan
		}
		n := min(group, p.cols-j)
		src := p.data[j*p.stride:][:(n-1)*p.stride+p.rows]
		if p.stride > p.rows || HasNaN(src) { // all rows at once if they can be
			for l := range n {
				if HasNaN(src[l*p.stride:][:p.rows]) {
					nan |= 1 << (j - q0*Lanes + l)
				}
			}
		}
		start := 0
		for r, end := range f.rows {
			x := &x[(j/Lanes-q0)*len(f.rows)+r]
			f.add(x[j%Lanes:][:n], src, p, f.groups[start:end], f.weights[start:end])
			start = end
		}
	}
	return nan
}

// add adds the weighted columns of nibbles to x.
func (f *Few) add(x, src []float64, p *Panels, groups []int32, weights []quad) {
	whole := int32(p.rows / group)
	n := len(groups)
	if n > 0 && groups[n-1] == whole { // the last nibble is none
		n--
	}
	addColumns(x, src, p.stride, groups[:n], weights[:n])
	for ; n < len(groups); n++ {
		for l := range x {
			part := minusZero[0]
			for b, v := range src[l*p.stride:][whole*group : p.rows] {
				if w := weights[n][b]; w != 0 {
					part += float64(w * v)
				}
			}
			x[l] += part
		}
	}
}
