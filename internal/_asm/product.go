package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// product writes the kernels of package product.
func product() {
	lists()
	for _, s := range []isa{avx2, avx512} {
		for _, panels := range []int{1, 2} {
			build(s, panels)
			addEntries(s, panels)
		}
	}
	addRows(avx2, 1)
	addRows(avx2, 2)
	addRows(avx512, 4)
	pack()
	unpack()
	nan()
}

const (
	line    = 64 // bytes
	entries = 16 // of a table
	list    = 64 // bytes of a row's entries
)

// minusZero returns a register of -0.
func (s isa) minusZero() Op {
	return s.broadcast(1 << 63)
}

// lists makes lists: it spreads the nibbles of a word over 16-bit lanes and moves
// those that are not 0 together, eight at a time, by a table of shuffles.
func lists() {
	shuffles := GLOBL("shuffles", RODATA|NOPTR)
	for set := range 256 {
		var bytes [16]byte
		n := 0
		for lane := range 8 {
			if set>>lane&1 != 0 {
				bytes[n], bytes[n+1] = byte(2*lane), byte(2*lane+1)
				n += 2
			}
		}
		DATA(16*set, U64(binary.LittleEndian.Uint64(bytes[:])))
		DATA(16*set+8, U64(binary.LittleEndian.Uint64(bytes[8:])))
	}
	places := GLOBL("places", RODATA|NOPTR)
	for place := range 32 {
		DATA(2*place, U16(16*entries*place))
	}

	TEXT("fillAVX2", NOSPLIT, "func(entry *uint16, rows *uint16, n int, words *uint64, stride int, count int)")
	Pragma("noescape")
	Doc("fillAVX2 is fillGo for n rows of one or two words, stride bytes from row to row.")
	entry := Load(Param("entry"), GP64())
	rows := Load(Param("rows"), GP64())
	n := Load(Param("n"), GP64())
	words := Load(Param("words"), GP64())
	stride := Load(Param("stride"), GP64())
	count := Load(Param("count"), GP64())
	table, at := GP64(), GP64()
	LEAQ(shuffles, table)
	low, bits, zero := XMM(), GP64(), XMM()
	MOVQ(U64(0x0f0f0f0f0f0f0f0f), bits)
	VMOVQ(bits, low)
	VPXOR(zero, zero, zero)
	var place [4]VecVirtual
	for i := range place {
		place[i] = XMM()
		VMOVDQU(places.Offset(16*i), place[i])
	}

	Label("row")
	DECQ(n)
	JLT(LabelRef("done"))
	row := GP64()
	MOVWQZX(Mem{Base: rows}, row)
	ADDQ(U8(2), rows)
	IMULQ(stride, row)
	ADDQ(words, row)
	MOVQ(entry, at)
	ADDQ(I32(list), entry)
	for w := range 2 {
		if w == 1 {
			CMPQ(count, U8(1))
			JE(LabelRef("row"))
		}
		lo, hi := XMM(), XMM()
		VMOVQ(Mem{Base: row, Disp: 8 * w}, lo)
		VPSRLW(U8(4), lo, hi)
		VPAND(low, lo, lo)
		VPAND(low, hi, hi)
		VPUNPCKLBW(hi, lo, lo) // a nibble a byte
		VPCMPEQB(zero, lo, hi)
		set := GP32()
		VPMOVMSKB(hi, set)
		XORL(U32(0xffff), set)
		for half := range 2 {
			e, which, shuffle := XMM(), GP32(), GP64()
			if half == 1 {
				VPSRLDQ(U8(8), lo, lo)
			}
			VPMOVZXBW(lo, e)
			VPSLLW(U8(4), e, e)
			VPADDW(place[2*w+half], e, e)
			MOVL(set, which)
			if half == 0 {
				ANDL(U32(0xff), which)
			} else {
				SHRL(U8(8), which)
			}
			MOVL(which, shuffle.As32())
			SHLQ(U8(4), shuffle)
			VPSHUFB(Mem{Base: table, Index: shuffle, Scale: 1}, e, e)
			VMOVDQU(e, Mem{Base: at})
			POPCNTL(which, which)
			LEAQ(Mem{Base: at, Index: which.As64(), Scale: 2}, at)
		}
	}
	JMP(LabelRef("row"))

	Label("done")
	RET()
}

