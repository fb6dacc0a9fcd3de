package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// The four steps of contrastive divergence, as calls. The expectations of ∂E/∂θ over
// p(h|v) are the gradient of the free energy, which needs no sampled hidden states.
func Example_contrastiveDivergence() {
	data, err := rbm.BitsOf(mat.NewDense(3, 4, []float64{
		1, 1, 0, 0,
		0, 0, 1, 1,
		1, 1, 0, 1,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := rbm.NewRandom(4, 2, 0.5, rand.NewPCG(1, 1))
	chains := rbm.NewChains(rand.NewPCG(2, 2))

	// 1 and 2: clamp the rows to the visible units. The positive phase is E_data[∂E/∂θ].
	var positive rbm.Gradient
	m.FreeEnergyGradient(&positive, data, nil)

	// 3: draw hidden states, and visible states from them.
	chains.Start(data)
	chains.Gibbs(m, 1)

	// 4: the negative phase is E_model[∂E/∂θ], over the states of the chains.
	var negative rbm.Gradient
	m.FreeEnergyGradient(&negative, chains.Visible(), nil)

	// log p rises along E_model[∂E/∂θ] - E_data[∂E/∂θ].
	var byHand mat.Dense
	byHand.Sub(negative.W, positive.W)

	// All four in one call.
	var g rbm.Gradient
	m.Gradient(&g, data, rbm.NewCD(1, rand.NewPCG(2, 2)))

	var difference mat.Dense
	difference.Sub(&byHand, g.W)
	largest := max(math.Abs(mat.Max(&difference)), math.Abs(mat.Min(&difference)))
	fmt.Println("the same but for rounding:", largest < 1e-15)
	// Output: the same but for rounding: true
}
