package main

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/gorbm/rbm/internal/spec"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// product writes the kernels of package product.
func product() {
	lists()
	for _, s := range []isa{avx2, avx512} {
		build(s)
		addEntries(s, false)
		addEntries(s, true)
	}
	addRows(avx2, 1)
	addRows(avx2, 2)
	addRows(avx512, 4)
	buildColumns()
	gather()
	for _, s := range []isa{avx2, avx512} {
		addWeights(s, 1, false)
		addWeights(s, 2, false)
	}
	addWeights(avx2, 2, true)
	addColumns()
	addNibble()
	dot()
	transpose()
	unpack()
	nan()
	nonzero()
	unit()
	fixed()
}

const (
	line       = spec.LineBytes
	entries    = spec.Entries
	list       = 2 * spec.ListLen // bytes of the room for a list
	rowsAtOnce = spec.RowsAtOnce
	tile       = spec.TileLines

	// Bytes of a span, and where its fields are. The word comes first.
	spanBytes = int(unsafe.Sizeof(spec.Span{}))
	spanMask  = int(unsafe.Offsetof(spec.Span{}.Mask))
	spanBase  = int(unsafe.Offsetof(spec.Span{}.Base))
)

// Shifts that multiply the number of a line by its bytes, and that make entries of nibbles
// and places of entries.
var (
	lineShift  = U8(bits.TrailingZeros(line))
	entryShift = U8(bits.TrailingZeros(spec.EntryUnit))
	placeShift = U8(bits.TrailingZeros(entries * spec.EntryUnit))
)

// minusZero returns a register of -0.
func (s isa) minusZero() Op {
	return s.broadcast(1 << 63)
}

// lists writes the kernel that makes lists. It spreads the nibbles of a word over 16-bit
// lanes, eight at a time, and moves those that are not 0 together by a table of shuffles.
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

	TEXT("fillAVX2", NOSPLIT, "func(entry *uint16, rows *uint16, n int, words *uint64, stride int, spans *uint64, count int)")
	Pragma("noescape")
	Doc("fillAVX2 is fillGo for n rows, stride bytes from row to row, and count spans.")
	entry := Load(Param("entry"), GP64())
	rows := Load(Param("rows"), GP64())
	n := Load(Param("n"), GP64())
	words := Load(Param("words"), GP64())
	stride := Load(Param("stride"), GP64())
	table, at := GP64(), GP64()
	LEAQ(shuffles, table)
	low, bits, zero := XMM(), GP64(), XMM()
	MOVQ(U64(0x0f0f0f0f0f0f0f0f), bits)
	VMOVQ(bits, low)
	VPXOR(zero, zero, zero)

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
	s := Load(Param("spans"), GP64())
	left := Load(Param("count"), GP64())
	Label("span")
	x := GP64()
	MOVQ(Mem{Base: s}, x)
	MOVQ(Mem{Base: row, Index: x, Scale: 8}, x)
	ANDQ(Mem{Base: s, Disp: spanMask}, x)
	lo, hi := XMM(), XMM()
	VMOVQ(x, lo)
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
		VPSLLW(entryShift, e, e)
		VPADDW(Mem{Base: s, Disp: spanBase + 16*half}, e, e)
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
	ADDQ(U8(spanBytes), s)
	DECQ(left)
	JNZ(LabelRef("span"))
	JMP(LabelRef("row"))

	Label("done")
	RET()
}

// tabulate stores the 16 partial sums of a nibble, given its four rows, a line apart.
func (s isa) tabulate(zero Op, rows [4]Op, at Mem) {
	var sum [entries]Op
	sum[0], sum[1], sum[2], sum[4], sum[8] = zero, rows[0], rows[1], rows[2], rows[3]
	for i := range entries {
		high := 8
		for high > i {
			high /= 2
		}
		if i&(i-1) != 0 {
			sum[i] = s.reg()
			VADDPD(sum[high], sum[i-high], sum[i])
		}
		VMOVAPD(sum[i], at.Offset(i*line))
	}
}

