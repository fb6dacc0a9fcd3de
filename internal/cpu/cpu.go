// Package cpu tells which instruction sets the kernels of the other internal packages
// use.
package cpu

// AVX2, AVX512 and NEON report whether the kernels for these instruction sets can be used.
// If AVX512 is set, so is AVX2. Without them, plain Go gives the same bits.
var AVX2, AVX512, NEON = detect()

// Each calls f for each set of kernels that can be used, and for plain Go. AVX2, AVX512 and
// NEON are set accordingly during the call. It is for tests.
func Each(f func(name string)) {
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
