package bitio

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gorbm/rbm/internal/atomicfile"
	"gonum.org/v1/gonum/mat"
)

// WriteFile writes t to the file of this path, in place of an older one, as [Write] does, in
// the format of its name unless o has one. If the name ends in .gz, it is compressed. It is
// atomic, and leaves the older file as it was, as checkpoint.Save does.
func WriteFile(path string, t *Table, o *Options) error {
	return writeFile(path, o, func(w io.Writer, o *Options) error { return write(w, t, o) })
}

// WriteValuesFile writes numbers to the file of this path, as [WriteValues] and [WriteFile] do.
func WriteValuesFile(path string, x mat.Matrix, rows, columns []string, o *Options) error {
	return writeFile(path, o, func(w io.Writer, o *Options) error { return writeValues(w, x, rows, columns, o) })
}

func writeFile(path string, o *Options, write func(w io.Writer, o *Options) error) error {
	var named Options
	if o != nil {
		named = *o
	}
	if named.Format == Auto {
		if named.Format = formatOfName(path); named.Format == Auto {
			return fmt.Errorf("bitio: %s: the name says no format, want one that ends in .csv or the like", path)
		}
	}
	if e := extension(path); named.Comma == 0 && (e == ".tsv" || e == ".tab") {
		named.Comma = '\t'
	}
	err := atomicfile.Write(path, func(f *os.File) error {
		if !strings.HasSuffix(strings.ToLower(path), ".gz") {
			return write(f, &named)
		}
		z := gzip.NewWriter(f)
		if err := write(z, &named); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return failed(path, err)
	}
	return nil
}

// Write writes t to w, as CSV if o has no format. Spins writes -1 and 1. Where a format has no
// place for the names or the mask of t it is an error: set them to nil to leave them out.
// Columns of pairs are written in the order of t, but are read in this order only if they
// are given as Options.Columns. It panics if the sizes of t do not fit.
func Write(w io.Writer, t *Table, o *Options) error {
	if err := write(w, t, o); err != nil {
		return fmt.Errorf("bitio: %w", err)
	}
	return nil
}

func write(w io.Writer, t *Table, o *Options) error {
	if o == nil {
		o = new(Options)
	}
	if err := o.check(); err != nil {
		return err
	}
	t.check()
	b := bufio.NewWriterSize(w, bufferBytes)
	var err error
	switch o.Format {
	case Auto, CSV:
		err = t.writeCSV(b, o)
	default:
		err = fmt.Errorf("format is %q, want one of %v", o.Format, formats)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

// check panics if the sizes of t do not fit.
func (t *Table) check() {
	if t == nil || t.Bits == nil {
		panic("bitio: table is nil")
	}
	n, c := t.Bits.Dims()
	if t.Observed != nil {
		if r, k := t.Observed.Dims(); r != n || k != c {
			panic(fmt.Sprintf("bitio: observed is %d×%d, want %d×%d", r, k, n, c))
		}
	}
	checkNames(n, c, t.Rows, t.Columns)
}

func checkNames(n, c int, rows, columns []string) {
	if rows != nil && len(rows) != n {
		panic(fmt.Sprintf("bitio: there are %d names of rows, want %d", len(rows), n))
	}
	if columns != nil && len(columns) != c {
		panic(fmt.Sprintf("bitio: there are %d names of columns, want %d", len(columns), c))
	}
}

// at returns the value of row r, column j.
func (t *Table) at(r, j int) value {
	switch {
	case t.Observed != nil && !t.Observed.Bit(r, j):
		return missing
	case t.Bits.Bit(r, j):
		return one
	}
	return zero
}

// texts returns how values are written.
func texts(o *Options) [3]string {
	s := [3]string{"0", "1", "NA"}
	if o.Spins {
		s[zero] = "-1"
	}
	if len(o.Missing) > 0 {
		s[missing] = o.Missing[0]
	}
	return s
}

func (t *Table) writeCSV(w io.Writer, o *Options) error {
	n, c := t.Bits.Dims()
	value := texts(o)
	return writeRecords(w, n, c, t.Rows, t.Columns, o, func(r, j int) string { return value[t.at(r, j)] })
}

// writeRecords writes a CSV of n rows and c columns.
func writeRecords(w io.Writer, n, c int, rows, columns []string, o *Options, at func(r, j int) string) error {
	out := csv.NewWriter(w)
	if o.Comma != 0 {
		out.Comma = o.Comma
	}
	record := make([]string, 0, c+1)
	if columns != nil && o.Header != NoHeader {
		if rows != nil {
			id := o.ID
			if _, err := strconv.Atoi(id); err == nil || id == "" {
				id = "id"
			}
			record = append(record, id)
		}
		if err := out.Write(append(record, columns...)); err != nil {
			return err
		}
	} else if columns == nil && o.Header == WithHeader {
		return errors.New("a header is wanted, but columns have no names")
	}
	for r := range n {
		record = record[:0]
		if rows != nil {
			record = append(record, rows[r])
		}
		for j := range c {
			record = append(record, at(r, j))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteValues writes numbers, say probabilities or scores of rows, to w: a CSV, or NPY of
// float64, each of which keeps all bits of a number. Names of rows and columns, of which either may be nil,
// are written to a CSV as Write does; NPY has no place for them. It panics if the sizes do not fit.
func WriteValues(w io.Writer, x mat.Matrix, rows, columns []string, o *Options) error {
	if err := writeValues(w, x, rows, columns, o); err != nil {
		return fmt.Errorf("bitio: %w", err)
	}
	return nil
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
	default:
		err = fmt.Errorf("format is %q, want csv or npy", o.Format)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}
