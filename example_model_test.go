package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// The hidden units are features of a row, say for another model to learn from. Here the
// first one tells whether both visible units are on, and the second whether one is.
func ExampleRBM_HiddenProbs() {
	m := rbm.New(2, 2)
	m.W.SetRow(0, []float64{20, 20})
	m.C.SetVec(0, -30)
	m.W.SetRow(1, []float64{20, 20})
	m.C.SetVec(1, -10)

	features := m.HiddenProbs(nil, mat.NewDense(3, 2, []float64{
		0, 0,
		1, 0,
		1, 1,
	}))
	fmt.Printf("%.1f\n", mat.Formatted(features))
	// Output:
	// ⎡0.0  0.0⎤
	// ⎢0.0  1.0⎥
	// ⎣1.0  1.0⎦
}

// A row goes up to the hidden units and down again. What comes back is the pattern that
// the model knows, without the noise of the row.
func ExampleRBM_VisibleProbs() {
	m := rbm.New(4, 1) // all on, or all off
	m.W.SetRow(0, []float64{12, 12, 12, 12})
	m.B.CopyVec(mat.NewVecDense(4, []float64{-6, -6, -6, -6}))
	m.C.SetVec(0, -24)

	noisy := mat.NewDense(2, 4, []float64{
		1, 1, 0, 1,
		0, 0, 0, 1,
	})
	clean := m.VisibleProbs(nil, m.HiddenProbs(nil, noisy))
	fmt.Printf("%.1f\n", mat.Formatted(clean))
	// Output:
	// ⎡1.0  1.0  1.0  1.0⎤
	// ⎣0.0  0.0  0.0  0.0⎦
}

// The energy of a state of both layers is minus the biases and weights of the units that
// are on. Free energies, of rows alone, are needed more often.
func ExampleRBM_Energy() {
	m := rbm.New(1, 1)
	m.W.Set(0, 0, 5)
	m.B.SetVec(0, 2)
	m.C.SetVec(0, -1)

	v := mat.NewDense(3, 1, []float64{0, 1, 1})
	h := mat.NewDense(3, 1, []float64{1, 0, 1})
	fmt.Println(m.Energy(nil, v, h))
	// Output:
	// [1 -2 -6]
}

// Start training from the means of the data: of a unit that is on in nine rows of ten, up
// to half a row of each value more, which keeps the bias of a constant unit finite.
func ExampleRBM_FitVisibleBias() {
	data := rbm.NewBits(10, 2)
	for r := range 9 {
		data.SetBit(r, 0, true)
	}
	m := rbm.New(2, 3)
	m.FitVisibleBias(data)
	fmt.Printf("%.3f\n", mat.Formatted(m.VisibleProbs(nil, rbm.NewBits(1, 3)))) // 9.5/11 and 0.5/11
	// Output:
	// [0.864  0.045]
}

// A column of three values is three visible units, of which exactly one is on. It is so in
// every sample of the model, whatever its parameters are.
func ExampleRBM_oneHot() {
	src := rand.NewPCG(1, 1)
	m := rbm.NewRandom(5, 3, 1, src)
	m.OneHot = []rbm.Group{{From: 2, To: 5}} // units 2, 3 and 4

	chains := rbm.NewChains(src)
	chains.StartRandom(m, 1000)
	chains.Gibbs(m, 10)
	v, on := chains.Visible(), 0.0
	for r := range 1000 {
		on += v.At(r, 2) + v.At(r, 3) + v.At(r, 4)
	}
	fmt.Println(on/1000, "unit of the group is on in each row")
	// Output:
	// 1 unit of the group is on in each row
}

// Rows from outside are checked before they are used: to give a model a row that it cannot
// have is a panic.
func ExampleRBM_CheckRows() {
	m := rbm.New(3, 2)
	m.OneHot = []rbm.Group{{From: 0, To: 3}}
	fmt.Println(m.CheckRows(mat.NewDense(2, 3, []float64{
		0, 1, 0,
		1, 1, 0,
	})))
	// Output:
	// rbm: row 1 of v has 2 units on in the group [0, 3), want 1
}

// A server prepares its model once. Then any number of goroutines ask for a row at a time,
// and each has the same answer, bit for bit, that the model gives for all rows at once.
func ExampleRBM_Prepare() {
	m := rbm.NewRandom(6, 4, 1, rand.NewPCG(1, 1))
	rows := rbm.NewBits(3, 6)
	rows.SetBit(1, 0, true)
	rows.SetBit(2, 5, true)

	p := m.Prepare()
	scores := make([]float64, 3)
	var wg sync.WaitGroup
	for r := range scores {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p.FreeEnergy(scores[r:r+1], rows.Slice(r, r+1))
		}()
	}
	wg.Wait()
	for r, f := range m.FreeEnergy(nil, rows) {
		fmt.Println(scores[r] == f)
	}
	// Output:
	// true
	// true
	// true
}

// The probability of a row is exp(-F(v)) / Z. This model has no weights, and its unit is on
// three times as often as off.
func ExampleRBM_LogPartition() {
	m := rbm.New(1, 2)
	m.B.SetVec(0, math.Log(3))

	logZ := m.LogPartition()
	for v, f := range m.FreeEnergy(nil, mat.NewDense(2, 1, []float64{0, 1})) {
		fmt.Printf("p(%d) = %.2f\n", v, math.Exp(-f-logZ))
	}
	// Output:
	// p(0) = 0.25
	// p(1) = 0.75
}

// The pseudo-log-likelihood needs no log Z, but it is no likelihood. Two units that always
// agree are sure of each other, so it is 0. The row itself has probability ½.
func ExampleRBM_PseudoLogLikelihood() {
	m := rbm.New(2, 1)
	m.W.SetRow(0, []float64{20, 20})
	m.B.CopyVec(mat.NewVecDense(2, []float64{-10, -10}))
	m.C.SetVec(0, -20)

	v := mat.NewDense(1, 2, []float64{1, 1})
	pseudo := m.PseudoLogLikelihood(nil, v)
	exact := -m.FreeEnergy(nil, v)[0] - m.LogPartition()
	fmt.Printf("pseudo-log-likelihood %.2f, log-likelihood %.2f\n", math.Abs(pseudo[0]), exact)
	// Output:
	// pseudo-log-likelihood 0.00, log-likelihood -0.69
}

// How probable are the answers to the last question, given the first one? The row says
// which answer is meant, and observed which question was asked before.
func ExampleRBM_LogProbGiven() {
	m := rbm.New(2, 1) // units that mostly agree
	m.W.SetRow(0, []float64{8, 8})
	m.B.CopyVec(mat.NewVecDense(2, []float64{-4, -4}))
	m.C.SetVec(0, -8)

	observed := rbm.NewBits(1, 2) // of all rows
	observed.SetBit(0, 0, true)
	v := mat.NewDense(2, 2, []float64{
		1, 1,
		1, 0,
	})
	for r, logP := range m.LogProbGiven(nil, v, observed) {
		fmt.Printf("p(%v | %v) = %.2f\n", v.At(r, 1), v.At(r, 0), math.Exp(logP))
	}
	// Output:
	// p(1 | 1) = 0.96
	// p(0 | 1) = 0.04
}
