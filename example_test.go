package rbm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// With Exact as its sampler, Gradient is the derivative of the log-likelihood:
// here with respect to the weight between units 1 and 0.
func ExampleRBM_Gradient() {
	m := rbm.NewRandom(3, 2, 0.5, rand.NewPCG(1, 1))
	v := mat.NewDense(2, 3, []float64{
		1, 0, 1,
		1, 1, 0,
	})
	logLikelihood := func() float64 {
		f := m.FreeEnergy(nil, v)
		return -(f[0]+f[1])/2 - m.LogPartition()
	}

	var g rbm.Gradient
	m.Gradient(&g, v, &rbm.Exact{})

	const step = 1e-6
	w := m.W.At(1, 0)
	m.W.Set(1, 0, w+step)
	up := logLikelihood()
	m.W.Set(1, 0, w-step)
	down := logLikelihood()
	fmt.Println(math.Abs(g.W.At(1, 0)-(up-down)/(2*step)) < 1e-8)
	// Output:
	// true
}

// Chains move from state to state. Here the hidden unit copies the first visible
// unit to the second one.
func ExampleChains_Gibbs() {
	m := rbm.New(2, 1)
	m.W.SetRow(0, []float64{200, 200})
	m.B.SetVec(0, -100)
	m.B.SetVec(1, -100)
	m.C.SetVec(0, -100)

	start := rbm.NewBits(2, 2)
	start.SetBit(1, 0, true)
	c := rbm.NewChains(rand.NewPCG(1, 1))
	c.Start(start)
	fmt.Printf("%v\n\n", mat.Formatted(c.Visible()))
	c.Gibbs(m, 1)
	fmt.Printf("%v\n", mat.Formatted(c.Visible()))
	// Output:
	// ⎡0  0⎤
	// ⎣1  0⎦
	//
	// ⎡0  0⎤
	// ⎣1  1⎦
}

// Data from outside are checked: the error names the first entry that is no bit.
func ExampleBitsOf() {
	_, err := rbm.BitsOf(mat.NewDense(2, 3, []float64{
		0, 1, 0,
		1, 0.5, 1,
	}))
	fmt.Println(err)
	// Output:
	// rbm: entry at row 1, column 1 is 0.5, want 0 or 1
}

// The difference of two free energies is the log of a ratio of probabilities: a
// model without weights that likes its first unit finds the second row less
// likely than the first by a factor of e³.
func ExampleRBM_FreeEnergy() {
	m := rbm.New(2, 3)
	m.B.SetVec(0, 3)
	f := m.FreeEnergy(nil, mat.NewDense(2, 2, []float64{
		1, 0,
		0, 0,
	}))
	fmt.Printf("%.1f\n", f[1]-f[0])
	// Output:
	// 3.0
}

// One pass over the rows in random order, four at a time, and what is left at the end.
func ExampleMinibatches() {
	data := rbm.NewBits(10, 3)
	for batch := range rbm.Minibatches(data, 4, rand.NewPCG(1, 1)) {
		n, nv := batch.Dims()
		fmt.Printf("%d×%d\n", n, nv)
	}
	// Output:
	// 4×3
	// 4×3
	// 2×3
}

// How good a model is: its log-likelihood, here exact, as one layer is small.
func ExampleRBM_LogLikelihood() {
	data, err := rbm.BitsOf(mat.NewDense(4, 3, []float64{
		0, 0, 0,
		0, 1, 1,
		1, 0, 1,
		1, 1, 0,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := rbm.New(3, 2) // all eight configurations are as likely
	l, err := m.LogLikelihood(context.Background(), data, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l)
	// Output:
	// -2.08 nats (exact)
}

// Log Z of a model that is too large to enumerate, from both sides.
func ExampleAIS() {
	m := rbm.NewRandom(100, 50, 0.1, rand.NewPCG(1, 1))
	ais := rbm.NewAIS(100, 500, rand.NewPCG(2, 2)) // 100 runs, 500 temperatures
	low, err := ais.Run(context.Background(), m)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Runs in reverse start from samples of the model.
	chains := rbm.NewChains(rand.NewPCG(3, 3))
	chains.StartRandom(m, 100)
	chains.Gibbs(m, 100)
	high, err := ais.Reverse(context.Background(), m, chains.Visible())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f and %.1f nats\n", low.Mean, high.Mean)
	// Output:
	// 108.8 and 108.8 nats
}
