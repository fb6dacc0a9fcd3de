package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// update writes the kernels of package update.
func update() {
	step("plain", "func(w, grad *float64, n int, rate, decay float64)", false)
	step("withMomentum", "func(w, d, grad *float64, n int, rate, decay, momentum float64)", true)
}

func step(name, signature string, momentum bool) {
	s := avx2
	TEXT(name+s.name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + s.name + " is " + name + "Go for n elements, n a multiple of 4.")
	w := Load(Param("w"), GP64())
	g := Load(Param("grad"), GP64())
	n := Load(Param("n"), GP64())
	spread := func(name string) VecVirtual {
		x, v := Load(Param(name), XMM()), s.reg()
		VBROADCASTSD(x, v)
		return v
	}
	rate, decay := spread("rate"), spread("decay")
	var d Register
	var mu VecVirtual
	if momentum {
		d, mu = Load(Param("d"), GP64()), spread("momentum")
	}
	i := GP64()
	XORQ(i, i)
	Label("loop")
	CMPQ(i, n)
	JGE(LabelRef("done"))
	at := func(base Register) Mem { return Mem{Base: base, Index: i, Scale: 8} }
	x, t := s.reg(), s.reg()
	VMOVUPD(at(w), x)
	VMULPD(x, decay, t)
	gv := s.reg()
	VMOVUPD(at(g), gv)
	VSUBPD(t, gv, t)
	VMULPD(t, rate, t)
	if momentum {
		v := s.reg()
		VMULPD(at(d), mu, v)
		VADDPD(t, v, t)
		VMOVUPD(t, at(d))
	}
	VADDPD(t, x, x)
	VMOVUPD(x, at(w))
	ADDQ(U8(4), i)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
