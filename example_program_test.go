package rbm_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/npz"
)

func Example() {
	rows, rnd := rbm.NewBits(1400, 12), rand.New(rand.NewPCG(1, 1)) // yours: see bitio.ReadFile
	for r := range 1400 {
		pattern := rnd.IntN(4) // a row is one of four patterns, with one bit in twenty flipped
		for i := range 12 {
			rows.SetBit(r, i, (i%4 == pattern) != (rnd.IntN(20) == 0))
		}
	}
	train, heldOut, test := rows.Slice(0, 1000), rows.Slice(1000, 1200), rows.Slice(1200, 1400)

	m := rbm.NewRandom(12, 4, 0.01, rand.NewPCG(1, 2)) // 12 visible and 4 hidden units
	m.FitVisibleBias(train)
	t := rbm.NewTrainer(m, train, rbm.NewPCD(100, 1, rand.NewPCG(1, 3)), rand.NewPCG(1, 4)) // 100 chains; centered
	t.HeldOut, t.ReportEvery = heldOut, 1500
	t.Schedule = rbm.Linear(0.5, 0, 3000) // the rate falls to 0 over 300 epochs of 10 steps
	t.OnReport = func(r rbm.Report) error {
		_, err := fmt.Printf("step %d: %.2f nats, independent %.2f\n", r.Step, r.HeldOutLogLikelihood, r.IndependentLogLikelihood)
		return err
	}
	check(t.Train(context.Background(), 300))
	dir, err := os.MkdirTemp("", "rbm")
	check(err)
	defer os.RemoveAll(dir)
	check(npz.Save(dir+"/model.npz", t.Best())) // NumPy and the command rbm read it, too
	best, err := npz.Load(dir + "/model.npz")
	check(err)
	l, err := best.LogLikelihood(context.Background(), test, nil)
	check(err)
	fmt.Println("test rows:", l)
	fmt.Printf("%.1f\n", best.FreeEnergy(nil, test.Slice(0, 6))) // the larger, the less likely is a row
	// Output:
	// step 1500: -4.09 nats, independent -6.94
	// step 3000: -3.83 nats, independent -6.94
	// test rows: -4.14 nats (exact)
	// [-3.9 -6.8 -2.9 -6.4 -9.8 -6.9]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
