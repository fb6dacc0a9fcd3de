//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

func detect() (avx2, avx512, neon bool) {
	avx2 = cpu.X86.HasAVX2
	return avx2, avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ, false
}
