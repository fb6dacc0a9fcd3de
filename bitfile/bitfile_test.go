package bitfile_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/checkpoint"
	"gonum.org/v1/gonum/mat"
)

func randomBits(r, c int, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := rbm.NewBits(r, c)
	for i := range r {
		for j := range c {
			b.SetBit(i, j, rnd.IntN(3) == 0)
		}
	}
	return b
}

// written writes rows to a file, in blocks that have nothing to do with its chunks, and
// returns its path.
func written(t testing.TB, rows rbm.Rows) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.bits")
	if err := bitfile.Write(path, rbm.Blocks(rows, 7)); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t testing.TB, rows rbm.Rows) []byte {
	t.Helper()
	b, err := os.ReadFile(written(t, rows))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, path string) *bitfile.File {
	t.Helper()
	f, err := bitfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func checkError(t *testing.T, name string, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %q", name, want)
		return
	}
	for _, w := range want {
		if !strings.HasPrefix(err.Error(), "bitfile: ") || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q, want %q", name, err, w)
		}
	}
}

// reference is the format as the documentation has it.
func reference(b *rbm.Bits) []byte {
	rows, cols := b.Dims()
	words := (cols + 63) / 64
	per := max(1, 4096/(8*words))
	table := crc32.MakeTable(crc32.Castagnoli)
	le := binary.LittleEndian
	file := []byte("\x89BIT\r\n\x1a\n\x01\x00\x00\x00")
	file = le.AppendUint64(le.AppendUint64(file, uint64(cols)), uint64(rows))
	file = le.AppendUint32(file, crc32.Checksum(file, table))
	for k := 0; k*per < rows; k++ {
		chunk := le.AppendUint64(nil, uint64(k))
		for r := k * per; r < min(rows, k*per+per); r++ {
			row := make([]byte, 8*words)
			for j := range cols {
				if b.Bit(r, j) {
					row[j/8] |= 1 << (j % 8)
				}
			}
			chunk = append(chunk, row...)
		}
		file = le.AppendUint32(append(file, chunk[8:]...), crc32.Checksum(chunk, table))
	}
	return file
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ rows, cols int }{{1, 1}, {3, 64}, {2, 65}, {600, 64}, {512, 8}, {513, 8}, {3, 4096 * 8}, {3, 4096*8 + 1}, {100, 784}} {
		b := randomBits(tt.rows, tt.cols, 1)
		if got, want := content(t, b), reference(b); !bytes.Equal(got, want) {
			t.Errorf("%+v: %d bytes %.80x…, want %d bytes %.80x…", tt, len(got), got, len(want), want)
		}
	}
}

// What is read is what was written, wherever it begins and however much it is.
func TestReadRows(t *testing.T) {
	for _, tt := range []struct{ rows, cols int }{{1, 1}, {600, 64}, {1100, 70}, {5, 40000}, {25000, 100}} {
		b := randomBits(tt.rows, tt.cols, 1)
		f := open(t, written(t, b))
		if r, c := f.Dims(); r != tt.rows || c != tt.cols {
			t.Fatalf("file is %d×%d, want %d×%d", r, c, tt.rows, tt.cols)
		}
		rnd := rand.New(rand.NewPCG(1, 1))
		for k := range 60 {
			i := rnd.IntN(tt.rows)
			n := 1 + rnd.IntN(tt.rows-i)
			if k == 0 {
				i, n = 0, tt.rows
			} else if k%2 == 0 {
				n = min(n, 3)
			}
			dst := randomBits(n, tt.cols, 2)
			if err := f.ReadRows(dst, i); err != nil {
				t.Fatal(err)
			}
			for r := range n {
				if !slices.Equal(dst.RawRow(r), b.RawRow(i+r)) {
					t.Fatalf("%+v: row %d of [%d, %d) differs", tt, r, i, i+n)
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		checkError(t, "closed", f.ReadRows(rbm.NewBits(1, tt.cols), 0), "rows from 0 on: ", "closed")
	}
	b := randomBits(10, 70, 1)
	data := content(t, b)
	f, err := bitfile.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			dst := rbm.NewBits(9, 70)
			for range 100 {
				if err := f.ReadRows(dst, 1); err != nil || !mat.Equal(dst, b.Slice(1, 10)) {
					t.Errorf("concurrent readers: %v, or other rows", err)
					return
				}
			}
		}()
	}
	all.Wait()
	dst := rbm.NewBits(1, 70)
	if got := testing.AllocsPerRun(10, func() { f.ReadRows(dst, 3) }); got > 1 {
		t.Errorf("%v allocations to read a row", got)
	}
	for _, tt := range []struct {
		dst  *rbm.Bits
		i    int
		want string
	}{
		{nil, 0, "bitfile: dst is nil"},
		{rbm.NewBits(1, 71), 0, "bitfile: dst is 1×71, want n×70"},
		{rbm.NewBits(3, 70), 8, "bitfile: no rows [8, 11) in a file of 10×70"},
		{dst, -1, "bitfile: no rows [-1, 0) in a file of 10×70"},
		{dst, math.MaxInt, "in a file of 10×70"},
	} {
		func() {
			defer func() {
				if got := recover(); !strings.Contains(fmt.Sprint(got), tt.want) {
					t.Errorf("panic %v, want %q", got, tt.want)
				}
			}()
			f.ReadRows(tt.dst, tt.i)
		}()
	}
}

func TestNilFile(t *testing.T) {
	var f *bitfile.File
	for k, call := range []func(){
		func() { f.Dims() },
		func() { f.ReadRows(rbm.NewBits(1, 1), 0) },
		func() { f.Close() },
		func() { _ = f.String() },
	} {
		func() {
			defer func() {
				if got, want := recover(), "bitfile: File is nil, want that of Open"; got != want {
					t.Errorf("call %d: panic %v, want %q", k, got, want)
				}
			}()
			call()
		}()
	}
}

func TestString(t *testing.T) {
	rows := randomBits(10, 70, 1)
	path := written(t, rows)
	data := content(t, rows)
	reader, err := bitfile.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		f    *bitfile.File
		want string
	}{{open(t, path), "File(" + path + ": 10×70)"}, {reader, "File(10×70)"}, {nil, "<nil>"}} {
		if got := fmt.Sprint(tt.f); got != tt.want {
			t.Errorf("it prints %s, want %s", got, tt.want)
		}
	}
}

