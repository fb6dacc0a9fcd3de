package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
)

// Single precision.
//
// The sums that give ĥ, and the sums of s·ĥ over rows, are taken in fixed point with 32
// bits. With a slack of the inputs of at most singleSlack, and as σ' ≤ ¼, ĥ is within
// singleSlack/4 + 2⁻²¹ < 2⁻¹³ of the value in float64. A word with a unit that could have more
// slack in some row of bits is computed in float64 for all rows, so that the ĥ of a row of
// bits does not depend on the other rows of bits. A batch with numbers between 0 and 1 is
// computed in float64 as a whole.
//
// The products s·ĥ are rounded to multiples of 2⁻³⁰. The scale s is positive in one phase
// and negative in the other, and Σ|s| = 1 over the rows of each. So the sums are at most
// 2³⁰ + n/2 in absolute value, and are off by at most 2⁻¹³ + n·2⁻³¹ for each phase.

const (
	singleSlack = 0x1p-12
	singleUnit  = 0x1p-30

	// mostSingle is the largest number of rows in single precision: n·2⁻³¹ stays small.
	mostSingle = 1 << 16
)

// singles are s·(ĥ, 1) of rows in fixed point, in multiples of singleUnit.
type singles struct {
	isOn bool
	p    product.Fixed // room rows × words of units
}

// set sets s·1 or s·ĥ of unit j and the row at a place to x.
func (f *singles) set(j, at int, x float64) {
	f.p.Panel(j / product.FixedLanes)[at][j%product.FixedLanes] = int32(math.RoundToEven(x / singleUnit))
}

// get returns what set has set.
func (f *singles) get(j, at int) float64 {
	return singleUnit * float64(f.p.Panel(j / product.FixedLanes)[at][j%product.FixedLanes])
}

// word returns where s·(ĥ, 1) of word t and the row at a place stand.
func (f *singles) word(t, at int) logistic.FixedInputs {
	panels := f.p.Panels(t*product.FixedPanels, (t+1)*product.FixedPanels)
	return logistic.FixedInputs{X: panels[at:], Stride: len(panels) / product.FixedPanels}
}

// addMeans adds s·ĥ of word t and the rows that are there to sum.
func (f *singles) addMeans(sum *[wordBits]float64, t int, there []uint64) {
	for q := range product.FixedPanels {
		var total product.FixedLine
		lines := f.p.Panel(t*product.FixedPanels + q)
		eachOne(there, func(at int) {
			for l, x := range &lines[at] {
				total[l] += x
			}
		})
		for l, x := range total {
			sum[q*product.FixedLanes+l] += float64(singleUnit * float64(x))
		}
	}
}
