// A program as a user of the library writes it: two steps of CD-1 from fixed seeds. It fails unless the parameters
// come out as they did before, to the last bit. The values change only when the algorithm does.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"

	"github.com/gorbm/rbm"
)

const want = "W[0,0] = 0x1.066938dab7a79p-04, all parameters = 5adf65dc9aef2e13"

func main() {
	const nv, nh, n = 150, 70, 40
	data := rbm.NewBits(n, nv)
	for r := range n {
		for i := range nv {
			data.SetBit(r, i, (r+1)*(i+3)%7 < 3)
		}
	}
	m := rbm.NewRandom(nv, nh, 0.1, rand.NewPCG(1, 2))
	cd := rbm.NewCD(1, rand.NewPCG(3, 4))
	sgd := rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 1e-3}
	var g rbm.Gradient
	for range 2 {
		m.Gradient(&g, data, cd)
		sgd.Step(m, &g)
	}

	h := fnv.New64a()
	for _, p := range [][]float64{m.W.RawMatrix().Data, m.B.RawVector().Data, m.C.RawVector().Data} {
		for _, x := range p {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
		}
	}
	got := fmt.Sprintf("W[0,0] = %x, all parameters = %x", m.W.At(0, 0), h.Sum(nil))
	fmt.Println(got)
	if got != want {
		fmt.Fprintln(os.Stderr, "want", want)
		os.Exit(1)
	}
}
