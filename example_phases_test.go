package rbm_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// The gradient of rows that are in two places, each with chains of its own. Bytes are
// all that travels.
func ExamplePhases() {
	m := rbm.NewRandom(4, 2, 0.1, rand.NewPCG(1, 1))
	shard := func(rows int, sampler rbm.Sampler) []byte { // anywhere
		data := rbm.NewBits(rows, 4)
		for r := range rows {
			data.SetBit(r, r%4, true)
		}
		var p rbm.Phases
		m.Phases(&p, data, nil, sampler)
		b, err := p.MarshalBinary()
		if err != nil {
			panic(err)
		}
		return b
	}
	var sum rbm.Phases
	for _, b := range [][]byte{
		shard(100, rbm.NewPCD(10, 1, rand.NewPCG(2, 2))),
		shard(300, rbm.NewPCD(20, 1, rand.NewPCG(3, 3))),
	} {
		var part rbm.Phases
		if err := part.UnmarshalBinary(b); err != nil {
			fmt.Println(err)
			return
		}
		sum.Add(&part)
	}
	var g rbm.Gradient
	sum.Gradient(&g)
	sgd := rbm.SGD{Rate: 0.1}
	sgd.Step(m, &g)
	fmt.Printf("%v rows, %v chains\n", sum.DataWeight, sum.ModelWeight)
	// Output:
	// 400 rows, 30 chains
}