// build writes the kernel that computes tables.
func build(s isa) {
	name := "build" + s.name
	TEXT(name, NOSPLIT, "func(tab *float64, groups *int32, n int, row *float64, stride int)")
	Pragma("noescape")
	Doc(name+" is buildGo for n groups of four rows each, stride bytes from row to row. It prefetches",
		"the rows of the next panel.")
	tab := Load(Param("tab"), GP64())
	groups := Load(Param("groups"), GP64())
	n := Load(Param("n"), GP64())
	base := Load(Param("row"), GP64())
	stride := Load(Param("stride"), GP64())
	zero := s.minusZero()
	stride3, end := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: groups, Index: n, Scale: 4}, end)

	Label("group")
	CMPQ(groups, end)
	JGE(LabelRef("done"))
	row := GP64()
	MOVLQSX(Mem{Base: groups}, row)
	ADDQ(U8(4), groups)
	SHLQ(U8(2), row)
	IMULQ(stride, row)
	ADDQ(base, row)
	rows := [4]Mem{
		{Base: row}, {Base: row, Index: stride, Scale: 1}, {Base: row, Index: stride, Scale: 2}, {Base: row, Index: stride3, Scale: 1},
	}
	for _, m := range rows {
		PREFETCHT0(m.Offset(line))
	}
	for p := range s.parts {
		var in [4]Op
		for i, m := range rows {
			in[i] = s.reg()
			VMOVUPD(m.Offset(p*s.size), in[i])
		}
		s.tabulate(zero, in, Mem{Base: tab, Disp: p * s.size})
	}
	ADDQ(U32(entries*line), tab)
	JMP(LabelRef("group"))

	Label("done")
	VZEROUPPER()
	RET()
}

// columns writes a loop over the nibbles of a transpose, which are four columns of eight
// rows. It calls f for each half of a nibble's four lines.
func columns(to string, bytes int, f func(rows [4]Op, at Mem)) {
	at := Load(Param(to), GP64())
	groups := Load(Param("groups"), GP64())
	n := Load(Param("n"), GP64())
	base := Load(Param("src"), GP64())
	stride := Load(Param("stride"), GP64())
	stride3, end, other := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: groups, Index: n, Scale: 4}, end)
	LEAQ(Mem{Base: base, Index: stride, Scale: 4}, other)

	Label("group")
	CMPQ(groups, end)
	JGE(LabelRef("done"))
	g := GP64()
	MOVLQSX(Mem{Base: groups}, g)
	ADDQ(U8(4), groups)
	SHLQ(U8(5), g)
	for half, base := range []Register{base, other} {
		row := GP64()
		LEAQ(Mem{Base: base, Index: g, Scale: 1}, row)
		var in [4]Op
		for i, m := range [4]Mem{
			{Base: row}, {Base: row, Index: stride, Scale: 1}, {Base: row, Index: stride, Scale: 2}, {Base: row, Index: stride3, Scale: 1},
		} {
			in[i] = YMM()
			VMOVUPD(m, in[i])
		}
		f(transpose4(in), Mem{Base: at, Disp: 32 * half})
	}
	ADDQ(U32(bytes), at)
	JMP(LabelRef("group"))

	Label("done")
	VZEROUPPER()
	RET()
}

// buildColumns writes the kernel that computes tables of a transpose.
func buildColumns() {
	TEXT("buildColumnsAVX2", NOSPLIT, "func(tab *float64, groups *int32, n int, src *float64, stride int)")
	Pragma("noescape")
	Doc("buildColumnsAVX2 is buildGo for n groups of four columns of eight rows, stride bytes from row to row.")
	zero := avx2.minusZero()
	columns("tab", entries*line, func(rows [4]Op, at Mem) { avx2.tabulate(zero, rows, at) })
}

// gather writes the kernel that copies nibbles of a transpose.
func gather() {
	TEXT("gatherAVX2", NOSPLIT, "func(lines *float64, groups *int32, n int, src *float64, stride int)")
	Pragma("noescape")
	Doc("gatherAVX2 is gatherGo for n groups, stride bytes from row to row.")
	columns("lines", spec.Group*line, func(rows [4]Op, at Mem) {
		for i, row := range rows {
			VMOVAPD(row, at.Offset(i*line))
		}
	})
}

