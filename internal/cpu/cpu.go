// Package cpu tells which instruction sets the kernels of the other internal packages
// use: the best that the processor has, unless the environment variable RBM_SIMD asks for
// less.
//
//	unset or empty   the best of AVX-512, AVX2 and NEON
//	avx2             no AVX-512
//	off              none: plain Go
//
// All sets give the same bits, and plain Go defines them. So RBM_SIMD is for finding out
// whether a kernel is to blame for a wrong result or a crash, and for measuring what a set
// gains, without another build; with go test, add -count=1, as this package reads it before
// go test notes which variables a test depends on. It only takes away: avx2 leaves arm64 its NEON, and a
// processor without AVX2 its plain Go. The variable is read once, when a program starts;
// to set it later, from within the program, has no effect.
//
// Any other value panics when the program starts, with every build and on every processor.
// A package had better not end a program for its environment. But there is no caller to
// return an error to, and whoever sets RBM_SIMD looks for a fault: a misspelled value that
// is ignored would clear a kernel, or convict it, that was never switched. Nobody else
// meets the panic, as the name belongs to this library.
package cpu

import (
	"fmt"
	"os"
)

// AVX2, AVX512 and NEON report whether the kernels for these instruction sets are used.
// If AVX512 is set, so is AVX2. Without them, plain Go gives the same bits.
var AVX2, AVX512, NEON = detected(os.Getenv(Variable))

// Variable is the name of the environment variable that switches kernels off.
const Variable = "RBM_SIMD"

func detected(value string) (avx2, avx512, neon bool) {
	avx2, avx512, neon = detect()
	return choose(value, avx2, avx512, neon)
}

// choose returns the sets that the value of RBM_SIMD leaves of those the processor has.
func choose(value string, avx2, avx512, neon bool) (leftAVX2, leftAVX512, leftNEON bool) {
	switch value {
	case "":
		return avx2, avx512, neon
	case "avx2":
		return avx2, false, neon
	case "off":
		return false, false, false
	}
	panic(fmt.Sprintf("rbm: the environment variable %s is %q, want avx2 (no AVX-512), off (plain Go), or nothing", Variable, value))
}

// Kernels returns the name of the best instruction set in use: AVX-512, AVX2, NEON or Go.
func Kernels() string {
	switch {
	case AVX512:
		return "AVX-512"
	case AVX2:
		return "AVX2"
	case NEON:
		return "NEON"
	}
	return "Go"
}

// Each calls f for each set of kernels that is used, and for plain Go. AVX2, AVX512 and
// NEON are set accordingly during the call. It is for tests.
func Each(f func(name string)) {
	os.Getenv(Variable) // so that go test keeps no result of another value
	avx2, avx512, neon := AVX2, AVX512, NEON
	defer func() { AVX2, AVX512, NEON = avx2, avx512, neon }()
	if avx512 {
		f("AVX512")
	}
	if AVX512 = false; avx2 {
		f("AVX2")
	}
	if AVX2 = false; neon {
		f("NEON")
	}
	NEON = false
	f("Go")
}
