//go:build !purego

package product

import (
	"testing"
	"unsafe"
)

// The layouts of spans, lists and tables for which the assembly is generated.
func TestLayout(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want uintptr
	}{
		{"size of a span", unsafe.Sizeof(span{}), 48},
		{"offset of mask", unsafe.Offsetof(span{}.Mask), 8},
		{"offset of base", unsafe.Offsetof(span{}.Base), 16},
		{"bytes of a list", listLen * unsafe.Sizeof(uint16(0)), 64},
		{"rows at once", rowsAtOnce, 4},
		{"bytes of an entry of a table, for one of a list", unsafe.Sizeof(Line{}) / entryUnit, 4},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %d, want %d", tt.name, tt.got, tt.want)
		}
	}
	if most := blockGroups*2 + 16; most > 64 {
		t.Errorf("fill writes %d bytes of a list, want at most 64", most)
	}
}
