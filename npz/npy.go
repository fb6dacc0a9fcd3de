package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gorbm/rbm/internal/npy"
)

// An array is one of a zip file, at its elements.
type array struct {
	name    string
	kind    kind
	shape   npy.Shape
	fortran bool
	of      npy.Type // of the elements

	data io.ReadCloser
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

// isVector reports whether s is the shape of n numbers, or of a row or column of them.
func isVector(s npy.Shape, n int) bool {
	k, ok := s.Len()
	return ok && k == n && len(s) > 0 && slices.Max(s) == n
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
		return nil, npy.NoEOF(err)
	}
	return a, nil
}

func (a *array) open(f *zip.File) error {
	h, err := npy.ReadHeader(a.data)
	if _, ok := err.(*npy.TypeError); ok {
		return fmt.Errorf("%w, %s", err, a.kind.want())
	}
	if err != nil {
		return err
	}
	a.shape, a.fortran = h.Shape, h.Fortran
	if a.of = h.Type; a.of.Kind != byte(a.kind) || a.of.Width < 4 {
		return fmt.Errorf("dtype is %.40q, %s", h.Descr, a.kind.want())
	}
	count, ok := a.shape.Len()
	if !ok {
		return fmt.Errorf("shape is %v, which is too large", a.shape)
	}
	have, want := f.UncompressedSize64, uint64(h.Size)+uint64(count)*uint64(a.of.Width)
	if have != want {
		return fmt.Errorf("it has %d bytes, want %d as the shape is %v", have, want, a.shape)
	}
	return nil
}

// values reads the elements, in C order, and the end of the array, where its
// checksum is found to be right.
func (a *array) values() ([]float64, error) {
	n, _ := a.shape.Len()
	var x []float64
	var buf [1 << 15]byte
	for len(x) < n {
		b := buf[:min(len(buf), (n-len(x))*a.of.Width)]
		if _, err := io.ReadFull(a.data, b); err != nil {
			return nil, npy.NoEOF(err)
		}
		// What is said to be there may not be: memory is taken as the bytes come.
		if more := len(b) / a.of.Width; cap(x)-len(x) < more {
			x = slices.Grow(x, min(n-len(x), max(len(x), more)))
		}
		for ; len(b) > 0; b = b[a.of.Width:] {
			x = append(x, a.of.Value(b))
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
