// Package npy reads and writes the headers and the elements of arrays of NumPy.
package npy

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Extension is how the name of an array in a file ends.
const Extension = ".npy"

// Magic is what an array begins with.
const Magic = "\x93NUMPY"

const (
	align = 64 // of the elements, by a header that is filled up

	// maxHeader is what numpy.load takes. A header of an array of numbers is much
	// shorter.
	maxHeader = 10_000
)

// A Header is what is before the elements of an array in the .npy format (NumPy
// Enhancement Proposal 1), which is
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
type Header struct {
	Size    int    // of all that is before the elements, in bytes
	Descr   string // the type of the elements
	Type    Type   // the same
	Fortran bool
	Shape   Shape
}

// A Shape has the size of each dimension. It is written as Python does.
type Shape []int

func (s Shape) String() string {
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

// Len returns the number of elements, if they fit in memory.
func (s Shape) Len() (n int, ok bool) {
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

// AppendHeader appends all that is before the elements of an array in C order.
func AppendHeader(b []byte, s Shape, descr string) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %v, }", descr, s)
	start := len(Magic) + 4
	size := (start+len(header)+1+align-1)/align*align - start
	b = append(append(b, Magic...), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	return append(append(b, header...), strings.Repeat(" ", size-len(header)-1)+"\n"...)
}

// InZip returns the header of an array, called name, in a zip file. It depends on nothing else.
func InZip(name string, method uint16) *zip.FileHeader {
	first := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) // that a zip file can hold
	return &zip.FileHeader{Name: name + Extension, Method: method, Modified: first}
}

// ReadHeader reads all that is before the elements. The error is a TypeError if they are of
// no Type.
func ReadHeader(r io.Reader) (*Header, error) {
	start := make([]byte, len(Magic)+4)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, NoEOF(err)
	}
	if string(start[:len(Magic)]) != Magic {
		return nil, fmt.Errorf("it begins with %q, want %q", start[:len(Magic)], Magic)
	}
	n := int64(binary.LittleEndian.Uint16(start[len(Magic)+2:]))
	switch major, minor := start[len(Magic)], start[len(Magic)+1]; {
	case major == 1 && minor == 0:
	case (major == 2 || major == 3) && minor == 0:
		var high [2]byte
		if _, err := io.ReadFull(r, high[:]); err != nil {
			return nil, NoEOF(err)
		}
		start = append(start, high[:]...)
		n |= int64(binary.LittleEndian.Uint16(high[:])) << 16
	default:
		return nil, fmt.Errorf("format version is %d.%d, known are 1.0, 2.0 and 3.0", major, minor)
	}
	if n > maxHeader {
		return nil, fmt.Errorf("header has %d bytes, want at most %d", n, maxHeader)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, NoEOF(err)
	}
	h := &Header{Size: len(start) + len(header)}
	if err := h.parse(string(header)); err != nil {
		return nil, err
	}
	return h, nil
}

// NoEOF returns err, where no end is a proper one: io.EOF becomes io.ErrUnexpectedEOF.
func NoEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parse sets the type, the order and the shape to those of a dictionary.
func (h *Header) parse(header string) error {
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
				return &TypeError{Structure: true}
			}
			if h.Descr, ok = p.text(); !ok {
				return bad
			}
			if h.Type, ok = parseType(h.Descr); !ok {
				return &TypeError{Descr: h.Descr}
			}
		case "fortran_order":
			if h.Fortran = p.accept("True"); !h.Fortran && !p.accept("False") {
				return bad
			}
		case "shape":
			if h.Shape, ok = p.tuple(); !ok {
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
func (p *parser) tuple() (s Shape, ok bool) {
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
