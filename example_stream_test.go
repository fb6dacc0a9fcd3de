package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// Learn from a stream of rows that come in blocks of any sizes, with a loop of one's own.
func ExampleBatches() {
	arrive := func(yield func(*rbm.Bits, error) bool) {
		on := false
		for k := range 20_000 {
			block := rbm.NewBits(1+k%5, 6) // of rows that are either all off or all on
			n, nv := block.Dims()
			for r := range n {
				on = !on
				for i := range nv {
					block.SetBit(r, i, on)
				}
			}
			if !yield(block, nil) {
				return
			}
		}
	}
	m := rbm.NewRandom(6, 3, 0.01, rand.NewPCG(1, 1))
	sampler := new(rbm.Exact) // of so small a model
	sgd := rbm.SGD{Rate: 0.2}
	var g rbm.Gradient
	rows := 0
	for batch, err := range rbm.Batches(arrive, 20) {
		if err != nil {
			fmt.Println(err)
			return
		}
		m.Gradient(&g, batch, sampler)
		sgd.Step(m, &g)
		n, _ := batch.Dims()
		rows += n
	}
	both := rbm.NewBits(2, 6)
	for i := range 6 {
		both.SetBit(0, i, true)
	}
	f, lnZ := m.FreeEnergy(nil, both), m.LogPartition()
	fmt.Printf("%d rows: all on has probability %.1f, all off %.1f\n", rows, math.Exp(-f[0]-lnZ), math.Exp(-f[1]-lnZ))
	// Output:
	// 60000 rows: all on has probability 0.5, all off 0.5
}
