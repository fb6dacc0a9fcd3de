package recipe_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
	"gonum.org/v1/gonum/mat"
)

// A first model of a table, with no setting to choose. It learns that the two units
// agree, as far as forty rows tell.
func ExampleTrain() {
	rows := rbm.NewBits(40, 2) // half of them on, half off
	for r := range 20 {
		rows.SetBit(r, 0, true)
		rows.SetBit(r, 1, true)
	}
	m, err := recipe.Train(context.Background(), rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := m.UnitProbs(nil, mat.NewDense(2, 2, []float64{0, 0, 1, 1}))
	fmt.Printf("a unit is on with probability %.1f if the other is off, %.1f if it is on\n", p.At(0, 0), p.At(1, 0))
	// Output:
	// a unit is on with probability 0.2 if the other is off, 0.7 if it is on
}

// Some settings are given, and Fill chooses the others. Rows held out judge the model, and
// Best is the one that they liked best.
func ExampleRecipe_Fill() {
	rnd := rand.New(rand.NewPCG(1, 1))
	rows := rbm.NewBits(200, 4) // units that all agree
	for r := range 200 {
		on := rnd.IntN(2) == 1
		for i := range 4 {
			rows.SetBit(r, i, on)
		}
	}
	train, heldOut := recipe.Split(rows, 0.2, 1)
	ctx := context.Background()
	r := recipe.Recipe{Hidden: 3, Epochs: 200, BatchSize: 20}
	if err := r.Fill(ctx, train, heldOut, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Hidden, "hidden units as given, and", r.Chains, "chains")

	t := r.Trainer(train, heldOut, nil)
	if err := t.Train(ctx, r.Epochs); err != nil {
		fmt.Println(err)
		return
	}
	l, err := recipe.Best(t).LogLikelihood(ctx, heldOut, nil)
	fmt.Printf("%.1f nats a row, at best %.1f %v\n", l.Mean, -math.Ln2, err)
	// Output:
	// 3 hidden units as given, and 100 chains
	// -0.8 nats a row, at best -0.7 <nil>
}
