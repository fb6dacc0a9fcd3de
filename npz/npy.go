package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// An array in the .npy format (NumPy Enhancement Proposal 1) is
//
//	size  content
//	6     93 4E 55 4D 50 59 ("\x93NUMPY")
//	2     format version, 1.0, 2.0 or 3.0
//	2     size n of the header, little-endian; 4 bytes since version 2.0
//	n     header: a literal dictionary of Python with the keys descr (type of the
//	      elements), fortran_order and shape; then white space
//	      elements, of C order or Fortran order
//
// and nothing else.
type array struct {
	name    string
	shape   shape
	fortran bool
	kind    kind
	width   int // of an element in bytes, 4 or 8
	order   binary.ByteOrder

	data io.ReadCloser // at the elements
}

// A kind is the letter of the types that are wanted.
type kind byte

const (
	floats   kind = 'f'
	integers kind = 'i'
)

// want says which types they are.
func (k kind) want() string {
	names := "float64 and float32"
	if k == integers {
		names = "int64 and int32"
	}
	return fmt.Sprintf(`want "<%[1]c8", ">%[1]c8", "<%[1]c4" or ">%[1]c4", which are %s`, k, names)
}

const (
	magic = "\x93NUMPY"
	align = 64 // of the elements, by a header that is filled up

	// maxHeader is what numpy.load takes. A header of an array of numbers is much
	// shorter.
	maxHeader = 10_000
)

// A shape has the size of each dimension. It is written as Python does.
type shape []int

func (s shape) String() string {
	var b strings.Builder
	for i, n := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(n))
		if i == 0 || i < len(s)-1 {
			b.WriteByte(',')
		}
	}
	return "(" + b.String() + ")"
}

// len returns the number of elements.
func (s shape) len() (n int, ok bool) {
	n = 1
	for _, x := range s {
		high, low := bits.Mul64(uint64(n), uint64(x))
		if high != 0 || low > math.MaxInt/8 {
			return 0, false
		}
		n = int(low)
	}
	return n, true
}

// isVector reports whether s is the shape of n numbers, or of a row or column of them.
func (s shape) isVector(n int) bool {
	k, ok := s.len()
	return ok && k == n && len(s) > 0 && slices.Max(s) == n
}

