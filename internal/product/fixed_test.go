package product

import "testing"

func BenchmarkPack(b *testing.B) {
	const nv, nh = 784, 500
	data := make([]float64, nv*nh)
	for i := range data {
		data[i] = float64(i%17) * 0.01
	}
	bias := make([]float64, 1024)
	for _, transposed := range []bool{false, true} {
		b.Run(map[bool]string{false: "rows", true: "columns"}[transposed], func(b *testing.B) {
			var p Panels
			var f Fixed
			rows, cols := nh, nv
			if transposed {
				rows, cols = nv, nh
				p.ViewT(rows, cols, nv, data)
			} else {
				p.View(rows, cols, nv, data)
			}
			f.Reset(rows, cols)
			for b.Loop() {
				for t := range (cols + 63) / 64 {
					f.Pack(t, &p, bias)
				}
			}
		})
	}
}

// packed returns the matrix p in fixed point.
func packed(p *Panels, bias []float64) *Fixed {
	f := new(Fixed)
	f.Reset(p.rows, p.cols)
	for t := range (p.cols + wordBits - 1) / wordBits {
		f.Pack(t, p, bias)
	}
	return f
}
