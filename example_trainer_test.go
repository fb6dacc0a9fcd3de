package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// Train until the rows that are not trained on are no longer understood better,
// and look at how it goes.
func ExampleTrainer() {
	rnd := rand.New(rand.NewPCG(1, 1))
	rows := rbm.NewBits(200, 8) // pairs of units that mostly agree
	for r := range 200 {
		for i := 0; i < 8; i += 2 {
			on := rnd.IntN(2) == 1
			rows.SetBit(r, i, on)
			rows.SetBit(r, i+1, on != (rnd.IntN(20) == 0))
		}
	}
	m := rbm.NewRandom(8, 6, 0.01, rand.NewPCG(2, 2)) // 8 visible, 6 hidden units
	data := rows.Slice(0, 100)
	m.FitVisibleBias(data)

	t := rbm.NewTrainer(m, data, rbm.NewPCD(50, 1, rand.NewPCG(3, 3)), rand.NewPCG(4, 4))
	t.BatchSize = 20
	t.SGD.Rate = 0.1
	t.HeldOut = rows.Slice(100, 200)
	t.ReportEvery = 100
	t.Patience = 5
	t.OnReport = func(r rbm.Report) error {
		if r.Epoch%200 == 0 {
			fmt.Printf("%d epochs: %.1f nats, held out %.1f\n", r.Epoch, r.PseudoLogLikelihood, r.HeldOutPseudoLogLikelihood)
		}
		for _, w := range r.Warnings {
			fmt.Println(w)
		}
		return nil
	}
	if err := t.Train(context.Background(), 2000); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stopped after", t.Epochs(), "epochs")
	// Output:
	// 200 epochs: -4.2 nats, held out -4.4
	// 400 epochs: -1.6 nats, held out -1.7
	// 600 epochs: -1.3 nats, held out -1.5
	// 800 epochs: -1.2 nats, held out -1.5
	// stopped after 800 epochs
}
