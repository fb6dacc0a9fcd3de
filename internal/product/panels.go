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

// Panels is a matrix cut into panels. The zero value is ready for View, Reset
// and Pack.
type Panels struct {
	rows, cols int
	data       []float64
	row, panel int    // distances in data from row to row and from panel to panel
	tail       []Line // the last panel, filled up with zeros, if cols is no multiple of 8
	lines      []Line // memory of Reset
}

// View makes p the row-major matrix data, which it refers to. A last panel of
// less than eight columns is copied.
func (p *Panels) View(rows, cols, stride int, data []float64) {
	p.rows, p.cols, p.data, p.row, p.panel = rows, cols, data, stride, Lanes
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

// Forget ends the reference to the matrix of View.
func (p *Panels) Forget() { p.data = nil }

// Reset makes p a matrix in memory of its own, each panel in one piece. What it
// holds is not defined until each panel has been packed.
func (p *Panels) Reset(rows, cols int) {
	n := (cols + Lanes - 1) / Lanes * rows
	if cap(p.lines) < n {
		p.lines = Lines(n)
	}
	p.lines = p.lines[:n]
	p.rows, p.cols, p.row, p.panel = rows, cols, Lanes, rows*Lanes
	p.data = Floats(p.lines)
	p.tail = p.tail[:0]
}

// Pack sets panel q to the columns [8q, 8q+8) of the transpose of the row-major
// matrix data, as far as they exist, and zeros. It reports whether a NaN is
// among them.
func (p *Panels) Pack(q, stride int, data []float64) (nan bool) {
	panel := p.lines[q*p.rows:][:p.rows]
	n := min(Lanes, p.cols-q*Lanes)
	if n == Lanes && !pack(panel, data[q*Lanes*stride:], stride) {
		return false
	}
	clear(panel)
	for l := range n {
		for i, x := range data[(q*Lanes+l)*stride:][:p.rows] {
			panel[i][l] = x
			nan = nan || x != x
		}
	}
	return nan
}

// Unpack is the inverse: it sets the columns [8q, 8q+8) of the transpose of the
// row-major matrix data, as far as there are n of them, to a panel.
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

// Panel returns panel q.
func (p *Panels) Panel(q int) Panel {
	if len(p.tail) > 0 && q == p.cols/Lanes {
		return Panel{Data: Floats(p.tail), Stride: Lanes, Rows: p.rows}
	}
	return Panel{Data: p.data[q*p.panel:], Stride: p.row, Rows: p.rows}
}

// run returns panel q and how many panels from q on, before q1, stand at the same
// distance from each other.
func (p *Panels) run(q, q1 int) (first Panel, n int) {
	if len(p.tail) > 0 && q < p.cols/Lanes {
		q1 = min(q1, p.cols/Lanes)
	}
	return p.Panel(q), q1 - q
}

// Count returns the number of panels.
func (p *Panels) Count() int { return (p.cols + Lanes - 1) / Lanes }

// Floats returns the elements of s, one after the other.
func Floats(s []Line) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*Lanes)
}
