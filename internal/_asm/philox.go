package main

import (
	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// philox writes the kernels of package philox.
func philox() {
	for _, s := range []isa{avx2, avx512} {
		fill(s)
	}
}

// fill writes the kernel that computes the random numbers of 16 counters. Each number of a
// counter is the lower half of a lane of 64 bits. The upper half has no meaning: a
// multiplication reads the lower halves.
func fill(s isa) {
	TEXT("fill"+s.name, NOSPLIT, "func(u *[64]uint32, key uint64, c0, c1, c2, c3 uint32)")
	Pragma("noescape")
	Doc("fill" + s.name + " is fillGo for 16 counters.")
	u := Load(Param("u"), GP64())
	lanes := s.size / 8
	m0, m1 := s.broadcast(spec.PhiloxM0), s.broadcast(spec.PhiloxM1)
	w0, w1 := s.broadcast(spec.PhiloxW0), s.broadcast(spec.PhiloxW1)
	iota := GLOBL("lanes"+s.name, RODATA|NOPTR)
	for l := range lanes {
		DATA(8*l, U64(l))
	}

	// Take two registers of counters at a time.
	key := Load(Param("key"), GP64())
	for first := 0; first < spec.Counters; first += 2 * lanes {
		k0, k1 := s.reg(), s.reg()
		s.spread(key, k0)
		high := GP64()
		MOVQ(key, high)
		SHRQ(U8(32), high)
		s.spread(high, k1)
		var c [2][4]VecVirtual
		for b := range c {
			for i, name := range []string{"c0", "c1", "c2", "c3"} {
				r := GP64()
				Load(Param(name), r.As32())
				if i == 0 {
					ADDL(U8(first+b*lanes), r.As32())
				}
				c[b][i] = s.reg()
				s.spread(r, c[b][i])
			}
			VPADDD(iota, c[b][0], c[b][0])
		}
		for range spec.PhiloxRounds {
			for b := range c {
				p0, p1, h0, h1 := s.reg(), s.reg(), s.reg(), s.reg()
				VPMULUDQ(m0, c[b][0], p0)
				VPMULUDQ(m1, c[b][2], p1)
				VPSRLQ(U8(32), p0, h0)
				VPSRLQ(U8(32), p1, h1)
				s.xor3(h1, c[b][1], k0)
				s.xor3(h0, c[b][3], k1)
				c[b] = [4]VecVirtual{h1, p1, h0, p0}
			}
			VPADDD(w0, k0, k0)
			VPADDD(w1, k1, k1)
		}
		for o := range 4 {
			at := Mem{Base: u, Disp: (spec.Counters*o + first) * 4}
			if s.name == avx512.name {
				for b := range c {
					half := YMM()
					VPMOVQD(c[b][o], half)
					VMOVDQU(half, at.Offset(b*lanes*4))
				}
				continue
			}
			v := s.reg()
			VSHUFPS(U8(0x88), c[1][o], c[0][o], v)
			VPERMQ(U8(0xd8), v, v)
			VMOVDQU(v, at)
		}
	}
	VZEROUPPER()
	RET()
}

// xor3 sets x to x ^ y ^ z.
func (s isa) xor3(x, y, z VecVirtual) {
	if s.name == avx512.name {
		VPTERNLOGD(U8(0x96), z, y, x)
		return
	}
	VPXOR(y, x, x)
	VPXOR(z, x, x)
}
