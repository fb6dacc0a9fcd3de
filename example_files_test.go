package rbm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// A model is written to a file, or to any other writer, and read again as it was, bit for
// bit. Package checkpoint keeps a training as a whole.
func ExampleRBM_WriteTo() {
	m := rbm.NewRandom(6, 4, 0.01, rand.NewPCG(1, 1))
	var file bytes.Buffer // or an *os.File
	if _, err := m.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}

	var read rbm.RBM
	if _, err := read.ReadFrom(&file); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(&read, read.W.At(3, 5) == m.W.At(3, 5))
	// Output:
	// RBM(nv=6, nh=4) true
}

// JSON is for other programs to read, and for people.
func ExampleRBM_MarshalJSON() {
	m := rbm.New(3, 2)
	m.W.SetRow(1, []float64{0.5, -1, 2})
	m.OneHot = []rbm.Group{{From: 1, To: 3}}
	b, err := json.Marshal(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(b))
	// Output:
	// {"W":[[0,0,0],[0.5,-1,2]],"B":[0,0,0],"C":[0,0],"OneHot":[[1,3]]}
}
