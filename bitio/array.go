package bitio

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/npy"
)

// An array is numbers, of which the first dimension is that of the rows.
type array struct {
	r       io.Reader // at the elements
	shape   npy.Shape
	of      npy.Type
	fortran bool
	p       *parser

	rows, cols int
}

var errFortran = errors.New("it is of Fortran order, in which no row is known before the end: a stream wants C order, in Python numpy.ascontiguousarray(x)")

func openNPY(r io.Reader, o *Options, stream bool) (*source, error) {
	h, err := npy.ReadHeader(r)
	if _, ok := err.(*npy.TypeError); ok {
		return nil, fmt.Errorf("%w, want one of bool, uint, int, float16, float32 and float64", err)
	}
	if err != nil {
		return nil, err
	}
	a := &array{r: r, shape: h.Shape, of: h.Type, fortran: h.Fortran && len(h.Shape) > 1, p: newParser(o)}
	if len(a.shape) == 1 {
		return nil, fmt.Errorf("shape is %v, want (rows, columns): in Python, x.reshape(1, -1) is a row and x.reshape(-1, 1) a column", a.shape)
	}
	return a.open(stream)
}

func (in *input) openNPZ(stream bool) (*source, error) {
	at, size, err := in.readerAt(stream)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		return nil, err
	}
	var found []*zip.File
	var names []string
	for _, f := range z.File {
		if name, ok := strings.CutSuffix(f.Name, npy.Extension); ok {
			names = append(names, name)
			if in.o.Array == "" || in.o.Array == name {
				found = append(found, f)
			}
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("there is no array")
	case len(found) == 0:
		return nil, fmt.Errorf("there is no array %.40q, want one of %s", in.o.Array, list(names))
	case len(found) > 1 && in.o.Array != "":
		return nil, fmt.Errorf("there are two arrays %.40q", in.o.Array)
	case len(found) > 1:
		return nil, fmt.Errorf("there are the arrays %s, want one: name it by Array", list(names))
	}
	f := found[0]
	within := func(err error) error {
		if err == nil || err == io.EOF {
			return err
		}
		return fmt.Errorf("array %.40q: %w", strings.TrimSuffix(f.Name, npy.Extension), err)
	}
	r, err := f.Open()
	if err != nil {
		return nil, within(err)
	}
	s, err := openNPY(r, in.o, stream)
	if err != nil {
		return nil, within(err)
	}
	if next := s.next; next != nil {
		s.next = func(row *row) error { return within(next(row)) }
	}
	return s, nil
}

// The types of the elements of an IDX file.
var idxTypes = map[byte]npy.Type{
	0x08: {Kind: 'u', Width: 1, Order: binary.BigEndian},
	0x09: {Kind: 'i', Width: 1, Order: binary.BigEndian},
	0x0b: {Kind: 'i', Width: 2, Order: binary.BigEndian},
	0x0c: {Kind: 'i', Width: 4, Order: binary.BigEndian},
	0x0d: {Kind: 'f', Width: 4, Order: binary.BigEndian},
	0x0e: {Kind: 'f', Width: 8, Order: binary.BigEndian},
}

// openIDX reads two zeros, the type of the elements, the number of dimensions and each
// dimension in four bytes, before the elements in C order.
func (in *input) openIDX(stream bool) (*source, error) {
	var start [4]byte
	if _, err := io.ReadFull(in, start[:]); err != nil {
		return nil, npy.NoEOF(err)
	}
	of, ok := idxTypes[start[2]]
	if start[0] != 0 || start[1] != 0 || !ok {
		return nil, fmt.Errorf("it begins with % x, want 00 00 and one of 08, 09, 0b, 0c, 0d and 0e", start[:3])
	}
	a := &array{r: in, of: of, p: newParser(in.o)}
	for range start[3] {
		var b [4]byte
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return nil, npy.NoEOF(err)
		}
		n := binary.BigEndian.Uint32(b[:])
		if uint64(n) > math.MaxInt {
			return nil, fmt.Errorf("a dimension is %d, which is too large", n)
		}
		a.shape = append(a.shape, int(n))
	}
	if len(a.shape) == 1 {
		return nil, fmt.Errorf("shape is %v, as labels have, want at least two dimensions", a.shape)
	}
	return a.open(stream)
}

// open returns the rows, with one or more dimensions for the columns.
func (a *array) open(stream bool) (*source, error) {
	count, ok := a.shape.Len()
	if !ok {
		return nil, fmt.Errorf("shape is %v, which is too large", a.shape)
	}
	if len(a.shape) < 2 || count == 0 {
		return nil, fmt.Errorf("shape is %v, want at least (1, 1)", a.shape)
	}
	a.rows, a.cols = a.shape[0], count/a.shape[0]
	if !a.fortran {
		return a.openRows()
	}
	if stream {
		return nil, errFortran
	}
	t, err := a.transposed()
	if err != nil {
		return nil, err
	}
	return &source{table: t}, nil
}

