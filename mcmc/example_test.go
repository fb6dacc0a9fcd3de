package mcmc_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/mcmc"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Chains sample a model, and the diagnostics tell whether the samples are enough. The
// first 100 states are left out. Then every fifth state is a draw, judged by its free
// energy.
func ExampleDiagnose() {
	m := rbm.NewRandom(20, 10, 0.5, rand.NewPCG(1, 1))
	const n, burnIn, thin, draws = 10, 100, 5, 500

	chains := rbm.NewChains(rand.NewPCG(2, 2))
	chains.StartRandom(m, n)
	chains.Gibbs(m, burnIn)
	x := mat.NewDense(n, draws, nil)
	f := make([]float64, n)
	for t := range draws {
		chains.Gibbs(m, thin)
		x.SetCol(t, m.FreeEnergy(f, chains.Visible()))
	}

	d := mcmc.Diagnose(x)
	fmt.Printf("the chains agree: %t\n", d.SplitRHat < 1.01)
	fmt.Printf("%d draws are worth more than 1000: %t\n", n*draws, d.ESS > 1000)
	// Output:
	// the chains agree: true
	// 5000 draws are worth more than 1000: true
}

// A model that has learned two patterns keeps each plain chain at the pattern it is
// near. Tempered chains cross. Both patterns have the same free energy, so the chains
// are judged by the number of units that are on.
func ExampleDiagnose_tempering() {
	const nv, n, thin, draws = 8, 10, 20, 500
	data := rbm.NewBits(2, nv)
	for i := range nv {
		data.SetBit(1, i, true)
	}
	m := rbm.NewRandom(nv, 4, 0.1, rand.NewPCG(1, 1))
	var g rbm.Gradient
	sgd := rbm.SGD{Rate: 0.5}
	for range 500 {
		m.Gradient(&g, data, &rbm.Exact{})
		sgd.Step(m, &g)
	}

	diagnose := func(next func() mat.Matrix) mcmc.Diagnostics {
		x := mat.NewDense(n, draws, nil)
		for t := range draws {
			v := next()
			for r := range n {
				x.Set(r, t, floats.Sum(mat.Row(nil, r, v)))
			}
		}
		return mcmc.Diagnose(x)
	}
	chains := rbm.NewChains(rand.NewPCG(2, 2))
	chains.StartRandom(m, n)
	gibbs := diagnose(func() mat.Matrix {
		chains.Gibbs(m, thin)
		return chains.Visible()
	})
	pt := rbm.NewPT(n, thin, 6, rand.NewPCG(3, 3))
	tempered := diagnose(func() mat.Matrix {
		v, _ := pt.Sample(m, nil)
		return v
	})

	fmt.Printf("plain chains agree: %t\n", gibbs.SplitRHat < 1.01)
	fmt.Printf("tempered chains agree: %t\n", tempered.SplitRHat < 1.01)
	// Output:
	// plain chains agree: false
	// tempered chains agree: true
}
