// Package logistic computes the element-wise functions of binary units: the sigmoid,
// softplus, and Bernoulli draws. All of them use Exp and Log1p of this package. Every
// operation of these is written out and rounded, so that a result has the same bits on
// every processor.
//
// What makes it fast:
//
//  1. A register has the inputs of four units, or eight in AVX-512, and no branch depends
//     on an input: Exp takes a minimum and a maximum in place of special cases, and 2ᵏ is
//     a shift of bits.
//  2. The polynomial of Exp is evaluated as its odd and its even part, which do not wait
//     for each other.
//  3. A draw takes no division: u/2³² < 1/d is u·d < 2³².
//  4. The conversion of a random number u to the float64 u+½ is a bitwise or, which makes
//     2⁵²+u, and a subtraction.
//  5. Probabilities and draws of the same inputs share the exponential.
//  6. A sum of softplus terms takes one logarithm: see Sum.
//  7. In AVX2, the operations on two registers take turns. An exponential is a chain of
//     operations that wait for each other: one after the other, the two would fill the
//     scheduler of the processor with what has to wait.
//  8. In AVX-512 the constants stay in registers.
package logistic

import (
	"math"

	"github.com/gorbm/rbm/internal/spec"
)

// Exp returns eˣ. It is within 1 ulp where the exponent of the result is one of a normal
// number, about -708.7 < x < 709.4. Below, it is 0, and above, +Inf.
//
//	x = k·ln 2 + r    eˣ = 2ᵏ(1 + r + r²·q(r))    |r| ≤ ½ ln 2
//
// The coefficients of q interpolate (eʳ-1-r)/r² at Chebyshev nodes; the error is 1.3e-17
// of eʳ.
func Exp(x float64) float64 {
	if x > spec.ExpMax {
		x = spec.ExpMax
	}
	if x < spec.ExpMin {
		x = spec.ExpMin
	}
	k := float64(x*spec.Log2e) + spec.Round - spec.Round
	r := x - float64(k*spec.Ln2Hi) - float64(k*spec.Ln2Lo)
	r2 := float64(r * r)
	odd := float64(spec.Q9)
	odd = float64(odd*r2) + spec.Q7
	odd = float64(odd*r2) + spec.Q5
	odd = float64(odd*r2) + spec.Q3
	odd = float64(odd*r2) + spec.Q1
	even := float64(spec.Q8)
	even = float64(even*r2) + spec.Q6
	even = float64(even*r2) + spec.Q4
	even = float64(even*r2) + spec.Q2
	even = float64(even*r2) + spec.Q0
	q := even + float64(odd*r)
	// Round+1023 leaves the biased exponent in the low bits. It is 0 for k = -1023, where
	// pow is 0, and 2047 for k = 1024, where pow is +Inf.
	pow := math.Float64frombits(math.Float64bits(k+(spec.Round+1023)) << 52)
	return float64((1 + (r + float64(r2*q))) * pow)
}

// Exps replaces each element of x by its Exp.
func Exps(x []float64) {
	whole := len(x) &^ 7
	exps(x[:whole])
	expsGo(x[whole:])
}

func expsGo(x []float64) {
	for i, y := range x {
		x[i] = Exp(y)
	}
}

// Log returns the natural logarithm of x, within 1 ulp. It is -Inf for 0 and NaN for a
// negative x.
//
//	x = 2ᵏ(1 + f)    s = f/(2+f)    log(1+f) = f - f²/2 + s(f²/2 + s²·q(s²))    √½ ≤ 1+f < √2
//
// The coefficients of q interpolate (2 artanh(s)/s - 2)/s² at Chebyshev nodes;
// the error is 5e-18 of log(1+f).
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		e--
	}
	f--
	k := float64(e)
	s := f / (2 + f)
	z := float64(s * s)
	q := 0.14616585424888623
	q = float64(q*z) + 0.15331710618210773
	q = float64(q*z) + 0.18182889455674947
	q = float64(q*z) + 0.22222211130259878
	q = float64(q*z) + 0.2857142862600327
	q = float64(q*z) + 0.39999999999899444
	q = float64(q*z) + 0.666666666666667
	half := float64(float64(0.5*f) * f)
	return float64(k*spec.Ln2Hi) - ((half - (float64(s*(half+float64(z*q))) + float64(k*spec.Ln2Lo))) - f)
}

// Log1p returns log(1+x) for x ≥ 0, within 2 ulp.
func Log1p(x float64) float64 {
	if x > 0x1p60 {
		return Log(x)
	}
	u := 1 + x
	d := u - 1
	lost := (1 - (u - d)) + (x - d) // 1 + x = u + lost
	return Log(u) + lost/u
}

