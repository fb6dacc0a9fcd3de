package main

import (
	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// flip writes the kernels of package flip.
func flip() {
	for _, s := range []isa{avx2, avx512} {
		flipTable(s)
		flipMul(s)
	}
}

// flipTable writes the kernel that computes the table of eʷ and e⁻ʷ.
func flipTable(s isa) {
	TEXT("table"+s.name, NOSPLIT, "func(e, w *float64, stride int, n int)")
	Pragma("noescape")
	Doc("table" + s.name + " is tableGo for n lines of weights that are stride bytes apart.")
	e := Load(Param("e"), GP64())
	w := Load(Param("w"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	s.hold(append([]float64{spec.ExpMax}, expConstants...)...)
	Label("line")
	DECQ(n)
	JLT(LabelRef("done"))
	numbers := make([]VecVirtual, s.parts)
	for part := range numbers {
		x := s.reg()
		VMOVUPD(Mem{Base: w, Disp: part * s.size}, x)
		// The constant comes first: a NaN in the other operand stays.
		VMINPD(x, s.register(spec.ExpMax), x)
		VMAXPD(x, s.register(spec.ExpMin), x)
		numbers[part] = x
	}
	s.exp(numbers)
	for part, x := range numbers {
		y := s.reg()
		VMOVUPD(x, Mem{Base: e, Disp: part * s.size})
		VMOVUPD(s.register(1), y)
		VDIVPD(x, y, y)
		VMOVUPD(y, Mem{Base: e, Disp: line + part*s.size})
	}
	ADDQ(stride, w)
	ADDQ(U32(2*line), e)
	JMP(LabelRef("line"))
	Label("done")
	VZEROUPPER()
	RET()
}

// flipMul writes the kernel that multiplies factors, for two rows at a time, whose products
// do not wait for each other.
func flipMul(s isa) {
	const rows = 2
	TEXT("mul"+s.name, NOSPLIT, "func(x *float64, xstride int, e *float64, n int, p, q *float64, stride int, on0, on1 uint8, chunk int)")
	Pragma("noescape")
	Doc("mul"+s.name+" is mulGo for n factors of two rows. Their products are xstride bytes apart, and their p and q",
		"stride bytes. If both are 0, they are the same row.")
	s.hold()
	e := Load(Param("e"), GP64())
	n := Load(Param("n"), GP64())
	chunk := Load(Param("chunk"), GP64())
	x, p, q := [rows]Register{}, [rows]Register{}, [rows]Register{}
	x[0], p[0], q[0] = Load(Param("x"), GP64()), Load(Param("p"), GP64()), Load(Param("q"), GP64())
	xstride, stride := Load(Param("xstride"), GP64()), Load(Param("stride"), GP64())
	x[1], p[1], q[1] = GP64(), GP64(), GP64()
	LEAQ(Mem{Base: x[0], Index: xstride, Scale: 1}, x[1])
	LEAQ(Mem{Base: p[0], Index: stride, Scale: 1}, p[1])
	LEAQ(Mem{Base: q[0], Index: stride, Scale: 1}, q[1])

	var signs Mem
	if s.name == avx2.name {
		signs = GLOBL("signs", RODATA|NOPTR)
		for l := range spec.Lanes {
			DATA(8*l, U64(63-l))
		}
	}
	// The units that are on: a mask, or the signs of registers in AVX2.
	var on [rows][]Op
	var frac [rows][]VecVirtual
	for r, name := range []string{"on0", "on1"} {
		bits := Load(Param(name), GP32()).(GPVirtual)
		if s.name == avx512.name {
			k := K()
			KMOVB(bits, k)
			on[r] = append(on[r], k)
		} else {
			all := s.reg()
			s.spread(bits.As64(), all)
			for part := range s.parts {
				sign := s.reg()
				VPSLLVQ(signs.Offset(part*s.size), all, sign)
				on[r] = append(on[r], sign)
			}
		}
		for part := range s.parts {
			v := s.reg()
			VMOVUPD(Mem{Base: x[r], Disp: part * s.size}, v)
			frac[r] = append(frac[r], v)
		}
	}

	// The end and the chunk are counted in bytes of p.
	i, end, chunkEnd := GP64(), n, GP64()
	SHLQ(U8(3), end)
	SHLQ(U8(3), chunk)
	XORQ(i, i)
	Label("chunk")
	MOVQ(i, chunkEnd)
	ADDQ(chunk, chunkEnd)
	CMPQ(chunkEnd, end)
	CMOVQGT(end, chunkEnd)

	Label("factor")
	table, inv := make([]VecVirtual, s.parts), make([]VecVirtual, s.parts)
	for part := range s.parts {
		table[part], inv[part] = s.reg(), s.reg()
		VMOVUPD(Mem{Base: e, Disp: part * s.size}, table[part])
		VMOVUPD(Mem{Base: e, Disp: line + part*s.size}, inv[part])
	}
	for r := range rows {
		pm, qm := Mem{Base: p[r], Index: i, Scale: 1}, Mem{Base: q[r], Index: i, Scale: 1}
		if s.name == avx512.name {
			f := s.reg()
			VBLENDMPD(inv[0], table[0], on[r][0], f)
			VMULPD_BCST(pm, f, f)
			VADDPD_BCST(qm, f, f)
			VMULPD(f, frac[r][0], frac[r][0])
			continue
		}
		pv, qv := s.reg(), s.reg()
		VBROADCASTSD(pm, pv)
		VBROADCASTSD(qm, qv)
		for part := range s.parts {
			f := s.reg()
			VBLENDVPD(on[r][part], inv[part], table[part], f)
			VMULPD(pv, f, f)
			VADDPD(qv, f, f)
			VMULPD(f, frac[r][part], frac[r][part])
		}
	}
	ADDQ(U32(2*line), e)
	ADDQ(U8(8), i)
	CMPQ(i, chunkEnd)
	JLT(LabelRef("factor"))

	// Both rows are read before one is written: they may be the same.
	for part := range s.parts {
		var exp [rows]VecVirtual
		for r := range rows {
			exp[r] = s.reg()
			VPSRLQ(U8(52), frac[r][part], exp[r])
			at := Mem{Base: x[r], Disp: line + part*s.size}
			VPSUBQ(s.integer(1023), exp[r], exp[r])
			VPADDQ(at, exp[r], exp[r])
			VANDPD(s.integer(1<<52-1), frac[r][part], frac[r][part])
			VORPD(s.constant(1), frac[r][part], frac[r][part])
		}
		for r := range rows {
			VMOVUPD(exp[r], Mem{Base: x[r], Disp: line + part*s.size})
		}
	}
	CMPQ(i, end)
	JLT(LabelRef("chunk"))
	for r := range rows {
		for part := range s.parts {
			VMOVUPD(frac[r][part], Mem{Base: x[r], Disp: part * s.size})
		}
	}
	VZEROUPPER()
	RET()
}
