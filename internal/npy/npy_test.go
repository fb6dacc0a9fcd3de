package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// Every float16 is the number that its definition gives.
func TestHalf(t *testing.T) {
	of := Type{'f', 2, binary.LittleEndian}
	for x := range 1 << 16 {
		sign, e, f := 1-2*float64(x>>15), x>>10&31, float64(x&1023)
		want := sign * math.Pow(2, float64(e-15)) * (1 + f/1024)
		switch {
		case e == 0:
			want = sign * math.Pow(2, -14) * f / 1024
		case e == 31 && f == 0:
			want = math.Inf(int(sign))
		case e == 31:
			want = math.NaN()
		}
		got := of.Value([]byte{byte(x), byte(x >> 8)})
		if got != want && (got == got || want == want) || math.Signbit(got) != (x>>15 == 1) {
			t.Fatalf("float16 %#04x is %v, want %v", x, got, want)
		}
	}
}

func TestValue(t *testing.T) {
	for _, tt := range []struct {
		descr string
		bytes []byte
		want  float64
	}{
		{"|b1", []byte{1}, 1},
		{"|u1", []byte{200}, 200},
		{"|i1", []byte{0xff}, -1},
		{"<i1", []byte{0x80}, -128},
		{"<u2", []byte{0xfe, 0xff}, 0xfffe},
		{">i2", []byte{0xff, 0xfe}, -2},
		{">u4", []byte{1, 2, 3, 4}, 0x01020304},
		{"<i4", []byte{0xff, 0xff, 0xff, 0xff}, -1},
		{"<u8", []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, 1 << 63},
		{">i8", []byte{0x80, 0, 0, 0, 0, 0, 0, 0}, -1 << 63},
		{"<f4", []byte{0, 0, 0x20, 0xc0}, -2.5},
		{">f8", []byte{0x3f, 0xf0, 0, 0, 0, 0, 0, 1}, math.Nextafter(1, 2)},
		{">f2", []byte{0x3c, 0}, 1},
	} {
		of, ok := parseType(tt.descr)
		if !ok {
			t.Errorf("%q is no type", tt.descr)
			continue
		}
		if got := of.Value(append(tt.bytes, 0xaa)); got != tt.want || of.Width != len(tt.bytes) {
			t.Errorf("%s: % x is %v in %d bytes, want %v", tt.descr, tt.bytes, got, of.Width, tt.want)
		}
	}
	for _, descr := range []string{"", "f8", "<f", "<f16", "<f1", "|f8", "=f8", "<b2", "<i3", "<u16", "<c8", "<U1", "|O", "<f08", "<f+8", "<f-8"} {
		if _, ok := parseType(descr); ok {
			t.Errorf("%q is a type", descr)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, s := range []Shape{{}, {3}, {3, 4}, {0, 1}, {60000, 28, 28}} {
		b := AppendHeader([]byte("x"), s, ">i2")[1:]
		if len(b)%align != 0 {
			t.Errorf("the header of %v has %d bytes, want a multiple of %d", s, len(b), align)
		}
		h, err := ReadHeader(bytes.NewReader(append(b, 1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		if h.Size != len(b) || h.Descr != ">i2" || h.Type != (Type{'i', 2, binary.BigEndian}) || h.Fortran || !slices.Equal(h.Shape, s) {
			t.Errorf("header is %+v, want shape %v", h, s)
		}
	}
	structure := "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (3,)}"
	for _, tt := range []struct{ header, want string }{
		{structure, "dtype is a structure"},
		{strings.Replace(structure, "[('x', '<f8')]", "'<c8'", 1), `dtype is "<c8"`},
	} {
		b := append([]byte(Magic), 1, 0, byte(len(tt.header)), 0)
		_, err := ReadHeader(strings.NewReader(string(b) + tt.header))
		if _, ok := err.(*TypeError); !ok || fmt.Sprint(err) != tt.want {
			t.Errorf("%s: error %v, want %s", tt.header, err, tt.want)
		}
	}
}

func TestLen(t *testing.T) {
	if n, ok := (Shape{3, 4, 5}).Len(); n != 60 || !ok {
		t.Errorf("3·4·5 is %d, %t", n, ok)
	}
	if n, ok := (Shape{}).Len(); n != 1 || !ok {
		t.Errorf("the empty product is %d, %t", n, ok)
	}
	if _, ok := (Shape{1 << 30, 1 << 30}).Len(); ok {
		t.Error("2⁶⁰ numbers fit in memory")
	}
}
