// Package bitio reads binary tables as people have them, with their missing values, into
// [rbm.Bits], and writes them back:
//
//	t, err := bitio.ReadFile("survey.csv", nil)
//	…
//	trainer := rbm.NewTrainer(m, t.Bits, sampler, src)
//	trainer.Observed = t.Observed // nil if nothing is missing
//
// What does not fit in memory is read as a stream, once, to a file of package bitfile:
//
//	err := bitfile.Write("rows.bits", bitio.StreamFile("huge.npy", nil))
//
// # Formats
//
// [Text] has a row in each line, of values with blanks between them, or of 0, 1 and ? with
// or without. Lines that begin with # and blank lines are left out.
//
// [CSV] is what encoding/csv reads: fields may be quoted, and lines end in LF or CRLF. The
// separator may be a comma, a semicolon or a tab. Blank lines are left out; between
// the rows of a single column they are an error.
//
// [Pairs] has a line for each one of a table: a user (row), an item (column) and optionally
// a value, with commas, semicolons, tabs or blanks between them. Both are names. Rows are in
// the order in which users appear. So are columns, unless all items are whole numbers, which
// are sorted. A pair may occur twice, with one value. To read other rows for a model, set
// [Options.Columns] to the columns it was trained on.
//
// [LibSVM] has a row in each line: a label, which becomes the name of the row, and
// index:value for each column that is not 0. All lines have a label or none has. What follows
// a # is left out. [Indices] is the same with an index for each one, and nothing else. In
// both a blank line is a row of zeros, and the first index is 1, or 0 with [Options.ZeroBased].
//
// [NPY] is an array of NumPy of booleans, integers, or floats of which NaN is missing, in
// either byte order, and in C or Fortran order. The first dimension counts the rows; the
// others are flattened. [NPZ] is a file of these, of which one is read. [IDX] is the format
// of MNIST. [Packed] is a file of package bitfile.
//
// In a text a value is 0, 1, another way to write these numbers, as 0.0 or 1e0, or true or
// false, True, FALSE and so on; blanks around it do not count. With [Options.Spins] it is -1
// or 1, and with [Options.Threshold] any number. An empty field, NA, N/A, ?, nan, NaN and null
// are missing values, unless [Options.Missing] says otherwise. A text may begin with a byte
// order mark; it is UTF-8.
//
// What is not understood is an error that names the file, the line or the row, the column and
// the value. Lines and columns of texts are numbered as editors and [Options.Skip] do, from 1
// and from 0; rows of arrays are numbered from 0.
package bitio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/gorbm/rbm"
)

// A Table is binary rows, with what a file says about them. [ReadFile] reads one.
type Table struct {
	Bits     *rbm.Bits
	Observed *rbm.Bits // a one for each known value, 0 in Bits where it has none; nil: nothing is missing
	Columns  []string  // their names; nil if the file has none
	Rows     []string  // names of the rows: the ID column, users of pairs, labels of LibSVM; nil if the file has none
}

// A Format is how a table is written.
type Format string

const (
	Auto    Format = ""        // by the name of the file, or else its first bytes, which do not tell Pairs and Indices
	Text    Format = "text"    // .txt
	CSV     Format = "csv"     // .csv; .tsv and .tab, with tabs
	Pairs   Format = "pairs"   // .pairs
	LibSVM  Format = "libsvm"  // .libsvm, .svm, .svmlight
	Indices Format = "indices" // .indices
	NPY     Format = "npy"     // .npy
	NPZ     Format = "npz"     // .npz
	IDX     Format = "idx"     // .idx; -ubyte, as MNIST has it
	Packed  Format = "bits"    // .bits
)

// A Header says whether the first line of a CSV or of pairs has names.
type Header uint8

const (
	// GuessHeader takes the first line of a CSV for names if an option names a column; or if
	// a field of it is no value, the ID and skipped columns aside, unless it looks like a row
	// that is wrong: with a value twice, or a number that has more than digits. It takes
	// the first line of pairs for names if the third field is no value; or, where there are
	// two, if a field of it is no number and those of all other lines are, and the second
	// one is not among the Columns. Where this cannot tell, it is an error if the first line
	// alone has a user and an item that are on no other.
	GuessHeader Header = iota
	WithHeader
	NoHeader
)

