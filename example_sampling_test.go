package rbm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Samples of a trained model: chains start at random, forget their start, and then are
// taken every tenth sweep, as the states of neighboring sweeps are alike.
func ExampleChains() {
	data := rbm.NewBits(3, 4) // two rows with the first unit on, one with the last
	data.SetBit(0, 0, true)
	data.SetBit(1, 0, true)
	data.SetBit(2, 3, true)
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(4, 3, 0.1, src)
	sgd := rbm.SGD{Rate: 0.5}
	var g rbm.Gradient
	for range 300 {
		m.Gradient(&g, data, new(rbm.Exact))
		sgd.Step(m, &g)
	}

	const n, burnIn, thin, draws = 50, 100, 10, 40
	chains := rbm.NewChains(src)
	chains.StartRandom(m, n) // or Start, at rows of data
	chains.Gibbs(m, burnIn)
	var on [4]float64
	for range draws {
		chains.Gibbs(m, thin)
		v := mat.DenseCopyOf(chains.Visible())
		for i := range on {
			on[i] += mat.Sum(v.ColView(i)) / (n * draws)
		}
	}
	fmt.Printf("a unit is on in these shares of the samples: %.1f\n", on)
	// Output:
	// a unit is on in these shares of the samples: [0.7 0.0 0.0 0.3]
}

// Every configuration of a small model, with its probability. Gradients by Exact have no
// noise, so that an error in a program shows.
func ExampleExact() {
	m := rbm.New(2, 1)
	m.W.SetRow(0, []float64{20, 20}) // both units on, or both off
	m.B.CopyVec(mat.NewVecDense(2, []float64{-10, -10}))
	m.C.SetVec(0, -20)

	v, p := new(rbm.Exact).Sample(m, nil)
	for r := range p {
		fmt.Printf("p(%v) = %.2f\n", mat.Row(nil, r, v), p[r])
	}
	// Output:
	// p([0 0]) = 0.50
	// p([1 0]) = 0.00
	// p([0 1]) = 0.00
	// p([1 1]) = 0.50
}

// Replicas of a chain at several temperatures reach modes that a plain chain cannot. All
// neighbors must swap: the rate of the worst pair is what to look at, and Adapt raises it.
func ExamplePT() {
	const nv, n = 12, 10
	m := rbm.New(nv, 1) // all units on, or all off
	for i := range nv {
		m.W.Set(0, i, 8)
		m.B.SetVec(i, -4)
	}
	m.C.SetVec(0, -nv*4)

	pt := rbm.NewPT(n, 20, 6, rand.NewPCG(1, 1)) // n chains, 20 sweeps a call, 6 levels
	pt.Base = mat.NewVecDense(nv, nil)           // half of the units on, between the modes
	pt.Sample(m, nil)
	fmt.Printf("the worst pair swaps at %.1f\n", slices.Min(pt.SwapRates()))
	for range 5 {
		pt.Adapt()
		pt.Sample(m, nil)
	}
	fmt.Printf("after Adapt at %.1f\n", slices.Min(pt.SwapRates()))

	on := 0.0
	for range 50 {
		v, _ := pt.Sample(m, nil)
		on += mat.Sum(v) / (nv * n * 50)
	}
	fmt.Printf("%.1f of the units are on\n", on)
	// Output:
	// the worst pair swaps at 0.3
	// after Adapt at 0.5
	// 0.5 of the units are on
}

// Models saved during training are the ladder to sample the last one: states cross at a
// model of the past, before the modes parted. A quarter of the rows are in the first mode.
func ExamplePTT() {
	const nv, n = 12, 100
	data := rbm.NewBits(4, nv)
	for i := range nv {
		data.SetBit(0, i, true)
	}
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(nv, 3, 0.01, src)
	m.FitVisibleBias(data)
	sgd := rbm.SGD{Rate: 0.3}
	var g rbm.Gradient
	var saved []*rbm.RBM
	for step := range 200 {
		if step%40 == 0 {
			saved = append(saved, m.Clone())
		}
		m.Gradient(&g, data, new(rbm.Exact))
		sgd.Step(m, &g)
	}

	first := func(v mat.Matrix) float64 { return mat.Sum(v) / (nv * n) }
	chains := rbm.NewChains(src)
	chains.StartRandom(m, n)
	chains.Gibbs(m, 100)
	ptt := rbm.NewPTT(n, 40, saved, src)
	v, _ := ptt.Sample(m, nil)
	fmt.Printf("in the first mode: %.2f of plain chains, %.2f of PTT\n", first(chains.Visible()), first(v))
	fmt.Printf("the worst pair swaps at %.1f\n", slices.Min(ptt.SwapRates()))
	// Output:
	// in the first mode: 0.56 of plain chains, 0.23 of PTT
	// the worst pair swaps at 0.5
}
