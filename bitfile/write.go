package bitfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/atomicfile"
)

// Write writes the rows of a stream of blocks of any sizes, say of [rbm.Blocks], to the
// file of this path, in place of an older one, and holds but a few of them in memory. It
// is atomic, and leaves the older file as it was, as checkpoint.Save does.
//
// The error comes from the stream, which is read no further, or from the file; that there
// are no rows, or that blocks differ in their columns, is one too. It panics if blocks or
// a block is nil.
func Write(path string, blocks iter.Seq2[*rbm.Bits, error]) error {
	if blocks == nil {
		panic("bitfile: blocks are nil")
	}
	if err := atomicfile.Write(path, func(f *os.File) error { return write(f, blocks) }); err != nil {
		return fmt.Errorf("bitfile: %w", err)
	}
	return nil
}

// file is what write needs of a file.
type file interface {
	io.Writer
	io.WriterAt
}

func write(f file, blocks iter.Seq2[*rbm.Bits, error]) error {
	w := bufio.NewWriterSize(f, readBytes)
	w.Write(make([]byte, headerSize)) // what it is comes last
	var l layout
	var chunk []byte

	chunks := 0
	end := func() error { // of a chunk
		_, err := w.Write(binary.LittleEndian.AppendUint32(chunk, checksum(chunks, chunk)))
		chunk = chunk[:0]
		chunks++
		return err
	}
	for block, err := range blocks {
		if err != nil {
			return err
		}
		if block == nil {
			panic("bitfile: block is nil")
		}
		n, c := block.Dims()
		if n == 0 {
			continue
		}
		if l.rows == 0 {
			l = newLayout(0, c)
		}
		if c != l.cols {
			return fmt.Errorf("block from row %d on has %d columns, want %d", l.rows, c, l.cols)
		}
		for r := range n {
			for _, x := range block.RawRow(r) {
				chunk = binary.LittleEndian.AppendUint64(chunk, x)
			}
			if l.rows++; l.rows%l.per == 0 {
				if err := end(); err != nil {
					return err
				}
			}
		}
	}
	if l.rows == 0 {
		return errors.New("there are no rows")
	}
	if len(chunk) > 0 {
		if err := end(); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := f.WriteAt(l.header(), 0)
	return err
}
