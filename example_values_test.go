package rbm_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Train on gray levels.
func ExampleValues() {
	data := rbm.Values{Matrix: mat.NewDense(2, 4, []float64{
		0.1, 0.2, 0, 0.1,
		1, 0.8, 0.9, 0.9,
	})}
	m := rbm.NewRandom(4, 2, 0.1, rand.NewPCG(1, 1))
	t := rbm.NewTrainer(m, data, rbm.NewPCD(100, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	t.SGD.Rate = 0.1
	if err := t.Train(context.Background(), 1000); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f\n", mat.Formatted(m.VisibleProbs(nil, m.HiddenProbs(nil, data))))
	l, err := m.LogLikelihood(context.Background(), data, nil)
	fmt.Println(l, err)
	// Output:
	// ⎡0.1  0.2  0.0  0.1⎤
	// ⎣1.0  0.8  0.9  0.9⎦
	// -1.91 nats (exact) <nil>
}
