//go:build amd64 && !purego

package philox

import "testing"

// eachImplementation runs a test with every implementation that the processor
// has.
func eachImplementation(t *testing.T, test func(t *testing.T)) {
	hasAVX2, hasAVX512 := useAVX2, useAVX512
	defer func() { useAVX2, useAVX512 = hasAVX2, hasAVX512 }()
	if hasAVX512 {
		t.Run("AVX512", test)
	}
	if useAVX512 = false; hasAVX2 {
		t.Run("AVX2", test)
	}
	useAVX2 = false
	t.Run("Go", test)
}