// addEntries writes the kernel that adds lines of tables to the lines of x, for some rows
// at a time, whose sums do not wait for each other.
func addEntries(s isa, fixed bool) {
	name, of, number := "addEntries", "addEntriesGo", "float64"
	if fixed {
		name, of, number = "addFixed", "addFixedGo", "int32"
	}
	name += s.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(x *%s, tab *%[1]s, rows *uint16, entry *uint16, length *uint8, times int)", number))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is %s for %d·times rows.", name, of, rowsAtOnce))
	sum := VADDPD
	if fixed {
		sum = VPADDD
	}
	x := Load(Param("x"), GP64())
	tab := Load(Param("tab"), GP64())
	rows := Load(Param("rows"), GP64())
	entry := Load(Param("entry"), GP64())
	length := Load(Param("length"), GP64())
	var acc [rowsAtOnce][]Op
	for r := range acc {
		for range s.parts {
			acc[r] = append(acc[r], s.reg())
		}
	}
	// lines calls f for the lines of the rows, the first row last: others may be the same
	// row again.
	lines := func(f func(acc Op, m Mem)) {
		for r := rowsAtOnce - 1; r >= 0; r-- {
			at := GP64()
			MOVWQZX(Mem{Base: rows, Disp: 2 * r}, at)
			SHLQ(lineShift, at)
			for p := range s.parts {
				f(acc[r][p], Mem{Base: x, Index: at, Scale: 1, Disp: p * s.size})
			}
		}
	}
	i, left := GP64(), GP64()
	// add adds the next n entries of all rows. The 1, 2 or 4 entries are loaded together.
	add := func(n int) {
		var e [rowsAtOnce]GPVirtual
		for r := range e {
			e[r] = GP64()
			m := Mem{Base: i, Disp: r * list}
			switch n {
			case 4:
				MOVQ(m, e[r])
			case 2:
				MOVL(m, e[r].As32())
			case 1:
				MOVWQZX(m, e[r])
			}
		}
		for k := range n {
			for r := range e {
				at := e[r]
				if k < n-1 {
					at = GP64()
					MOVWQZX(e[r].As16(), at)
					SHRQ(U8(16), e[r])
				}
				for p := range s.parts {
					sum(Mem{Base: tab, Index: at, Scale: spec.EntryScale, Disp: p * s.size}, acc[r][p], acc[r][p])
				}
			}
		}
		ADDQ(U8(2*n), i)
	}
	Label("rows")
	times := Load(Param("times"), GP64())
	DECQ(times)
	JLT(LabelRef("done"))
	Store(times, Param("times"))
	MOVQ(entry, i)
	ADDQ(I32(rowsAtOnce*list), entry)
	MOVBQZX(Mem{Base: length}, left)
	ADDQ(U8(rowsAtOnce), length)
	TESTQ(left, left)
	JZ(LabelRef("done")) // the lists of the other rows are empty too
	lines(func(acc Op, m Mem) { VMOVUPD(m, acc) })
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
	lines(func(acc Op, m Mem) { VMOVUPD(acc, m) })
	ADDQ(U8(2*rowsAtOnce), rows)
	JMP(LabelRef("rows"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addRows writes a kernel that adds the rows of some panels to the lines of x, without
// tables.
func addRows(s isa, panels int) {
	name := fmt.Sprintf("addRows%d%s", panels, s.name)
	TEXT(name, NOSPLIT, "func(x *float64, xstride int, row *float64, pstride, rstride int, groups *int32, rows *uint16, entry *uint16, length *uint8, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is addRowsGo for n rows of x and %s. The strides, in bytes, go from panel to panel, from", name, count(panels)),
		"row to row, and from a line of x to the line of the next panel.")
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
	JZ(LabelRef("done")) // the lists of the other rows are empty too
	MOVQ(entry, i)
	LEAQ(Mem{Base: entry, Index: end, Scale: 2}, end)
	ADDQ(I32(list), entry)
	lines := func(f func(q, p int, m Mem)) {
		rows, at, xstride := Load(Param("rows"), GP64()), GP64(), Load(Param("xstride"), GP64())
		MOVWQZX(Mem{Base: rows}, at)
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
	lines(func(q, p int, m Mem) { VMOVUPD(m, acc[q][p]) })

	Label("nibble")
	e, at := GP64(), make([]Register, panels)
	place := GP64()
	MOVWQZX(Mem{Base: i}, e)
	MOVQ(e, place)
	SHRQ(placeShift, place)
	MOVLQSX(Mem{Base: Load(Param("groups"), GP64()), Index: place, Scale: 4}, place)
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
		TESTB(U8(spec.EntryUnit<<b), e.As8())
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

// count returns a number of panels in words.
func count(panels int) string {
	if panels == 1 {
		return "a panel"
	}
	return fmt.Sprintf("%d panels", panels)
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

// transpose writes the kernel that transposes eight rows.
func transpose() {
	TEXT("transposeAVX2", NOSPLIT, "func(dst *float64, to int, src *float64, from int, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("transposeAVX2 is transposeGo for n columns, n a multiple of %d. The strides of dst and src are in", spec.TransposeStep),
		"bytes.")
	dst := Load(Param("dst"), GP64())
	to := Load(Param("to"), GP64())
	src := Load(Param("src"), GP64())
	from := Load(Param("from"), GP64())
	n := Load(Param("n"), GP64())
	to3, from3, half := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: to, Index: to, Scale: 2}, to3)
	LEAQ(Mem{Base: from, Index: from, Scale: 2}, from3)
	LEAQ(Mem{Base: src, Index: from, Scale: 4}, half)
	rows := func(base, stride, stride3 Register) [4]Mem {
		return [4]Mem{
			{Base: base}, {Base: base, Index: stride, Scale: 1}, {Base: base, Index: stride, Scale: 2}, {Base: base, Index: stride3, Scale: 1},
		}
	}

	Label("loop")
	SUBQ(U8(spec.TransposeStep), n)
	JLT(LabelRef("done"))
	for h, base := range []Register{src, half} {
		var in [4]Op
		for i, m := range rows(base, from, from3) {
			in[i] = YMM()
			VMOVUPD(m, in[i])
		}
		out := transpose4(in)
		for i, m := range rows(dst, to, to3) {
			VMOVUPD(out[i], m.Offset(h*32))
		}
	}
	ADDQ(U8(32), src)
	ADDQ(U8(32), half)
	LEAQ(Mem{Base: dst, Index: to, Scale: 4}, dst)
	JMP(LabelRef("loop"))

	Label("done")
	VZEROUPPER()
	RET()
}

// addNibble writes the kernel that adds up to four rows to lines of x.
func addNibble() {
	TEXT("addNibbleAVX2", NOSPLIT, "func(x *float64, n, at int, a, b, c, d *float64, rows int)")
	Pragma("noescape")
	Doc("addNibbleAVX2 is addNibbleGo for n lines of x, at least 1, and the first of the rows a, b, c and d. Their",
		"lines begin at bytes on.")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	at := Load(Param("at"), GP64())
	count := Load(Param("rows"), GP64())
	var rows []Register
	for _, name := range []string{"a", "b", "c", "d"} {
		row := Load(Param(name), GP64())
		ADDQ(at, row)
		rows = append(rows, row)
	}
	for k := 2; k <= len(rows); k++ {
		CMPQ(count, U8(k))
		JE(LabelRef(fmt.Sprintf("rows%d", k)))
	}
	for k := 1; k <= len(rows); k++ {
		Label(fmt.Sprintf("rows%d", k))
		for p := range avx2.parts {
			sum, disp := YMM(), p*avx2.size
			VMOVUPD(Mem{Base: rows[0], Disp: disp}, sum)
			for _, row := range rows[1:k] {
				VADDPD(Mem{Base: row, Disp: disp}, sum, sum)
			}
			VADDPD(Mem{Base: x, Disp: disp}, sum, sum)
			VMOVUPD(sum, Mem{Base: x, Disp: disp})
		}
		ADDQ(U8(line), x)
		for _, row := range rows[:k] {
			ADDQ(U8(line), row)
		}
		DECQ(n)
		JNZ(LabelRef(fmt.Sprintf("rows%d", k)))
		VZEROUPPER()
		RET()
	}
}

// unpack writes the kernel that transposes a panel into eight rows.
func unpack() {
	TEXT("unpackAVX2", NOSPLIT, "func(panel *float64, dst *float64, stride int, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("unpackAVX2 is unpackGo for n lines, n a multiple of %d, and rows stride bytes apart.", spec.TransposeStep))
	panel := Load(Param("panel"), GP64())
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	n := Load(Param("n"), GP64())
	stride3, half := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: dst, Index: stride, Scale: 4}, half)

	Label("loop")
	SUBQ(U8(spec.TransposeStep), n)
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
	ADDQ(U32(spec.TransposeStep*line), panel)
	JMP(LabelRef("loop"))

	Label("done")
	VZEROUPPER()
	RET()
}

// nan writes the kernel that looks for a NaN.
func nan() {
	TEXT("nanAVX2", NOSPLIT, "func(x *float64, n int) (found int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("nanAVX2 returns a number other than 0 if there is a NaN among n numbers, n a multiple of %d.", spec.ScanStep))
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	any := []VecVirtual{YMM(), YMM()}
	for _, any := range any {
		VXORPD(any, any, any)
	}
	Label("loop")
	SUBQ(U8(spec.ScanStep), n)
	JLT(LabelRef("done"))
	for i, any := range any {
		v := YMM()
		VMOVUPD(Mem{Base: x, Disp: 64 * i}, v)
		VCMPPD(U8(3), Mem{Base: x, Disp: 64*i + 32}, v, v) // either is NaN
		VORPD(v, any, any)
	}
	ADDQ(U32(spec.ScanStep*spec.FloatBytes), x)
	JMP(LabelRef("loop"))

	Label("done")
	VORPD(any[0], any[1], any[0])
	found := GP64()
	VMOVMSKPD(any[0], found.As32())
	Store(found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
