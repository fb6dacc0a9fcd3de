// Package cpu says which instruction sets the kernels of the other internal
// packages use.
package cpu

// AVX2 and AVX512 are set if the kernels for them can be used; the second only
// if the first is. Without them, plain Go gives the same bits.
var AVX2, AVX512 = detect()

// Each calls f for each set of kernels that can be used, with AVX2 and AVX512
// set accordingly, for tests.
func Each(f func(name string)) {
	avx2, avx512 := AVX2, AVX512
	defer func() { AVX2, AVX512 = avx2, avx512 }()
	if avx512 {
		f("AVX512")
	}
	if AVX512 = false; avx2 {
		f("AVX2")
	}
	AVX2 = false
	f("Go")
}
