//go:build !race

package bitio_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/bitio"
)

// repeated is a reader of start and then the same rows, n times.
type repeated struct {
	start, rows string
	n           int
	at          string
}

func (r *repeated) Read(b []byte) (int, error) {
	if r.at == "" {
		if r.at, r.start = r.start, ""; r.at == "" {
			if r.n == 0 {
				return 0, io.EOF
			}
			r.at = r.rows
			r.n--
		}
	}
	n := copy(b, r.at)
	r.at = r.at[n:]
	return n, nil
}

// held returns how much more memory is in use while f runs than before, at the times when
// it calls look.
func held(f func(look func())) (most int64) {
	var before, m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f(func() {
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, int64(m.HeapAlloc)-int64(before.HeapAlloc))
	})
	return most
}

// A stream takes the memory of its buffers, less than its rows take even as bits.
func TestStreamMemory(t *testing.T) {
	const cols = 200
	csv := strings.Repeat("0,1,", cols/2-1) + "0,1\n"
	pairs := func(n int) (s string) { // of a user
		for j := range 20 {
			s += fmt.Sprintf("%d,%d\n", n, j)
		}
		return s
	}
	var names []string
	for j := range cols {
		names = append(names, fmt.Sprint(j))
	}
	for _, tt := range []struct {
		name  string
		o     bitio.Options
		start func(n int) string
		rows  string
	}{
		{"a.csv", bitio.Options{}, nil, strings.Repeat(csv, 100)},
		{"a.txt", bitio.Options{}, nil, strings.Repeat(strings.Repeat("01", cols/2)+"\n", 100)},
		{"a.svm", bitio.Options{Width: cols}, nil, strings.Repeat("+1 3:1 7:1 200:1\n", 100)},
		{"a.indices", bitio.Options{Width: cols}, nil, strings.Repeat("3 7 200\n", 100)},
		{"a.npy", bitio.Options{}, func(n int) string {
			return npy("|u1", false, fmt.Sprintf("(%d, %d)", 100*n, cols), "")
		}, strings.Repeat("\x00\x01", 100*cols/2)},
		{"a.idx", bitio.Options{}, func(n int) string {
			return unhex(fmt.Sprintf("00000802 %08x %08x", 100*n, cols))
		}, strings.Repeat("\x00\x01", 100*cols/2)},
		{"a.pairs", bitio.Options{Columns: names}, nil, pairs(1)}, // a single user, of many pairs
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := 0
			const n = 300
			start := ""
			if tt.start != nil {
				start = tt.start(n)
			}
			most := held(func(look func()) {
				blocks := 0
				for block, err := range bitio.Stream(&repeated{start: start, rows: tt.rows, n: n}, tt.name, &tt.o) {
					if err != nil {
						t.Fatal(err)
					}
					if blocks++; blocks%5 == 1 {
						look()
					}
					r, _ := block.Dims()
					rows += r
				}
			})
			if tt.name != "a.pairs" && rows != n*100 {
				t.Errorf("there are %d rows, want %d", rows, n*100)
			}
			if most > 250<<10 { // the bits alone have 960 kilobytes
				t.Errorf("the stream takes %d bytes, want some 150 kilobytes", most)
			}
		})
	}
}

// A block is used again, and a row allocates next to nothing.
func TestStreamAllocations(t *testing.T) {
	row := strings.Repeat("0,1,", 99) + "0,1\n"
	count := func(n int) float64 {
		return testing.AllocsPerRun(3, func() {
			for _, err := range bitio.Stream(&repeated{rows: row, n: n}, "a.csv", nil) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	few, many := count(100), count(2_100)
	if per := (many - few) / 2_000; per > 1.1 { // encoding/csv makes a string of a record
		t.Errorf("a row of a CSV allocates %v times, want once", per)
	}
	bytes := func(n int) string {
		return npy("|u1", false, fmt.Sprintf("(%d, 100)", n), "") + strings.Repeat("\x01", 100*n)
	}
	count = func(n int) float64 {
		in := bytes(n)
		return testing.AllocsPerRun(3, func() {
			for _, err := range bitio.Stream(strings.NewReader(in), "a.npy", nil) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if few, many := count(100), count(2_100); many > few+2 {
		t.Errorf("2,000 rows of an array allocate %v times, want 0", many-few)
	}
}

// What a header says takes no memory before it is there, and what is there no more than a
// small multiple of it.
func TestReadMemory(t *testing.T) {
	allocated := func(f func()) uint64 {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		f()
		runtime.ReadMemStats(&m1)
		return m1.TotalAlloc - m0.TotalAlloc
	}
	for _, tt := range []struct {
		name, in string
	}{
		{"a.npy", npy("|u1", false, "(1000000000, 1000000)", "00")},
		{"a.npy", npy("|u1", false, "(1, 1000000000000)", "00")},
		{"a.npy", npy("|u1", true, "(1000000000, 1000000)", "00")},
		{"a.npz", zipped(0, npy("|u1", false, "(1000000, 1000000000)", "00"))},
		{"a.idx", unhex("00000802 0fffffff 0fffffff 00")},
		{"a.bits", string(bitsFile[:40])},
		{"a.pairs", strings.Join([]string{"u a", "v b", ""}, "\n")},
	} {
		n := allocated(func() {
			bitio.Read(strings.NewReader(tt.in), tt.name, &bitio.Options{MaxBytes: 100})
		})
		if n > 500<<10 {
			t.Errorf("%s of %d bytes takes %d", tt.name, len(tt.in), n)
		}
	}
	var in strings.Builder
	const rows, cols = 20_000, 640
	for range rows {
		in.WriteString(strings.Repeat("01", cols/2) + "\n")
	}
	text := in.String()
	n := allocated(func() {
		if _, err := bitio.Read(strings.NewReader(text), "a.txt", nil); err != nil {
			t.Error(err)
		}
	})
	if bits := uint64(rows * cols / 8); n > 2*bits+500<<10 {
		t.Errorf("%d bytes of bits take %d, want about twice as many", bits, n)
	}
}

// A stream goes to a file of package bitfile, and so does its error.
func TestStreamToBitfile(t *testing.T) {
	path := t.TempDir() + "/a.bits"
	if err := bitfile.Write(path, bitio.Stream(strings.NewReader("a,b\n0,1\n1,1\n"), "a.csv", nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := bitio.ReadFile(path, nil); err != nil || show(got) != "01 11" {
		t.Errorf("got %v, error %v", got, err)
	}
	err := bitfile.Write(path, bitio.Stream(strings.NewReader("a,b\n0,1\n1,\n"), "a.csv", nil))
	if !errors.Is(err, bitio.ErrMissing) || !strings.Contains(err.Error(), "a.csv: line 3") {
		t.Errorf("error %v, want that line 3 misses a value", err)
	}
}
