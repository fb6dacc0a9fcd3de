package rbm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Train on rows of which a third of the values are missing.
func ExampleTrainer_missingValues() {
	src := rand.NewPCG(1, 1)
	rnd := rand.New(src)
	data, observed := rbm.NewBits(100, 2), rbm.NewBits(100, 2) // two units that agree
	for r := range 100 {
		on := rnd.IntN(2) == 1
		for i := range 2 {
			if rnd.IntN(3) > 0 {
				data.SetBit(r, i, on)
				observed.SetBit(r, i, true)
			}
		}
	}
	m := rbm.NewRandom(2, 2, 1, src)
	t := rbm.NewTrainer(m, data, rbm.NewPCD(100, 1, src), src)
	t.Observed = observed
	t.BatchSize = 20
	t.SGD.Rate = 0.2
	if err := t.Train(context.Background(), 200); err != nil {
		fmt.Println(err)
		return
	}

	// Each unit given the other one.
	p := m.UnitProbs(nil, mat.NewDense(2, 2, []float64{0, 0, 1, 1}))
	fmt.Printf("given 0 it is mostly on: %v\n", p.At(0, 1) > 0.75)
	fmt.Printf("given 1 it is mostly on: %v\n", p.At(1, 1) > 0.75)
	// Output:
	// given 0 it is mostly on: false
	// given 1 it is mostly on: true
}

// The same in a loop of one's own, where few values are missing: with all completions of a
// row, each by its probability.
func ExampleRBM_CompletionsGiven() {
	missing := math.NaN()
	data, observed, err := rbm.MaskedBitsOf(mat.NewDense(6, 2, []float64{
		0, 0,
		0, 0,
		1, 1,
		1, 1,
		1, missing,
		missing, 0,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := rbm.NewRandom(2, 2, 1, rand.NewPCG(2, 2))
	sgd := rbm.SGD{Rate: 1}
	var g rbm.Gradient
	for range 600 {
		rows, weights := m.CompletionsGiven(data, observed)
		m.WeightedGradient(&g, rows, weights, new(rbm.Exact))
		sgd.Step(m, &g)
	}
	fmt.Printf("%.1f\n", mat.Formatted(m.MeansGiven(nil, data, observed)))
	// Output:
	// ⎡0.0  0.0⎤
	// ⎢0.0  0.0⎥
	// ⎢1.0  1.0⎥
	// ⎢1.0  1.0⎥
	// ⎢1.0  1.0⎥
	// ⎣0.0  0.0⎦
}
