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
	panel, _, _ := p.block(q, q+1, 0, p.rows, nil)
	return panel
}

// block returns up to n rows from r0 on of panel q and of some that follow it
// before q1, how far apart the panels are, and how many they are. Those of a
// transpose are copied to lines, n of them for each panel.
func (p *Panels) block(q, q1, r0, n int, lines []Line) (first Panel, distance, panels int) {
	rows := min(n, p.rows-r0)
	switch {
	case p.transposed:
		panels = min(q1-q, len(lines)/n)
		for i := range panels {
			p.pack(lines[i*rows:][:rows], q+i, r0)
		}
		return Panel{Floats(lines), Lanes, rows}, rows * Lanes, panels
	case len(p.tail) > 0 && q == p.cols/Lanes:
		return Panel{Floats(p.tail[r0:]), Lanes, rows}, 0, 1
	default:
		panels = min(q1, p.cols/Lanes) - q
		return Panel{p.data[r0*p.stride+q*Lanes:], p.stride, rows}, Lanes, panels
	}
}

// pack sets panel to the rows from r0 on of panel q of a transpose.
func (p *Panels) pack(panel []Line, q, r0 int) {
	src := p.data[q*Lanes*p.stride+r0:]
	n := min(Lanes, p.cols-q*Lanes)
	if n == Lanes {
		pack(panel, src, p.stride)
		return
	}
	clear(panel)
	for l := range n {
		for i, x := range src[l*p.stride:][:len(panel)] {
			panel[i][l] = x
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
