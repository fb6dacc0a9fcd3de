//go:build !purego

package cpu

// Every processor for which Go compiles has NEON.
func detect() (avx2, avx512, neon bool) { return false, false, true }
