package main

import (
	"math"

	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// logistic writes the kernels of package logistic.
func logistic() {
	for _, s := range []isa{avx2, avx512} {
		sigmoids(s, "probs", true, false)
		sigmoids(s, "draw", false, true)
		sigmoids(s, "drawProbs", true, true)
		softplus(s)
		exps(s)
		fixedUnits(s, "probsFixed", true, false)
		fixedUnits(s, "drawFixed", false, true)
		fixedUnits(s, "drawProbsFixed", true, true)
	}
}

// constant returns a register full of x if there is one, and memory otherwise.
func (s isa) constant(x float64) Op {
	if r, ok := held[math.Float64bits(x)]; ok {
		return r
	}
	return s.integer(math.Float64bits(x))
}

// held are the constants that stay in registers throughout a kernel. Only AVX-512 has
// enough registers.
var held map[uint64]Op

func (s isa) hold(constants ...float64) {
	held = map[uint64]Op{}
	if s.parts > 1 {
		return
	}
	for _, x := range constants {
		r := s.reg()
		VMOVUPD(s.constant(x), r)
		held[math.Float64bits(x)] = r
	}
}

var constants = map[uint64]Mem{}

func (s isa) integer(x uint64) Mem {
	if m, ok := constants[x]; ok {
		return m
	}
	m := GLOBL(constantName(x), RODATA|NOPTR)
	for l := range spec.Lanes {
		DATA(8*l, U64(x))
	}
	constants[x] = m
	return m
}

func constantName(x uint64) string {
	const digits = "0123456789abcdef"
	name := []byte("c")
	for i := 60; i >= 0; i -= 4 {
		name = append(name, digits[x>>i&15])
	}
	return string(name)
}

// The coefficients of the polynomial of Exp, by descending powers.
var (
	odd  = []float64{spec.Q9, spec.Q7, spec.Q5, spec.Q3, spec.Q1}
	even = []float64{spec.Q8, spec.Q6, spec.Q4, spec.Q2, spec.Q0}
)

// register returns a register full of x.
func (s isa) register(x float64) Op {
	if r, ok := held[math.Float64bits(x)]; ok {
		return r
	}
	r := s.reg()
	VMOVUPD(s.constant(x), r)
	return r
}

// expConstants are the constants of exp, and of the operations on its argument and result.
var expConstants = append(append([]float64{spec.Log2e, spec.Round, spec.Ln2Hi, spec.Ln2Lo, spec.Round + 1023, 1, spec.ExpMin}, odd...), even...)

// exp replaces each x in [ExpMin, ExpMax] by Exp(x), operation by operation. The registers
// take turns, as their operations do not wait for each other.
func (s isa) exp(x []VecVirtual) {
	n := len(x)
	k, r2, p, q := make([]VecVirtual, n), make([]VecVirtual, n), make([]VecVirtual, n), make([]VecVirtual, n)
	for i := range x {
		k[i], r2[i], p[i], q[i] = s.reg(), s.reg(), s.reg(), s.reg()
	}
	each := func(f func(i int)) {
		for i := range x {
			f(i)
		}
	}
	each(func(i int) { VMULPD(s.constant(spec.Log2e), x[i], k[i]) })
	each(func(i int) { VADDPD(s.constant(spec.Round), k[i], k[i]) })
	each(func(i int) { VSUBPD(s.constant(spec.Round), k[i], k[i]) })
	each(func(i int) { VMULPD(s.constant(spec.Ln2Hi), k[i], p[i]) })
	each(func(i int) { VSUBPD(p[i], x[i], x[i]) }) // r from here on
	each(func(i int) { VMULPD(s.constant(spec.Ln2Lo), k[i], p[i]) })
	each(func(i int) { VSUBPD(p[i], x[i], x[i]) })
	each(func(i int) { VMULPD(x[i], x[i], r2[i]) })
	each(func(i int) { VADDPD(s.constant(spec.Round+1023), k[i], k[i]) })
	each(func(i int) { VPSLLQ(U8(52), k[i], k[i]) }) // 2ᵏ from here on
	each(func(i int) { VMULPD(s.constant(odd[0]), r2[i], p[i]) })
	each(func(i int) { VMULPD(s.constant(even[0]), r2[i], q[i]) })
	for c := 1; c < len(odd); c++ {
		each(func(i int) { VADDPD(s.constant(odd[c]), p[i], p[i]) })
		each(func(i int) { VADDPD(s.constant(even[c]), q[i], q[i]) })
		if c < len(odd)-1 {
			each(func(i int) { VMULPD(r2[i], p[i], p[i]) })
			each(func(i int) { VMULPD(r2[i], q[i], q[i]) })
		}
	}
	each(func(i int) { VMULPD(x[i], p[i], p[i]) })
	each(func(i int) { VADDPD(p[i], q[i], q[i]) })
	each(func(i int) { VMULPD(r2[i], q[i], q[i]) })
	each(func(i int) { VADDPD(q[i], x[i], x[i]) })
	each(func(i int) { VADDPD(s.constant(1), x[i], x[i]) })
	each(func(i int) { VMULPD(k[i], x[i], x[i]) })
}

// sigmoids writes a kernel that stores probabilities, draws bits, or does both.
func sigmoids(s isa, name string, probs, draw bool) {
	args, result := "x *float64, stride int, n int", ""
	if probs {
		args = "p *float64, " + args + ", scale float64"
	}
	if draw {
		args += ", u *[64]uint32"
		result = " uint64"
	}
	TEXT(name+s.name, NOSPLIT, "func("+args+")"+result)
	Pragma("noescape")
	Doc(name + s.name + " is " + name + "Go for n lines of inputs that are stride bytes apart.")
	x := Load(Param("x"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	var p, u Register
	var scale VecVirtual
	if probs {
		p = Load(Param("p"), GP64())
		scale = s.float("scale")
	}
	word, shift := GP64(), RCX
	if draw {
		u = Load(Param("u"), GP64())
		XORQ(word, word)
		XORQ(RCX, RCX)
	}
	constants := append([]float64{spec.ExpMax, math.Copysign(0, -1)}, expConstants...)
	if draw {
		constants = append(constants, 1<<52, 1<<52-0.5, 1<<32)
	}
	s.hold(constants...)
	Label("line")
	DECQ(n)
	JLT(LabelRef("done"))
	bits := GP64()
	if draw {
		XORQ(bits, bits)
	}
	inputs := make([]VecVirtual, s.parts)
	for part := range inputs {
		t := s.reg()
		VMOVUPD(Mem{Base: x, Disp: part * s.size}, t)
		VXORPD(s.constant(math.Copysign(0, -1)), t, t)
		// The constant comes first: a NaN in the other operand stays.
		VMINPD(t, s.register(spec.ExpMax), t)
		VMAXPD(t, s.register(spec.ExpMin), t)
		inputs[part] = t
	}
	s.exp(inputs)
	for part, d := range inputs {
		off := part * s.size
		VADDPD(s.constant(1), d, d)
		if probs {
			v := s.reg()
			VDIVPD(d, scale, v)
			VMOVUPD(v, Mem{Base: p, Disp: off})
		}
		if !draw {
			continue
		}
		// u + ½, from the bits of 2⁵² + u.
		v := s.reg()
		VPMOVZXDQ(Mem{Base: u, Disp: off / 2}, v)
		if s.name == avx512.name {
			VPORQ(s.constant(1<<52), v, v)
		} else {
			VPOR(s.constant(1<<52), v, v)
		}
		VSUBPD(s.constant(1<<52-0.5), v, v)
		VMULPD(d, v, v)
		mask := GP64()
		if s.name == avx512.name {
			k := K()
			VCMPPD(U8(1), s.constant(1<<32), v, k)
			KMOVB(k, mask.As32())
		} else {
			VCMPPD(U8(1), s.constant(1<<32), v, v)
			VMOVMSKPD(v, mask.As32())
		}
		if part > 0 {
			SHLQ(U8(4), mask)
		}
		ORQ(mask, bits)
	}
	if draw {
		SHLQ(CL, bits)
		ORQ(bits, word)
		ADDQ(U8(spec.Lanes), shift)
		ADDQ(U8(4*spec.Lanes), u)
	}
	if probs {
		ADDQ(U8(line), p)
	}
	ADDQ(stride, x)
	JMP(LabelRef("line"))
	Label("done")
	if draw {
		Store(word, ReturnIndex(0))
	}
	VZEROUPPER()
	RET()
}

// exps writes the kernel of exponentials.
func exps(s isa) {
	TEXT("exps"+s.name, NOSPLIT, "func(x *float64, n int)")
	Pragma("noescape")
	Doc("exps" + s.name + " is expsGo for n lines of numbers.")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	s.hold(append([]float64{spec.ExpMax}, expConstants...)...)
	Label("line")
	DECQ(n)
	JLT(LabelRef("done"))
	numbers := make([]VecVirtual, s.parts)
	for part := range numbers {
		v := s.reg()
		VMOVUPD(Mem{Base: x, Disp: part * s.size}, v)
		// The constant comes first: a NaN in the other operand stays.
		VMINPD(v, s.register(spec.ExpMax), v)
		VMAXPD(v, s.register(spec.ExpMin), v)
		numbers[part] = v
	}
	s.exp(numbers)
	for part, v := range numbers {
		VMOVUPD(v, Mem{Base: x, Disp: part * s.size})
	}
	ADDQ(U8(line), x)
	JMP(LabelRef("line"))
	Label("done")
	VZEROUPPER()
	RET()
}

// softplus writes the kernel of sums of softplus.
func softplus(s isa) {
	TEXT("softplus"+s.name, NOSPLIT, "func(sum *[16]float64, x *float64, stride int, n int)")
	Pragma("noescape")
	Doc("softplus" + s.name + " is softplusGo for n lines of inputs that are stride bytes apart.")
	sum := Load(Param("sum"), GP64())
	x := Load(Param("x"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	var top, rest []VecVirtual
	for part := range s.parts {
		top, rest = append(top, s.reg()), append(rest, s.reg())
		VMOVUPD(Mem{Base: sum, Disp: part * s.size}, top[part])
		VMOVUPD(Mem{Base: sum, Disp: line + part*s.size}, rest[part])
	}
	zero := s.reg()
	if s.name == avx512.name {
		VPXORQ(zero, zero, zero)
	} else {
		VXORPD(zero, zero, zero)
	}
	s.hold(append([]float64{math.Copysign(0, -1)}, expConstants...)...)
	Label("line")
	DECQ(n)
	JLT(LabelRef("done"))
	inputs := make([]VecVirtual, s.parts)
	for part := range inputs {
		v, m := s.reg(), s.reg()
		VMOVUPD(Mem{Base: x, Disp: part * s.size}, v)
		VMAXPD(v, zero, m)
		VADDPD(m, top[part], top[part])
		VORPD(s.constant(math.Copysign(0, -1)), v, v)
		VMAXPD(v, s.register(spec.ExpMin), v)
		inputs[part] = v
	}
	s.exp(inputs)
	for part, e := range inputs {
		t := s.reg()
		VMULPD(e, rest[part], t)
		VADDPD(t, e, e)
		VADDPD(e, rest[part], rest[part])
	}
	ADDQ(stride, x)
	JMP(LabelRef("line"))
	Label("done")
	for part := range s.parts {
		VMOVUPD(top[part], Mem{Base: sum, Disp: part * s.size})
		VMOVUPD(rest[part], Mem{Base: sum, Disp: line + part*s.size})
	}
	VZEROUPPER()
	RET()
}
