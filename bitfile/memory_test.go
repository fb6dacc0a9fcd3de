//go:build !race

// The race detector makes slices.Grow allocate twice.

package bitfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
)

// However many rows are read, or written, the memory for that is some 256 kilobytes; a row
// alone takes some 4.
func TestMemory(t *testing.T) {
	const rows, cols = 40_000, 784 // 4 megabytes
	b := rbm.NewBits(rows, cols)
	path := filepath.Join(t.TempDir(), "rows.bits")
	allocated := func(f func() error) uint64 {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		err := f()
		runtime.ReadMemStats(&m1)
		if err != nil {
			t.Fatal(err)
		}
		return m1.TotalAlloc - m0.TotalAlloc
	}
	one := func(yield func(*rbm.Bits, error) bool) { yield(b, nil) }
	if n := allocated(func() error { return bitfile.Write(path, one) }); n > 300<<10 {
		t.Errorf("Write takes %d bytes", n)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &counted{ReaderAt: bytes.NewReader(data)}
	f, err := bitfile.NewFile(r, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	row, all := rbm.NewBits(1, cols), rbm.NewBits(rows, cols)
	if n := allocated(func() error { return f.ReadRows(row, rows/2) }); n > 8<<10 || r.most > 4<<10 {
		t.Errorf("a row takes %d bytes, and %d are read at a time", n, r.most)
	}
	if n := allocated(func() error { return f.ReadRows(all, 0) }); n > 300<<10 || r.most > 260<<10 {
		t.Errorf("all rows take %d bytes, and %d are read at a time", n, r.most)
	}
	if r.most < 250<<10 {
		t.Errorf("at most %d bytes are read at a time, want some 256 kilobytes", r.most)
	}
	if n := allocated(func() error { return f.ReadRows(all, 0) }); n > 32<<10 {
		t.Errorf("all rows once more take %d bytes", n)
	}
}
