package bitio

import (
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/gorbm/rbm"
)

// Stream returns the rows that r has, in blocks of some 64 kilobytes, for bitfile.Write. A
// block is valid until the next. It takes the memory of a block and a few rows, whatever the
// number of rows; of Pairs, the names of all users too. Names of columns and rows are not part
// of a stream. An error comes with a nil block and ends the stream.
//
// It is an error where a value is missing, and where a row is not known before the end of a
// file: Pairs without Columns or of which the users are not together, LibSVM and Indices
// without Width, and NPY of Fortran order.
func Stream(r io.Reader, name string, o *Options) iter.Seq2[*rbm.Bits, error] {
	return func(yield func(*rbm.Bits, error) bool) { stream(r, name, o, yield) }
}

// StreamFile returns the rows of a file as Stream does. The file is open while they are read,
// which may be done again.
func StreamFile(path string, o *Options) iter.Seq2[*rbm.Bits, error] {
	return func(yield func(*rbm.Bits, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("bitio: %w", err))
			return
		}
		defer f.Close()
		stream(f, path, o, yield)
	}
}

func stream(r io.Reader, name string, o *Options, yield func(*rbm.Bits, error) bool) {
	if o == nil {
		o = new(Options)
	}
	fail := func(err error) { yield(nil, failed(name, err)) }
	if err := o.check(); err != nil {
		fail(err)
		return
	}
	in, err := newInput(r, name, o)
	if err != nil {
		fail(err)
		return
	}
	s, err := in.open(true)
	if err != nil {
		fail(err)
		return
	}
	row := newRow(s.cols)
	per := max(1, blockWords/len(row.v))
	var block *rbm.Bits // made with the first row
	n, none := 0, true
	for {
		row.reset()
		err := s.next(row)
		if err == io.EOF {
			break
		}
		if err == nil && row.some {
			err = fmt.Errorf("%s: %w", s.where(), ErrMissing)
		}
		if err != nil {
			fail(err)
			return
		}
		if block == nil {
			block = rbm.NewBits(per, s.cols)
		}
		copy(block.RawRow(n), row.v)
		none = false
		if n++; n == per {
			if !yield(block, nil) {
				return
			}
			n = 0
		}
	}
	if none {
		fail(errNoRows)
		return
	}
	if n > 0 {
		yield(block.Slice(0, n), nil)
	}
}