// openRows returns the rows of an array of C order.
func (a *array) openRows() (*source, error) {
	size := a.cols * a.of.Width
	// The first row says whether there is as much as the header says, before memory is taken.
	var first bytes.Buffer
	if n, err := io.CopyN(&first, a.r, int64(size)); err == io.EOF {
		return nil, a.short(0, int(n))
	} else if err != nil {
		return nil, err
	}
	b := first.Bytes()
	var bytes *[256]byteValue // of every byte, if elements are bytes
	if a.of.Width == 1 {
		bytes = a.byteValues()
	}
	r := -1
	s := &source{cols: a.cols, where: func() string { return fmt.Sprintf("row %d", r) }}
	s.next = func(row *row) error {
		if r++; r == a.rows {
			return a.end()
		}
		if r > 0 {
			if n, err := io.ReadFull(a.r, b); err == io.EOF || err == io.ErrUnexpectedEOF {
				return a.short(r, n)
			} else if err != nil {
				return err
			}
		}
		for j := range a.cols {
			if bytes != nil {
				if x := bytes[b[j]]; x.ok {
					row.set(j, x.value)
					continue
				}
			}
			x, err := a.value(r, j, b[j*a.of.Width:])
			if err != nil {
				return err
			}
			row.set(j, x)
		}
		return nil
	}
	return s, nil
}

// value returns the first value of b.
func (a *array) value(r, j int, b []byte) (value, error) {
	x := a.of.Value(b)
	if x != x {
		return missing, nil
	}
	v, ok := a.p.number(x)
	if !ok {
		return 0, fmt.Errorf("row %d, column %d is %v, %s", r, j, x, a.p.want(x))
	}
	return v, nil
}

// A byteValue is the value of a byte, if it has one.
type byteValue struct {
	value
	ok bool
}

func (a *array) byteValues() *[256]byteValue {
	t := new([256]byteValue)
	for i := range t {
		t[i].value, t[i].ok = a.p.number(a.of.Value([]byte{byte(i)}))
	}
	return t
}

// short returns the error of an array that ends in row r, after n of its bytes.
func (a *array) short(r, n int) error {
	return fmt.Errorf("it ends in row %d, column %d, want %d rows of %d columns", r, n/a.of.Width, a.rows, a.cols)
}

// end returns io.EOF at the end.
func (a *array) end() error {
	var b [1]byte
	if n, err := io.ReadFull(a.r, b[:]); n == 0 {
		return err
	}
	return fmt.Errorf("bytes follow the %d rows", a.rows)
}

// transposed returns the table of an array of Fortran order.
func (a *array) transposed() (*Table, error) {
	var v, unknown []uint64 // in the order of the file
	some := false
	index := make([]int, len(a.shape)) // of the element, but the row
	column := func() int {
		j := 0
		for d := 1; d < len(a.shape); d++ {
			j = j*a.shape[d] + index[d]
		}
		return j
	}
	each := func(do func(k, r, j int) error) error {
		clear(index)
		for q := range a.cols {
			j := column()
			for r := range a.rows {
				if err := do(q*a.rows+r, r, j); err != nil {
					return err
				}
			}
			for d := 1; d < len(a.shape); d++ {
				if index[d]++; index[d] < a.shape[d] {
					break
				}
				index[d] = 0
			}
		}
		return nil
	}
	b := make([]byte, a.of.Width)
	err := each(func(k, r, j int) error {
		if _, err := io.ReadFull(a.r, b); err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("it ends after %d elements, want %d", k, a.rows*a.cols)
		} else if err != nil {
			return err
		}
		if k%wordBits == 0 {
			v, unknown = append(v, 0), append(unknown, 0)
		}
		x, err := a.value(r, j, b)
		switch x {
		case one:
			v[k/wordBits] |= 1 << (k % wordBits)
		case missing:
			unknown[k/wordBits] |= 1 << (k % wordBits)
			some = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.end(); err != io.EOF {
		return nil, err
	}
	t := &Table{Bits: rbm.NewBits(a.rows, a.cols)}
	if some {
		t.Observed = rbm.NewBits(a.rows, a.cols)
	}
	each(func(k, r, j int) error {
		w, bit := k/wordBits, uint64(1)<<(k%wordBits)
		t.Bits.SetBit(r, j, v[w]&bit != 0)
		if some {
			t.Observed.SetBit(r, j, unknown[w]&bit == 0)
		}
		return nil
	})
	return t, nil
}
