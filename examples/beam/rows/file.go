package rows

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
)

const (
	magic     = "\x89BIT\r\n\x1a\n" // of package bitfile
	readBytes = 1 << 18             // at a time, about
)

// readFile passes on each row of a file, as good or bad. Bad is what is wrong in the file,
// whoever reads it; an error is anything else, as of a disk or a network, and takes no
// row away: the file is to be read again.
func readFile(ctx context.Context, path string, columns int, good func(Row), bad func(Bad)) error {
	goodRow := func(number int64, bits []byte) { good(Row{path, number, bits}) }
	badRow := func(number int64, reason string) { bad(Bad{path, number, reason}) }
	err := read(ctx, path, columns, goodRow, badRow)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, syscall.EISDIR) {
		err = contentError{errors.New("is a directory")}
	}
	if content := (contentError{}); errors.As(err, &content) {
		badRow(0, content.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("rows: %s: cannot be read: %w", path, err)
	}
	return nil
}

// A contentError is what is wrong in a file as a whole.
type contentError struct{ error }

func read(ctx context.Context, path string, columns int, good func(int64, []byte), bad func(int64, string)) error {
	file := fileio.ReadableFile{Metadata: fileio.FileMetadata{Path: path}}
	if filepath.Ext(path) == ".gz" {
		// Its checksum stands at the end: no row is good before all have been read.
		if err := check(ctx, path); err != nil {
			return err
		}
	}
	r, err := file.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, 1<<16)
	start, err := b.Peek(len(magic))
	if err != nil && err != io.EOF {
		return err
	}
	if string(start) != magic {
		return readText(b, columns, good, bad)
	}
	f, ok := r.(*os.File)
	if !ok { // then it can only be read from its beginning to its end
		if f, err = os.CreateTemp("", "rows-"); err != nil {
			return err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if _, err := io.Copy(f, b); err != nil {
			return err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return readBits(f, info.Size(), columns, good, bad)
}

// check reads all of a compressed file.
func check(ctx context.Context, path string) error {
	fs, err := filesystem.New(ctx, path)
	if err != nil {
		return err
	}
	defer fs.Close()
	r, err := fs.OpenRead(ctx, path)
	if err != nil {
		return err
	}
	defer r.Close()
	disk := &reader{Reader: r}
	z, err := gzip.NewReader(disk)
	if err == nil {
		_, err = io.Copy(io.Discard, z)
	}
	if disk.err != nil {
		return disk.err
	}
	if err != nil {
		return contentError{fmt.Errorf("is damaged: %w", err)}
	}
	return nil
}

// A reader keeps the error with which a read has ended before the end of the file.
type reader struct {
	io.Reader
	err error
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// A readerAt keeps the error with which a read has ended before its time.
type readerAt struct {
	io.ReaderAt
	err error
}

func (r *readerAt) ReadAt(b []byte, offset int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, offset)
	if n < len(b) {
		r.err = err
	}
	return n, err
}

// readBits passes on the rows of a file of package bitfile, of so many bytes.
func readBits(r io.ReaderAt, size int64, columns int, good func(int64, []byte), bad func(int64, string)) error {
	disk := &readerAt{ReaderAt: r}
	f, err := bitfile.NewFile(disk, size)
	if disk.err != nil {
		return disk.err
	}
	if err != nil {
		return contentError{err}
	}
	n, c := f.Dims()
	if c != columns {
		return contentError{fmt.Errorf("has %d columns, want %d", c, columns)}
	}
	words := make([]uint64, (c+63)/64)
	block := rbm.NewBits(min(n, max(1, readBytes/8/len(words))), c)
	// pass passes on the rows [i, k), in halves if something is wrong with one.
	var pass func(i, k int)
	pass = func(i, k int) {
		part := block.Slice(0, k-i)
		err := f.ReadRows(part, i)
		if disk.err != nil {
			return
		}
		if err != nil {
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
	rows, _ := block.Dims()
	for i := 0; i < n && disk.err == nil; i += rows {
		pass(i, min(n, i+rows))
	}
	return disk.err
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
			return nil, err
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
