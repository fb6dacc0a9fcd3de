package rbm_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// rdm is Rdm-k (Decelle, Furtlehner & Seoane, 2021): chains that move by k sweeps from
// random states, anew at each gradient.
type rdm struct {
	k      int
	chains *rbm.Chains
	start  mat.Matrix // the probabilities to start from, a chain for each row
}

func (s *rdm) Sample(m *rbm.RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	s.chains.Start(s.start)
	s.chains.Gibbs(m, s.k)
	return s.chains.Visible(), nil
}

// A Sampler of one's own needs one method. A model that learns by Rdm-k learns to come from
// noise to the data in k sweeps, equilibrium or not: so sample it as it was trained.
func ExampleSampler() {
	const nv, n, k = 6, 100, 5
	data := rbm.NewBits(2, nv) // all off, all on
	half := mat.NewDense(n, nv, nil)
	for i := range nv {
		data.SetBit(1, i, true)
		for r := range n {
			half.Set(r, i, 0.5)
		}
	}
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(nv, 4, 0.1, src)
	s := &rdm{k: k, chains: rbm.NewChains(src), start: half}
	sgd := rbm.SGD{Rate: 0.1}
	var c rbm.Centering
	var g rbm.Gradient
	for range 600 {
		m.Gradient(&g, data, s)
		c.Center(&g)
		sgd.Step(m, &g)
	}

	v, _ := s.Sample(m, nil)
	var like int
	for r := range n {
		if on := mat.Sum(mat.DenseCopyOf(v).RowView(r)); on == 0 || on == nv {
			like++
		}
	}
	fmt.Printf("after %d sweeps, %.1f of the samples are rows of the data\n", k, float64(like)/n)
	// Output:
	// after 5 sweeps, 0.9 of the samples are rows of the data
}
