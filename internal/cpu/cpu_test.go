package cpu

import (
	"slices"
	"strings"
	"testing"
)

func TestEach(t *testing.T) {
	avx2, avx512, neon := AVX2, AVX512, NEON
	var names []string
	Each(func(name string) {
		names = append(names, name)
		if got, want := AVX512, name == "AVX512"; got != want {
			t.Errorf("%s: AVX512 is %v", name, got)
		}
		if got, want := AVX2, name == "AVX512" || name == "AVX2"; got != want {
			t.Errorf("%s: AVX2 is %v", name, got)
		}
		if got, want := NEON, name == "NEON"; got != want {
			t.Errorf("%s: NEON is %v", name, got)
		}
		if got := strings.ReplaceAll(Kernels(), "-", ""); got != name {
			t.Errorf("%s: Kernels() = %q", name, Kernels())
		}
	})
	if AVX2 != avx2 || AVX512 != avx512 || NEON != neon {
		t.Error("Each does not restore what was set")
	}
	if !slices.Contains(names, "Go") || slices.Contains(names, "AVX2") != avx2 || slices.Contains(names, "AVX512") != avx512 || slices.Contains(names, "NEON") != neon {
		t.Errorf("Each ran %v, with AVX2 %v, AVX512 %v and NEON %v", names, avx2, avx512, neon)
	}
}