// Every change of a byte is found: in the header at once, elsewhere by who reads that
// chunk, and by nobody else.
func TestDamage(t *testing.T) {
	const rows, cols, per = 90, 784, 39 // rows of a chunk
	b := randomBits(rows, cols, 1)
	whole := content(t, b)
	size := int64(len(whole))
	for at := range whole {
		if at >= 40 && at%97 != 0 && at < len(whole)-8 {
			continue
		}
		data := slices.Clone(whole)
		data[at] ^= 0x10
		f, err := bitfile.NewFile(bytes.NewReader(data), size)
		if at < 32 {
			want := "header has checksum"
			if at < 8 {
				want = "file begins with"
			} else if at < 12 {
				want = "format version"
			}
			checkError(t, fmt.Sprintf("byte %d", at), err, want)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		chunk := (at - 32) / (per*104 + 4)
		for _, i := range []int{0, 38, 39, 77, 78, 89} {
			err := f.ReadRows(rbm.NewBits(1, cols), i)
			if i/per != chunk && err != nil {
				t.Errorf("byte %d, of chunk %d: row %d: %v", at, chunk, i, err)
			}
			if i/per == chunk {
				checkError(t, fmt.Sprintf("byte %d, row %d", at, i), err,
					fmt.Sprintf("rows [%d, %d) have checksum ", chunk*per, min(rows, chunk*per+per)), "the file is damaged")
			}
		}
		checkError(t, "all rows", f.ReadRows(rbm.NewBits(rows, cols), 0), "the file is damaged")
	}
	for n := range size {
		if n >= 40 && n%101 != 0 && n < size-5 {
			continue
		}
		_, err := bitfile.NewFile(bytes.NewReader(whole[:n]), n)
		switch there := (n - 32) / (per*104 + 4) * per; {
		case n == 0:
			checkError(t, "0 bytes", err, "file is empty")
		case n < 32:
			checkError(t, "header", err, fmt.Sprintf("file has %d bytes, want at least 32", n))
		default:
			checkError(t, "cut off", err, fmt.Sprintf("file has %d bytes, want %d: only the first %d of 90 rows are there", n, size, there))
		}
	}
	_, err := bitfile.NewFile(bytes.NewReader(append(whole, 0)), size+1)
	checkError(t, "too long", err, fmt.Sprintf("file has %d bytes, want %d for 90 rows", size+1, size))
	// Chunks that have changed places.
	data := slices.Clone(whole)
	copy(data[32:], whole[32+per*104+4:][:per*104+4])
	f, err := bitfile.NewFile(bytes.NewReader(data), size)
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, "another chunk", f.ReadRows(rbm.NewBits(1, cols), 0), "rows [0, 39) have checksum ")
	// A file that became shorter since.
	f, err = bitfile.NewFile(bytes.NewReader(whole[:5000]), size)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.ReadRows(rbm.NewBits(1, cols), 50); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// header returns that of a file of a layout.
func header(cols, rows uint64) []byte {
	le := binary.LittleEndian
	b := []byte("\x89BIT\r\n\x1a\n\x01\x00\x00\x00")
	b = le.AppendUint64(le.AppendUint64(b, cols), rows)
	return le.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// Any byte in the place of any other, with the checksum of that, gives an error or the rows
// that it stands for.
func TestEveryByte(t *testing.T) {
	whole := content(t, randomBits(2, 5, 1)) // 32 bytes of the header, 16 of rows
	table, le := crc32.MakeTable(crc32.Castagnoli), binary.LittleEndian
	for at, was := range whole[:48] {
		if 28 <= at && at < 32 {
			continue // a checksum
		}
		for b := range 256 {
			data := slices.Clone(whole)
			data[at] = byte(b)
			le.PutUint32(data[28:], crc32.Checksum(data[:28], table))
			le.PutUint32(data[48:], crc32.Checksum(append(make([]byte, 8), data[32:48]...), table))
			f, err := bitfile.NewFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				continue
			}
			r, c := f.Dims()
			rows := rbm.NewBits(r, c)
			if err := f.ReadRows(rows, 0); err == nil && !bytes.Equal(reference(rows), data) {
				t.Errorf("byte %d is %d, was %d: the rows are written as %x", at, b, was, reference(rows))
			}
		}
	}
}

// Headers that somebody made up.
func TestImpossibleHeaders(t *testing.T) {
	for _, tt := range []struct {
		cols, rows uint64
		want       string
	}{
		{0, 1, "file is 1×0, want from 1×1"},
		{1, 0, "file is 0×1, want from 1×1"},
		{1 << 63, 1, "want from 1×1"},
		{1, 1<<64 - 1, "want from 1×1"},
		{math.MaxInt, math.MaxInt, ""},
		{math.MaxInt, 1, ""},
		{1, math.MaxInt, ""},
		{64, math.MaxInt / 8, ""},
		{64, 1 << 27, "file has 32 bytes, want 1074790432: only the first 0 of 134217728 rows are there"},
		{1, 1, "file has 32 bytes, want 44: only the first 0 of 1 rows are there"},
	} {
		_, err := bitfile.NewFile(bytes.NewReader(header(tt.cols, tt.rows)), 32)
		checkError(t, fmt.Sprintf("%+v", tt), err, tt.want)
	}
	version := header(1, 1)
	version[8] = 2
	_, err := bitfile.NewFile(bytes.NewReader(version), 32)
	checkError(t, "version", err, "file is of format version 2, known is only 1")
	// A bit behind the last column, with the right checksum.
	row := binary.LittleEndian.AppendUint64(nil, 1<<5|1)
	sum := crc32.Checksum(append(make([]byte, 8), row...), crc32.MakeTable(crc32.Castagnoli))
	data := binary.LittleEndian.AppendUint32(append(header(5, 1), row...), sum)
	f, err := bitfile.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, "behind", f.ReadRows(rbm.NewBits(1, 5), 0), "row 0 has a one in column 5, want 5 columns")
}

func TestOpenNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := bitfile.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := bitfile.Open(dir); err == nil {
		t.Error("a directory is a file")
	}
	path := filepath.Join(dir, "text")
	if err := os.WriteFile(path, []byte("some text"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := bitfile.Open(path)
	checkError(t, "text", err, path+`: file begins with "some tex", want "\x89BIT\r\n\x1a\n"`)
}

// A file is written as a whole or not at all.
func TestWriteFails(t *testing.T) {
	broken := errors.New("broken")
	old := randomBits(10, 70, 1)
	path := written(t, old)
	for _, tt := range []struct {
		name   string
		blocks iter.Seq2[*rbm.Bits, error]
		want   string
		panics bool
	}{
		{"no rows", func(func(*rbm.Bits, error) bool) {}, "bitfile: there are no rows", false},
		{"empty block", func(yield func(*rbm.Bits, error) bool) { yield(new(rbm.Bits), nil) }, "bitfile: there are no rows", false},
		{"error", func(yield func(*rbm.Bits, error) bool) {
			if yield(old, nil) && yield(nil, broken) {
				t.Error("the stream goes on after an error")
			}
		}, "bitfile: broken", false},
		{"columns", func(yield func(*rbm.Bits, error) bool) { _ = yield(old, nil) && yield(rbm.NewBits(1, 71), nil) },
			"bitfile: block from row 10 on has 71 columns, want 70", false},
		{"fewer columns", func(yield func(*rbm.Bits, error) bool) { _ = yield(old, nil) && yield(rbm.NewBits(1, 69), nil) },
			"bitfile: block from row 10 on has 69 columns, want 70", false},
		{"nil block", func(yield func(*rbm.Bits, error) bool) { yield(nil, nil) }, "bitfile: block is nil", true},
		{"nil", nil, "bitfile: blocks are nil", true},
	} {
		var err error
		func() {
			defer func() {
				if r := recover(); (r != nil) != tt.panics {
					t.Errorf("%s: panic %v", tt.name, r)
				} else if r != nil {
					err = errors.New(r.(string))
				}
			}()
			err = bitfile.Write(path, tt.blocks)
		}()
		checkError(t, tt.name, err, tt.want)
		if tt.name == "error" && !errors.Is(err, broken) {
			t.Errorf("error %v does not wrap the one of the stream", err)
		}
	}
	checkError(t, "directory", bitfile.Write(filepath.Join(path, "x"), rbm.Blocks(old, 1)), "")
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("files %v, %v", entries, err)
	}
	dst := rbm.NewBits(10, 70)
	if err := open(t, path).ReadRows(dst, 0); err != nil || !mat.Equal(dst, old) {
		t.Errorf("the older file has changed, or %v", err)
	}
}

