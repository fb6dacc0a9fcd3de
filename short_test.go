package rbm

import "testing"

// fewer returns a quarter of n with -short, which is for builds other than the usual one: they have the same bits, and
// each path of their code is to be taken, though not often.
func fewer(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}
