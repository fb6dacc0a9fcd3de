package npz_test

import (
	"bytes"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/npz"
)

// A model becomes the bytes of a file that numpy.load reads, and comes back as it was.
func Example() {
	m := rbm.NewRandom(6, 4, 0.01, rand.NewPCG(1, 2))
	var b bytes.Buffer
	if err := npz.Write(&b, m); err != nil {
		log.Fatal(err)
	}
	got, err := npz.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		log.Fatal(err)
	}
	nv, nh := got.Dims()
	fmt.Println(nv, "visible and", nh, "hidden units")
	fmt.Println(got.W.At(3, 5) == m.W.At(3, 5))
	// Output:
	// 6 visible and 4 hidden units
	// true
}

// Save a model for Python, and load one from there.
func ExampleSave() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.npz")

	m := rbm.New(3, 2)
	m.B.SetVec(2, 0.5)
	if err := npz.Save(path, m); err != nil {
		log.Fatal(err)
	}
	// np.load(path)["b"] is array([0. , 0. , 0.5])
	loaded, err := npz.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded, loaded.B.AtVec(2))
	// Output:
	// RBM(nv=3, nh=2) 0.5
}
