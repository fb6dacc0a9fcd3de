package rows

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
)

const (
	magic     = "\x89BIT\r\n\x1a\n" // of package bitfile
	readBytes = 1 << 18             // at a time, about
)

// readFile passes on each row of a file, as good or bad. The error is that of ctx.
func readFile(ctx context.Context, path string, columns int, good func(Row), bad func(Bad)) error {
	goodRow := func(number int64, bits []byte) { good(Row{path, number, bits}) }
	badRow := func(number int64, reason string) { bad(Bad{path, number, reason}) }
	if err := read(ctx, path, columns, goodRow, badRow); err != nil && ctx.Err() == nil {
		badRow(0, err.Error())
	}
	return ctx.Err()
}

func read(ctx context.Context, path string, columns int, good func(int64, []byte), bad func(int64, string)) error {
	file := fileio.ReadableFile{Metadata: fileio.FileMetadata{Path: path}}
	if filepath.Ext(path) == ".gz" {
		// Its checksum stands at the end: no row is good before all have been read.
		if err := check(ctx, file); err != nil {
			return fmt.Errorf("cannot be read: %w", err)
		}
	}
	r, err := file.Open(ctx)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, 1<<16)
	start, err := b.Peek(len(magic))
	if err != nil && err != io.EOF {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if string(start) != magic {
		readText(b, columns, good, bad)
		return nil
	}
	f, ok := r.(*os.File)
	if !ok {
		if f, err = os.CreateTemp("", "rows-"); err != nil {
			return err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if _, err := io.Copy(f, b); err != nil {
			return err
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
	paths, err := list(ctx, pattern)
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

// list returns the files of a pattern, which there must be.
func list(ctx context.Context, pattern string) ([]string, error) {
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
