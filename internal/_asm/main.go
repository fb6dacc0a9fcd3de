// Command _asm writes assembly: the kernels of the package named by its flag
// -kernels, for AVX2 and, where that is faster, AVX-512.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	kernels := flag.String("kernels", "", "package to write: product, logistic, flip, philox or update")
	flag.Parse()
	ConstraintExpr("amd64,!purego")
	switch *kernels {
	case "product":
		product()
	case "logistic":
		logistic()
	case "flip":
		flip()
	case "philox":
		philox()
	case "update":
		update()
	default:
		log.Fatalf("no kernels for package %q", *kernels)
	}
	Generate()
}

// An isa is an instruction set: a line takes parts registers of size bytes.
type isa struct {
	name  string
	size  int
	parts int
	reg   func() VecVirtual
}

var (
	avx2   = isa{"AVX2", 32, 2, YMM}
	avx512 = isa{"AVX512", 64, 1, ZMM}
)

// broadcast returns a register filled with the float64 or integer x.
func (s isa) broadcast(x uint64) Op {
	r, v := GP64(), s.reg()
	if x>>32 == 0 {
		MOVL(U32(x), r.As32())
	} else {
		MOVQ(U64(x), r)
	}
	s.spread(r, v)
	return v
}

// spread fills v with r.
//
// Not MOVQ, which is an instruction of legacy SSE where it moves to a vector
// register: beside VEX ones it costs a change of state on Intel's processors and
// waits for the whole register on AMD's. Nor may Load have an XMM register.
func (s isa) spread(r Register, v VecVirtual) {
	lane := XMM()
	VMOVQ(r, lane)
	VPBROADCASTQ(lane, v)
}

// float returns a register filled with a parameter that is a float64.
func (s isa) float(name string) VecVirtual {
	param, err := Param(name).Resolve()
	if err != nil {
		log.Fatal(err)
	}
	v := s.reg()
	VBROADCASTSD(param.Addr, v)
	return v
}
