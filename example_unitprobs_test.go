package rbm_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Why is a row unusual? It has units that are improbable given all others.
func ExampleRBM_UnitProbs() {
	goods := []string{"flour", "sugar", "eggs", "nails", "screws", "paint"}
	baskets, err := rbm.BitsOf(mat.NewDense(4, len(goods), []float64{
		1, 1, 1, 0, 0, 0,
		1, 0, 1, 0, 0, 0,
		0, 0, 0, 1, 1, 1,
		0, 0, 0, 1, 1, 0,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := rbm.NewRandom(len(goods), 3, 0.1, rand.NewPCG(1, 1))
	sgd := rbm.SGD{Rate: 0.1}
	var exact rbm.Exact
	var g rbm.Gradient
	for range 1500 {
		m.Gradient(&g, baskets, &exact)
		sgd.Step(m, &g)
	}

	odd := mat.NewDense(1, len(goods), []float64{1, 1, 0, 0, 1, 0})
	for i, p := range m.UnitProbs(nil, odd).RawRowView(0) {
		if on := odd.At(0, i) == 1; on && p < 0.1 {
			fmt.Printf("%s: one of %.0f such baskets has it\n", goods[i], 1/p)
		} else if !on && p > 0.9 {
			fmt.Printf("%s: %.0f%% of such baskets have it\n", goods[i], 100*p)
		}
	}
	// Output:
	// eggs: 99% of such baskets have it
	// screws: one of 70 such baskets has it
}
