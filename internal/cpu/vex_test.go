package cpu

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// No kernel has a legacy-SSE instruction on a vector register. Between VEX instructions,
// each of them costs Intel's processors a change of state. AMD's processors wait for the
// whole register: MOVQ in place of VMOVQ made a kernel six times slower than plain Go.
func TestKernelsAreVEX(t *testing.T) {
	files, err := filepath.Glob("../*/*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("assembly: %v, error %v", files, err)
	}
	vectors := 0
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			vector, vex := instruction(line)
			if vector {
				vectors++
			}
			if vector && !vex {
				t.Errorf("%s:%d: %s: want an instruction with V", name, i+1, strings.TrimSpace(line))
			}
		}
	}
	if vectors < 1000 {
		t.Errorf("%d instructions on vector registers found, want at least 1000", vectors)
	}
}

var operation = regexp.MustCompile(`^\s+([A-Z][A-Z0-9]*)\s+(.*)$`)
var register = regexp.MustCompile(`^[XYZ][0-9]+$`)

// instruction reports whether a line of assembly has a vector register for an
// operand, and whether it is encoded with VEX or EVEX.
func instruction(line string) (vector, vex bool) {
	line, _, _ = strings.Cut(line, "//")
	m := operation.FindStringSubmatch(line)
	if m == nil {
		return false, false
	}
	for _, operand := range strings.Split(m[2], ",") {
		vector = vector || register.MatchString(strings.TrimSpace(operand))
	}
	return vector, strings.HasPrefix(m[1], "V")
}

func TestInstruction(t *testing.T) {
	for _, tt := range []struct {
		line        string
		vector, vex bool
	}{
		{"\tMOVQ AX, X15", true, false},
		{"\tMOVSD   scale+32(FP), X0 // a comment", true, false},
		{"\tVMOVQ AX, X3", true, true},
		{"\tVADDPD (AX)(CX*1), Y1, Y12", true, true},
		{"\tVPCMPUD $1, Z1, Z2, K1", true, true},
		{"\tMOVQ X0+8(FP), AX", false, false},
		{"// func f(X0 int) X1", false, false},
		{"X1:", false, false},
	} {
		if vector, vex := instruction(tt.line); vector != tt.vector || vector && vex != tt.vex {
			t.Errorf("instruction(%q) = %v, %v, want %v, %v", tt.line, vector, vex, tt.vector, tt.vex)
		}
	}
}
