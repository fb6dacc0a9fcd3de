package rows

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
)

const (
	magic       = "\x89BIT\r\n\x1a\n" // of package bitfile
	headerBytes = 32                  // with it
	readBytes   = 1 << 18             // at a time, about
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
	packed := filepath.Ext(path) == ".gz"
	var size int64
	var err error
	if packed {
		// Its checksum stands at the end: no row is good before all have been read.
		if size, err = check(ctx, path, columns); err != nil {
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
	if f, ok := r.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		return readBits(f, info.Size(), columns, good, bad)
	}
	if !packed {
		if size, err = sizeOf(ctx, path); err != nil {
			return err
		}
	}
	return readBits(newStream(b, columns), size, columns, good, bad)
}

// sizeOf returns how many bytes a file has.
func sizeOf(ctx context.Context, path string) (int64, error) {
	fs, err := filesystem.New(ctx, path)
	if err != nil {
		return 0, err
	}
	defer fs.Close()
	return fs.Size(ctx, path)
}

// check reads all of a compressed file, and returns how many bytes are in it. If that
// is a bitfile, its header comes first: it says how far to read, or that this is of no
// use.
func check(ctx context.Context, path string, columns int) (size int64, err error) {
	fs, err := filesystem.New(ctx, path)
	if err != nil {
		return 0, err
	}
	defer fs.Close()
	r, err := fs.OpenRead(ctx, path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	disk := &reader{Reader: r}
	z, err := gzip.NewReader(disk)
	if err == nil {
		size, err = measure(z, columns)
	}
	if disk.err != nil {
		return 0, disk.err
	}
	if err != nil && !errors.As(err, new(contentError)) {
		err = contentError{fmt.Errorf("is damaged: %w", err)}
	}
	return size, err
}

// measure reads all of r, and returns how many bytes that were.
func measure(r io.Reader, columns int) (int64, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	most := int64(math.MaxInt64 - 1)
	if header, _ := b.Peek(headerBytes); len(header) == headerBytes && strings.HasPrefix(string(header), magic) {
		var err error
		if most, err = bitsSize(header, columns); err != nil {
			return 0, contentError{err}
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(b, most+1))
	if err == nil && n > most {
		err = contentError{fmt.Errorf("goes on after the %d bytes that its header says", most)}
	}
	return n, err
}

// bitsSize returns how many bytes the bitfile has of which this is the header. It is an
// error if that is damaged or of other columns.
func bitsSize(header []byte, columns int) (int64, error) {
	cols, rows := binary.LittleEndian.Uint64(header[12:]), binary.LittleEndian.Uint64(header[20:])
	// Rows and checksums, as package bitfile has them. Of numbers that overflow it finds
	// something else to say.
	words := (cols-1)/64 + 1
	chunk := max(1, 4096/8/words)
	size := max(headerBytes, int64(headerBytes+rows*8*words+4*((rows-1)/chunk+1)))
	f, err := bitfile.NewFile(bytes.NewReader(header), size)
	if err != nil {
		return 0, err
	}
	return size, checkDims(f, columns)
}

func checkDims(f *bitfile.File, columns int) error {
	if _, c := f.Dims(); c != columns {
		return fmt.Errorf("has %d columns, want %d", c, columns)
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
	if err := checkDims(f, columns); err != nil {
		return contentError{err}
	}
	n, c := f.Dims()
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
			words := part.RawRow(row)
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

// Each passes on the rows of all files that match a pattern, as [Read] does but without
// a pipeline, in the order of the files' names and of the rows.
func Each(ctx context.Context, pattern string, columns int, good func(Row), bad func(Bad), groups ...rbm.Group) error {
	checkColumns(columns)
	good = checked(groups, good, bad)
	paths, err := Files(ctx, pattern)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := readFile(ctx, path, columns, good, bad); err != nil {
			return err
		}
	}
	return nil
}

// Load returns the rows of all files that match a pattern, in the order of [Each]. A bad
// row is an error, and so is it if there are none.
func Load(ctx context.Context, pattern string, columns int, groups ...rbm.Group) (*rbm.Bits, error) {
	var all []Row
	var first *Bad
	if err := Each(ctx, pattern, columns, func(r Row) { all = append(all, r) }, func(b Bad) {
		if first == nil {
			first = &b
		}
	}, groups...); err != nil {
		return nil, err
	}
	if first != nil {
		return nil, fmt.Errorf("rows: %v", first)
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
