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

// A third of the rows and the others, of one distribution: the test finds no difference in
// nineteen of twenty such pairs.
func ExampleDiscrepancy() {
	rnd := rand.New(rand.NewPCG(3, 1))
	rows := rbm.NewBits(300, 20)
	for r := range 300 {
		for i := range 20 {
			rows.SetBit(r, i, rnd.IntN(4) == 0)
		}
	}
	d := compare.Discrepancy(rows.Slice(0, 100), rows.Slice(100, 300), 0, 99, rnd)
	fmt.Println("they differ:", d.P <= 0.05)
	// Output:
	// they differ: false
}

// A generator that copies rows of the data is nearer to them than they are to each other.
func ExampleAdversarialAccuracy() {
	rnd := rand.New(rand.NewPCG(1, 1))
	rows := rbm.NewBits(100, 60)
	for r := range 100 {
		for i := range 60 {
			rows.SetBit(r, i, rnd.IntN(2) == 0)
		}
	}
	copies := rows.Gather(nil, rnd.Perm(100))
	fmt.Println("accuracy", compare.AdversarialAccuracy(rows, copies).Accuracy)
	// Output:
	// accuracy 0
}
