package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Observations that are not complete, and what the model expects of the rest.
func ExampleRBM_MeansGiven() {
	m := rbm.New(4, 1) // units that are mostly all on or all off
	m.W.SetRow(0, []float64{8, 8, 8, 8})
	m.B.CopyVec(mat.NewVecDense(4, []float64{-4, -4, -4, -4}))
	m.C.SetVec(0, -16)
	missing := math.NaN()
	v, observed, err := rbm.MaskedBitsOf(mat.NewDense(2, 4, []float64{
		1, 1, missing, missing,
		missing, 0, 0, 0,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	means := m.MeansGiven(nil, v, observed)
	fmt.Printf("%.2f\n", mat.Formatted(means))
	// Output:
	// ⎡1.00  1.00  0.98  0.98⎤
	// ⎣0.02  0.00  0.00  0.00⎦
}

// Chains that complete a row, of which half is known: nine tenths of them agree on a unit
// that is missing.
func ExampleChains_GibbsGiven() {
	m := rbm.New(4, 1) // units that are mostly all on or all off
	m.W.SetRow(0, []float64{8, 8, 8, 8})
	m.B.CopyVec(mat.NewVecDense(4, []float64{-4, -4, -4, -4}))
	m.C.SetVec(0, -16)
	row := mat.NewDense(1, 4, []float64{1, 1, math.NaN(), math.NaN()})
	v, observed, err := rbm.MaskedBitsOf(row)
	if err != nil {
		fmt.Println(err)
		return
	}
	const n = 1000
	chains := rbm.NewChains(rand.NewPCG(1, 2))
	chains.StartGiven(m, v.Gather(nil, make([]int, n)), observed)
	chains.GibbsGiven(m, 20, observed)
	for i := range 4 {
		on := mat.Sum(mat.DenseCopyOf(chains.Visible()).ColView(i))
		fmt.Printf("unit %d is on in nine of ten: %v\n", i, on > 0.9*n)
	}
	// Output:
	// unit 0 is on in nine of ten: true
	// unit 1 is on in nine of ten: true
	// unit 2 is on in nine of ten: true
	// unit 3 is on in nine of ten: true
}

// A label of three classes beside two pixels, the first of which is on in class 2 alone.
func ExampleGroup() {
	m := rbm.New(5, 1)
	m.W.SetRow(0, []float64{12, 0, -6, -6, 6})
	m.B.SetVec(0, -6)
	m.OneHot = []rbm.Group{{From: 2, To: 5}}
	chains := rbm.NewChains(rand.NewPCG(1, 2))
	observed := rbm.NewBits(1, 5)
	observed.SetBit(0, 0, true) // the first pixel
	v := rbm.NewBits(1, 5)
	v.SetBit(0, 0, true)
	chains.StartGiven(m, v, observed)
	chains.GibbsGiven(m, 10, observed)
	means := chains.MeansGiven(nil, m, 1000, observed)
	fmt.Printf("%.2f\n", mat.Formatted(means))
	// Output:
	// [1.00  0.50  0.00  0.00  1.00]
}
