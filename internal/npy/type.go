package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// A Type is the type of the elements.
type Type struct {
	Kind  byte // 'b' of booleans, 'u', 'i' and 'f'
	Width int  // in bytes
	Order binary.ByteOrder
}

// A TypeError is the error of a type that this package does not know.
type TypeError struct {
	Descr     string
	Structure bool
}

func (e *TypeError) Error() string {
	if e.Structure {
		return "dtype is a structure"
	}
	return fmt.Sprintf("dtype is %.40q", e.Descr)
}

// parseType returns the type that descr names.
func parseType(descr string) (t Type, ok bool) {
	if len(descr) < 3 {
		return Type{}, false
	}
	t.Kind = descr[1]
	t.Width, _ = strconv.Atoi(descr[2:])
	if descr[2:] != strconv.Itoa(t.Width) {
		return Type{}, false
	}
	switch descr[0] {
	case '<':
		t.Order = binary.LittleEndian
	case '>':
		t.Order = binary.BigEndian
	case '|':
		t.Order = binary.LittleEndian // of a byte
		if t.Width != 1 {
			return Type{}, false
		}
	default:
		return Type{}, false
	}
	switch w := t.Width; t.Kind {
	case 'b':
		ok = w == 1
	case 'u', 'i':
		ok = w == 1 || w == 2 || w == 4 || w == 8
	case 'f':
		ok = w == 2 || w == 4 || w == 8
	}
	return t, ok
}

// Value returns the first element of b. An integer beyond 2⁵³ is rounded. A boolean is the
// number of its byte.
func (t Type) Value(b []byte) float64 {
	var x uint64
	switch t.Width {
	case 1:
		x = uint64(b[0])
	case 2:
		x = uint64(t.Order.Uint16(b))
	case 4:
		x = uint64(t.Order.Uint32(b))
	default:
		x = t.Order.Uint64(b)
	}
	switch t.Kind {
	case 'i':
		shift := 64 - 8*t.Width
		return float64(int64(x<<shift) >> shift)
	case 'f':
		switch t.Width {
		case 2:
			return half(uint16(x))
		case 4:
			return single(uint32(x))
		}
		return math.Float64frombits(x)
	}
	return float64(x)
}

// single returns a number of float32.
func single(x uint32) float64 {
	if f := math.Float32frombits(x); f == f {
		return float64(f)
	}
	// Which bits of a NaN a conversion keeps depends on the processor.
	return math.Float64frombits(uint64(x>>31)<<63 | 0xfff<<51 | uint64(x&(1<<23-1))<<29)
}

// half returns a number of float16: a sign, 5 bits of exponent and 10 of fraction.
func half(x uint16) float64 {
	sign, exponent, fraction := uint64(x>>15)<<63, int(x>>10&31), uint64(x&(1<<10-1))
	switch exponent {
	case 0:
		return math.Copysign(math.Ldexp(float64(fraction), -24), math.Float64frombits(sign|1))
	case 31:
		bits := sign | 0x7ff<<52 | fraction<<42
		if fraction != 0 {
			bits |= 1 << 51
		}
		return math.Float64frombits(bits)
	}
	return math.Float64frombits(sign | uint64(exponent-15+1023)<<52 | fraction<<42)
}
