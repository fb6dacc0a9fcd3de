package bitio

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/internal/atomicfile"
	"github.com/gorbm/rbm/internal/npy"
)

// WriteFile writes t to the file of this path, in place of an older one, as [Write] does, in
// the format of its name unless o has one. If the name ends in .gz, it is compressed. It is
// atomic, and leaves the older file as it was, as checkpoint.Save does.
func WriteFile(path string, t *Table, o *Options) error {
	t.check()
	packed := func() error {
		if err := t.only(Packed, false, false); err != nil {
			return err
		}
		return bitfile.Write(path, rbm.Blocks(t.Bits, 1<<10))
	}
	return writeFile(path, o, packed, func(w io.Writer, o *Options) error { return write(w, t, o) })
}

func writeFile(path string, o *Options, packed func() error, write func(w io.Writer, o *Options) error) error {
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
	if named.Format == Packed && packed != nil && !strings.HasSuffix(strings.ToLower(path), ".gz") {
		if err := packed(); err != nil {
			return failed(path, err)
		}
		return nil
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
	case Text:
		err = t.writeText(b, o)
	case Pairs:
		err = t.writePairs(b, o)
	case LibSVM, Indices:
		err = t.writeSparse(b, o)
	case NPY:
		err = t.writeNPY(b, o)
	case NPZ:
		err = t.writeNPZ(b, o)
	case IDX:
		err = t.writeIDX(b, o)
	case Packed:
		err = errors.New("format bits is written to files only, by WriteFile, and not compressed")
	default:
		err = o.Format.unknown()
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

// only returns an error if t has what a format has no place for: names of columns, and unless
// there is place for them, missing values and names of rows.
func (t *Table) only(f Format, mask, rows bool) error {
	switch {
	case t.Observed != nil && !mask:
		return fmt.Errorf("format %s has no place for missing values; set Observed to nil to write them as they are in Bits", f)
	case t.Rows != nil && !rows:
		return fmt.Errorf("format %s has no place for names of rows; set Rows to nil to leave them out", f)
	case t.Columns != nil:
		return fmt.Errorf("format %s has no place for names of columns; set Columns to nil to leave them out", f)
	}
	return nil
}

func (t *Table) writeCSV(w io.Writer, o *Options) error {
	n, c := t.Bits.Dims()
	value := texts(o)
	if n := len(value[missing]); n == 0 && c == 1 && t.Rows == nil && t.Observed != nil {
		return errors.New("an empty field for a missing value is a blank line in a table of one column, want NA or the like as the first one of Missing")
	}
	p := newParser(o)
	if t.Columns != nil && o.Header == GuessHeader && !slices.ContainsFunc(t.Columns, func(s string) bool { _, bad := p.field(s); return bad != "" }) {
		return fmt.Errorf("the names of the columns, %s, look like values, with which no header is found: set Header, and again to read them", list(t.Columns))
	}
	return writeRecords(w, n, c, t.Rows, t.Columns, o, func(r, j int) string { return value[t.at(r, j)] })
}

// writeRecords writes a CSV of n rows and c columns.
func writeRecords(w io.Writer, n, c int, rows, columns []string, o *Options, at func(r, j int) string) error {
	if err := checkRecord("rows", rows); err != nil {
		return err
	}
	if err := checkRecord("columns", columns); err != nil {
		return err
	}
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

// writeText writes 0, 1 and ? with nothing between them, or other texts with blanks.
func (t *Table) writeText(w *bufio.Writer, o *Options) error {
	if err := t.only(Text, true, false); err != nil {
		return err
	}
	if o.Missing == nil {
		o = &Options{Spins: o.Spins, Missing: []string{"?"}}
	}
	value, between := texts(o), ""
	if t.Observed != nil && (value[missing] == "" || hasBlank(value[missing]) || value[missing][0] == '#') {
		return fmt.Errorf("a missing value is %.40q, want a word", value[missing])
	}
	if o.Spins || value[missing] != "?" {
		between = " "
	}
	n, c := t.Bits.Dims()
	for r := range n {
		for j := range c {
			if j > 0 {
				w.WriteString(between)
			}
			w.WriteString(value[t.at(r, j)])
		}
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return nil
}

// writePairs writes a line for each value that is not as those that are absent, and one more
// where a row or a column would not be there otherwise.
func (t *Table) writePairs(w io.Writer, o *Options) error {
	n, c := t.Bits.Dims()
	rows, columns := t.Rows, t.Columns
	if rows == nil {
		rows = numbers(n)
	}
	if columns == nil {
		columns = numbers(c)
	}
	blanks := o.Comma == ' '
	if err := checkPairs("rows", rows, blanks); err != nil {
		return err
	}
	if err := checkPairs("columns", columns, blanks); err != nil {
		return err
	}
	value, absent := texts(o), zero
	if o.AbsentMissing {
		absent = missing
	}
	if blanks && (value[missing] == "" || hasBlank(value[missing])) {
		return fmt.Errorf("a missing value is %.40q, want a word", value[missing])
	}
	there := make([]bool, c) // columns
	for j := range c {
		for r := 0; r < n && !there[j]; r++ {
			there[j] = t.at(r, j) != absent
		}
	}
	out := csv.NewWriter(w)
	if o.Comma != 0 {
		out.Comma = o.Comma
	}
	if o.Header != NoHeader {
		out.Write([]string{"user", "item", "value"})
	}
	for r := range n {
		some := false
		for j := range c {
			x := t.at(r, j)
			if x == absent && (there[j] || r > 0) {
				continue
			}
			some = true
			out.Write([]string{rows[r], columns[j], value[x]})
		}
		if !some {
			out.Write([]string{rows[r], columns[0], value[absent]})
		}
		if err := out.Error(); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// checkPairs returns an error if names cannot be told apart, or not be read.
func checkPairs(what string, names []string, blanks bool) error {
	seen := make(map[string]bool)
	for i, name := range names {
		switch {
		case name == "":
			return fmt.Errorf("name %d of %s is empty", i, what)
		case blanks && (hasBlank(name) || strings.Contains(name, `"`)):
			return fmt.Errorf("name %d of %s is %.40q, want one without blanks and quotes", i, what, name)
		case seen[name]:
			return fmt.Errorf("%s have the name %.40q twice, want another one for each", what, name)
		}
		seen[name] = true
	}
	return checkRecord(what, names)
}

// checkRecord returns an error if a CSV would not keep a name as it is.
func checkRecord(what string, names []string) error {
	for i, name := range names {
		if strings.TrimSpace(name) != name || strings.Contains(name, "\r") || hasMark(name) {
			return fmt.Errorf("name %d of %s is %.40q, want one without blanks around it, carriage returns and marks that begin files", i, what, name)
		}
	}
	return nil
}

// hasMark reports whether a name begins as a file that is compressed, or with a byte order
// mark.
func hasMark(s string) bool {
	for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff", gzipMagic} {
		if strings.HasPrefix(s, mark) {
			return true
		}
	}
	return false
}

func hasBlank(s string) bool { return strings.ContainsFunc(s, unicode.IsSpace) }

// numbers returns the first n numbers, as names.
func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

func (t *Table) writeSparse(w *bufio.Writer, o *Options) error {
	if err := t.only(o.Format, o.Format == LibSVM, o.Format == LibSVM); err != nil {
		return err
	}
	n, c := t.Bits.Dims()
	base := 1
	if o.ZeroBased {
		base = 0
	}
	value := texts(o)
	bad := func(s string) bool {
		return s == "" || hasBlank(s) || strings.ContainsAny(s, ":#") || hasMark(s)
	}
	if t.Observed != nil && bad(value[missing]) {
		return fmt.Errorf("a missing value is %.40q, want a word", value[missing])
	}
	last := o.Width == c // is known
	for r := 0; r < n && !last; r++ {
		last = t.at(r, c-1) != zero
	}
	if !last && o.Format == Indices {
		return fmt.Errorf("column %d is all zeros, which indices do not tell: set Width to %d, and again to read them", c-1, c)
	}
	for r := range n {
		between := ""
		put := func(s string) {
			w.WriteString(between)
			w.WriteString(s)
			between = " "
		}
		if t.Rows != nil {
			if bad(t.Rows[r]) {
				return fmt.Errorf("name %d of rows is %.40q, want a label without blanks, : and #", r, t.Rows[r])
			}
			put(t.Rows[r])
		}
		for j := range c {
			x := t.at(r, j)
			switch index := strconv.Itoa(base + j); {
			case x == zero && (last || r > 0 || j < c-1):
			case o.Format == Indices:
				put(index)
			default:
				put(index + ":" + value[x])
			}
		}
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return nil
}

// writeNPY writes uint8, int8 of Spins, or float32 of which NaN is missing.
func (t *Table) writeNPY(w *bufio.Writer, o *Options) error {
	if err := t.only(o.Format, true, false); err != nil {
		return err
	}
	n, c := t.Bits.Dims()
	descr := "|u1"
	elements := [3]string{"\x00", "\x01"}
	if o.Spins {
		descr, elements[zero] = "|i1", "\xff"
	}
	if t.Observed != nil {
		descr, elements = "<f4", [3]string{"\x00\x00\x00\x00", "\x00\x00\x80\x3f", "\x00\x00\xc0\x7f"}
		if o.Spins {
			elements[zero] = "\x00\x00\x80\xbf"
		}
	}
	w.Write(npy.AppendHeader(nil, npy.Shape{n, c}, descr))
	return t.writeElements(w, elements)
}

func (t *Table) writeElements(w *bufio.Writer, elements [3]string) error {
	n, c := t.Bits.Dims()
	for r := range n {
		for j := range c {
			if _, err := w.WriteString(elements[t.at(r, j)]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Table) writeNPZ(w io.Writer, o *Options) error {
	name := o.Array
	if name == "" {
		name = "arr_0" // as numpy.savez has it
	}
	z := zip.NewWriter(w)
	f, err := z.CreateHeader(npy.InZip(name, zip.Deflate))
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, bufferBytes)
	if err := t.writeNPY(b, o); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return z.Close()
}

// writeIDX writes bytes.
func (t *Table) writeIDX(w *bufio.Writer, o *Options) error {
	if err := t.only(IDX, false, false); err != nil {
		return err
	}
	n, c := t.Bits.Dims()
	if uint64(n) > math.MaxUint32 || uint64(c) > math.MaxUint32 {
		return fmt.Errorf("the table is %d×%d, want at most %d of each", n, c, uint32(math.MaxUint32))
	}
	start := []byte{0, 0, 0x08, 2}
	elements := [3]string{"\x00", "\x01"}
	if o.Spins {
		start[2], elements[zero] = 0x09, "\xff"
	}
	w.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(start, uint32(n)), uint32(c)))
	return t.writeElements(w, elements)
}
