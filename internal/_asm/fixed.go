package main

import (
	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fixed writes the kernels in fixed point.
func fixed() {
	addAbs()
	packRows()
	packColumns()
	floats("addFloats")
	floats("setFloats")
	for _, s := range []isa{avx2, avx512} {
		buildFixed(s)
		addBits(s)
	}
}

// ymmFloats is how many float64s a register of AVX2 has.
const ymmFloats = 4

// addAbs writes the kernel that adds absolute values.
func addAbs() {
	TEXT("addAbsAVX2", NOSPLIT, "func(sums *float64, row *float64, n int, lanes *[16]float64)")
	Pragma("noescape")
	Doc("addAbsAVX2 is addAbsGo for n numbers, n a multiple of 16.")
	sums := Load(Param("sums"), GP64())
	row := Load(Param("row"), GP64())
	n := Load(Param("n"), GP64())
	lanes := Load(Param("lanes"), GP64())
	var acc [spec.AbsStep / ymmFloats]VecVirtual
	for i := range acc {
		acc[i] = YMM()
		VMOVUPD(Mem{Base: lanes, Disp: 32 * i}, acc[i])
	}
	mask := avx2.broadcast(1<<63 - 1)
	Label("loop")
	SUBQ(U8(spec.AbsStep), n)
	JLT(LabelRef("done"))
	for i := range acc {
		v, sum := YMM(), YMM()
		VANDPD(Mem{Base: row, Disp: 32 * i}, mask, v)
		VADDPD(Mem{Base: sums, Disp: 32 * i}, v, sum)
		VMOVUPD(sum, Mem{Base: sums, Disp: 32 * i})
		VADDPD(v, acc[i], acc[i])
	}
	ADDQ(U32(8*spec.AbsStep), row)
	ADDQ(U32(8*spec.AbsStep), sums)
	JMP(LabelRef("loop"))
	Label("done")
	for i := range acc {
		VMOVUPD(acc[i], Mem{Base: lanes, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}

// packRows writes the kernel that packs rows.
func packRows() {
	TEXT("packRowsAVX2", NOSPLIT, "func(lines *int32, src *float64, stride int, scale *float64, n int)")
	Pragma("noescape")
	Doc("packRowsAVX2 is packRowsGo for n rows, stride bytes from row to row.")
	lines := Load(Param("lines"), GP64())
	src := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64())
	at := Load(Param("scale"), GP64())
	n := Load(Param("n"), GP64())
	var scale [spec.FixedLanes / ymmFloats]VecVirtual
	for i := range scale {
		scale[i] = YMM()
		VMOVUPD(Mem{Base: at, Disp: 32 * i}, scale[i])
	}
	Label("loop")
	DECQ(n)
	JLT(LabelRef("done"))
	for i := range scale {
		v, q := YMM(), XMM()
		VMULPD(Mem{Base: src, Disp: 32 * i}, scale[i], v)
		VCVTPD2DQY(v, q)
		VMOVDQU(q, Mem{Base: lines, Disp: 16 * i})
	}
	ADDQ(stride, src)
	ADDQ(U8(line), lines)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// packColumns writes the kernel that packs columns, four of them at a time.
func packColumns() {
	TEXT("packColumnsAVX2", NOSPLIT, "func(lines *int32, src *float64, stride int, scale *float64, n int)")
	Pragma("noescape")
	Doc("packColumnsAVX2 is packColumnsGo for n columns, n a multiple of 4, stride bytes from row to row.")
	lines := Load(Param("lines"), GP64())
	src := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64())
	scale := Load(Param("scale"), GP64())
	n := Load(Param("n"), GP64())
	stride3 := GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	var base [spec.FixedLanes / 4]Register
	for g := range base {
		base[g] = src
		if g > 0 {
			r := GP64()
			LEAQ(Mem{Base: base[g-1], Index: stride, Scale: 4}, r)
			base[g] = r
		}
	}
	at := GP64()
	XORQ(at, at)
	Label("loop")
	SUBQ(U8(spec.PackStep), n)
	JLT(LabelRef("done"))
	for g, base := range base {
		row := GP64()
		LEAQ(Mem{Base: base, Index: at, Scale: 1}, row)
		var q [4]VecVirtual
		for i, m := range []Mem{
			{Base: row}, {Base: row, Index: stride, Scale: 1}, {Base: row, Index: stride, Scale: 2}, {Base: row, Index: stride3, Scale: 1},
		} {
			v := YMM()
			q[i] = XMM()
			VBROADCASTSD(Mem{Base: scale, Disp: 8 * (4*g + i)}, v)
			VMULPD(m, v, v)
			VCVTPD2DQY(v, q[i])
		}
		lo01, hi01, lo23, hi23 := XMM(), XMM(), XMM(), XMM()
		VPUNPCKLDQ(q[1], q[0], lo01)
		VPUNPCKHDQ(q[1], q[0], hi01)
		VPUNPCKLDQ(q[3], q[2], lo23)
		VPUNPCKHDQ(q[3], q[2], hi23)
		for i, out := range [][2]VecVirtual{{lo23, lo01}, {lo23, lo01}, {hi23, hi01}, {hi23, hi01}} {
			v := XMM()
			if i%2 == 0 {
				VPUNPCKLQDQ(out[0], out[1], v)
			} else {
				VPUNPCKHQDQ(out[0], out[1], v)
			}
			VMOVDQU(v, Mem{Base: lines, Disp: i*line + 16*g})
		}
	}
	ADDQ(U8(8*spec.PackStep), at)
	ADDQ(U32(spec.PackStep*line), lines)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// moveInts moves a register of int32s.
func (s isa) moveInts(x, y Op) {
	if s.name == avx512.name {
		VMOVDQU32(x, y)
		return
	}
	VMOVDQU(x, y)
}

// buildFixed writes the kernel that computes tables in fixed point.
func buildFixed(s isa) {
	name := "buildFixed" + s.name
	TEXT(name, NOSPLIT, "func(tab *int32, groups *int32, n int, lines *int32)")
	Pragma("noescape")
	Doc(name + " computes the tables of buildFixedGo for n groups, as lines of int32s and not in pairs.")
	tab := Load(Param("tab"), GP64())
	groups := Load(Param("groups"), GP64())
	n := Load(Param("n"), GP64())
	base := Load(Param("lines"), GP64())
	end := GP64()
	LEAQ(Mem{Base: groups, Index: n, Scale: 4}, end)
	zero := s.reg()
	if s.name == avx512.name {
		VPXORD(zero, zero, zero)
	} else {
		VPXOR(zero, zero, zero)
	}
	Label("group")
	CMPQ(groups, end)
	JGE(LabelRef("done"))
	row := GP64()
	MOVLQSX(Mem{Base: groups}, row)
	ADDQ(U8(4), groups)
	SHLQ(U8(8), row) // four lines of 64 bytes
	ADDQ(base, row)
	for p := range s.parts {
		var sum [entries]Op
		sum[0] = zero
		for b := range 4 {
			sum[1<<b] = s.reg()
			s.moveInts(Mem{Base: row, Disp: b*line + p*s.size}, sum[1<<b])
		}
		for i := range entries {
			high := 8
			for high > i && high > 1 {
				high /= 2
			}
			if i&(i-1) != 0 {
				sum[i] = s.reg()
				VPADDD(sum[high], sum[i-high], sum[i])
			}
			s.moveInts(sum[i], Mem{Base: tab, Disp: i*line + p*s.size})
		}
	}
	ADDQ(U32(entries*line), tab)
	JMP(LabelRef("group"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addBits writes the kernel that adds lines without tables.
func addBits(s isa) {
	name := "addBits" + s.name
	TEXT(name, NOSPLIT, "func(x *int32, xstride int, lines *int32, room int, words *uint64, n int)")
	Pragma("noescape")
	Doc(name+" is addBitsGo for n words. The strides, in bytes, go from a line of x to the line of the", "next panel, and from panel to panel of the lines.")
	x := Load(Param("x"), GP64())
	xstride := Load(Param("xstride"), GP64())
	base := Load(Param("lines"), GP64())
	room := Load(Param("room"), GP64())
	words := Load(Param("words"), GP64())
	n := Load(Param("n"), GP64())
	room3, xstride3 := GP64(), GP64()
	LEAQ(Mem{Base: room, Index: room, Scale: 2}, room3)
	LEAQ(Mem{Base: xstride, Index: xstride, Scale: 2}, xstride3)
	var acc [4][]VecVirtual
	panels := func(base, stride, stride3 Register, f func(q, p int, m Mem)) {
		for q := range acc {
			for p := range s.parts {
				m := Mem{Base: base, Disp: p * s.size}
				switch q {
				case 1, 2:
					m.Index, m.Scale = stride, uint8(q)
				case 3:
					m.Index, m.Scale = stride3, 1
				}
				f(q, p, m)
			}
		}
	}
	panels(x, xstride, xstride3, func(q, p int, m Mem) {
		v := s.reg()
		acc[q] = append(acc[q], v)
		s.moveInts(m, v)
	})
	Label("word")
	DECQ(n)
	JLT(LabelRef("done"))
	word := GP64()
	MOVQ(Mem{Base: words}, word)
	ADDQ(U8(8), words)
	TESTQ(word, word)
	JZ(LabelRef("next"))
	Label("bit")
	i, at := GP64(), GP64()
	BSFQ(word, i)
	SHLQ(lineShift, i)
	LEAQ(Mem{Base: base, Index: i, Scale: 1}, at)
	panels(at, room, room3, func(q, p int, m Mem) { VPADDD(m, acc[q][p], acc[q][p]) })
	LEAQ(Mem{Base: word, Disp: -1}, i)
	ANDQ(i, word) // without the lowest bit
	JNZ(LabelRef("bit"))
	Label("next")
	ADDQ(I32(64*line), base)
	JMP(LabelRef("word"))

	Label("done")
	panels(x, xstride, xstride3, func(q, p int, m Mem) { s.moveInts(acc[q][p], m) })
	VZEROUPPER()
	RET()
}

// floats writes a kernel that adds lines as float64s, or stores them.
func floats(name string) {
	TEXT(name+"AVX2", NOSPLIT, "func(lo *float64, hi *float64, lines *int32, n int, unit float64)")
	Pragma("noescape")
	Doc(name + "AVX2 is " + name + "Go for n lines.")
	lo := Load(Param("lo"), GP64())
	hi := Load(Param("hi"), GP64())
	lines := Load(Param("lines"), GP64())
	n := Load(Param("n"), GP64())
	unit := avx2.float("unit")
	Label("loop")
	DECQ(n)
	JLT(LabelRef("done"))
	for half, to := range []Register{lo, hi} {
		for p := range 2 {
			v := YMM()
			VCVTDQ2PD(Mem{Base: lines, Disp: 32*half + 16*p}, v)
			VMULPD(unit, v, v)
			if name == "addFloats" {
				VADDPD(Mem{Base: to, Disp: 32 * p}, v, v)
			}
			VMOVUPD(v, Mem{Base: to, Disp: 32 * p})
		}
	}
	ADDQ(U8(line), lo)
	ADDQ(U8(line), hi)
	ADDQ(U8(line), lines)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
