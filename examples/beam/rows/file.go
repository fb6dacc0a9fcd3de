package rows

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
)

const (
	magic     = "\x89BIT\r\n\x1a\n" // of package bitfile
	readBytes = 1 << 18             // at a time, about
)

// readFile passes on each row of a file, as good or bad. An error is none of what is in
// the file, and may not come again.
func readFile(ctx context.Context, path string, columns int, good func(Row), bad func(Bad)) error {
	goodRow := func(number int64, bits []byte) { good(Row{path, number, bits}) }
	badRow := func(number int64, reason string) { bad(Bad{path, number, reason}) }
	err := read(ctx, path, columns, goodRow, badRow)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if fault := (fault{}); errors.As(err, &fault) {
		return fmt.Errorf("rows: %s: %w", path, err)
	}
	badRow(0, err.Error())
	return nil
}

// A fault is an error of a disk or a network.
type fault struct{ error }

func (f fault) Unwrap() error { return f.error }

// unreadable returns err as a fault, unless it is of a kind that comes whenever the file
// is read.
func unreadable(err error) error {
	corrupt := flate.CorruptInputError(0)
	for _, kind := range []error{gzip.ErrHeader, gzip.ErrChecksum, io.ErrUnexpectedEOF, io.EOF, fs.ErrNotExist, fs.ErrPermission, syscall.EISDIR} {
		if errors.Is(err, kind) {
			return fmt.Errorf("cannot be read: %w", err)
		}
	}
	if errors.As(err, &corrupt) {
		return fmt.Errorf("cannot be read: %w", err)
	}
	return fault{fmt.Errorf("cannot be read: %w", err)}
}

func read(ctx context.Context, path string, columns int, good func(int64, []byte), bad func(int64, string)) error {
	file := fileio.ReadableFile{Metadata: fileio.FileMetadata{Path: path}}
	if filepath.Ext(path) == ".gz" {
		// Its checksum stands at the end: no row is good before all have been read.
		if err := check(ctx, file); err != nil {
			return unreadable(err)
		}
	}
	r, err := file.Open(ctx)
	if err != nil {
		return unreadable(err)
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, 1<<16)
	start, err := b.Peek(len(magic))
	if err != nil && err != io.EOF {
		return unreadable(err)
	}
	if string(start) != magic {
		return readText(b, columns, good, bad)
	}
	f, ok := r.(*os.File)
	if !ok { // then it can only be read from its beginning to its end
		if f, err = os.CreateTemp("", "rows-"); err != nil {
			return fault{err}
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if _, err := io.Copy(f, b); err != nil {
			return fault{err}
		}
	}
	return readBits(f, columns, good, bad)
}

func check(ctx context.Context, file fileio.ReadableFile) error {
	r, err := file.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// readBits passes on the rows of a file of package bitfile.
func readBits(r *os.File, columns int, good func(int64, []byte), bad func(int64, string)) error {
	info, err := r.Stat()
	if err != nil {
		return err
	}
	f, err := bitfile.NewFile(r, info.Size())
	if err != nil {
		return err
	}
	n, c := f.Dims()
	if c != columns {
		return fmt.Errorf("has %d columns, want %d", c, columns)
	}
	words := make([]uint64, (c+63)/64)
	block := rbm.NewBits(min(n, max(1, readBytes/8/len(words))), c)
	// pass passes on the rows [i, k), in halves if something is wrong with one.
	var pass func(i, k int)
	pass = func(i, k int) {
		part := block.Slice(0, k-i)
		if err := f.ReadRows(part, i); err != nil {
			if k-i == 1 {
				bad(int64(k), fmt.Sprintf("%v (where rows count from 0)", err))
				return
			}
			mid := i + (k-i)/2
			pass(i, mid)
			pass(mid, k)
			return
		}
		for row := range k - i {
			bits := make([]byte, bytesOf(c))
			part.Words(words, row)
			for j := range bits {
				bits[j] = byte(words[j/8] >> (j % 8 * 8))
			}
			good(int64(i+row+1), bits)
		}
	}
	size, _ := block.Dims()
	for i := 0; i < n; i += size {
		pass(i, min(n, i+size))
	}
	return nil
}

// Load returns the rows of all files that match a pattern, in the order of their names,
// without a pipeline. A bad row is an error, and so is it if there are none.
func Load(ctx context.Context, pattern string, columns int) (*rbm.Bits, error) {
	checkColumns(columns)
	paths, err := Files(ctx, pattern)
	if err != nil {
		return nil, err
	}
	var all []Row
	for _, path := range paths {
		var first *Bad
		if err := readFile(ctx, path, columns, func(r Row) { all = append(all, r) }, func(b Bad) {
			if first == nil {
				first = &b
			}
		}); err != nil {
			return nil, fmt.Errorf("rows: %s: %w", path, err)
		}
		if first != nil {
			return nil, fmt.Errorf("rows: %v", first)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("rows: %s has no rows", pattern)
	}
	b := rbm.NewBits(len(all), columns)
	for i, r := range all {
		r.Put(b, i)
	}
	return b, nil
}

// Files returns the files that match a pattern, sorted. That there are none is an
// error.
func Files(ctx context.Context, pattern string) ([]string, error) {
	paths, err := files.List(ctx, pattern)
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("rows: no file matches %s", pattern)
	}
	return paths, nil
}

func checkColumns(n int) {
	if n < 1 {
		panic(fmt.Sprintf("rows: columns are %d, want at least 1", n))
	}
}
