package rbm_test

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Rows of bits, made one by one. Bits are a mat.Matrix, so gonum prints them and computes
// with them.
func ExampleBits() {
	b := rbm.NewBits(2, 3) // zeros
	b.SetBit(0, 1, true)
	b.SetBit(1, 2, true)
	fmt.Println(mat.Formatted(b))
	fmt.Println(b.At(0, 1), b.Bit(1, 0), mat.Sum(b))
	// Output:
	// ⎡0  1  0⎤
	// ⎣0  0  1⎦
	// 1 false 2
}

// The first rows to train on, the others to judge by. Neither is a copy. Gather copies
// rows, in any order.
func ExampleBits_Slice() {
	b := rbm.NewBits(4, 2)
	train, heldOut := b.Slice(0, 3), b.Slice(3, 4)
	b.SetBit(2, 0, true)
	fmt.Println(train, heldOut)
	fmt.Println(mat.Formatted(train))
	fmt.Println(mat.Formatted(b.Gather(nil, []int{2, 0})))
	// Output:
	// Bits(3×2) Bits(1×2)
	// ⎡0  0⎤
	// ⎢0  0⎥
	// ⎣1  0⎦
	// ⎡1  0⎤
	// ⎣0  0⎦
}

// Measurements are bits above a threshold. To keep the gray levels, use Values.
func ExampleBinarize() {
	b, err := rbm.Binarize(mat.NewDense(2, 3, []float64{
		0.1, 0.5, 0.9,
		12, -3, 0.6,
	}), 0.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mat.Formatted(b))
	// Output:
	// ⎡0  0  1⎤
	// ⎣1  0  1⎦
}

// NaN is a value that nobody knows. Methods such as MeansGiven and the Trainer take the rows
// with the mask.
func ExampleMaskedBitsOf() {
	v, observed, err := rbm.MaskedBitsOf(mat.NewDense(2, 3, []float64{
		1, 0, math.NaN(),
		math.NaN(), 1, 1,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v\n\n%v\n", mat.Formatted(v), mat.Formatted(observed))
	// Output:
	// ⎡1  0  0⎤
	// ⎣0  1  1⎦
	//
	// ⎡1  1  0⎤
	// ⎣0  1  1⎦
}
