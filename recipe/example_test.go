package recipe_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
)

// A first model of a table, with no setting to choose.
func ExampleTrain() {
	rnd := rand.New(rand.NewPCG(1, 1))
	rows := rbm.NewBits(200, 4) // two pairs of units that agree
	for r := range 200 {
		for i := 0; i < 4; i += 2 {
			on := rnd.IntN(2) == 1
			rows.SetBit(r, i, on)
			rows.SetBit(r, i+1, on)
		}
	}
	ctx := context.Background()
	m, err := recipe.Train(ctx, rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := m.LogLikelihood(ctx, rows, nil)
	fmt.Printf("%.1f nats a row, at best %.1f %v\n", l.Mean, -2*math.Ln2, err)
	// Output:
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
	r := recipe.Recipe{Hidden: 3, Epochs: 100}
	if err := r.Fill(ctx, train, heldOut, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Hidden, "hidden units,", r.Epochs, "epochs, in batches of", r.BatchSize)

	t := r.Trainer(train, heldOut, nil)
	if err := t.Train(ctx, r.Epochs); err != nil {
		fmt.Println(err)
		return
	}
	l, err := recipe.Best(t).LogLikelihood(ctx, heldOut, nil)
	fmt.Printf("%.1f nats a row, at best %.1f %v\n", l.Mean, -math.Ln2, err)
	// Output:
}
