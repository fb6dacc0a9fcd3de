package bitio

import (
	"bytes"
	"errors"
	"io"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
)

// readerAt returns all of the file, which must be one that is open if it is not to be in
// memory.
func (in *input) readerAt(stream bool) (io.ReaderAt, int64, error) {
	if in.at != nil {
		return in.at, in.size, nil
	}
	if stream {
		return nil, 0, errors.New("it is compressed or not a file: a stream wants a file that can be read anywhere")
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, 0, err
	}
	return bytes.NewReader(b), int64(len(b)), nil
}

func (in *input) openPacked(stream bool) (*source, error) {
	at, size, err := in.readerAt(stream)
	if err != nil {
		return nil, err
	}
	f, err := bitfile.NewFile(at, size)
	if err != nil {
		return nil, err
	}
	n, c := f.Dims()
	if !stream {
		t := &Table{Bits: rbm.NewBits(n, c)}
		if err := f.ReadRows(t.Bits, 0); err != nil {
			return nil, err
		}
		return &source{table: t}, nil
	}
	r := 0
	s := &source{cols: c, where: func() string { return "" }} // nothing is missing
	block := rbm.NewBits(min(n, max(1, blockWords/wordsOf(c))), c)
	per, _ := block.Dims()
	s.next = func(row *row) error {
		if r == n {
			return io.EOF
		}
		if r%per == 0 {
			part := block
			if n-r < per {
				part = block.Slice(0, n-r)
			}
			if err := f.ReadRows(part, r); err != nil {
				return err
			}
		}
		copy(row.v, block.RawRow(r%per))
		r++
		return nil
	}
	return s, nil
}
