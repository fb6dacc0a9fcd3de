//go:build (!amd64 && !arm64) || purego

package cpu

func detect() (avx2, avx512, neon bool) { return false, false, false }
