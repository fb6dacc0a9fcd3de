package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm/bitio"
	"gonum.org/v1/gonum/mat"
)

// checkOutput returns an error if an output would take the place of an input.
func checkOutput(out string, inputs ...string) error {
	if out == "" || out == "-" {
		return nil
	}
	is, err := os.Stat(out)
	if err != nil {
		return nil
	}
	for _, in := range inputs {
		if x, err := os.Stat(in); err == nil && os.SameFile(is, x) {
			return fmt.Errorf("%s: this file is read, want another one to write", out)
		}
	}
	return nil
}

// checkModelOutput returns an error if a model would take the place of something else.
func checkModelOutput(path string) error {
	head, err := readHead(path)
	if err == nil && len(head) > 0 {
		if _, ok := isModel(head); !ok {
			return fmt.Errorf("%s: this file is no model, want another one to write", path)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := checkFolder(path); err != nil {
		return err
	}
	name := sidecarOf(path)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = decodeSidecar(name, b)
	return err
}

// checkFolder returns an error unless a file can be written in the folder of this one.
func checkFolder(path string) error {
	dir := filepath.Dir(path)
	if !exists(dir) {
		return fmt.Errorf("%s: there is no folder %s", path, dir)
	}
	f, err := os.CreateTemp(dir, ".rbm-*")
	if err != nil {
		return fmt.Errorf("%s: nothing can be written in the folder %s: %w", path, dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// exists reports whether there is a file of this name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readHead returns the first bytes of a file.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory, want the name of a file", path)
	}
	head := make([]byte, min(info.Size(), 512))
	n, err := f.ReadAt(head, 0)
	return head[:n], err
}

// dataFormat returns the format that the name of a file says, or Auto. On the standard
// output it is CSV.
func dataFormat(path string) bitio.Format {
	if path == "" || path == "-" {
		return bitio.CSV
	}
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	if strings.HasSuffix(name, "-ubyte") {
		return bitio.IDX
	}
	switch ext := filepath.Ext(name); ext {
	case ".csv", ".tsv", ".tab":
		return bitio.CSV
	case ".txt":
		return bitio.Text
	case ".svm", ".svmlight":
		return bitio.LibSVM
	case ".pairs", ".libsvm", ".indices", ".npy", ".npz", ".idx", ".bits":
		return bitio.Format(ext[1:])
	}
	return bitio.Auto
}

// writeTable writes rows to a file, or as CSV to the standard output. Names for which a
// format has no place are left out.
func writeTable(e *env, path string, t *bitio.Table, o *bitio.Options) error {
	copied := *t
	format := o.Format
	if format == bitio.Auto {
		format = dataFormat(path)
	}
	if format != bitio.CSV && format != bitio.Pairs {
		copied.Columns = nil
		if format != bitio.LibSVM {
			copied.Rows = nil
		}
	}
	if copied.Columns != nil {
		o.Header = bitio.WithHeader // also where names look like values
	}
	var err error
	if path == "" || path == "-" {
		err = bitio.Write(e.stdout, &copied, o)
	} else {
		err = bitio.WriteFile(path, &copied, o)
	}
	return trim(err)
}

// writeValues writes numbers to a .csv or .npy file, or as CSV to the standard output. The
// column of the names of rows is called id there, or "id" if that is "".
func writeValues(e *env, path string, x mat.Matrix, rows, columns []string, id string) error {
	var err error
	o := &bitio.Options{ID: id}
	switch {
	case path == "" || path == "-":
		err = bitio.WriteValues(e.stdout, x, rows, columns, o)
	case dataFormat(path) == bitio.CSV:
		err = bitio.WriteValuesFile(path, x, rows, columns, o)
	default:
		err = bitio.WriteValuesFile(path, x, nil, nil, nil)
	}
	return trim(err)
}

// checkValuesOutput returns an error unless numbers can be written to a file of this name.
func checkValuesOutput(path string, inputs ...string) error {
	if path != "" && path != "-" {
		if format := dataFormat(path); format != bitio.CSV && format != bitio.NPY {
			return usagef("-o is %q, want a name that ends in .csv, .tsv or .npy", path)
		}
		if err := checkFolder(path); err != nil {
			return err
		}
	}
	return checkOutput(path, inputs...)
}

// tableFlags are the flags of commands that write rows.
type tableFlags struct {
	out, format, separator string
	spins                  bool
	id                     string // the name of the column of names; "": id
	flags                  *flags
}

// declare declares the flags, in the group of the output.
func (o *tableFlags) declare(f *flags) {
	f.text(&o.out, "o", "", "`FILE` of the rows (default CSV on the standard output)")
	o.declareFormat(f)
}

func (o *tableFlags) declareFormat(f *flags) {
	f.text(&o.format, "to", "", "`FORMAT` to write, as -format has them (default by the name of the file)")
	f.text(&o.separator, "to-sep", "", "csv, pairs: `CHARACTER` between fields, or tab (default a comma)")
	f.yes(&o.spins, "to-spins", "write -1 and 1")
	o.flags = f
}

// as makes spins the default for what a model of spins draws.
func (o *tableFlags) as(spins bool) {
	if !o.flags.given("to-spins") {
		o.spins = spins
	}
}

func (o *tableFlags) check(inputs ...string) error {
	if _, err := separator(o.separator); err != nil {
		return err
	}
	if o.out != "" && o.out != "-" {
		if o.format == "" && dataFormat(o.out) == bitio.Auto {
			return usagef("%s: the name says no format, want one that ends in .csv or the like, or -to", o.out)
		}
		if err := checkFolder(o.out); err != nil {
			return err
		}
	}
	return checkOutput(o.out, inputs...)
}

func (o *tableFlags) write(e *env, t *bitio.Table) error {
	comma, err := separator(o.separator)
	if err != nil {
		return err
	}
	return writeTable(e, o.out, t, &bitio.Options{Format: bitio.Format(o.format), Comma: comma, Spins: o.spins, ID: o.id})
}
