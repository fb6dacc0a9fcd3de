//go:build linux && (amd64 || arm64) && !purego

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

// atEnd returns memory for n values of T that ends where memory ends.
func atEnd[T any](t *testing.T, n int) []T {
	page, size := syscall.Getpagesize(), n*int(unsafe.Sizeof(*new(T)))
	room := (size + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, room+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	if err := syscall.Mprotect(mem[room:], syscall.PROT_NONE); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[room-size])), n)
}

// Nothing behind the last number is read or written by the kernels in fixed point: the
// matrix, its copy, the tables, the sums, the bits and the lists end where memory ends.
func TestFixedReadsNothingBehind(t *testing.T) {
	each(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(38, 38))
		for _, m := range []int{1, 15, 16, 17, 32, 48, 63, 64, 70} {
			for _, k := range []int{1, 3, 4, 5, 8, 33, 64, 66} {
				const n = 5
				o := newOperands(rnd, n, k, m, 0.6)
				bias := wholeWords(o.init[0])
				data := atEnd[float64](t, k*m)
				var rows, columns Panels
				rows.View(k, m, m, data)
				columns.ViewT(k, m, k, data)
				for _, p := range []*Panels{&rows, &columns} {
					copy(data, flat(o.f, m))
					if p.transposed {
						copy(data, flat(transposed(o.f), k))
					}
					var f Fixed
					f.Reset(k, m)
					f.lines = atEnd[FixedLine](t, len(f.lines))
					words := (m + wordBits - 1) / wordBits
					for word := range words {
						f.Pack(word, p, bias, absOf(p, word)) // a fault ends the test
					}
					b := o.bits()
					b.Stride = b.words()
					b.Words = atEnd[uint64](t, n*b.Stride)
					for r := range n {
						copy(b.Words[r*b.Stride:][:b.Stride], o.bits().Words[r*(b.Stride+2):])
					}
					var l Lists
					l.Build(b, n)
					l.rows = append(atEnd[uint16](t, len(l.rows))[:0], l.rows...)
					l.entry = append(atEnd[uint16](t, len(l.entry))[:0], l.entry...)
					l.length = append(atEnd[uint8](t, len(l.length))[:0], l.length...)
					makeLists(&l)
					x, scratch := atEnd[FixedLine](t, FixedPanels*n), atEnd[Line](t, tableLines)
					for word := range words {
						for _, l.direct = range []bool{true, false} {
							l.MulFixed(x, &f, word*FixedPanels, (word+1)*FixedPanels, scratch, 0, n)
						}
					}
				}
			}
		}
	})
}