// Options say how to read or write a table. The zero value, or nil, takes files as they
// are. An option that does not concern a format is ignored.
type Options struct {
	Format Format

	// Of values, in all formats but Packed.
	Threshold *float64 // values above are 1, others 0; nil: they are 0 or 1
	Spins     bool     // values are -1 or 1, for 0 or 1

	// Of texts.
	Missing []string // fields that are missing values; nil: the list above; the first one, or NA, is written

	// Of CSV and Pairs.
	Comma  rune // between fields; 0: guessed from the first line; ' ' in Pairs: any blanks
	Header Header
	Skip   []string // columns to leave out, by name or by number from 0
	ID     string   // CSV: the column of the names of rows, by name or by number from 0; "": there is none

	// Columns are those to have, in this order, say the columns that a model was trained on.
	// A column of the file that is not among them is an error, or left out with
	// IgnoreUnknown. One that is not in a CSV is an error too; in Pairs it is an item that no
	// user has. A file without names takes them, and must have as many columns.
	Columns       []string
	IgnoreUnknown bool

	// Of Pairs, LibSVM and Indices.
	AbsentMissing bool  // Pairs: what is not in the file is missing; false: it is 0
	ZeroBased     bool  // LibSVM, Indices: the first index is 0; false: 1
	Width         int   // LibSVM, Indices: the number of columns; 0: the largest index says it
	MaxBytes      int64 // that a table may take, as it is larger than its file; 0: 4 GiB

	Array string // NPZ: the name of the array; "": the only one, arr_0 where it is written
}

// ErrMissing is what an error of Stream wraps where a value is missing.
var ErrMissing = errors.New("a value is missing, which a stream cannot tell: read it with ReadFile")

// ReadFile reads the table of this file, which may be compressed by gzip, whatever its name is.
func ReadFile(path string, o *Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bitio: %w", err)
	}
	defer f.Close()
	return Read(f, path, o)
}

// Read reads a table, which may be compressed by gzip, from r. Name is the name of the file, in
// errors and to tell its format; it may be empty. Of the memory that Read takes, see MaxBytes;
// otherwise it is a small multiple of the bytes that it reads, unpacked.
func Read(r io.Reader, name string, o *Options) (*Table, error) {
	t, err := read(r, name, o)
	if err != nil {
		return nil, failed(name, err)
	}
	return t, nil
}

func read(r io.Reader, name string, o *Options) (*Table, error) {
	if o == nil {
		o = new(Options)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	in, err := newInput(r, name, o)
	if err != nil {
		return nil, err
	}
	s, err := in.open(false)
	if err != nil {
		return nil, err
	}
	if s.table != nil {
		return s.table, nil
	}
	return s.collect()
}

// failed returns an error of the package about a file.
func failed(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: the file is cut off or damaged", err)
	}
	var of *fs.PathError // which has a name
	if name == "" || errors.As(err, &of) || strings.HasPrefix(err.Error(), name) {
		return fmt.Errorf("bitio: %w", err)
	}
	return fmt.Errorf("bitio: %s: %w", name, err)
}

// check returns an error if options contradict each other.
func (o *Options) check() error {
	if o.Threshold != nil && o.Spins {
		return errors.New("both Threshold and Spins are set, want at most one")
	}
	if o.Threshold != nil && math.IsNaN(*o.Threshold) {
		return errors.New("option Threshold is NaN, want a number")
	}
	if o.Width > 0 && o.Columns != nil && o.Width != len(o.Columns) {
		return fmt.Errorf("option Width is %d and there are %d Columns, want as many", o.Width, len(o.Columns))
	}
	if o.Columns != nil && len(o.Columns) == 0 {
		return errors.New("option Columns is empty, want nil or at least one name")
	}
	if o.Width < 0 {
		return fmt.Errorf("option Width is %d, want at least 1, or 0 for that of the file", o.Width)
	}
	if o.MaxBytes < 0 {
		return fmt.Errorf("option MaxBytes is %d, want at least 1, or 0 for 4 GiB", o.MaxBytes)
	}
	switch o.Comma {
	case 0, ' ':
	case '"', '\r', '\n', 0xfeff, 0xfffd:
		return fmt.Errorf("option Comma is %q, which cannot be between fields", o.Comma)
	}
	seen := make(map[string]bool)
	for i, name := range o.Columns {
		if seen[name] {
			return fmt.Errorf("option Columns has %q twice, the second one as number %d", name, i)
		}
		seen[name] = true
	}
	return nil
}
