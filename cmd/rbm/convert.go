package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/npz"
)

var convertCommand = &command{
	name:  "convert",
	args:  "IN OUT",
	least: 2,
	most:  2,
	short: "convert rows, or a model, to another format",
	long: `
Convert writes the rows or the model of a file to another one, in the format that its name says: rows to .csv, .tsv, .txt,
.pairs, .libsvm, .indices, .npy, .npz, .idx or .bits; a model to .npz, .json, or else the format of the Go package. Rows
go to .bits one after the other and need not fit in memory. Where a format has no place for names, they are left out, and
convert says so.`,
	examples: []string{
		"rbm convert rows.csv rows.npy",
		"rbm convert counts.csv rows.bits -threshold 0.5 -skip name",
		"rbm convert model.rbm model.npz",
	},
	setup: func(f *flags) action {
		o := new(conversion)
		f.group("Writing rows")
		o.output.declareFormat(f)
		o.data.declare(f)
		return o.run
	},
}

type conversion struct {
	output tableFlags
	data   dataFlags
}

func (o *conversion) run(ctx context.Context, e *env, args []string) error {
	in, out := args[0], args[1]
	o.output.out = out
	model, err := o.isModel(in)
	switch {
	case err != nil:
		return err
	case model:
		return convertModel(in, out)
	}
	if err := o.output.check(in); err != nil {
		return err
	}
	if o.target() == bitio.Packed && out != "-" {
		return o.stream(ctx, e, in)
	}
	r, err := o.data.read(ctx, e, in)
	if err != nil {
		return err
	}
	t := &bitio.Table{Bits: r.bits, Observed: r.observed, Columns: r.columns, Rows: r.names}
	if target := o.target(); t.Columns != nil && target != bitio.CSV && target != bitio.Pairs {
		fmt.Fprintf(e.stderr, "rbm: the names of the columns are left out, as %s has no place for them\n", target)
	}
	return o.output.write(e, t)
}

// target returns the format to write.
func (o *conversion) target() bitio.Format {
	if o.output.format != "" {
		return bitio.Format(o.output.format)
	}
	return dataFormat(o.output.out)
}

// isModel reports whether a file is a model. An .npz is one if it has the arrays of a model
// and -array names no other.
func (o *conversion) isModel(path string) (bool, error) {
	if path == "-" {
		return false, nil
	}
	head, err := readHead(path)
	if err != nil {
		return false, err
	}
	format, ok := isModel(head)
	switch {
	case isCheckpoint(head):
		return true, nil // which is an error
	case format == npzModel:
		_, err := npz.Load(path)
		return err == nil && o.data.array == "", nil
	}
	return ok, nil
}

// convertModel writes a model, with what is known of its rows.
func convertModel(in, out string) error {
	if err := checkOutput(out, in); err != nil {
		return err
	}
	if err := checkModelOutput(out); err != nil {
		return err
	}
	m, side, err := readModel(in)
	if err != nil {
		return err
	}
	return writeModel(out, m, side)
}

// stream writes rows one after the other.
func (o *conversion) stream(ctx context.Context, e *env, in string) error {
	opts, err := o.data.options()
	if err != nil {
		return err
	}
	blocks := bitio.StreamFile(in, opts)
	if in == "-" {
		blocks = bitio.Stream(e.stdin, "standard input", opts)
	}
	if err := bitfile.Write(o.output.out, until(ctx, blocks)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return trim(err)
	}
	if format := dataFormat(in); format == bitio.CSV || format == bitio.Pairs {
		fmt.Fprintln(e.stderr, "rbm: names, if there are any, are left out, as bits has no place for them")
	}
	return nil
}

// until ends a stream with an error once ctx is done.
func until(ctx context.Context, blocks iter.Seq2[*rbm.Bits, error]) iter.Seq2[*rbm.Bits, error] {
	return func(yield func(*rbm.Bits, error) bool) {
		for b, err := range blocks {
			if err == nil && ctx.Err() != nil {
				b, err = nil, ctx.Err()
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
