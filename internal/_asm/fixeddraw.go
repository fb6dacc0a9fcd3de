package main

import (
	"log"
	"math"

	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// constant32 returns memory full of the float32 x.
func (s isa) constant32(x float32) Op {
	bits := uint64(math.Float32bits(x))
	return s.integer(bits<<32 | bits)
}

// exp32 replaces each x by its exponential in float32, operation by operation. The registers
// take turns, as their operations do not wait for each other.
func (s isa) exp32(x []VecVirtual) {
	n := len(x)
	k, pow, t, q := make([]VecVirtual, n), make([]VecVirtual, n), make([]VecVirtual, n), make([]VecVirtual, n)
	for i := range x {
		k[i], pow[i], t[i], q[i] = s.reg(), s.reg(), s.reg(), s.reg()
	}
	each := func(f func(i int)) {
		for i := range x {
			f(i)
		}
	}
	each(func(i int) { VMULPS(s.constant32(spec.Log2e32), x[i], k[i]) })
	each(func(i int) { VADDPS(s.constant32(spec.Round32), k[i], k[i]) })
	each(func(i int) { VSUBPS(s.constant32(spec.Round32), k[i], k[i]) })
	each(func(i int) { VMULPS(s.constant32(spec.Ln2Hi32), k[i], t[i]) })
	each(func(i int) { VSUBPS(t[i], x[i], x[i]) }) // r from here on
	each(func(i int) { VMULPS(s.constant32(spec.Ln2Lo32), k[i], t[i]) })
	each(func(i int) { VSUBPS(t[i], x[i], x[i]) })
	each(func(i int) { VADDPS(s.constant32(spec.Round32+127), k[i], pow[i]) })
	each(func(i int) { VPSLLD(U8(23), pow[i], pow[i]) })
	each(func(i int) { VMULPS(s.constant32(spec.P4), x[i], q[i]) })
	for _, c := range []float32{spec.P3, spec.P2, spec.P1} {
		each(func(i int) { VADDPS(s.constant32(c), q[i], q[i]) })
		each(func(i int) { VMULPS(x[i], q[i], q[i]) })
	}
	each(func(i int) { VADDPS(s.constant32(spec.P0), q[i], q[i]) })
	each(func(i int) { VMULPS(x[i], x[i], t[i]) })
	each(func(i int) { VMULPS(q[i], t[i], t[i]) })
	each(func(i int) { VADDPS(t[i], x[i], x[i]) })
	each(func(i int) { VADDPS(s.constant32(1), x[i], x[i]) })
	each(func(i int) { VMULPS(pow[i], x[i], x[i]) })
}

// fixedUnits writes a kernel that stores probabilities, draws by a rule, or does both.
func fixedUnits(s isa, name string, probs, draw bool) {
	args, result := "x *int32, stride int, rule *float32", ""
	if probs {
		args = "p *int32, pstride int, scale float32, " + args
	}
	if draw {
		args += ", u *[64]uint32"
		result = " (word, open uint64)"
	}
	TEXT(name+s.name, NOSPLIT, "func("+args+")"+result)
	Pragma("noescape")
	Doc(name + s.name + " is the method " + name + "Go of Rule, for lines that are stride bytes apart.")
	x := Load(Param("x"), GP64())
	stride := Load(Param("stride"), GP64())
	rule := Load(Param("rule"), GP64())
	var u, p, pstride Register
	scale := s.reg()
	word, open, shift, left := GP64(), GP64(), RCX, GP64()
	if draw {
		u = Load(Param("u"), GP64())
		XORQ(word, word)
		XORQ(open, open)
		XORQ(shift, shift)
	}
	if probs {
		p = Load(Param("p"), GP64())
		pstride = Load(Param("pstride"), GP64())
		param, err := Param("scale").Resolve()
		if err != nil {
			log.Fatal(err)
		}
		VBROADCASTSS(param.Addr, scale)
	}
	MOVQ(U32(64/spec.FixedLanes), left)
	of := func(field, part int) Mem { return Mem{Base: rule, Disp: field*64*4 + part*s.size} }
	Label("line")
	bits, closed := GP64(), GP64()
	d := make([]VecVirtual, s.parts)
	for part := range d {
		y := s.reg()
		VCVTDQ2PS(Mem{Base: x, Disp: part * s.size}, y)
		VMULPS(of(0, part), y, y)
		VADDPS(of(1, part), y, y)
		if s.name == avx512.name {
			VPXORD(s.constant32(float32(math.Copysign(0, -1))), y, y)
		} else {
			VXORPS(s.constant32(float32(math.Copysign(0, -1))), y, y)
		}
		VMINPS(s.constant32(spec.Exp32Max), y, y)
		VMAXPS(s.constant32(-spec.Exp32Max), y, y)
		d[part] = y
	}
	s.exp32(d)
	for part, d := range d {
		off := part * s.size
		VADDPS(s.constant32(1), d, d)
		if probs {
			v := s.reg()
			VDIVPS(d, scale, v)
			VCVTPS2DQ(v, v)
			s.moveInts(v, Mem{Base: p, Disp: off})
		}
		if !draw {
			continue
		}
		half, low := s.reg(), s.reg()
		s.moveInts(Mem{Base: u, Disp: off}, half)
		VPSRLD(U8(1), half, half)
		VCVTDQ2PS(half, half)
		VADDPS(s.constant32(0.25), half, low)
		VADDPS(s.constant32(0.75), half, half)
		VMULPS(d, low, low)
		VMULPS(d, half, half)
		on, off2 := GP64(), GP64()
		if s.name == avx512.name {
			k := K()
			VCMPPS(U8(1), of(2, part), half, k) // less
			KMOVW(k, on.As32())
			VCMPPS(U8(13), of(3, part), low, k) // greater or equal
			KMOVW(k, off2.As32())
		} else {
			VCMPPS(U8(1), of(2, part), half, half)
			VMOVMSKPS(half, on.As32())
			VCMPPS(U8(13), of(3, part), low, low)
			VMOVMSKPS(low, off2.As32())
		}
		if part == 0 {
			MOVQ(on, bits)
			MOVQ(off2, closed)
			continue
		}
		SHLQ(U8(s.size/4), on)
		SHLQ(U8(s.size/4), off2)
		ORQ(on, bits)
		ORQ(off2, closed)
	}
	if draw {
		SHLQ(CL, bits)
		SHLQ(CL, closed)
		ORQ(bits, word)
		ORQ(closed, open)
		ADDQ(U8(spec.FixedLanes), shift)
		ADDQ(U8(line), u)
	}
	if probs {
		ADDQ(pstride, p)
	}
	ADDQ(U8(line), rule)
	ADDQ(stride, x)
	DECQ(left)
	JNZ(LabelRef("line"))
	if draw {
		ORQ(word, open)
		NOTQ(open)
		Store(word, ReturnIndex(0))
		Store(open, ReturnIndex(1))
	}
	VZEROUPPER()
	RET()
}
