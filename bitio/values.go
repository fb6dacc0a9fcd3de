package bitio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/gorbm/rbm/internal/npy"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// WriteValues writes numbers, say probabilities or scores of rows, to w, as CSV unless o says
// [NPY], which has no place for names. A number is read as the same one. Names of the rows, in
// a column of their own, and of the columns may be nil. It panics if the sizes do not fit.
func WriteValues(w io.Writer, x mat.Matrix, rows, columns []string, o *Options) error {
	if err := writeValues(w, x, rows, columns, o); err != nil {
		return fmt.Errorf("bitio: %w", err)
	}
	return nil
}

// WriteValuesFile writes numbers to the file of this path, as [WriteValues] and [WriteFile] do.
func WriteValuesFile(path string, x mat.Matrix, rows, columns []string, o *Options) error {
	return writeFile(path, o, nil, func(w io.Writer, o *Options) error { return writeValues(w, x, rows, columns, o) })
}

func writeValues(w io.Writer, x mat.Matrix, rows, columns []string, o *Options) error {
	if x == nil {
		panic("bitio: matrix is nil")
	}
	if o == nil {
		o = new(Options)
	}
	if err := o.check(); err != nil {
		return err
	}
	n, c := x.Dims()
	checkNames(n, c, rows, columns)
	b := bufio.NewWriterSize(w, bufferBytes)
	var err error
	switch o.Format {
	case Auto, CSV:
		err = writeRecords(b, n, c, rows, columns, o, func(r, j int) string {
			return strconv.FormatFloat(x.At(r, j), 'g', -1, 64)
		})
	case NPY:
		err = writeFloats(b, x, rows, columns)
	default:
		err = fmt.Errorf("format of numbers is %q, want csv or npy", o.Format)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

// writeFloats writes an array of float64.
func writeFloats(w *bufio.Writer, x mat.Matrix, rows, columns []string) error {
	if rows != nil || columns != nil {
		return errors.New("format npy has no place for names, want nil")
	}
	n, c := x.Dims()
	w.Write(npy.AppendHeader(nil, npy.Shape{n, c}, "<f8"))
	var b []byte
	for r := range n {
		for j := range c {
			b = wire.AppendFloat64(b[:0], x.At(r, j))
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
	}
	return nil
}
