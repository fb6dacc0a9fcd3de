package logistic

import (
	"math"

	"github.com/gorbm/rbm/internal/spec"
)

// FixedInputs are the inputs of the 64 units of a word in fixed point: lines of 16. Line q
// is X[q·Stride].
type FixedInputs struct {
	X      [][16]int32
	Stride int
}

// A Rule draws the 64 units of a word from inputs in fixed point where it is certain that
// the inputs in float64 give the same bits. Unit i has the input
//
//	xᵢ = Scale[i]·s + Shift[i]
//
// where s is its input in fixed point. Certain sets the bounds of its draws.
type Rule struct {
	Scale, Shift [64]float32
	below, above [64]float32
}

// Certain sets the bounds of unit i: its inputs are within slack of the inputs in float64.
//
// A draw is below in package logistic: bit = (u+½)·d < 2³² with d = 1 + e⁻ˣ, in float64. The
// rule has x̂, |x̂-x| ≤ slack, and computes d̂ and (u+½)/2 in float32, one rounding being a
// factor of at most 1 ± ε, ε = 2⁻²⁴. In units of ε:
//
//	y = -x̂ is clamped to [-24, 24]. Beyond, the bit is 0 for any u if y > 24, as
//	½·(1+e²⁴⁻¹) > 2³², and d is 1 to within e⁻²³ < ε if y < -24.
//	y is within slack of -x, and d/dx log d = -σ(-x): log d changes by at most slack.
//	The exponential is within 6ε of e^y, for |y| ≤ 24: see exp32.         6
//	The sum 1 + e^y is rounded once.                                      1
//	The float32 of u>>1 is rounded, and again when ¼ or ¾ is added.       2
//	Their product with d̂ is rounded once.                                1
//	The bounds 2³¹(1 ± …) are rounded once.                               1
//	The definition in float64 has roundings of its own, below 2⁻⁵⁰.       1
//
// So the logarithms of both products differ by at most slack + 12ε. With u' = u>>1,
//
//	u' + ¼ ≤ (u+½)/2 ≤ u' + ¾
//
//	(u' + ¾)·d̂ < 2³¹·(1 - margin): the bit is 1
//	(u' + ¼)·d̂ ≥ 2³¹·(1 + margin): the bit is 0
//
// for a margin of (1 + 2⁻⁸)·(slack + 16ε). The factor covers e^m - 1 - m of m ≤ 2⁻⁸, which
// slack must not exceed.
func (r *Rule) Certain(i int, slack float64) {
	margin := (1 + 0x1p-8) * (slack + 0x1p-20)
	r.below[i] = float32(0x1p31 * (1 - margin))
	r.above[i] = float32(0x1p31 * (1 + margin))
}

// MaxSlack is the largest slack of a Rule.
const MaxSlack = 0x1p-8

// Draw draws the units of a word by the random numbers u. Where a bit of open is set, the
// rule is not certain, and the bit of the word has no meaning.
//
//	d = 1 + Exp32(-xᵢ)
//	bit i of word: (u[i]>>1 + ¾)·d < below[i]
//	bit i of open: not in word, and not (u[i]>>1 + ¼)·d ≥ above[i]
//
// What makes it fast: eight units in float32 take the room of four in float64. They take
// fewer operations, too, and no division.
func (r *Rule) Draw(x FixedInputs, u *[64]uint32) (word, open uint64) { return r.draw(x, u) }

// Probs sets p to scale·σ(xᵢ), to the nearest integer, ties to even. The scale is at most 2³⁰
// in absolute value. The probabilities are within slack/4 + 2⁻²¹ of those in float64.
//
//	p[i] = scale / (1 + Exp32(-xᵢ)), rounded
func (r *Rule) Probs(p FixedInputs, scale float32, x FixedInputs) { r.probs(p, scale, x) }

// DrawProbs is Probs and Draw in one.
func (r *Rule) DrawProbs(p FixedInputs, scale float32, x FixedInputs, u *[64]uint32) (word, open uint64) {
	return r.drawProbs(p, scale, x, u)
}

