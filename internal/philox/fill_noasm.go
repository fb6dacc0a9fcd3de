//go:build !amd64 || purego

package philox

func fill(u *[64]uint32, n int, key uint64, c0, c1, c2, c3 uint32) {
	fillGo(u, n, key, c0, c1, c2, c3)
}
