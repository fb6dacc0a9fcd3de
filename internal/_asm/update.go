package main

import (
	"fmt"

	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// update writes the kernels of package update.
func update() {
	step("plain", "func(w, grad *float64, n int, rate, decay float64)", false)
	step("withMomentum", "func(w, d, grad *float64, n int, rate, decay, momentum float64)", true)
	center()
}

// step writes a kernel of a step, with or without momentum.
func step(name, signature string, momentum bool) {
	s := avx2
	TEXT(name+s.name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is %sGo for n elements, n a multiple of %d.", name+s.name, name, spec.PlainStep))
	w := Load(Param("w"), GP64())
	g := Load(Param("grad"), GP64())
	n := Load(Param("n"), GP64())
	rate, decay := s.float("rate"), s.float("decay")
	var d Register
	var mu VecVirtual
	if momentum {
		d, mu = Load(Param("d"), GP64()), s.float("momentum")
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
	ADDQ(U8(spec.PlainStep), i)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// center writes the kernel of Center, which takes two registers at a time.
func center() {
	s := avx2
	TEXT("center"+s.name, NOSPLIT, "func(w, b, mu, down *float64, n int, lambda, c float64, sums *[8]float64)")
	Pragma("noescape")
	Doc(fmt.Sprintf("center%s is centerGo for n elements, n a multiple of %d.", s.name, spec.CenterStep))
	w := Load(Param("w"), GP64())
	b := Load(Param("b"), GP64())
	mu := Load(Param("mu"), GP64())
	down := Load(Param("down"), GP64())
	n := Load(Param("n"), GP64())
	lambda, c := s.float("lambda"), s.float("c")
	sums := Load(Param("sums"), GP64())
	sum := []VecVirtual{s.reg(), s.reg()}
	for h := range sum {
		VMOVUPD(Mem{Base: sums, Disp: 32 * h}, sum[h])
	}
	i := GP64()
	XORQ(i, i)
	Label("loop")
	CMPQ(i, n)
	JGE(LabelRef("done"))
	for h := range sum {
		at := func(base Register) Mem { return Mem{Base: base, Index: i, Scale: 8, Disp: 32 * h} }
		x, t, u, m := s.reg(), s.reg(), s.reg(), s.reg()
		VMOVUPD(at(mu), m)
		VMULPD(at(b), lambda, t)
		VMULPD(m, c, u)
		VADDPD(u, t, t)
		VMOVUPD(at(w), x)
		VSUBPD(t, x, x)
		VMOVUPD(x, at(w))
		VMULPD(x, m, m)
		VADDPD(m, sum[h], sum[h])
		VMULPD(x, lambda, x)
		VADDPD(at(down), x, x)
		VMOVUPD(x, at(down))
	}
	ADDQ(U8(spec.CenterStep), i)
	JMP(LabelRef("loop"))
	Label("done")
	for h := range sum {
		VMOVUPD(sum[h], Mem{Base: sums, Disp: 32 * h})
	}
	VZEROUPPER()
	RET()
}
