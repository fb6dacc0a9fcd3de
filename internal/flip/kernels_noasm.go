//go:build !amd64 || purego

package flip

func table(e [][Lanes]float64, w []float64, stride int) { tableGo(e, w, stride) }

func mul(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	mulGo(x, e, p, q, stride, on, chunk)
}
