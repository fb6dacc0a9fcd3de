//go:build !purego

package product

import (
	"testing"
	"unsafe"
)

// The numbers that the assembly has in its shifts and offsets.
func TestLayout(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want uintptr
	}{
		{"bytes of a line", unsafe.Sizeof(FixedLine{}), 64},
		{"bytes of an entry of a table, for one of a list", unsafe.Sizeof(FixedLine{}) / entryUnit, 4},
		{"rows at once", rowsAtOnce, 4},
		{"rows of a nibble", group, 4},
		{"bytes of the lines of a word of bits", wordBits * unsafe.Sizeof(FixedLine{}), 4096},
	} {
		if tt.got != tt.want {
			t.Errorf("%s are %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}
