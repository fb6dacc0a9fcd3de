package compare_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/compare"
)

// Three models of data that lie around four rows. Fresh has the distribution of the data,
// Copies has rows of the data, and Means only knows the mean of each column.
func Example() {
	const n, cols = 200, 60
	random := rand.New(rand.NewPCG(1, 1))
	centers := rbm.NewBits(4, cols)
	for i := range 4 {
		for j := range cols {
			centers.SetBit(i, j, random.IntN(2) == 0)
		}
	}
	around := func() *rbm.Bits {
		b := rbm.NewBits(n, cols)
		for i := range n {
			c := random.IntN(4)
			for j := range cols {
				b.SetBit(i, j, centers.Bit(c, j) != (random.IntN(8) == 0))
			}
		}
		return b
	}
	data := around()
	means := rbm.NewBits(n, cols)
	for j := range cols {
		for i := range n {
			means.SetBit(i, j, data.Bit(random.IntN(n), j))
		}
	}

	for _, sample := range []struct {
		name string
		rows *rbm.Bits
	}{
		{"fresh", around()},
		{"copies", data.Gather(nil, random.Perm(n))},
		{"means", means},
	} {
		a := compare.AdversarialAccuracy(data, sample.rows)
		d := compare.Discrepancy(data, sample.rows, 0, 199, random)
		fmt.Printf("%-7s accuracy %.2f, MMD² %.3f, differs: %t\n", sample.name, a.Accuracy, d.Squared, d.P < 0.01)
	}
	// Output:
	// fresh   accuracy 0.49, MMD² -0.001, differs: false
	// copies  accuracy 0.00, MMD² -0.006, differs: false
	// means   accuracy 0.79, MMD² 0.014, differs: true
}
