//go:build !purego

package cpu

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// AVX2 is used if the processor has it, unless it is switched off: see TestVariable.
func TestDetect(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	if strings.Contains(os.Getenv("GODEBUG"), "cpu.") {
		t.Skip("GODEBUG chooses the instruction sets")
	}
	if value := os.Getenv(Variable); value != "" {
		t.Skipf("%s is %s", Variable, value)
	}
	flags := strings.Fields(string(info))
	if slices.Contains(flags, "avx2") && !AVX2 {
		t.Error("the processor has AVX2, which is not used")
	}
	if slices.Contains(flags, "avx512vl") && slices.Contains(flags, "avx512dq") && !AVX512 {
		t.Error("the processor has AVX-512, which is not used")
	}
}