// build tabulates the 16 partial sums of each nibble, beside those of other
// panels.
func build(s isa, panels int) {
	name := fmt.Sprintf("build%d%s", panels, s.name)
	TEXT(name, NOSPLIT, "func(tab *float64, groups *int32, n int, row *float64, stride int, ahead int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is buildGo for n groups of four rows each, stride bytes from row to row, with entries", name),
		fmt.Sprintf("%d×64 bytes apart. The rows ahead bytes ahead are fetched into the cache.", panels))
	tab0 := Load(Param("tab"), GP64())
	groups := Load(Param("groups"), GP64())
	n := Load(Param("n"), GP64())
	base := Load(Param("row"), GP64())
	stride := Load(Param("stride"), GP64())
	ahead := Load(Param("ahead"), GP64())
	zero := s.minusZero()
	stride3, end := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: groups, Index: n, Scale: 4}, end)

	Label("group")
	CMPQ(groups, end)
	JGE(LabelRef("done"))
	row, tab := GP64(), GP64()
	MOVLQSX(Mem{Base: groups}, row)
	ADDQ(U8(4), groups)
	MOVQ(row, tab)
	SHLQ(U8(9+panels), tab)
	ADDQ(tab0, tab)
	SHLQ(U8(2), row)
	IMULQ(stride, row)
	ADDQ(base, row)
	next := GP64()
	LEAQ(Mem{Base: row, Index: ahead, Scale: 1}, next)
	PREFETCHT0(Mem{Base: next})
	PREFETCHT0(Mem{Base: next, Index: stride, Scale: 1})
	PREFETCHT0(Mem{Base: next, Index: stride, Scale: 2})
	PREFETCHT0(Mem{Base: next, Index: stride3, Scale: 1})
	for p := range s.parts {
		off := p * s.size
		var sum [entries]Op
		sum[0] = zero
		load := func(m Mem) Op {
			v := s.reg()
			VMOVUPD(m.Offset(off), v)
			return v
		}
		sum[1] = load(Mem{Base: row})
		sum[2] = load(Mem{Base: row, Index: stride, Scale: 1})
		sum[4] = load(Mem{Base: row, Index: stride, Scale: 2})
		sum[8] = load(Mem{Base: row, Index: stride3, Scale: 1})
		store := func(i int) { VMOVAPD(sum[i], Mem{Base: tab, Disp: i*panels*line + off}) }
		for i := range entries {
			high := 8
			for high > i {
				high /= 2
			}
			if i&(i-1) != 0 {
				sum[i] = s.reg()
				VADDPD(sum[high], sum[i-high], sum[i])
			}
			store(i)
		}
	}
	JMP(LabelRef("group"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addEntries adds the listed table entries to the lines of x, of two rows and
// some panels at a time: their sums do not wait for each other.
func addEntries(s isa, panels int) {
	name := fmt.Sprintf("addEntries%d%s", panels, s.name)
	TEXT(name, NOSPLIT, "func(x *float64, xstride int, tab *float64, rows *uint16, entry *uint16, length *uint8, pairs int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds, for each pair of rows, the table entries of their lists to x, for %d", name, panels),
		"panels whose lines of x are xstride bytes apart.")
	x := Load(Param("x"), GP64())
	xstride := Load(Param("xstride"), GP64())
	tab := Load(Param("tab"), GP64())
	rows := Load(Param("rows"), GP64())
	entry := Load(Param("entry"), GP64())
	length := Load(Param("length"), GP64())
	pairs := Load(Param("pairs"), GP64())
	var acc [2][][]Op
	for r := range acc {
		acc[r] = make([][]Op, panels)
		for q := range panels {
			for range s.parts {
				acc[r][q] = append(acc[r][q], s.reg())
			}
		}
	}
	row := []Register{GP64(), GP64()}
	each := func(f func(r, q, p int, m Mem)) {
		for q := range panels {
			for p := range s.parts {
				// The first row last, in case the second is the same.
				for _, r := range []int{1, 0} {
					m := Mem{Base: row[r], Disp: p * s.size}
					if q == 1 {
						m.Index, m.Scale = xstride, 1
					}
					f(r, q, p, m)
				}
			}
		}
	}
	i, left := GP64(), GP64()
	// add adds the next n entries of both rows, 1, 2 or 4, which are loaded
	// together.
	add := func(n int) {
		e := []GPVirtual{GP64(), GP64()}
		for r, e := range e {
			m := Mem{Base: i, Disp: r * list}
			switch n {
			case 4:
				MOVQ(m, e)
			case 2:
				MOVL(m, e.As32())
			case 1:
				MOVWQZX(m, e)
			}
		}
		for k := range n {
			at := e
			if k < n-1 {
				at = []GPVirtual{GP64(), GP64()}
				for r := range at {
					MOVWQZX(e[r].As16(), at[r])
					SHRQ(U8(16), e[r])
				}
			}
			each(func(r, q, p int, _ Mem) {
				m := Mem{Base: tab, Index: at[r], Scale: uint8(4 * panels), Disp: q*line + p*s.size}
				VADDPD(m, acc[r][q][p], acc[r][q][p])
			})
		}
		ADDQ(U8(2*n), i)
	}
	Label("pair")
	DECQ(pairs)
	JLT(LabelRef("done"))
	MOVQ(entry, i)
	ADDQ(I32(2*list), entry)
	for r := range row {
		MOVWQZX(Mem{Base: rows, Disp: 2 * r}, row[r])
		SHLQ(U8(6), row[r])
		ADDQ(x, row[r])
	}
	ADDQ(U8(4), rows)
	MOVBQZX(Mem{Base: length}, left)
	ADDQ(U8(2), length)
	TESTQ(left, left)
	JZ(LabelRef("done")) // and so are the other pairs, which are no longer
	each(func(r, q, p int, m Mem) { VMOVUPD(m, acc[r][q][p]) })
	SUBQ(U8(4), left)
	JLT(LabelRef("rest"))
	Label("four")
	add(4)
	SUBQ(U8(4), left)
	JGE(LabelRef("four"))
	Label("rest")
	TESTB(U8(2), left.As8())
	JZ(LabelRef("odd"))
	add(2)
	Label("odd")
	TESTB(U8(1), left.As8())
	JZ(LabelRef("store"))
	add(1)
	Label("store")
	each(func(r, q, p int, m Mem) { VMOVUPD(acc[r][q][p], m) })
	JMP(LabelRef("pair"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addRows adds the rows of some panels that a list of nibbles names to the lines
// of x, without tables.
func addRows(s isa, panels int) {
	name := fmt.Sprintf("addRows%d%s", panels, s.name)
	TEXT(name, NOSPLIT, "func(x *float64, xstride int, row *float64, pstride, rstride int, rows *uint16, entry *uint16, length *uint8, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds, for each of n rows, the partial sums that its list names to x, for %d panels pstride bytes", name, panels),
		"apart, of rows rstride bytes apart, whose lines of x are xstride bytes apart.")
	pstride := Load(Param("pstride"), GP64())
	rstride := Load(Param("rstride"), GP64())
	rstride3 := GP64()
	LEAQ(Mem{Base: rstride, Index: rstride, Scale: 2}, rstride3)
	entry := Load(Param("entry"), GP64())
	length := Load(Param("length"), GP64())
	zero := s.minusZero()
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
	i, end := GP64(), GP64()
	Label("row")
	n := Load(Param("n"), GP64())
	DECQ(n)
	JLT(LabelRef("done"))
	Store(n, Param("n"))
	MOVBQZX(Mem{Base: length}, end)
	INCQ(length)
	TESTQ(end, end)
	JZ(LabelRef("done")) // and so are the other rows, which are no longer
	MOVQ(entry, i)
	LEAQ(Mem{Base: entry, Index: end, Scale: 2}, end)
	ADDQ(I32(list), entry)
	lines := func(f func(q, p int, m Mem)) {
		rows, at, xstride := Load(Param("rows"), GP64()), GP64(), Load(Param("xstride"), GP64())
		MOVWQZX(Mem{Base: rows}, at)
		SHLQ(U8(6), at)
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
	lines(func(q, p int, m Mem) { VMOVUPD(m, acc[q][p]) })

	Label("nibble")
	e, at := GP64(), make([]Register, panels)
	place := GP64()
	MOVWQZX(Mem{Base: i}, e)
	MOVQ(e, place)
	SHRQ(U8(8), place)
	IMULQ(rstride, place)
	base := Load(Param("row"), GP64())
	for q := range panels {
		r := GP64()
		if q == 0 {
			LEAQ(Mem{Base: base, Index: place, Scale: 4}, r)
		} else {
			LEAQ(Mem{Base: at[q-1], Index: pstride, Scale: 1}, r)
		}
		at[q] = r
	}
	each(func(q, p int) { VMOVAPD(zero, sum[q][p]) })
	for b := range 4 {
		next := fmt.Sprintf("bit%d", b+1)
		TESTB(U8(16<<b), e.As8())
		JZ(LabelRef(next))
		each(func(q, p int) {
			m := Mem{Base: at[q], Disp: p * s.size}
			switch b {
			case 1:
				m.Index, m.Scale = rstride, 1
			case 2:
				m.Index, m.Scale = rstride, 2
			case 3:
				m.Index, m.Scale = rstride3, 1
			}
			VADDPD(m, sum[q][p], sum[q][p])
		})
		Label(next)
	}
	each(func(q, p int) { VADDPD(sum[q][p], acc[q][p], acc[q][p]) })
	ADDQ(U8(2), i)
	CMPQ(i, end)
	JLT(LabelRef("nibble"))
	lines(func(q, p int, m Mem) { VMOVUPD(acc[q][p], m) })
	rows := Load(Param("rows"), GP64())
	ADDQ(U8(2), rows)
	Store(rows, Param("rows"))
	JMP(LabelRef("row"))

	Label("done")
	VZEROUPPER()
	RET()
}

// transpose4 transposes 4×4 float64s.
func transpose4(in [4]Op) (out [4]Op) {
	lo01, hi01, lo23, hi23 := YMM(), YMM(), YMM(), YMM()
	VUNPCKLPD(in[1], in[0], lo01)
	VUNPCKHPD(in[1], in[0], hi01)
	VUNPCKLPD(in[3], in[2], lo23)
	VUNPCKHPD(in[3], in[2], hi23)
	for i := range out {
		out[i] = YMM()
	}
	VPERM2F128(U8(0x20), lo23, lo01, out[0])
	VPERM2F128(U8(0x20), hi23, hi01, out[1])
	VPERM2F128(U8(0x31), lo23, lo01, out[2])
	VPERM2F128(U8(0x31), hi23, hi01, out[3])
	return out
}

// pack transposes eight rows into a panel.
func pack() {
	TEXT("packAVX2", NOSPLIT, "func(panel *float64, src *float64, stride int, n int)")
	Pragma("noescape")
	Doc("packAVX2 sets n lines, n a multiple of 4, to the columns of eight rows, stride bytes from row to row.")
	panel := Load(Param("panel"), GP64())
	src := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	stride3, half := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: src, Index: stride, Scale: 4}, half)

	Label("loop")
	SUBQ(U8(4), n)
	JLT(LabelRef("done"))
	for h, base := range []Register{src, half} {
		var in [4]Op
		for i, m := range []Mem{
			{Base: base}, {Base: base, Index: stride, Scale: 1}, {Base: base, Index: stride, Scale: 2}, {Base: base, Index: stride3, Scale: 1},
		} {
			in[i] = YMM()
			VMOVUPD(m, in[i])
		}
		for i, v := range transpose4(in) {
			VMOVAPD(v, Mem{Base: panel, Disp: i*line + h*32})
		}
	}
	ADDQ(U8(32), src)
	ADDQ(U8(32), half)
	ADDQ(U32(4*line), panel)
	JMP(LabelRef("loop"))

	Label("done")
	VZEROUPPER()
	RET()
}

// unpack is the inverse.
func unpack() {
	TEXT("unpackAVX2", NOSPLIT, "func(panel *float64, dst *float64, stride int, n int)")
	Pragma("noescape")
	Doc("unpackAVX2 sets the columns of eight rows, stride bytes from row to row, to n lines, n a multiple of 4.")
	panel := Load(Param("panel"), GP64())
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	stride3, half := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: dst, Index: stride, Scale: 4}, half)

	Label("loop")
	SUBQ(U8(4), n)
	JLT(LabelRef("done"))
	for h, base := range []Register{dst, half} {
		var in [4]Op
		for i := range in {
			in[i] = YMM()
			VMOVUPD(Mem{Base: panel, Disp: i*line + h*32}, in[i])
		}
		out := transpose4(in)
		for i, m := range []Mem{
			{Base: base}, {Base: base, Index: stride, Scale: 1}, {Base: base, Index: stride, Scale: 2}, {Base: base, Index: stride3, Scale: 1},
		} {
			VMOVUPD(out[i], m)
		}
	}
	ADDQ(U8(32), dst)
	ADDQ(U8(32), half)
	ADDQ(U32(4*line), panel)
	JMP(LabelRef("loop"))

	Label("done")
	VZEROUPPER()
	RET()
}

// nan looks for a NaN.
func nan() {
	TEXT("nanAVX2", NOSPLIT, "func(x *float64, n int) (found int)")
	Pragma("noescape")
	Doc("nanAVX2 returns not 0 if a NaN is among n numbers, n a multiple of 16.")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	any := []VecVirtual{YMM(), YMM()}
	for _, any := range any {
		VXORPD(any, any, any)
	}
	Label("loop")
	SUBQ(U8(16), n)
	JLT(LabelRef("done"))
	for i, any := range any {
		v := YMM()
		VMOVUPD(Mem{Base: x, Disp: 64 * i}, v)
		VCMPPD(U8(3), Mem{Base: x, Disp: 64*i + 32}, v, v) // either is NaN
		VORPD(v, any, any)
	}
	ADDQ(U32(128), x)
	JMP(LabelRef("loop"))

	Label("done")
	VORPD(any[0], any[1], any[0])
	found := GP64()
	VMOVMSKPD(any[0], found.As32())
	Store(found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
