package main

import (
	"fmt"
	"log"
	"math"

	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// addWeights writes a kernel that adds weighted rows to the lines of x. The rows are copied
// to a tile or, if direct, stand in a matrix.
//
// Every nibble has four products. If a bit is 0, its product is 0·(-0) = -0, the number
// that changes no sum.
func addWeights(s isa, panels int, direct bool) {
	name := fmt.Sprintf("addWeights%d%s", panels, s.name)
	rows := "lines *float64"
	doc := []string{fmt.Sprintf("%s is addWeightsGo for n rows of x and the tiles of %s. The strides, in bytes, go from a", name, count(panels)),
		"line of x to the line of the next panel, and from row to row of weights."}
	if direct {
		name = "addWeightsDirect" + s.name
		rows = "lines *float64, stride int, zero *float64"
		doc = []string{name + " is the same for two panels side by side in a matrix, stride bytes from row to row.",
			"The two lines of zero are -0."}
	}
	TEXT(name, NOSPLIT, "func(x *float64, xstride int, "+rows+", weights *float64, wstride int, groups *int32, rows *uint16, entry *uint16, length *uint8, n int)")
	Pragma("noescape")
	Doc(doc...)
	lines := Load(Param("lines"), GP64())
	groups := Load(Param("groups"), GP64())
	length := Load(Param("length"), GP64())
	zero, distance := GP64(), tile*line
	var stride, stride3 GPVirtual
	if direct {
		Load(Param("zero"), zero)
		distance = line
		stride, stride3 = GP64(), GP64()
		Load(Param("stride"), stride)
		LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	} else {
		LEAQ(Mem{Base: lines, Disp: (tile - 1) * line}, zero)
	}
	acc, sum := make([][]Op, panels), make([][]Op, panels)
	for q := range panels {
		for range s.parts {
			acc[q], sum[q] = append(acc[q], s.reg()), append(sum[q], s.reg())
		}
	}
	each := func(f func(q, p int)) {
		for q := range panels {
			for p := range s.parts {
				f(q, p)
			}
		}
	}
	entry, end, weights := GP64(), GP64(), GP64()
	Label("row")
	n := Load(Param("n"), GP64())
	DECQ(n)
	JLT(LabelRef("done"))
	Store(n, Param("n"))
	MOVBQZX(Mem{Base: length}, end)
	INCQ(length)
	TESTQ(end, end)
	JZ(LabelRef("done")) // the lists of the other rows are empty too
	Load(Param("entry"), entry)
	LEAQ(Mem{Base: entry, Index: end, Scale: 2}, end)
	next := GP64()
	LEAQ(Mem{Base: entry, Disp: list}, next)
	Store(next, Param("entry"))
	MOVWQZX(Mem{Base: Load(Param("rows"), GP64())}, weights)
	IMULQ(Load(Param("wstride"), GP64()), weights)
	ADDQ(Load(Param("weights"), GP64()), weights)
	x := func(f func(q, p int, m Mem)) {
		at, xstride := GP64(), Load(Param("xstride"), GP64())
		MOVWQZX(Mem{Base: Load(Param("rows"), GP64())}, at)
		SHLQ(lineShift, at)
		ADDQ(Load(Param("x"), GP64()), at)
		for q := range panels {
			if q > 0 {
				ADDQ(xstride, at)
			}
			for p := range s.parts {
				f(q, p, Mem{Base: at, Disp: p * s.size})
			}
		}
	}
	x(func(q, p int, m Mem) { VMOVUPD(m, acc[q][p]) })

	Label("nibble")
	e, first, w := GP64(), GP64(), GP64()
	MOVWQZX(Mem{Base: entry}, e)
	ADDQ(U8(2), entry)
	MOVQ(e, w)
	SHRQ(placeShift, w)
	MOVLQSX(Mem{Base: groups, Index: w, Scale: 4}, w)
	if direct {
		MOVQ(w, first)
		IMULQ(stride, first)
		SHLQ(U8(2), first)
	} else {
		// Without the nibble an entry is the place times 256, which are four lines.
		if entries*spec.EntryUnit != spec.Group*line {
			log.Fatal("an entry is not where its rows are in a tile")
		}
		MOVQ(e, first)
		ANDQ(U32(0x10000-entries*spec.EntryUnit), first)
	}
	ADDQ(lines, first)
	SHLQ(U8(5), w)
	ADDQ(weights, w)
	for b := range 4 {
		m := Mem{Base: first, Disp: b * line}
		if direct {
			m = []Mem{
				{Base: first}, {Base: first, Index: stride, Scale: 1}, {Base: first, Index: stride, Scale: 2}, {Base: first, Index: stride3, Scale: 1},
			}[b]
		}
		at := GP64()
		LEAQ(m, at)
		TESTB(U8(spec.EntryUnit<<b), e.As8())
		CMOVQEQ(zero, at)
		weight := s.reg()
		VBROADCASTSD(Mem{Base: w, Disp: 8 * b}, weight)
		each(func(q, p int) {
			m := Mem{Base: at, Disp: q*distance + p*s.size}
			if b == 0 {
				VMULPD(m, weight, sum[q][p])
				return
			}
			product := s.reg()
			VMULPD(m, weight, product)
			VADDPD(product, sum[q][p], sum[q][p])
		})
	}
	each(func(q, p int) { VADDPD(sum[q][p], acc[q][p], acc[q][p]) })
	CMPQ(entry, end)
	JLT(LabelRef("nibble"))
	x(func(q, p int, m Mem) { VMOVUPD(acc[q][p], m) })
	of := Load(Param("rows"), GP64())
	ADDQ(U8(2), of)
	Store(of, Param("rows"))
	JMP(LabelRef("row"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addColumns writes the kernel that adds the products of four rows and a row of weights to
// half of a line.
func addColumns() {
	TEXT("addColumnsAVX2", NOSPLIT, "func(x *float64, src *float64, stride int, groups *int32, weights *float64, n int)")
	Pragma("noescape")
	Doc("addColumnsAVX2 is addColumnsGo for n nibbles of four rows, stride bytes from row to row. It prefetches the",
		"next four rows, a line of each for every nibble.")
	x := Load(Param("x"), GP64())
	src := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64())
	groups := Load(Param("groups"), GP64())
	weights := Load(Param("weights"), GP64())
	n := Load(Param("n"), GP64())
	stride3, ahead := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: src, Index: stride, Scale: 4}, ahead)
	rows := func(base Register) [4]Mem {
		return [4]Mem{
			{Base: base}, {Base: base, Index: stride, Scale: 1}, {Base: base, Index: stride, Scale: 2}, {Base: base, Index: stride3, Scale: 1},
		}
	}
	zero, minusZero, acc := YMM(), avx2.minusZero(), YMM()
	VXORPD(zero, zero, zero)
	VMOVUPD(Mem{Base: x}, acc)

	Label("nibble")
	DECQ(n)
	JLT(LabelRef("done"))
	row := GP64()
	MOVLQSX(Mem{Base: groups}, row)
	ADDQ(U8(4), groups)
	SHLQ(U8(5), row)
	ADDQ(src, row)
	for _, m := range rows(ahead) {
		PREFETCHT0(m)
	}
	ADDQ(U8(64), ahead)
	w, set := YMM(), YMM()
	VMOVUPD(Mem{Base: weights}, w)
	ADDQ(U8(32), weights)
	VCMPPD(notEqual, zero, w, set)
	var in [4]Op
	for i, m := range rows(row) {
		in[i] = YMM()
		VMULPD(m, w, in[i])
		VBLENDVPD(set, in[i], minusZero, in[i])
	}
	columns := transpose4(in)
	sum := YMM()
	VADDPD(columns[1], columns[0], sum)
	VADDPD(columns[2], sum, sum)
	VADDPD(columns[3], sum, sum)
	VADDPD(sum, acc, acc)
	JMP(LabelRef("nibble"))

	Label("done")
	VMOVUPD(acc, Mem{Base: x})
	VZEROUPPER()
	RET()
}

// dot writes the kernel of Dot. It computes the partial sums of four nibbles at a time, and
// then adds them one by one.
func dot() {
	TEXT("dotAVX2", NOSPLIT, "func(sum *float64, weights *float64, x *float64, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("dotAVX2 sets sum to dotGo of sum and n numbers, n a multiple of %d.", spec.DotStep))
	sum := Load(Param("sum"), GP64())
	weights := Load(Param("weights"), GP64())
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	zero, minusZero, acc := YMM(), avx2.minusZero(), XMM()
	VXORPD(zero, zero, zero)
	VMOVSD(Mem{Base: sum}, acc)

	Label("nibbles")
	SUBQ(U8(spec.DotStep), n)
	JLT(LabelRef("done"))
	var terms [4]Op
	for i := range terms {
		w, set := YMM(), YMM()
		terms[i] = YMM()
		VMOVUPD(Mem{Base: weights, Disp: 32 * i}, w)
		VCMPPD(notEqual, zero, w, set)
		VMULPD(Mem{Base: x, Disp: 32 * i}, w, terms[i])
		VBLENDVPD(set, terms[i], minusZero, terms[i])
	}
	ADDQ(U8(128), weights)
	ADDQ(U8(128), x)
	columns := transpose4(terms)
	parts, high, odd := YMM(), XMM(), XMM()
	VADDPD(columns[1], columns[0], parts)
	VADDPD(columns[2], parts, parts)
	VADDPD(columns[3], parts, parts)
	VEXTRACTF128(U8(1), parts, high)
	VADDSD(parts.AsX(), acc, acc)
	VPERMILPD(U8(1), parts.AsX(), odd)
	VADDSD(odd, acc, acc)
	VADDSD(high, acc, acc)
	VPERMILPD(U8(1), high, odd)
	VADDSD(odd, acc, acc)
	JMP(LabelRef("nibbles"))

	Label("done")
	VMOVSD(acc, Mem{Base: sum})
	VZEROUPPER()
	RET()
}

// Predicates of VCMPPD, which are true for NaN.
const (
	notEqual        = U8(4)
	notGreaterEqual = U8(25)
	notLessEqual    = U8(22)
)

// nonzero writes the kernel that finds the numbers that are not 0.
func nonzero() {
	TEXT("nonzeroAVX2", NOSPLIT, "func(words *uint64, x *float64, n int) (other int)")
	Pragma("noescape")
	Doc("nonzeroAVX2 is nonzeroGo for n words of 64 numbers each. The result is not 0 if a number is neither 0 nor 1.")
	words := Load(Param("words"), GP64())
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	one := avx2.broadcast(math.Float64bits(1))
	zero, other := YMM(), YMM()
	VXORPD(zero, zero, zero)
	VXORPD(other, other, other)
	Label("word")
	DECQ(n)
	JLT(LabelRef("done"))
	word := GP64()
	XORL(word.As32(), word.As32())
	for i := 15; i >= 0; i-- {
		v, set, no := YMM(), YMM(), YMM()
		VMOVUPD(Mem{Base: x, Disp: 32 * i}, v)
		VCMPPD(notEqual, zero, v, set)
		VCMPPD(notEqual, one, v, no)
		VANDPD(set, no, no)
		VORPD(no, other, other)
		mask := GP64()
		VMOVMSKPD(set, mask.As32())
		SHLQ(U8(4), word)
		ORQ(mask, word)
	}
	MOVQ(word, Mem{Base: words})
	ADDQ(U8(8), words)
	ADDQ(U32(512), x)
	JMP(LabelRef("word"))

	Label("done")
	returnAny(other)
}

// unit writes the kernel that copies numbers in [0, 1].
func unit() {
	TEXT("unitAVX2", NOSPLIT, "func(dst *float64, x *float64, n int) (outside int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("unitAVX2 is unitGo for n numbers, n a multiple of %d. The result is not 0 if a number is outside [0, 1].", spec.UnitStep))
	dst := Load(Param("dst"), GP64())
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	one := avx2.broadcast(math.Float64bits(1))
	zero, outside := YMM(), YMM()
	VXORPD(zero, zero, zero)
	VXORPD(outside, outside, outside)
	Label("loop")
	SUBQ(U8(spec.UnitStep), n)
	JLT(LabelRef("done"))
	for i := range 2 {
		v, low, high := YMM(), YMM(), YMM()
		VADDPD(Mem{Base: x, Disp: 32 * i}, zero, v)
		VMOVUPD(v, Mem{Base: dst, Disp: 32 * i})
		VCMPPD(notGreaterEqual, zero, v, low)
		VCMPPD(notLessEqual, one, v, high)
		VORPD(low, high, high)
		VORPD(high, outside, outside)
	}
	ADDQ(U8(64), x)
	ADDQ(U8(64), dst)
	JMP(LabelRef("loop"))

	Label("done")
	returnAny(outside)
}

// returnAny writes the end of a function that returns a number other than 0 if a sign bit
// of v is set.
func returnAny(v VecVirtual) {
	found := GP64()
	VMOVMSKPD(v, found.As32())
	Store(found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
