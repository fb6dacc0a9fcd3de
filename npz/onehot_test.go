package npz_test

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
)

// oneHot returns the array of groups, x being its elements in the order in which they are stored.
func oneHot(descr string, fortran bool, shape string, x ...int64) entry {
	var order binary.AppendByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	var b []byte
	for _, x := range x {
		switch descr[2] {
		case '8':
			b = order.AppendUint64(b, uint64(x))
		case '4':
			b = order.AppendUint32(b, uint32(x))
		case '2':
			b = order.AppendUint16(b, uint16(x))
		default:
			b = append(b, byte(x))
		}
	}
	return entry{"one_hot.npy", zip.Deflate, npy(1, header(descr, fortran, shape), b)}
}

func TestGroups(t *testing.T) {
	m := random(nv, nh)
	plainBytes := written(t, m)
	m.OneHot = []rbm.Group{} // which is none
	if !slices.Equal(written(t, m), plainBytes) {
		t.Error("a model without groups is written in another way than one with nil groups")
	}
	for _, groups := range [][]rbm.Group{{{From: 0, To: 4}}, {{From: 0, To: 1}, {From: 2, To: 4}}, {{From: 1, To: 3}, {From: 3, To: 4}}} {
		m.OneHot = groups
		got, err := read(written(t, m))
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, fmt.Sprintf("groups %v", groups), got, m)
	}
	m.OneHot = []rbm.Group{{From: 0, To: 1}, {From: 2, To: 4}}
	for _, names := range [][]string{ours, sklearn} {
		for _, descr := range []string{"<i8", ">i8", "<i4", ">i4"} {
			for _, fortran := range []bool{false, true} {
				x := []int64{0, 1, 2, 4}
				if fortran {
					x = []int64{0, 2, 1, 4}
				}
				e := append(parts(m, names, 1, "<f8", false, zip.Store), oneHot(descr, fortran, "(2, 2)", x...))
				name := fmt.Sprintf("%s %s fortran=%v", names[0], descr, fortran)
				got, err := read(archive(t, e...))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				checkSame(t, name, got, m)
			}
		}
	}
	got, err := read(archive(t, append(plain(), oneHot("<i8", false, "(0, 2)"))...))
	if err != nil || got.OneHot != nil {
		t.Errorf("no rows of groups: error %v, groups %v, want none", err, got.OneHot)
	}
}

// The array of groups, byte by byte.
func TestWriteGroups(t *testing.T) {
	m := random(nv, nh)
	without := written(t, m)
	m.OneHot = []rbm.Group{{From: 0, To: 1}, {From: 2, To: 4}}
	with := written(t, m)
	// The arrays before are the same up to the directory of the zip file.
	const directory = "PK\x01\x02"
	end := slices.Index(indices(without, directory), true)
	if !slices.Equal(with[:end], without[:end]) {
		t.Error("groups change the bytes of the other arrays")
	}
	head := "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }"
	want := fmt.Sprintf("\x93NUMPY\x01\x00\x76\x00%-117s\n", head)
	for _, x := range []int{0, 1, 2, 4} {
		want += string(binary.LittleEndian.AppendUint64(nil, uint64(x)))
	}
	if !slices.Contains(indices(with, want), true) {
		t.Errorf("%q has no %q", with, want)
	}
}

// indices reports where s begins in b.
func indices(b []byte, s string) []bool {
	at := make([]bool, len(b))
	for i := range b {
		at[i] = i+len(s) <= len(b) && string(b[i:i+len(s)]) == s
	}
	return at
}

func TestGroupsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    entry
		want []string
	}{
		{"float64", oneHot("<f8", false, "(1, 2)", 0, 0), []string{`dtype is "<f8"`, "int64 and int32"}},
		{"uint8", oneHot("|u1", false, "(1, 2)", 0, 2), []string{`dtype is "|u1"`, "int64 and int32"}},
		{"int8", oneHot("|i1", false, "(1, 2)", 0, 2), []string{`dtype is "|i1"`, "int64 and int32"}},
		{"int16", oneHot("<i2", false, "(1, 2)", 0, 2), []string{`dtype is "<i2"`, "int64 and int32"}},
		{"uint64", oneHot("<u8", false, "(1, 2)", 0, 2), []string{`dtype is "<u8"`, "int64 and int32"}},
		{"no order", oneHot("|i8", false, "(1, 2)", 0, 2), []string{`dtype is "|i8"`, "int64 and int32"}},
		{"vector", oneHot("<i8", false, "(2,)", 0, 2), []string{"shape is (2,), want (number of groups, 2)"}},
		{"columns", oneHot("<i8", false, "(1, 3)", 0, 2, 3), []string{"shape is (1, 3), want (number of groups, 2)"}},
		{"too many", oneHot("<i8", false, "(5, 2)", 0, 1, 1, 2, 2, 3, 3, 4, 4, 5), []string{"shape is (5, 2), want at most 4 groups of 4 units"}},
		{"negative", oneHot("<i8", false, "(1, 2)", -1, 2), []string{"group 0 is [-1, 2), want it to begin at 0"}},
		{"negative int32", oneHot("<i4", false, "(1, 2)", -1, 2), []string{"group 0 is [-1, 2), want it to begin at 0"}},
		{"overlap", oneHot("<i8", false, "(2, 2)", 0, 3, 2, 4), []string{"group 1 is [2, 4), want it to begin at 3"}},
		{"empty", oneHot("<i8", false, "(2, 2)", 0, 1, 2, 2), []string{"group 1 is [2, 2), want at least one unit"}},
		{"beyond", oneHot("<i8", false, "(1, 2)", 3, 5), []string{"group 0 is [3, 5), want one of 4 units"}},
		{"far beyond", oneHot("<i8", false, "(1, 2)", 0, 1<<62), []string{"group 0 is [0, ", "want one of 4 units"}},
		{"short", oneHot("<i8", false, "(1, 2)", 0), []string{"bytes, want"}},
	} {
		checkRefused(t, tt.name, archive(t, append(plain(), tt.e)...), append(tt.want, "array one_hot: ")...)
	}
	e := oneHot("<i8", false, "(1, 2)", 0, 2)
	checkRefused(t, "twice", archive(t, append(plain(), e, e)...), `two arrays "one_hot"`)
}