func (r *Rule) drawFixedGo(in FixedInputs, u *[64]uint32) (word, open uint64) {
	for q := range 4 {
		x, u := &in.X[q*in.Stride], (*[16]uint32)(u[16*q:])
		scale, shift := (*[16]float32)(r.Scale[16*q:]), (*[16]float32)(r.Shift[16*q:])
		below, above := (*[16]float32)(r.below[16*q:]), (*[16]float32)(r.above[16*q:])
		var on, off uint64
		for l, x := range x {
			k, rest := reduce32(-(float32(scale[l]*float32(x)) + shift[l]))
			d := 1 + pow32(k, rest)
			half := float32(int32(u[l] >> 1))
			on |= one(float32((half+0.75)*d) < below[l]) << l
			off |= one(float32((half+0.25)*d) >= above[l]) << l
		}
		word |= on << (16 * q)
		open |= (^(on | off) & 0xffff) << (16 * q)
	}
	return word, open
}

func (r *Rule) probsFixedGo(p FixedInputs, scale float32, in FixedInputs) {
	for i := range 64 {
		x := in.X[i/16*in.Stride][i%16]
		d := 1 + exp32(-(float32(r.Scale[i]*float32(x)) + r.Shift[i]))
		p.X[i/16*p.Stride][i%16] = int32(math.RoundToEven(float64(scale / d)))
	}
}

func (r *Rule) drawProbsFixedGo(p FixedInputs, scale float32, in FixedInputs, u *[64]uint32) (word, open uint64) {
	r.probsFixedGo(p, scale, in)
	return r.drawFixedGo(in, u)
}

// one returns 1 if b is true, and 0 otherwise, without a branch.
func one(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// exp32 returns eˣ in float32, x being clamped to [-24, 24] first.
//
//	x = k·ln 2 + r    eˣ = 2ᵏ(1 + r + r²·q(r))    |r| ≤ ½ ln 2·(1 + 2⁻¹⁶)
//
// The coefficients of q interpolate (eʳ-1-r)/r² at Chebyshev nodes; the error is 1.1e-8 of
// eʳ, 0.2ε. The product k·Ln2Hi is exact, as is its subtraction from x. The rounding of x·log₂e
// only moves k. What r is off by are the roundings of k·Ln2Lo, which is at most 0.0075, and
// of its subtraction: less than 0.4ε. In 1 + (r + r²q), r + r²q is at most 0.42 and has four
// roundings in its last terms, less than 1.6ε, and the sum is rounded once, 1.5ε of eʳ at
// the least. The product with 2ᵏ is exact. In all, less than 4ε.
func exp32(x float32) float32 { return pow32(reduce32(x)) }

// reduce32 returns k and r of the x of exp32.
func reduce32(x float32) (k, r float32) {
	if x > spec.Exp32Max {
		x = spec.Exp32Max
	}
	if x < -spec.Exp32Max {
		x = -spec.Exp32Max
	}
	k = float32(x*spec.Log2e32) + spec.Round32 - spec.Round32
	return k, x - float32(k*spec.Ln2Hi32) - float32(k*spec.Ln2Lo32)
}

// pow32 returns 2ᵏ·eʳ. It and reduce32 are small enough to be inlined, as exp32 would not be.
func pow32(k, r float32) float32 {
	q := float32(spec.P4)
	q = float32(q*r) + spec.P3
	q = float32(q*r) + spec.P2
	q = float32(q*r) + spec.P1
	q = float32(q*r) + spec.P0
	y := 1 + (r + float32(float32(r*r)*q))
	// Round32+127 leaves the biased exponent in the low bits.
	pow := math.Float32frombits(math.Float32bits(k+(spec.Round32+127)) << 23)
	return float32(y * pow)
}

// DrawOne draws a unit with the input x by the random number u.
func DrawOne(x float64, u uint32) (bit uint64) { return below(u, 1+Exp(-x)) }
