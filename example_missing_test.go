package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// pairs returns rows of two units that agree, and a mask that hides one value in three.
func pairs(n int) (data, observed *rbm.Bits) {
	rnd := rand.New(rand.NewPCG(1, 1))
	data, observed = rbm.NewBits(n, 2), rbm.NewBits(n, 2)
	for r := range n {
		on := rnd.IntN(2) == 1
		for i := range 2 {
			if rnd.IntN(3) > 0 {
				data.SetBit(r, i, on)
				observed.SetBit(r, i, true)
			}
		}
	}
	return data, observed
}

// tellPairs prints what m expects of a unit, given the other one.
func tellPairs(m *rbm.RBM) {
	v, observed := rbm.NewBits(2, 2), rbm.NewBits(1, 2)
	v.SetBit(1, 0, true)
	observed.SetBit(0, 0, true)
	for r, p := range mat.Col(nil, 1, m.MeansGiven(nil, v, observed)) {
		fmt.Printf("given %d it is mostly on: %v\n", r, p > 0.75)
	}
}

// Train on rows of which a third of the values are missing.
func ExampleTrainer_missingValues() {
	data, observed := pairs(100)
	m := rbm.NewRandom(2, 2, 1, rand.NewPCG(2, 2))
	t := rbm.NewTrainer(m, data, rbm.NewPCD(100, 1, rand.NewPCG(3, 3)), rand.NewPCG(4, 4))
	t.Observed = observed
	t.BatchSize = 20
	t.SGD.Rate = 0.2
	if err := t.Train(context.Background(), 200); err != nil {
		fmt.Println(err)
		return
	}
	tellPairs(m)
	// Output:
	// given 0 it is mostly on: false
	// given 1 it is mostly on: true
}

// The same in a loop of one's own, where few values are missing: with all completions of a row, each by its probability.
func ExampleRBM_CompletionsGiven() {
	data, observed := pairs(100)
	m := rbm.NewRandom(2, 2, 1, rand.NewPCG(2, 2))
	sgd := rbm.SGD{Rate: 0.5}
	var g rbm.Gradient
	for range 400 {
		rows, weights := m.CompletionsGiven(data, observed)
		m.WeightedGradient(&g, rows, weights, new(rbm.Exact))
		sgd.Step(m, &g)
	}
	tellPairs(m)
	// Output:
	// given 0 it is mostly on: false
	// given 1 it is mostly on: true
}
