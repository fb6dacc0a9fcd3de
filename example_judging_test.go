package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Runs from a base model near the data take fewer temperatures. Here the visible biases of
// the model say nothing of the units, and the weights say that all are on.
func ExampleAIS_base() {
	m := rbm.New(40, 30)
	data := rbm.NewBits(10, 40)
	for i := range 40 {
		for j := range 30 {
			m.W.Set(j, i, 0.2)
		}
		for r := range 10 {
			data.SetBit(r, i, (i+r)%10 > 0)
		}
	}
	for _, base := range []*mat.VecDense{nil, m.FittedBias(data, nil, nil)} {
		ais := rbm.NewAIS(100, 100, rand.NewPCG(1, 1))
		ais.Base = base
		z, err := ais.Run(context.Background(), m)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.0f of 100 runs count\n", z.ESS)
	}
	// Output:
	// 1 of 100 runs count
	// 26 of 100 runs count
}

// An estimate says itself whether to believe it. Three temperatures are too few: a few runs
// have most of the weight.
func ExampleLogLikelihood() {
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(24, 21, 1, src) // one hidden unit less, and it would be exact
	chains := rbm.NewChains(src)
	chains.StartRandom(m, 20)
	chains.Gibbs(m, 100)
	for _, n := range []int{3, 300} {
		l, err := m.LogLikelihood(context.Background(), chains.Visible(), rbm.NewAIS(50, n, src))
		if err != nil {
			fmt.Println(err)
			return
		}
		if l.Believable() {
			fmt.Printf("%.1f nats, between %.1f and %.1f\n", l.Mean, l.Low, l.High)
		} else {
			fmt.Println("do not believe it:", l.Doubt)
		}
	}
	// Output:
	// do not believe it: effective runs of AIS are 4.4, want at least 10
	// -8.2 nats, between -8.7 and -8.1
}
