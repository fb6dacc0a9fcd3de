package product

import "unsafe"

// A Panel is eight columns of the float64 side. Row i is Data[i·Stride:][:8].
type Panel struct {
	Data   []float64
	Stride int
	Rows   int
}

// Line returns row i.
func (p Panel) Line(i int) *Line { return (*Line)(p.Data[i*p.Stride:]) }

// Lines returns n lines of zeros that begin at a multiple of 64 bytes.
func Lines(n int) []Line {
	s := make([]float64, n*Lanes+Lanes-1)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s))) % 64 / 8)
	return unsafe.Slice((*Line)(unsafe.Pointer(&s[off])), n)
}

// Panels is a matrix cut into panels, which refers to the caller's memory.
type Panels struct {
	rows, cols int
	data       []float64
	stride     int
	transposed bool
	tail       []Line // the last panel, filled up with zeros, if cols is no multiple of 8
}

// View makes p the row-major matrix data. A last panel of less than eight
// columns is copied.
func (p *Panels) View(rows, cols, stride int, data []float64) {
	p.rows, p.cols, p.stride, p.data, p.transposed = rows, cols, stride, data, false
	p.tail = p.tail[:0]
	if cols%Lanes == 0 {
		return
	}
	if cap(p.tail) < rows {
		p.tail = Lines(rows)
	}
	p.tail = p.tail[:rows]
	for i := range p.tail {
		p.tail[i] = Line{}
		copy(p.tail[i][:], data[i*stride+cols/Lanes*Lanes:i*stride+cols])
	}
}

// ViewT makes p the transpose of the row-major matrix data, rows×cols being the
// size of p.
func (p *Panels) ViewT(rows, cols, stride int, data []float64) {
	p.rows, p.cols, p.stride, p.data, p.transposed = rows, cols, stride, data, true
	p.tail = p.tail[:0]
}

// Forget ends the reference to the matrix.
func (p *Panels) Forget() { p.data = nil }

// Count returns the number of panels.
func (p *Panels) Count() int { return (p.cols + Lanes - 1) / Lanes }

// Panel returns panel q of a matrix that is not a transpose.
func (p *Panels) Panel(q int) Panel {
	panel, _, _, _ := p.rowsOf(q, q+1, nil, nil)
	return panel
}

// rowsOf returns where the rows of the given nibbles are, in panel q and in some that
// follow it before q1: nibble i begins in row 4·at[i] of first, and panels are
// distance apart. Those of a transpose are copied to lines.
func (p *Panels) rowsOf(q, q1 int, groups []int32, lines []Line) (first Panel, at []int32, distance, panels int) {
	switch {
	case p.transposed:
		n := len(groups) * group
		panels = min(q1-q, len(lines)/n)
		for i := range panels {
			p.gather(lines[i*n:][:n], q+i, groups)
		}
		return Panel{Floats(lines), Lanes, n}, inOrder[:len(groups)], n * Lanes, panels
	case q == p.cols/Lanes:
		return Panel{Floats(p.tail), Lanes, p.rows}, groups, 0, 1
	default:
		return Panel{p.data[q*Lanes:], p.stride, p.rows}, groups, Lanes, min(q1, p.cols/Lanes) - q
	}
}

var inOrder = func() (at [blockGroups]int32) {
	for i := range at {
		at[i] = int32(i)
	}
	return at
}()

// gather sets lines to the rows of the given nibbles of panel q of a transpose. Rows
// behind the last are zeros.
func (p *Panels) gather(lines []Line, q int, groups []int32) {
	n := p.whole(groups)
	if cols := p.cols - q*Lanes; cols < Lanes {
		n = 0
	} else if n > 0 {
		gather(lines, groups[:n], p.data[q*Lanes*p.stride:], p.stride)
	}
	for i := n; i < len(groups); i++ {
		for b := range group {
			line := &lines[i*group+b]
			*line = Line{}
			if j := int(groups[i])*group + b; j < p.rows {
				for l := range min(Lanes, p.cols-q*Lanes) {
					line[l] = p.data[(q*Lanes+l)*p.stride+j]
				}
			}
		}
	}
}

// whole returns how many of the given nibbles have four rows: all, or all but the last.
func (p *Panels) whole(groups []int32) int {
	n := len(groups)
	if n > 0 && int(groups[n-1]+1)*group > p.rows {
		n--
	}
	return n
}

// build tabulates the sums of the given nibbles of panel q, one after the other. It
// uses lines.
func (p *Panels) build(tab []Line, q int, groups []int32, lines []Line) {
	if p.transposed && p.cols-q*Lanes >= Lanes {
		if n := p.whole(groups); n > 0 && buildColumns(tab, groups[:n], p.data[q*Lanes*p.stride:], p.stride) {
			if tab, groups = tab[n*entries:], groups[n:]; len(groups) == 0 {
				return
			}
		}
	}
	first, at, _, _ := p.rowsOf(q, q+1, groups, lines)
	build(tab, first, at)
}

// tile sets lines, a tile, to the rows of the given nibbles of panel q.
func (p *Panels) tile(lines []Line, q int, groups []int32) {
	lines[tileLines-1] = minusZero
	if p.transposed {
		p.gather(lines[:len(groups)*group], q, groups)
		return
	}
	from := p.Panel(q)
	for i, g := range groups {
		for b := range min(group, from.Rows-int(g)*group) {
			lines[i*group+b] = *from.Line(int(g)*group + b)
		}
	}
}

// Unpack sets the columns [8q, 8q+8) of the transpose of the row-major matrix
// data, as far as there are n of them, to a panel.
func Unpack(panel []Line, q, n, stride int, data []float64) {
	if n == Lanes {
		unpack(panel, data[q*Lanes*stride:], stride)
		return
	}
	for l := range n {
		dst := data[(q*Lanes+l)*stride:][:len(panel)]
		for i := range dst {
			dst[i] = panel[i][l]
		}
	}
}

// Floats returns the elements of s, one after the other.
func Floats(s []Line) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*Lanes)
}
