// Package flip says what becomes of the probability of a configuration where one
// unit of it is flipped: of all its units, each on its own.
//
// Let p = σ(x) and q = σ(-x) for the input x of a hidden unit, and e = eʷ for its
// weight to a visible unit. The sum over the states of the hidden unit, 1 + eˣ,
// changes by the factor
//
//	q + p·e     if the visible unit is off: x becomes x + w
//	q + p/e     if it is on: x becomes x - w
//
// so that a table of e and 1/e serves all configurations, and flipping a unit takes
// no exponential, but two multiplications and an addition for each hidden unit.
// All terms are positive: nothing cancels.
package flip

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
)

// Lanes is the number of visible units of a panel.
const Lanes = 8

// A Product is one of many factors for each unit of a panel, Frac·2^Exp with
// 1 ≤ Frac < 2. To split off the exponent rounds nothing, so that it makes no
// difference how often that is done.
type Product struct {
	Frac [Lanes]float64
	Exp  [Lanes]int64
}

// Log returns the logarithm of a unit's product.
func (x *Product) Log(l int) float64 {
	return float64(float64(x.Exp[l])*math.Ln2) + logistic.Log(x.Frac[l])
}

const (
	maxChunk = 64

	// The products of a chunk and a fraction stay within e^±600 · 2, those of
	// normal numbers.
	maxLog = 600
)

// Chunk returns how many factors can be multiplied before the exponent has to be
// split off, if no weight of a panel has a larger magnitude: 0 if not even one
// can, or if the magnitude is NaN. A factor lies between 1 and e or 1/e.
func Chunk(magnitude float64) int {
	if !(magnitude <= maxLog) {
		return 0
	}
	return int(min(maxChunk, maxLog/magnitude))
}

// Table sets e[2j][l] to eʷ and e[2j+1][l] to e⁻ʷ for w = w[j·stride+l], the weight
// of hidden unit j to unit l of a panel.
func Table(e [][Lanes]float64, w []float64, stride int) { table(e, w, stride) }

// tableGo is Table.
func tableGo(e [][Lanes]float64, w []float64, stride int) {
	for j := range len(e) / 2 {
		for l, x := range w[j*stride:][:Lanes] {
			y := logistic.Exp(x)
			e[2*j][l], e[2*j+1][l] = y, 1/y
		}
	}
}

// Mul sets x[r], for each row of hidden units, to the product over j of q + p·e, or
// of q + p/e for the units of the panel whose bits are set in on[r]:
//
//	p = p[r·stride+j]     q = q[r·stride+j]     e = e[2j][l]     1/e = e[2j+1][l] for unit l
//
// e being of Table. The exponent is split off after chunk factors, at least one.
func Mul(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	for r := range x {
		x[r] = one
	}
	if len(x) > 0 && len(e) > 0 {
		mul(x, e, p, q, stride, on[:len(x)], max(1, chunk))
	}
}

var one = Product{Frac: [Lanes]float64{1, 1, 1, 1, 1, 1, 1, 1}}

// mulGo multiplies x[r] by the products of Mul.
func mulGo(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	n := len(e) / 2
	for r := range x {
		x := &x[r]
		p, q := p[r*stride:][:n], q[r*stride:][:n]
		for j := 0; j < n; j += chunk {
			k := min(n, j+chunk)
			for l := 0; l < Lanes; l += 4 {
				mul4((*[4]float64)(x.Frac[l:]), e[2*j:2*k], l, p[j:k], q[j:k], on[r]>>l)
			}
			for l, f := range x.Frac {
				bits := math.Float64bits(f)
				x.Exp[l] += int64(bits>>52) - 1023
				x.Frac[l] = math.Float64frombits(bits&(1<<52-1) | 1023<<52)
			}
		}
	}
}

// mul4 multiplies by the factors of four units, from l on.
func mul4(x *[4]float64, e [][Lanes]float64, l int, p, q []float64, on uint8) {
	e0, e1, e2, e3 := e[on&1:], e[on>>1&1:], e[on>>2&1:], e[on>>3&1:]
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	q = q[:len(p)]
	for j, p := range p {
		q := q[j]
		x0 *= q + float64(p*e0[2*j][l])
		x1 *= q + float64(p*e1[2*j][l+1])
		x2 *= q + float64(p*e2[2*j][l+2])
		x3 *= q + float64(p*e3[2*j][l+3])
	}
	x[0], x[1], x[2], x[3] = x0, x1, x2, x3
}
