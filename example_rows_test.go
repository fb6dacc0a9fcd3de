package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// noisy are rows of 8 units that all are on or all off, up to one in ten. Row i is made when
// it is asked for, by a generator with i as its seed: so it is the same whenever it is read.
type noisy int

func (n noisy) Dims() (r, c int) { return int(n), 8 }

func (n noisy) ReadRows(dst *rbm.Bits, i int) error {
	r, c := dst.Dims()
	for r := range r {
		rnd := rand.New(rand.NewPCG(uint64(i+r), 0))
		on := rnd.IntN(2) == 1
		for c := range c {
			dst.SetBit(r, c, on != (rnd.IntN(10) == 0))
		}
	}
	return nil
}

// Train on rows that are nowhere in memory. Any source will do that has the two methods
// of Rows.
func ExampleRows() {
	m := rbm.NewRandom(8, 2, 0.01, rand.NewPCG(1, 1))
	t := rbm.NewTrainer(m, noisy(20_000), rbm.NewPCD(100, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	t.ShuffleBlock = 1000 // rows in memory
	if err := t.Train(context.Background(), 3); err != nil {
		fmt.Println(err)
		return
	}

	row := rbm.NewBits(1, 8) // all off
	fmt.Printf("a unit is on in a clean row with probability %.1f\n", m.UnitProbs(nil, row).At(0, 0))
	// Output:
	// a unit is on in a clean row with probability 0.1
}
