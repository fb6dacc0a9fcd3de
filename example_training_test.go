package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// A model knows two rows, and the data are one of them. CD starts its chains at the data, and
// never sees the other row. A chain of PCD is there, and the model unlearns it.
func ExamplePCD() {
	train := func(s rbm.Sampler) {
		m := rbm.New(6, 1) // all off, or all on
		m.W.SetRow(0, []float64{16, 16, 16, 16, 16, 16})
		m.B.CopyVec(mat.NewVecDense(6, []float64{-8, -8, -8, -8, -8, -8}))
		m.C.SetVec(0, -48)
		data := rbm.NewBits(1, 6) // all off
		sgd := rbm.SGD{Rate: 0.1}
		var g rbm.Gradient
		for range 200 {
			m.Gradient(&g, data, s)
			sgd.Step(m, &g)
		}
		fmt.Printf("the data have probability %.1f\n", math.Exp(-m.FreeEnergy(nil, data)[0]-m.LogPartition()))
	}
	src := rand.NewPCG(1, 1)
	train(rbm.NewCD(1, src))

	pcd := rbm.NewPCD(2, 1, src) // 2 chains, 1 sweep a step
	pcd.Chains.Start(mat.NewDense(2, 6, []float64{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}))
	train(pcd)
	// Output:
	// the data have probability 0.5
	// the data have probability 1.0
}

// The centered gradient learns as fast where units are mostly on as where they are mostly
// off. The ordinary one does not: these are log-likelihoods after the same number of steps.
func ExampleCentering() {
	train := func(on bool, c *rbm.Centering) float64 {
		data := rbm.NewBits(4, 8) // a pair of units is unlike the others
		for r := range 4 {
			for i := range 8 {
				data.SetBit(r, i, (i/2 != r) == on)
			}
		}
		m := rbm.NewRandom(8, 6, 0.1, rand.NewPCG(1, 1))
		sgd := rbm.SGD{Rate: 0.2}
		var g rbm.Gradient
		for range 250 {
			m.Gradient(&g, data, new(rbm.Exact))
			if c != nil {
				c.Center(&g)
			}
			sgd.Step(m, &g)
		}
		return -stat.Mean(m.FreeEnergy(nil, data), nil) - m.LogPartition()
	}
	fmt.Printf("mostly off: %.1f, centered %.1f\n", train(false, nil), train(false, new(rbm.Centering)))
	fmt.Printf("mostly on:  %.1f, centered %.1f\n", train(true, nil), train(true, new(rbm.Centering)))
	// Output:
	// mostly off: -2.8, centered -2.8
	// mostly on:  -3.3, centered -2.9
}

// A loop of one's own sets the rate of each step. A Trainer does so by itself, if it is given
// the Schedule.
func ExampleSGD() {
	data := rbm.NewBits(4, 4) // half of the rows all on
	for i := range 4 {
		data.SetBit(1, i, true)
		data.SetBit(3, i, true)
	}
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(4, 2, 0.1, src)
	const epochs = 250
	rate := rbm.Linear(1, 0, 2*epochs)
	sgd := rbm.SGD{Momentum: 0.5}
	var g rbm.Gradient
	step := 0
	for range epochs {
		for batch := range rbm.Minibatches(data, 2, src) {
			m.Gradient(&g, batch, new(rbm.Exact)) // of so small a model
			sgd.Rate = rate(step)
			sgd.Step(m, &g)
			step++
		}
	}
	logP := -m.FreeEnergy(nil, data)[1] - m.LogPartition()
	fmt.Printf("%d steps, the last with rate %.4f; p(all on) = %.1f\n", step, sgd.Rate, math.Exp(logP))
	// Output:
	// 500 steps, the last with rate 0.0020; p(all on) = 0.5
}

// The rates of the schedules at the first step, halfway, at the end and beyond. Any other
// function of the step is a Schedule, too.
func ExampleSchedule() {
	warmup := func(step int) float64 { return 0.4 * min(1, float64(step+1)/100) }
	for _, rate := range []rbm.Schedule{
		rbm.Constant(0.4),
		rbm.Linear(0.4, 0, 1000),
		rbm.Cosine(0.4, 0, 1000),
		rbm.Inverse(0.4, 500), // half of it by step 500
		warmup,
	} {
		fmt.Printf("%.3f %.3f %.3f %.3f\n", rate(0), rate(500), rate(1000), rate(2000))
	}
	// Output:
	// 0.400 0.400 0.400 0.400
	// 0.400 0.200 0.000 0.000
	// 0.400 0.200 0.000 0.000
	// 0.400 0.200 0.133 0.080
	// 0.004 0.400 0.400 0.400
}

// A penalty that keeps hidden units off most of the time: here a tenth of it.
func ExampleSparsity() {
	src := rand.NewPCG(1, 1)
	data := rbm.NewBits(20, 20)
	for r := range 20 {
		data.SetBit(r, r, true)
	}
	train := func(s *rbm.Sparsity) {
		m := rbm.NewRandom(20, 10, 0.1, src)
		pcd := rbm.NewPCD(20, 1, src)
		sgd := rbm.SGD{Rate: 0.1}
		var g rbm.Gradient
		for range 500 {
			m.Gradient(&g, data, pcd)
			s.Penalize(&g) // before Center, if there is centering
			sgd.Step(m, &g)
		}
		fmt.Printf("mean activity %.1f\n", mat.Sum(m.HiddenProbs(nil, data))/(20*10))
	}
	train(new(rbm.Sparsity)) // costs nothing
	train(&rbm.Sparsity{Target: 0.1, Cost: 10})
	// Output:
	// mean activity 0.7
	// mean activity 0.1
}

// Weights that stay zero are connections that are not there: each hidden unit sees a half of
// the visible ones.
func ExampleFrozen() {
	src := rand.NewPCG(1, 1)
	m := rbm.New(4, 2)
	frozen := &rbm.Frozen{W: rbm.NewBits(2, 4)}
	for j := range 2 {
		for i := range 4 {
			frozen.W.SetBit(j, i, i/2 != j)
		}
	}
	g := rbm.Gradient{Frozen: frozen}
	data := rbm.NewBits(2, 4) // all off, all on
	for i := range 4 {
		data.SetBit(1, i, true)
	}
	sgd := rbm.SGD{Rate: 0.5}
	for range 200 {
		m.Gradient(&g, data, rbm.NewCD(1, src))
		sgd.Step(m, &g)
	}
	fmt.Println("frozen weights:", m.W.At(0, 2), m.W.At(0, 3), m.W.At(1, 0), m.W.At(1, 1))
	fmt.Println("others have moved:", m.W.At(0, 0) != 0, m.W.At(1, 3) != 0)
	// Output:
	// frozen weights: 0 0 0 0
	// others have moved: true true
}

// Rows that occur several times can be given once, each with its count.
func ExampleRBM_WeightedGradient() {
	m := rbm.NewRandom(3, 2, 0.5, rand.NewPCG(1, 1))
	distinct := mat.NewDense(2, 3, []float64{
		1, 0, 1,
		0, 1, 0,
	})
	all := mat.NewDense(4, 3, []float64{
		1, 0, 1,
		1, 0, 1,
		1, 0, 1,
		0, 1, 0,
	})
	var byCount, byRow rbm.Gradient
	m.WeightedGradient(&byCount, distinct, []float64{3, 1}, new(rbm.Exact))
	m.Gradient(&byRow, all, new(rbm.Exact))
	fmt.Println("the same but for rounding:", mat.EqualApprox(byCount.W, byRow.W, 1e-12))
	// Output:
	// the same but for rounding: true
}
