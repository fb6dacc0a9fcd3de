//go:build !amd64 || purego

package flip

func mul(x []Product, e [][Lanes]float64, p, q []float64, stride int, on []uint8, chunk int) {
	mulGo(x, e, p, q, stride, on, chunk)
}