// appendHeader appends all that is before the elements of an array of 8 bytes each, in C
// order.
func appendHeader(b []byte, s shape, k kind) []byte {
	header := fmt.Sprintf("{'descr': '<%c8', 'fortran_order': False, 'shape': %v, }", k, s)
	start := len(magic) + 4
	size := (start+len(header)+1+align-1)/align*align - start
	b = append(append(b, magic...), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	return append(append(b, header...), strings.Repeat(" ", size-len(header)-1)+"\n"...)
}

// open reads the header of an array, called name, of this kind.
func open(f *zip.File, name string, k kind) (*array, error) {
	data, err := f.Open()
	if err != nil {
		return nil, err
	}
	a := &array{name: name, data: data, kind: k}
	if err := a.open(f); err != nil {
		data.Close()
		return nil, noEOF(err)
	}
	return a, nil
}

func (a *array) open(f *zip.File) error {
	start := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(a.data, start); err != nil {
		return err
	}
	if string(start[:len(magic)]) != magic {
		return fmt.Errorf("it begins with %q, want %q", start[:len(magic)], magic)
	}
	n := int64(binary.LittleEndian.Uint16(start[len(magic)+2:]))
	switch major, minor := start[len(magic)], start[len(magic)+1]; {
	case major == 1 && minor == 0:
	case (major == 2 || major == 3) && minor == 0:
		var high [2]byte
		if _, err := io.ReadFull(a.data, high[:]); err != nil {
			return err
		}
		start = append(start, high[:]...)
		n |= int64(binary.LittleEndian.Uint16(high[:])) << 16
	default:
		return fmt.Errorf("format version is %d.%d, known are 1.0, 2.0 and 3.0", major, minor)
	}
	if n > maxHeader {
		return fmt.Errorf("header has %d bytes, want at most %d", n, maxHeader)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(a.data, header); err != nil {
		return err
	}
	if err := a.parse(string(header)); err != nil {
		return err
	}
	count, ok := a.shape.len()
	if !ok {
		return fmt.Errorf("shape is %v, which is too large", a.shape)
	}
	have, want := f.UncompressedSize64, uint64(len(start)+len(header))+uint64(count)*uint64(a.width)
	if have != want {
		return fmt.Errorf("it has %d bytes, want %d as the shape is %v", have, want, a.shape)
	}
	return nil
}

// noEOF returns err, which is not that of a proper end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parse sets the type, the order and the shape to those of a header.
func (a *array) parse(header string) error {
	p := parser{header}
	bad := fmt.Errorf("header is %.200q, want a dictionary of descr, fortran_order and shape", header)
	seen := make(map[string]bool)
	if !p.accept("{") {
		return bad
	}
	for !p.accept("}") {
		key, ok := p.text()
		if !ok || !p.accept(":") {
			return bad
		}
		if seen[key] {
			return fmt.Errorf("header has two keys %.40q", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.accept("[") || p.accept("(") {
				return errors.New("dtype is a structure, " + a.kind.want())
			}
			descr, ok := p.text()
			if !ok {
				return bad
			}
			if err := a.setType(descr); err != nil {
				return err
			}
		case "fortran_order":
			if a.fortran = p.accept("True"); !a.fortran && !p.accept("False") {
				return bad
			}
		case "shape":
			if a.shape, ok = p.tuple(); !ok {
				return bad
			}
		default:
			return fmt.Errorf("header has a key %.40q, want descr, fortran_order and shape", key)
		}
		if !p.accept(",") {
			if !p.accept("}") {
				return bad
			}
			break
		}
	}
	if p.space(); len(seen) != 3 || p.rest != "" {
		return bad
	}
	return nil
}

func (a *array) setType(descr string) error {
	order, width, ok := strings.Cut(descr, string(a.kind))
	switch order {
	case "<":
		a.order = binary.LittleEndian
	case ">":
		a.order = binary.BigEndian
	}
	if !ok || a.order == nil || width != "8" && width != "4" {
		return fmt.Errorf("dtype is %.40q, %s", descr, a.kind.want())
	}
	a.width = int(width[0] - '0')
	return nil
}

// A parser reads literals of Python, with any white space between them.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\f\r\n") }

// accept reads a token, if it is the next one.
func (p *parser) accept(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// text reads a string without escapes.
func (p *parser) text() (string, bool) {
	for _, quote := range []string{"'", `"`} {
		if p.accept(quote) {
			s, rest, ok := strings.Cut(p.rest, quote)
			p.rest = rest
			return s, ok && !strings.ContainsAny(s, "\\\r\n")
		}
	}
	return "", false
}

// tuple reads a tuple of numbers from 0 on.
func (p *parser) tuple() (s shape, ok bool) {
	if !p.accept("(") {
		return nil, false
	}
	for comma := true; !p.accept(")"); {
		x, ok := p.number()
		if !comma || !ok {
			return nil, false
		}
		s = append(s, x)
		if comma = p.accept(","); !comma && len(s) == 1 {
			return nil, false // a number in parentheses
		}
	}
	return s, true
}

// number reads a number from 0 on. Python 2 may have written an L behind it.
func (p *parser) number() (int, bool) {
	p.space()
	digits := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, "0123456789"))]
	p.rest = strings.TrimPrefix(p.rest[len(digits):], "L")
	x, err := strconv.Atoi(digits)
	return x, err == nil && (digits == "0" || digits[0] != '0')
}

// values reads the elements, in C order, and the end of the array, where its
// checksum is found to be right.
func (a *array) values() ([]float64, error) {
	n, _ := a.shape.len()
	var x []float64
	var buf [1 << 15]byte
	for len(x) < n {
		b := buf[:min(len(buf), (n-len(x))*a.width)]
		if _, err := io.ReadFull(a.data, b); err != nil {
			return nil, noEOF(err)
		}
		// What is said to be there may not be: memory is taken as the bytes come.
		if more := len(b) / a.width; cap(x)-len(x) < more {
			x = slices.Grow(x, min(n-len(x), max(len(x), more)))
		}
		for ; len(b) > 0; b = b[a.width:] {
			x = append(x, a.value(b))
		}
	}
	if n, err := io.ReadFull(a.data, buf[:1]); n > 0 {
		return nil, errors.New("bytes follow the elements")
	} else if err != io.EOF {
		return nil, err
	}
	if a.fortran && len(a.shape) == 2 {
		x = transposed(x, a.shape[0], a.shape[1])
	}
	return x, nil
}

// value returns the first element of b. An integer beyond 2⁵³ is rounded.
func (a *array) value(b []byte) float64 {
	switch {
	case a.kind == integers && a.width == 8:
		return float64(int64(a.order.Uint64(b)))
	case a.kind == integers:
		return float64(int32(a.order.Uint32(b)))
	case a.width == 8:
		return math.Float64frombits(a.order.Uint64(b))
	}
	x := a.order.Uint32(b)
	if f := math.Float32frombits(x); f == f {
		return float64(f)
	}
	// Which bits of a NaN a conversion keeps depends on the processor.
	return math.Float64frombits(uint64(x>>31)<<63 | 0xfff<<51 | uint64(x&(1<<23-1))<<29)
}

// transposed returns the r×c elements of Fortran order in C order.
func transposed(x []float64, r, c int) []float64 {
	y := make([]float64, len(x))
	for i := range r {
		for j := range c {
			y[i*c+j] = x[j*r+i]
		}
	}
	return y
}
