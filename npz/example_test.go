package npz_test

import (
	"bytes"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/npz"
)

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
