//go:build amd64 && !purego

package flip

import (
	"unsafe"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

//go:generate go run -C ../_asm . -kernels flip -out ../flip/kernels_amd64.s -stubs ../flip/stubs_amd64.go -pkg flip

const (
	floatBytes   = spec.FloatBytes
	productBytes = int(unsafe.Sizeof(Product{}))

	// callLen is the largest number of hidden units of a call of assembly. Their part of
	// the table, 16 KB, stays in the cache for the next rows.
	callLen = 128
)

func table(e [][Lanes]float64, w []float64, stride int) {
	if !cpu.AVX2 {
		tableGo(e, w, stride)
		return
	}
	kernel := tableAVX2
	if cpu.AVX512 {
		kernel = tableAVX512
	}
	n := len(e) / 2
	for j := 0; j < n; j += callLen {
		k := min(n, j+callLen)
		_ = w[(k-1)*stride+Lanes-1]
		kernel(&e[2*j][0], &w[j*stride], stride*floatBytes, k-j)
	}
}

func mul(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	if !cpu.AVX2 {
		mulGo(x, e, p, q, stride, on, chunk)
		return
	}
	kernel := mulAVX2
	if cpu.AVX512 {
		kernel = mulAVX512
	}
	n := len(e) / 2
	end := (len(x)-1)*stride + n
	_, _ = p[end-1], q[end-1]
	for j := 0; j < n; j += callLen {
		for r := 0; r < len(x); r += 2 {
			// The last of an odd number of rows is paired with itself.
			next := min(1, len(x)-1-r)
			at := r*stride + j
			kernel(&x[r].Frac[0], next*productBytes, &e[2*j][0], min(callLen, n-j), &p[at], &q[at], next*stride*floatBytes, on[r], on[r+next], chunk)
		}
	}
}
