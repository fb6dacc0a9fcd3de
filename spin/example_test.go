package spin_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/spin"
	"gonum.org/v1/gonum/mat"
)

// An RBM and the same model of spins have the same energies, up to a constant.
func ExampleToSpins() {
	m := rbm.NewRandom(3, 2, 1, rand.NewPCG(1, 1))
	x, constant := spin.ToSpins(m)

	v, h := mat.NewDense(1, 3, []float64{0, 1, 1}), mat.NewDense(1, 2, []float64{1, 0})
	s, t := mat.NewVecDense(3, []float64{-1, 1, 1}), mat.NewVecDense(2, []float64{1, -1})
	energy := -mat.Inner(t, x.W, s) - mat.Dot(x.A, s) - mat.Dot(x.D, t)
	fmt.Printf("%.6f\n", energy-m.Energy(nil, v, h)[0]-constant)
	// Output:
	// 0.000000
}

// An Ising spin in a field, as a unit that is 0 or 1, and the same model again.
func ExampleFromSpins() {
	x := &spin.RBM{
		W: mat.NewDense(1, 1, nil),
		A: mat.NewVecDense(1, []float64{0.5}),
		D: mat.NewVecDense(1, nil),
	}
	m, constant := spin.FromSpins(x)
	fmt.Println("visible bias", m.B.AtVec(0), "and constant", constant)
	back, _ := spin.ToSpins(m)
	fmt.Println("field", back.A.AtVec(0))
	// Output:
	// visible bias 1 and constant 0.5
	// field 0.5
}
