// Command _asm generates assembly: the kernels of the package that its flag -kernels
// names, for AVX2 and, where that is faster, for AVX-512.
//
// A kernel is defined by a function in Go, in the package that it is for. The comment of
// that function has pseudocode, and says what makes the kernel fast.
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

// An isa is an instruction set. A line takes parts registers of size bytes each.
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
// It must not use MOVQ, or Load to an XMM register. To a vector register, MOVQ is an
// instruction of legacy SSE. Between VEX instructions it costs Intel's processors a change
// of state, and AMD's processors wait for the whole register.
func (s isa) spread(r Register, v VecVirtual) {
	lane := XMM()
	VMOVQ(r, lane)
	VPBROADCASTQ(lane, v)
}

// float returns a register filled with a parameter, which is a float64.
func (s isa) float(name string) VecVirtual {
	param, err := Param(name).Resolve()
	if err != nil {
		log.Fatal(err)
	}
	v := s.reg()
	VBROADCASTSD(param.Addr, v)
	return v
}
