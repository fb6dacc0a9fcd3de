//go:build amd64 && !purego

package philox

import "github.com/gorbm/rbm/internal/cpu"

//go:generate go run -C ../_asm . -kernels philox -out ../philox/fill_amd64.s -stubs ../philox/stubs_amd64.go -pkg philox

func fill(u *[64]uint32, n int, key uint64, c0, c1, c2, c3 uint32) {
	switch {
	case !cpu.AVX2:
		fillGo(u, n, key, c0, c1, c2, c3)
	case cpu.AVX512:
		fillAVX512(u, key, c0, c1, c2, c3)
	default:
		fillAVX2(u, key, c0, c1, c2, c3)
	}
}