// Sigmoid returns σ(x) = 1/(1+e⁻ˣ), within 3 ulp for |x| ≤ 700.
func Sigmoid(x float64) float64 { return 1 / (1 + Exp(-x)) }

// Softplus returns log(1+eˣ) = max(x,0) + log(1+e^-|x|), within 3 ulp for
// x ≥ -700.
func Softplus(x float64) float64 { return max(x, 0) + Log1p(Exp(-math.Abs(x))) }

// Inputs are the inputs of up to 64 units, in N lines of eight. Line q is X[q·Stride].
type Inputs struct {
	X         [][8]float64
	Stride, N int
}

// At returns the input of unit i.
func (in Inputs) At(i int) float64 { return in.X[i/8*in.Stride][i%8] }

// Probs sets p[i] to scale·σ(xᵢ) for each of the 8·N inputs.
//
//	p[i] = scale / (1 + Exp(-xᵢ))
func (in Inputs) Probs(p []float64, scale float64) { probs(p[:8*in.N], in, scale) }

// Draw returns a word whose bit i is 1 with probability σ(xᵢ), to a precision of 2⁻³². The
// u[i] are random numbers.
//
//	bit i = (u[i] + ½)·(1 + Exp(-xᵢ)) < 2³²
func (in Inputs) Draw(u *[64]uint32) (word uint64) { return draw(in, u) }

// DrawProbs is Probs and Draw in one.
func (in Inputs) DrawProbs(p []float64, scale float64, u *[64]uint32) (word uint64) {
	return drawProbs(p[:8*in.N], in, scale, u)
}

func probsGo(p []float64, in Inputs, scale float64) {
	for q := range in.N {
		for l, x := range in.X[q*in.Stride] {
			p[8*q+l] = scale / (1 + Exp(-x))
		}
	}
}

func drawGo(in Inputs, u *[64]uint32) (word uint64) {
	for q := range in.N {
		for l, x := range in.X[q*in.Stride] {
			word |= below(u[8*q+l], 1+Exp(-x)) << (8*q + l)
		}
	}
	return word
}

func drawProbsGo(p []float64, in Inputs, scale float64, u *[64]uint32) (word uint64) {
	for q := range in.N {
		for l, x := range in.X[q*in.Stride] {
			d := 1 + Exp(-x)
			p[8*q+l] = scale / d
			word |= below(u[8*q+l], d) << (8*q + l)
		}
	}
	return word
}

// below returns 1 if (u+½)·d < 2³², and 0 otherwise.
func below(u uint32, d float64) uint64 {
	if float64((float64(u)+0.5)*d) < 1<<32 {
		return 1
	}
	return 0
}

// A Sum is a sum of softplus terms. One logarithm serves all of them, and neither large
// nor small terms lose their precision:
//
//	Σ softplus(x) = Σ max(x,0) + log Π (1+e^-|x|) = Max + log(1+Rest)
//
// A product of more than 1000 factors may overflow.
type Sum struct {
	Max, Rest float64
}

// Value returns the sum.
func (s Sum) Value() float64 { return s.Max + Log1p(s.Rest) }

// Add returns the sum of s and t.
func (s Sum) Add(t Sum) Sum { return Sum{s.Max + t.Max, s.Rest + (t.Rest + float64(s.Rest*t.Rest))} }

// Softplus returns Σ softplus(xᵢ). There are eight sums, of the inputs with the same
// i mod 8, which are added by halves.
//
//	m, e = max(xᵢ, 0), Exp(-|xᵢ|)
//	Max, Rest of sum i mod 8 = Max + m, Rest + (e + Rest·e)
func (in Inputs) Softplus() Sum {
	var sums [16]float64
	softplus(&sums, in)
	for h := 4; h > 0; h /= 2 {
		for l := range h {
			s := Sum{sums[l], sums[8+l]}.Add(Sum{sums[l+h], sums[8+l+h]})
			sums[l], sums[8+l] = s.Max, s.Rest
		}
	}
	return Sum{sums[0], sums[8]}
}

// softplusGo adds the inputs to eight sums: their Max are sums[:8], their Rest sums[8:].
func softplusGo(sums *[16]float64, in Inputs) {
	for q := range in.N {
		for l, x := range in.X[q*in.Stride] {
			s := Sum{sums[l], sums[8+l]}.Add(Sum{max(x, 0), Exp(-math.Abs(x))})
			sums[l], sums[8+l] = s.Max, s.Rest
		}
	}
}

// LogSumExp returns log Σ exp(x[i]). It is -Inf if x is empty.
func LogSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, x := range x {
		top = max(top, x)
	}
	if math.IsInf(top, 0) || math.IsNaN(top) {
		return top
	}
	var sum float64
	for _, x := range x {
		sum += Exp(x - top)
	}
	return top + Log(sum)
}
