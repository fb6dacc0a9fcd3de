package spin_test

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/spin"
	"gonum.org/v1/gonum/mat"
)

// A chain of four spins, whose neighbors are coupled by 0.5, -1 and 0.25. One hidden spin for
// each pair, with weights of ±w for which cosh 2w = exp 2|J|, makes an RBM of it.
func ExampleEffective() {
	chain := []float64{0.5, -1, 0.25}
	x := spin.RBM{
		W: mat.NewDense(3, 4, nil),
		A: mat.NewVecDense(4, []float64{0.1, 0, 0, 0}),
		D: mat.NewVecDense(3, nil),
	}
	for k, j := range chain {
		w := math.Acosh(math.Exp(2*math.Abs(j))) / 2
		x.W.Set(k, k, w)
		x.W.Set(k, k+1, math.Copysign(w, j))
	}
	m, _ := spin.FromSpins(&x)

	h, j := spin.Effective(m)
	fmt.Printf("h = %.3f\n", mat.Formatted(round(h.T())))
	fmt.Printf("J = %.3f\n", mat.Formatted(round(j), mat.Prefix("    ")))
	// Output:
	// h = [0.100  0.000  0.000  0.000]
	// J = ⎡ 0.000   0.500   0.000   0.000⎤
	//     ⎢ 0.500   0.000  -1.000   0.000⎥
	//     ⎢ 0.000  -1.000   0.000   0.250⎥
	//     ⎣ 0.000   0.000   0.250   0.000⎦
}

// round returns a to twelve digits, without negative zeros.
func round(a mat.Matrix) *mat.Dense {
	var dst mat.Dense
	dst.Apply(func(_, _ int, x float64) float64 { return math.Round(x*1e12)/1e12 + 0 }, a)
	return &dst
}
