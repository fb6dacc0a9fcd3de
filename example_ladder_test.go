package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// Take log Z along the ladder of the training where AIS is not believable.
func ExamplePTT_LogZ() {
	// Rows in two opposite clusters, a quarter of them in one.
	rnd := rand.New(rand.NewPCG(1, 1))
	data := rbm.NewBits(400, 40)
	for r := range 400 {
		for i := range 40 {
			on := (r%4 == 0) == (i%2 == 0)
			data.SetBit(r, i, on != (rnd.Float64() < 0.1))
		}
	}
	m := rbm.NewRandom(40, 22, 0.01, rnd)
	m.FitVisibleBias(data)
	t := rbm.NewTrainer(m, data, rbm.NewPTT(40, 1, nil, rnd), rnd)
	t.SGD.Rate = 0.02
	ctx := context.Background()
	if err := t.Train(ctx, 60); err != nil {
		fmt.Println(err)
		return
	}
	ladder := t.Sampler.(*rbm.PTT)
	z, err := ladder.LogZ(ctx, m, data, 400)
	if err != nil {
		fmt.Println(err)
		return
	}
	exact := m.LogPartition()
	fmt.Println(z.Believable(), z.Low <= exact && exact <= z.High)

	ais := rbm.NewAIS(100, 1000, rnd)
	ais.Ladder = ladder
	l, err := m.LogLikelihood(ctx, data, ais)
	fmt.Println(l.Believable(), err)
	// Output:
	// true true
	// true <nil>
}
