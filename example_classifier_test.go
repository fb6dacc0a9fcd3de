package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// A row is of class 1 where two neighboring lights are on. The fourth row has
// no label, and the last one to be classified is new.
func ExampleClassifier() {
	const inputs, classes = 3, 2
	x, err := rbm.BitsOf(mat.NewDense(5, inputs, []float64{
		0, 0, 0,
		1, 1, 0,
		1, 0, 0,
		0, 1, 1,
		0, 0, 1,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	labels := []int{0, 1, 0, rbm.NoLabel, 0}

	c := rbm.Classifier{
		Model:          rbm.NewRandom(inputs+classes, 8, 0.1, rand.NewPCG(1, 1)),
		Classes:        classes,
		Discriminative: 1,
		Generative:     0.1,
		Unlabeled:      0.1,
	}
	sampler := rbm.NewPCD(100, 1, rand.NewPCG(2, 2))
	c.Model.OneHot = []rbm.Group{{From: inputs, To: inputs + classes}} // one unit of the label is on

	sgd := rbm.SGD{Rate: 0.2, Momentum: 0.5}
	var g rbm.Gradient
	for range 500 {
		c.Gradient(&g, x, labels, sampler)
		sgd.Step(c.Model, &g)
	}

	unseen := mat.NewDense(1, inputs, []float64{1, 1, 1})
	fmt.Println(c.Predict(nil, x), c.Predict(nil, unseen))
	fmt.Printf("p(1|first row) is %.1f\n", math.Exp(c.LogProbs(nil, x).At(0, 1)))
	// Output:
	// [0 1 0 1 0] [1]
	// p(1|first row) is 0.0
}

// A classifier knows how sure it is. Three of four rows with the unit on are of class 1, and
// so is such a row with a probability of about ¾.
func ExampleClassifier_LogProbs() {
	const inputs, classes = 1, 2
	x := mat.NewDense(6, inputs, []float64{0, 0, 1, 1, 1, 1})
	labels := []int{0, 0, 0, 1, 1, 1}
	m := rbm.NewRandom(inputs+classes, 2, 0.1, rand.NewPCG(1, 1))
	m.OneHot = []rbm.Group{{From: inputs, To: inputs + classes}}
	c := rbm.Classifier{Model: m, Classes: classes, Discriminative: 1}
	sgd := rbm.SGD{Rate: 0.5}
	var g rbm.Gradient
	for range 500 {
		c.Gradient(&g, x, labels, nil) // p(y|x) is exact, and needs no Sampler
		sgd.Step(m, &g)
	}

	logP := c.LogProbs(nil, mat.NewDense(2, inputs, []float64{0, 1}))
	for x := range 2 {
		fmt.Printf("p(1|%d) = %.2f\n", x, math.Exp(logP.At(x, 1)))
	}
	// Output:
	// p(1|0) = 0.02
	// p(1|1) = 0.74
}

// Rows for a Trainer, or for methods of the Model, are inputs followed by the label.
func ExampleClassifier_Join() {
	c := rbm.Classifier{Model: rbm.New(2+3, 4), Classes: 3}
	x := rbm.NewBits(3, 2)
	x.SetBit(1, 0, true)
	rows := c.Join(nil, x, []int{2, 0, rbm.NoLabel})
	fmt.Println(mat.Formatted(rows))
	// Output:
	// ⎡0  0  0  0  1⎤
	// ⎢1  0  1  0  0⎥
	// ⎣0  0  0  0  0⎦
}