func trainer(data rbm.Rows) *rbm.Trainer {
	m := rbm.NewRandom(70, 9, 0.1, rand.NewPCG(1, 1))
	t := rbm.NewTrainer(m, data, rbm.NewPCD(10, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	n, _ := data.Dims()
	for r := range n {
		t.Weights = append(t.Weights, float64(r%3))
	}
	t.BatchSize, t.ShuffleBlock = 30, 77
	t.SGD.Momentum = 0.5
	return t
}

// Training from a file is training from memory, also where it is continued from the other.
func TestTrainer(t *testing.T) {
	data := randomBits(500, 70, 1)
	f := open(t, written(t, data))
	train := func(tr *rbm.Trainer, epochs int) *rbm.Trainer {
		if err := tr.Train(context.Background(), epochs); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	bytesOf := func(tr *rbm.Trainer) []byte {
		var b bytes.Buffer
		if err := checkpoint.Write(&b, tr); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	want := bytesOf(train(trainer(data), 4))
	for _, procs := range []int{1, 3} {
		old := runtime.GOMAXPROCS(procs)
		if !bytes.Equal(bytesOf(train(trainer(f), 4)), want) {
			t.Error("training from a file differs")
		}
		runtime.GOMAXPROCS(old)
	}
	for _, steps := range []int{1, 3, 20, 40} {
		for _, places := range [][2]rbm.Rows{{data, f}, {f, data}, {f, f}} {
			from, to := trainer(places[0]), trainer(places[1])
			to.BatchSize, to.ShuffleBlock = 1, 0
			for range steps {
				if err := from.Step(); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkpoint.Read(bytes.NewReader(bytesOf(from)), to); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytesOf(train(to, 4)), want) {
				t.Errorf("training that is continued after step %d differs", steps)
			}
		}
	}
}

// counted counts the bytes that are read, in all and at most at a time.
type counted struct {
	io.ReaderAt
	n, most int
}

func (c *counted) ReadAt(b []byte, offset int64) (int, error) {
	c.n += len(b)
	c.most = max(c.most, len(b))
	return c.ReaderAt.ReadAt(b, offset)
}

// Checkpoints of a training need one pass over its rows for all, also where they are tried
// before they are read.
func TestCheckpointsTakeOnePass(t *testing.T) {
	data := content(t, randomBits(500, 70, 1))
	r := &counted{ReaderAt: bytes.NewReader(data)}
	f, err := bitfile.NewFile(r, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, first := range map[string]func(tr *rbm.Trainer, b *bytes.Buffer) error{
		"Write": func(tr *rbm.Trainer, b *bytes.Buffer) error { return checkpoint.Write(b, tr) },
		"Read": func(tr *rbm.Trainer, b *bytes.Buffer) error {
			err := checkpoint.Write(b, trainer(f))
			r.n = 0
			return err
		},
	} {
		var b bytes.Buffer
		tr := trainer(f)
		r.n = 0
		if err := first(tr, &b); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := errors.Join(checkpoint.Read(&b, tr), checkpoint.Write(&b, tr)); err != nil {
				t.Fatal(err)
			}
		}
		if r.n != len(data)-32 {
			t.Errorf("%s first: %d bytes read, want %d once", name, r.n, len(data)-32)
		}
	}
}

func FuzzNewFile(f *testing.F) {
	whole := content(f, randomBits(60, 784, 1))
	f.Add(false, whole)
	f.Add(false, whole[:100])
	f.Add(true, content(f, randomBits(3, 5, 1)))
	f.Add(true, make([]byte, 50))
	f.Fuzz(func(t *testing.T, right bool, data []byte) {
		if right && len(data) >= 32 { // a header that gets further
			copy(data, header(binary.LittleEndian.Uint64(data[12:]), binary.LittleEndian.Uint64(data[20:])))
		}
		file, err := bitfile.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		r, c := file.Dims()
		b := rbm.NewBits(r, c) // no more than there are bytes
		if err := file.ReadRows(b, 0); err != nil {
			return
		}
		if again := reference(b); !bytes.Equal(again, data) {
			t.Errorf("%x is read, and written as %x", data, again)
		}
	})
}
