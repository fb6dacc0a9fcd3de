//go:build linux && amd64 && !purego

package product

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// Nothing behind the last row is read: the float64 matrix ends where memory ends.
func TestMulReadsNothingBehind(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(9, 9))
		page := syscall.Getpagesize()
		const m = 16
		for _, k := range []int{1, 2, 3, 5, 6, 7, 8} {
			mem, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
			if err != nil {
				t.Skip(err)
			}
			if err := syscall.Mprotect(mem[page:], syscall.PROT_NONE); err != nil {
				t.Skip(err)
			}
			o := newOperands(rnd, 9, k, m, 0.6)
			data := unsafe.Slice((*float64)(unsafe.Pointer(&mem[page-k*m*8])), k*m)
			copy(data, flat(o.f, m))
			var p Panels
			p.View(k, m, m, data)
			var lists Lists
			lists.Build(o.bits(), 9)
			makeLists(&lists)
			tab, x := Lines(ScratchLines), Lines(9*p.Count())
			for _, lists.direct = range []bool{true, false} {
				lists.Mul(x, &p, 0, p.Count(), tab, 0, 9) // a fault ends the test
			}
			for _, n := range []int{worthCopy - 1, worthCopy} {
				b := o.bits()
				b.Rows = n
				lists.Build(b, n)
				makeLists(&lists)
				w := Weights{Stride: Nibbles(k), Data: flat(o.v, Nibbles(k))}
				lists.MulWeights(x, w, &p, 0, p.Count(), tab, 0, n)
			}
			var columns Panels
			columns.ViewT(k, m, k, data)
			copy(data, flat(transposed(o.f), k))
			o.v = o.v[:1]
			o.few(true).Mul(x, &columns, 0, columns.Count())
			if err := syscall.Munmap(mem); err != nil {
				t.Fatal(err)
			}
		}
	})
}
