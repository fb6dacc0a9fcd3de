package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// switches are rows of six units that are all on or all off, as a source that holds none
// of them.
type switches int

func (n switches) Dims() (r, c int) { return int(n), 6 }

func (n switches) ReadRows(dst *rbm.Bits, i int) error {
	rows, cols := dst.Dims()
	for r := range rows {
		for c := range cols {
			dst.SetBit(r, c, (i+r)%2 == 0)
		}
	}
	return nil
}

// Learn from rows that are nowhere in memory, with a loop of one's own.
func ExampleBlocks() {
	m := rbm.NewRandom(6, 3, 0.01, rand.NewPCG(1, 1))
	sampler := new(rbm.Exact) // of so small a model
	sgd := rbm.SGD{Rate: 0.2}
	var g rbm.Gradient
	rows := 0
	for batch, err := range rbm.Blocks(switches(60_000), 20) {
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
