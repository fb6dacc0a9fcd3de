// Package flip computes how the probability of a configuration changes when one of its
// visible units is flipped. It does so for all visible units, each on its own.
//
// Let x be the input of a hidden unit, p = σ(x), q = σ(-x), and e = eʷ for its weight w
// to the visible unit. The sum over the states of the hidden unit, 1 + eˣ, changes by
// the factor
//
//	q + p·e     if the visible unit is off: x becomes x + w
//	q + p/e     if it is on: x becomes x - w
//
// All terms are positive: nothing cancels. The change for all hidden units is the product
// of their factors.
//
// What makes it fast: one table of e and 1/e serves all configurations. A factor takes no
// exponential, but two multiplications and an addition.
package flip

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/spec"
)

// Lanes is the number of visible units of a panel.
const Lanes = spec.Lanes

// A Product is a product of many factors for each unit of a panel: Frac·2^Exp, with
// 1 ≤ Frac < 2. Moving an exponent from Frac to Exp rounds nothing, so it makes no
// difference how often it is done.
type Product struct {
	Frac [Lanes]float64
	Exp  [Lanes]int64
}

// Log returns the logarithm of the product of unit l.
func (x *Product) Log(l int) float64 {
	return float64(float64(x.Exp[l])*math.Ln2) + logistic.Log(x.Frac[l])
}

const (
	maxChunk = 64

	// The product of a chunk and a fraction stays within e^±600 · 2, the range of
	// normal numbers.
	maxLog = 600
)

// Chunk returns the number of factors that can be multiplied before their exponent must
// be moved to Exp, if no weight of the panel has a larger magnitude. It is 0 if a single
// factor is too large, or if the magnitude is NaN. A factor lies between 1 and e, or
// between 1 and 1/e.
func Chunk(magnitude float64) int {
	if !(magnitude <= maxLog) {
		return 0
	}
	return int(min(maxChunk, maxLog/magnitude))
}

// Table computes the table of a panel of weights: it sets e[2j][l] to eʷ and e[2j+1][l] to
// e⁻ʷ for w = w[j·stride+l], the weight of hidden unit j to unit l of the panel.
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

// Mul sets x[r] to the products of row r, one for each unit of a panel. Row r has p and q
// of the hidden units at r·stride in p and q, and bit l of on[r] is set if unit l of the
// panel is on. The table e is from Table.
//
//	for each row r and unit l:
//		x[r] of l = 1
//		for each hidden unit j:
//			x[r] of l *= q[r·stride + j] + p[r·stride + j] · e[2j + bit l of on[r]][l]
//
// The exponent is moved to Exp after every chunk factors, or after each one if chunk is
// less than 1. What makes it fast:
//
//  1. Two rows are processed at a time. Their products do not wait for each other, and
//     they share the loads of the table.
//  2. No branch depends on a bit: a blend takes e or 1/e for each unit.
//  3. The exponent is moved once for up to 64 factors.
//  4. All rows take 128 hidden units before the next 128. Their part of the table, 16 KB,
//     stays in the cache.
func Mul(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	for r := range x {
		x[r] = one
	}
	if len(x) > 0 && len(e) > 0 {
		mul(x, e, p, q, stride, on[:len(x)], max(1, chunk))
	}
}

var one = Product{Frac: [Lanes]float64{1, 1, 1, 1, 1, 1, 1, 1}}

// mulGo multiplies x[r] by the products of row r.
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

// mul4 multiplies x by the factors of four units, from unit l on.
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
