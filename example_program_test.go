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
	rows, rnd := rbm.NewBits(1200, 12), rand.New(rand.NewPCG(1, 1)) // or bitio.ReadFile("rows.csv", nil)
	for r := range 1200 {
		pattern := rnd.IntN(4) // a row is one of four patterns, with one bit in twenty flipped
		for i := range 12 {
			rows.SetBit(r, i, (i%4 == pattern) != (rnd.IntN(20) == 0))
		}
	}
	train, heldOut := rows.Slice(0, 1000), rows.Slice(1000, 1200)

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
	path := os.TempDir() + "/rbm-example.npz" // NumPy and the command rbm read it, too
	check(npz.Save(path, t.Best()))
	best, err := npz.Load(path)
	check(err)
	l, err := best.LogLikelihood(context.Background(), heldOut, nil)
	check(err)
	fmt.Println(l) // then free energies: the larger, the less likely is a row
	fmt.Printf("%.1f, zeros %.1f\n", best.FreeEnergy(nil, heldOut.Slice(0, 3)), best.FreeEnergy(nil, rbm.NewBits(1, 12)))
	// Output:
	// step 1500: -4.09 nats, independent -6.94
	// step 3000: -3.83 nats, independent -6.94
	// -3.83 nats (exact)
	// [-9.5 -9.9 -9.4], zeros [-3.2]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
