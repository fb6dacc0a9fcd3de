package product

import "unsafe"

// A Panel is eight neighboring columns of a matrix. Row i is Data[i·Stride:][:8].
type Panel struct {
	Data   []float64
	Stride int
	Rows   int
}

// Line returns row i.
func (p Panel) Line(i int) *Line { return (*Line)(p.Data[i*p.Stride:]) }

// Lines returns n lines of zeros. Their address is a multiple of 64.
func Lines(n int) []Line {
	s := make([]float64, n*Lanes+Lanes-1)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s))) % 64 / 8)
	return unsafe.Slice((*Line)(unsafe.Pointer(&s[off])), n)
}

// Panels is a matrix, cut into panels. It refers to the memory of the caller.
type Panels struct {
	rows, cols int
	data       []float64
	stride     int
	transposed bool
	tail       []Line // the last panel, filled up with zeros, if cols is no multiple of 8
}

// View makes p a row-major matrix of rows×cols. A last panel of fewer than eight columns
// is copied.
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

// ViewT makes p the transpose of a row-major matrix. The transpose is rows×cols.
func (p *Panels) ViewT(rows, cols, stride int, data []float64) {
	p.rows, p.cols, p.stride, p.data, p.transposed = rows, cols, stride, data, true
	p.tail = p.tail[:0]
}

// Forget drops the reference to the matrix.
func (p *Panels) Forget() { p.data = nil }

// Rows returns the number of rows.
func (p *Panels) Rows() int { return p.rows }

// Count returns the number of panels.
func (p *Panels) Count() int { return (p.cols + Lanes - 1) / Lanes }

// Panel returns panel q. The matrix must not be a transpose.
func (p *Panels) Panel(q int) Panel {
	panel, _, _, _ := p.rowsOf(q, q+1, nil, nil)
	return panel
}

// rowsOf finds the rows of the given nibbles in panel q and some that follow it before q1.
// It returns panel q as first, the number of panels, and their distance in first.Data.
// Nibble i begins at row 4·at[i] of each. The nibbles of a transpose are copied to lines.
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

// gather copies the given nibbles of panel q of a transpose to lines, four lines each.
// Rows behind the last are zeros.
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

// whole returns the number of the given nibbles that have four rows: all, or all but the
// last.
func (p *Panels) whole(groups []int32) int {
	n := len(groups)
	if n > 0 && int(groups[n-1]+1)*group > p.rows {
		n--
	}
	return n
}

// build computes the tables of the given nibbles of panel q, one after the other. It may
// overwrite lines.
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

// tile copies the given nibbles of panel q to a tile.
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

// Unpack transposes the first n columns of a panel into rows [8q, 8q+n) of the row-major
// matrix data.
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

// Floats returns the elements of s as one slice, without a copy.
func Floats(s []Line) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*Lanes)
}
