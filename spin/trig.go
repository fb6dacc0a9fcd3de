package spin

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
)

// The functions of package math have other bits where a processor fuses multiplication and
// addition. Here every product is rounded.

// π/2 in three parts, the first two of 33 bits: a multiple below 2²⁰ of these is exact.
const (
	quarter1 = 0x1.921fb544p+0
	quarter2 = 0x1.0b4611a6p-34
	quarter3 = 0x1.3198a2e037073p-69
)

// sincos returns the sine and the cosine of x, to within 2 units of the last place of 1,
// for |x| below 2²⁰.
func sincos(x float64) (sin, cos float64) {
	x = float64(x)
	turns := math.RoundToEven(x * (2 / math.Pi))
	x = x - float64(turns*quarter1) - float64(turns*quarter2) - float64(turns*quarter3)
	xx := float64(x * x)
	sin, cos = x*series(xx, &ofSine), series(xx, &ofCosine)
	switch int(turns) & 3 {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}

// series returns a polynomial of x.
func series(x float64, coefficients *[9]float64) (sum float64) {
	for k := len(coefficients) - 1; k >= 0; k-- {
		sum = float64(sum*x) + coefficients[k]
	}
	return sum
}

// Coefficients of Taylor series in x²: of sin x / x, cos x and sinh x / x. The first term
// that is missing is below 1e-17 for |x| ≤ 1, or π/4.
var (
	ofSine = [9]float64{1, -1. / factorial3, 1. / factorial5, -1. / factorial7, 1. / factorial9,
		-1. / factorial11, 1. / factorial13, -1. / factorial15, 1. / factorial17}
	ofSinh = [9]float64{1, 1. / factorial3, 1. / factorial5, 1. / factorial7, 1. / factorial9,
		1. / factorial11, 1. / factorial13, 1. / factorial15, 1. / factorial17}
	ofCosine = [9]float64{1, -3. / factorial3, 5. / factorial5, -7. / factorial7, 9. / factorial9,
		-11. / factorial11, 13. / factorial13, -15. / factorial15, 17. / factorial17}
)

const (
	factorial3  = 2 * 3
	factorial5  = factorial3 * 4 * 5
	factorial7  = factorial5 * 6 * 7
	factorial9  = factorial7 * 8 * 9
	factorial11 = factorial9 * 10 * 11
	factorial13 = factorial11 * 12 * 13
	factorial15 = factorial13 * 14 * 15
	factorial17 = factorial15 * 16 * 17
)

// overSinh returns x / sinh x for x in [0, 700].
func overSinh(x float64) float64 {
	if x < 1 {
		return 1 / series(x*x, &ofSinh)
	}
	return 2 * x / (logistic.Exp(x) - logistic.Exp(-x))
}
