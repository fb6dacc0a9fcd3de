package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// A row is of class 1 where its halves are alike, up to noise. Most rows have no label.
func ExampleTrainer_classifier() {
	rnd := rand.New(rand.NewPCG(1, 1))
	x, labels := rbm.NewBits(600, 8), make([]int, 600)
	for r := range labels {
		labels[r] = rnd.IntN(2)
		for i := range 4 {
			on := rnd.IntN(2) == 1
			x.SetBit(r, i, on)
			x.SetBit(r, 4+i, on == (labels[r] == 1) != (rnd.IntN(20) == 0))
		}
	}
	held := labels[400:]
	known := append([]int(nil), labels[:400]...)
	for r := 100; r < 400; r++ {
		known[r] = rbm.NoLabel
	}

	m := rbm.NewRandom(8+2, 16, 0.5, rand.NewPCG(2, 2))
	m.OneHot = []rbm.Group{{From: 8, To: 10}} // the label
	c := &rbm.Classifier{Model: m, Classes: 2, Discriminative: 1, Generative: 0.1, Unlabeled: 0.1}

	t := rbm.NewTrainer(m, c.Join(nil, x.Slice(0, 400), known), rbm.NewPCD(50, 1, rand.NewPCG(3, 3)), rand.NewPCG(4, 4))
	t.Classifier = c
	t.BatchSize = 20
	t.SGD = rbm.SGD{Rate: 0.3, Momentum: 0.5}
	t.HeldOut = c.Join(nil, x.Slice(400, 600), held)
	t.Patience = 50
	best := 1.
	t.OnReport = func(r rbm.Report) error {
		best = min(best, r.Error)
		return nil
	}
	if err := t.Train(context.Background(), 300); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("stopped after %d epochs, with an error of %.1f %%\n", t.Epochs(), 100*best)
	// Output:
	// stopped after 211 epochs, with an error of 0.0 %
}
