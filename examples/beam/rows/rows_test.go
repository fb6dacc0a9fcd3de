package rows

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"gonum.org/v1/gonum/mat"
)

func TestMain(m *testing.M) {
	beam.Init()
	os.Exit(m.Run())
}

// A collectFn keeps what it gets, for the test of this name.
type collectFn struct{ Test string }

var (
	mu        sync.Mutex
	collected = map[string]*found{}
)

// found is what was read.
type found struct {
	good []Row
	bad  []Bad
}

func (f *found) sort() {
	slices.SortFunc(f.good, func(a, b Row) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Number, b.Number)) })
	slices.SortFunc(f.bad, func(a, b Bad) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Number, b.Number)) })
}

type collectBadFn struct{ Test string }

func init() {
	register.DoFn2x0[context.Context, Row](&collectFn{})
	register.DoFn1x0[Bad](&collectBadFn{})
}

var others = beam.NewCounter("others", "good") // none of ours

func (fn *collectFn) ProcessElement(ctx context.Context, r Row) {
	others.Inc(ctx, 1)
	mu.Lock()
	defer mu.Unlock()
	collected[fn.Test].good = append(collected[fn.Test].good, r)
}

func (fn *collectBadFn) ProcessElement(b Bad) {
	mu.Lock()
	defer mu.Unlock()
	collected[fn.Test].bad = append(collected[fn.Test].bad, b)
}

// run reads the files of a pattern in a pipeline, and checks that Load and the counters
// agree.
func run(t *testing.T, pattern string, columns int) *found {
	t.Helper()
	f := new(found)
	mu.Lock()
	collected[t.Name()] = f
	mu.Unlock()
	p, s := beam.NewPipelineWithRoot()
	good, bad := Read(s, pattern, columns)
	// Behind a shuffle they have been encoded.
	beam.ParDo0(s, &collectFn{t.Name()}, beam.Reshuffle(s, good))
	beam.ParDo0(s, &collectBadFn{t.Name()}, beam.Reshuffle(s, bad))
	bads := BadTable(filepath.Join(t.TempDir(), "bad"), 3)
	WriteBad(s, bad, bads)
	result, err := beamx.RunWithMetrics(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	f.sort()
	if good, bad := Counts(result); good != int64(len(f.good)) || bad != int64(len(f.bad)) {
		t.Errorf("%d good rows and %d bad ones are counted, want %d and %d", good, bad, len(f.good), len(f.bad))
	}
	var records [][]string
	for k := range 3 {
		part := readTable(t, fmt.Sprintf("%s-%05d-of-00003.csv", bads.Prefix, k))
		if want := []string{"file", "row", "reason"}; !reflect.DeepEqual(part[0], want) {
			t.Errorf("the header of bad rows is %q, want %q", part[0], want)
		}
		if len(f.bad) > 100 && len(part) < 20 {
			t.Errorf("part %d has %d of %d bad rows", k, len(part)-1, len(f.bad))
		}
		records = append(records, part[1:]...)
	}
	var want [][]string
	for _, b := range f.bad {
		want = append(want, []string{b.File, fmt.Sprint(b.Number), b.Reason})
	}
	slices.SortFunc(records, slices.Compare)
	slices.SortFunc(want, slices.Compare)
	if !reflect.DeepEqual(records, want) {
		t.Errorf("the table of bad rows is %q, want %q", records, want)
	}

	b, err := Load(context.Background(), pattern, columns)
	switch {
	case len(f.bad) > 0:
		if err == nil || !strings.Contains(err.Error(), f.bad[0].File) {
			t.Errorf("Load with bad rows: %v", err)
		}
	case len(f.good) == 0:
		if err == nil || !strings.Contains(err.Error(), "has no rows") {
			t.Errorf("Load without rows: %v", err)
		}
	case err != nil:
		t.Error(err)
	default:
		if got := bitsOf(f.good, columns); !mat.Equal(got, b) {
			t.Error("Load gives other rows")
		}
	}
	return f
}

// readTable returns the records of a CSV file.
func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func bitsOf(rows []Row, columns int) *rbm.Bits {
	b := rbm.NewBits(len(rows), columns)
	for i, r := range rows {
		r.Put(b, i)
	}
	return b
}

func randomBits(rows, cols int, seed uint64) *rbm.Bits {
	b := rbm.NewBits(rows, cols)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range rows {
		for j := range cols {
			b.SetBit(i, j, rnd.IntN(2) == 1)
		}
	}
	return b
}

// text returns the rows of b with separators between columns and behind each row but
// the last one.
func text(b *rbm.Bits, comma, end string) []byte {
	var out bytes.Buffer
	n, c := b.Dims()
	for i := range n {
		for j := range c {
			fmt.Fprint(&out, b.At(i, j))
			if j < c-1 {
				out.WriteString(comma)
			}
		}
		if i < n-1 {
			out.WriteString(end)
		}
	}
	return out.Bytes()
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func compress(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

// packed returns b as a file of package bitfile.
func packed(t *testing.T, b *rbm.Bits) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := bitfile.Write(path, rbm.Blocks(b, 1000)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// In whatever form rows are written, they are read.
func TestForms(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 5}, {30, 8}, {30, 64}, {300, 70}, {600, 784}} {
		n, c := size[0], size[1]
		t.Run(fmt.Sprintf("n=%d,columns=%d", n, c), func(t *testing.T) {
			b := randomBits(n, c, 1)
			dir := t.TempDir()
			forms := [][]byte{
				text(b, "", "\n"), append(text(b, "", "\n"), '\n'), append(text(b, "", "\r\n"), '\r', '\n'), append(text(b, ",", "\r\n"), '\r'),
				text(b, " ", "\n"), text(b, "\t", " \r\n\t"), text(b, " ,\t ", "\n"), packed(t, b),
			}
			for i, data := range forms {
				write(t, filepath.Join(dir, fmt.Sprintf("a%02d", i)), data)
				write(t, filepath.Join(dir, fmt.Sprintf("a%02dz.gz", i)), compress(data))
			}
			f := run(t, dir+"/a*", c)
			if len(f.bad) > 0 {
				t.Fatalf("bad: %v", f.bad[0])
			}
			if len(f.good) != 2*len(forms)*n {
				t.Fatalf("%d rows, want %d", len(f.good), 2*len(forms)*n)
			}
			for i := 0; i < len(f.good); i += n {
				part := f.good[i : i+n]
				if !mat.Equal(bitsOf(part, c), b) {
					t.Errorf("%s has other rows", part[0].File)
				}
				if part[0].Number != 1 || part[n-1].Number != int64(n) || part[0].File != part[n-1].File {
					t.Errorf("rows %s, %d to %s, %d, want 1 to %d of a file", part[0].File, part[0].Number, part[n-1].File, part[n-1].Number, n)
				}
			}
		})
	}
}

func TestBadLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	long := strings.Repeat("1", 1<<20)
	lines := []struct{ line, reason string }{
		{"0110", ""},
		{"0120", "column 3 is '2', want 0 or 1"},
		{"01x" + long, "column 3 is 'x', want 0 or 1"},
		{"011", "has 3 columns, want 4"},
		{"01101", "has 5 columns, want 4"},
		{"", "has 0 columns, want 4"},
		{" \t", "has 0 columns, want 4"},
		{long, "has 1048576 columns, want 4"},
		{long + "2", "column 1048577 is '2', want 0 or 1"},
		{"0,1,1,1", ""},
		{"0,,1,1", "column 2 is empty, want 0 or 1"},
		{",1,1,1,1", "column 1 is empty, want 0 or 1"},
		{"0,1,1,1,", "column 5 is empty, want 0 or 1"},
		{"0,1,1,1, ", "column 5 is empty, want 0 or 1"},
		{"0,1,1,NaN", "column 4 is 'N', want 0 or 1"},
		{"0 1 1 1.0", "column 5 is '.', want 0 or 1"},
		{"é111", "column 1 is byte 0xc3, want 0 or 1"},
		{"\x00111", `column 1 is '\x00', want 0 or 1`},
		{"0\r111", `column 2 is '\r', want 0 or 1`},
		{"0111\r", `column 5 is '\r', want 0 or 1`},
		{"1 1 1 0", ""},
		{"01", "has 2 columns, want 4"},
	}
	for _, end := range []string{"\n", "\r\n"} {
		var all []string
		want := new(found)
		for i, l := range lines {
			all = append(all, l.line)
			switch {
			case l.reason == "":
				bits := map[string]byte{"0110": 6, "0,1,1,1": 14, "1 1 1 0": 7}[l.line]
				want.good = append(want.good, Row{path, int64(i + 1), []byte{bits}})
			case l.line == "0111\r" && end == "\n":
				want.good = append(want.good, Row{path, int64(i + 1), []byte{14}})
			default:
				want.bad = append(want.bad, Bad{path, int64(i + 1), l.reason})
			}
		}
		write(t, path, []byte(strings.Join(all, end)))
		f := run(t, path, 4)
		for i := range max(len(f.bad), len(want.bad)) {
			if i >= len(f.bad) || i >= len(want.bad) || f.bad[i] != want.bad[i] {
				t.Fatalf("%q: bad row %d of %v\nwant %v", end, i, f.bad, want.bad)
			}
		}
		if !reflect.DeepEqual(f.good, want.good) {
			t.Errorf("%q: good rows %v, want %v", end, f.good, want.good)
		}
	}
}

// A file is read in blocks, here of 2048 rows, or of a row that is longer.
func TestBlocks(t *testing.T) {
	for _, size := range [][2]int{{2048, 1000}, {2049, 1000}, {5000, 1000}, {2, 3_000_000}} {
		n, c := size[0], size[1]
		b := randomBits(n, c, 1)
		path, data := filepath.Join(t.TempDir(), "bits"), packed(t, b)
		write(t, path, data)
		write(t, path+".gz", compress(data))
		for _, path := range []string{path, path + ".gz"} {
			var got []Row
			if err := readFile(context.Background(), path, c, func(r Row) { got = append(got, r) }, func(b Bad) { t.Errorf("bad: %v", b) }); err != nil {
				t.Fatal(err)
			}
			if len(got) != n || !mat.Equal(bitsOf(got, c), b) || got[n-1].Number != int64(n) {
				t.Errorf("%s: %d rows of %d columns, want %d, or other ones", path, len(got), c, n)
			}
		}
	}
}

// Of a damaged file every row is what it was, or bad.
func TestDamagedBits(t *testing.T) {
	const n, c, per = 1500, 70, 256 // rows of a chunk
	b := randomBits(n, c, 1)
	whole := packed(t, b)
	dir := t.TempDir()
	want := map[string][]int64{} // numbers of bad rows
	with := func(name string, data []byte, bad ...int64) {
		path := filepath.Join(dir, name)
		write(t, path, data)
		want[path] = bad
	}
	damaged := func(at ...int) []byte {
		data := bytes.Clone(whole)
		for _, i := range at {
			data[i] ^= 4
		}
		return data
	}
	chunk := func(k int) (rows []int64) {
		for i := k * per; i < min(n, k*per+per); i++ {
			rows = append(rows, int64(i+1))
		}
		return rows
	}
	at := func(k int) int { return 32 + k*(per*16+4) }
	with("good", whole)
	with("first", damaged(at(0)), chunk(0)...)
	with("sum", damaged(at(3)-1), chunk(2)...)
	with("last", damaged(len(whole)-1), chunk(5)...)
	with("two", damaged(at(1)+100, at(4)+7), append(chunk(1), chunk(4)...)...)
	with("header", damaged(20), 0)
	with("short", whole[:len(whole)-1], 0)
	with("long", append(bytes.Clone(whole), 0), 0)
	with("other", packed(t, randomBits(9, 71, 1)), 0)
	for k, name := range []string{"chunk0.gz", "chunk1.gz", "remote.gz", "chunk3.gz", "chunk4.gz", "chunk5.gz"} {
		with(name, compress(damaged(at(k))), chunk(k)...)
	}
	with("header.gz", compress(damaged(20)), 0)
	with("short.gz", compress(whole[:len(whole)-1]), 0)
	with("long.gz", compress(append(bytes.Clone(whole), 0)), 0)
	with("stub.gz", compress(whole[:31]), 0)
	with("other.gz", compress(packed(t, randomBits(9, 71, 1))), 0)
	z := compress(whole)
	with("cut.gz", z[:len(z)/2], 0)
	with("none.gz", nil, 0)
	z = compress(text(b, "", "\n"))
	z[len(z)-6] ^= 1 // its checksum
	with("sum.gz", z, 0)
	z = compress(text(b, "", "\n"))
	z[10] = 0xff // a block of a kind that there is not
	with("kind.gz", z, 0)
	with("plain.gz", text(b, "", "\n"), 0)
	for _, name := range []string{"sub", "sub.gz"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		want[filepath.Join(dir, name)] = []int64{0}
	}

	f := run(t, dir+"/*", c)
	seen := map[string]int{}
	for _, r := range f.good {
		seen[r.File]++
		one := bitsOf([]Row{r}, c)
		if !mat.Equal(one, b.Slice(int(r.Number)-1, int(r.Number))) {
			t.Fatalf("%s, row %d has changed", r.File, r.Number)
		}
	}
	bad := map[string][]int64{}
	reasons := map[string]string{}
	for _, x := range f.bad {
		bad[x.File] = append(bad[x.File], x.Number)
		reasons[filepath.Base(x.File)] = x.Reason
	}
	for path, numbers := range want {
		if !slices.Equal(bad[path], numbers) {
			t.Errorf("%s has bad rows %v, want %v", path, bad[path], numbers)
		}
		good := n - len(numbers)
		if slices.Equal(numbers, []int64{0}) {
			good = 0
		}
		if seen[path] != good {
			t.Errorf("%s has %d good rows, want %d", path, seen[path], good)
		}
	}
	for name, reason := range map[string]string{
		"first":     "rows [0, 256) have checksum",
		"header":    "header has checksum",
		"short":     "bytes, want",
		"other":     "has 71 columns, want 70",
		"header.gz": "header has checksum",
		"short.gz":  "bytes, want",
		"long.gz":   fmt.Sprintf("goes on after the %d bytes that its header says", len(whole)),
		"stub.gz":   "has 31 bytes, want at least 32",
		"other.gz":  "has 71 columns, want 70",
		"cut.gz":    "is damaged: unexpected EOF",
		"none.gz":   "is damaged: EOF",
		"sum.gz":    "is damaged: gzip: invalid checksum",
		"kind.gz":   "is damaged: flate: corrupt input",
		"plain.gz":  "is damaged: gzip: invalid header",
		"sub":       "is a directory",
		"sub.gz":    "is a directory",
	} {
		if !strings.Contains(reasons[name], reason) {
			t.Errorf("%s is bad as %q, want %q", name, reasons[name], reason)
		}
	}
}

// A counter of what is read: a file that goes on with zeros for ever.
type endless struct {
	start []byte
	read  int64
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.start)
	e.start = e.start[n:]
	clear(b[n:])
	e.read += int64(len(b))
	return len(b), nil
}

// The header of a compressed bitfile says how far to read, before that is done.
func TestMeasure(t *testing.T) {
	const buffer = 1 << 16
	for _, size := range [][2]int{{1, 1}, {9, 64}, {9, 65}, {513, 8}, {600, 784}, {3, 4096*8 + 1}, {40_000, 70}} {
		n, c := size[0], size[1]
		data := packed(t, randomBits(n, c, 1))
		if got, err := measure(bytes.NewReader(data), c); err != nil || got != int64(len(data)) {
			t.Errorf("%d×%d: %d bytes, %v, want %d", n, c, got, err, len(data))
		}
		for columns, want := range map[int]string{
			c:     fmt.Sprintf("goes on after the %d bytes that its header says", len(data)),
			c + 1: fmt.Sprintf("has %d columns, want %d", c, c+1),
		} {
			e := &endless{start: data}
			most := int64(len(data) + buffer)
			if columns != c {
				most = buffer
			}
			if _, err := measure(e, columns); err == nil || !errors.As(err, new(contentError)) || !strings.Contains(err.Error(), want) {
				t.Errorf("%d×%d: error %v, want %q", n, c, err, want)
			}
			if e.read > most {
				t.Errorf("%d×%d: %d bytes were read, want %d at most", n, c, e.read, most)
			}
		}
	}
	// A header that is whole and says what cannot be.
	for _, rows := range []uint64{0, 1 << 62, 1<<62 + 1<<59, 1<<63 - 1, 1<<64 - 1} {
		header := packed(t, randomBits(9, 70, 1))[:headerBytes]
		binary.LittleEndian.PutUint64(header[20:], rows)
		binary.LittleEndian.PutUint32(header[28:], crc32.Checksum(header[:28], crc32.MakeTable(crc32.Castagnoli)))
		e := &endless{start: header}
		if _, err := measure(e, 70); !errors.As(err, new(contentError)) || !strings.Contains(err.Error(), "×70") || e.read > buffer {
			t.Errorf("%d rows: error %v after %d bytes, want one that says so at once", rows, err, e.read)
		}
	}
}

// A stream is read as the file that it comes from, as far back as it says.
func TestStream(t *testing.T) {
	data := make([]byte, 10_000)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range data {
		data[i] = byte(rnd.Uint64())
	}
	const keep = 300
	s := &stream{r: iotest.HalfReader(bytes.NewReader(data)), keep: keep}
	for last := 0; last < len(data); {
		offset := max(0, last-rnd.IntN(keep+1)+rnd.IntN(100))
		n := min(rnd.IntN(200), len(data)-offset)
		if n < 0 {
			continue
		}
		b := make([]byte, n)
		if got, err := s.ReadAt(b, int64(offset)); got != n || err != nil || !bytes.Equal(b, data[offset:offset+n]) {
			t.Fatalf("%d of %d bytes from %d on, %v, or other ones", got, n, offset, err)
		}
		last = max(last, offset+n)
		if len(s.last) > keep+300 {
			t.Fatalf("%d bytes are kept, want %d and the latest", len(s.last), keep)
		}
	}
	// What is still there is read, though it need not be.
	more := &stream{r: bytes.NewReader(data), keep: 10}
	for _, read := range [][2]int{{0, 100}, {5, 200}, {190, 300}} {
		b := make([]byte, read[1])
		if n, err := more.ReadAt(b, int64(read[0])); n != len(b) || err != nil || !bytes.Equal(b, data[read[0]:read[0]+n]) {
			t.Errorf("%d bytes from %d on: %d, %v, or other ones", read[1], read[0], n, err)
		}
	}
	b := make([]byte, 20)
	if n, err := s.ReadAt(b, 9_990); n != 10 || err == nil || !bytes.Equal(b[:n], data[9_990:]) {
		t.Errorf("%d bytes, %v, want 10 and the end of the file", n, err)
	}
	if n, err := s.ReadAt(b, 10_001); n != 0 || err == nil {
		t.Errorf("%d bytes, %v, behind the end", n, err)
	}
	if _, err := s.ReadAt(b, 5); err == nil || !strings.Contains(err.Error(), "byte 5 is gone") {
		t.Errorf("error %v, want one that says that byte 5 is gone", err)
	}
}

// A file that is not on a local disk.
func TestRemote(t *testing.T) {
	b := randomBits(1000, 70, 1)
	memfs.Write("memfs://remote/bits", packed(t, b))
	memfs.Write("memfs://remote/text", text(b, "", "\n"))
	f := run(t, "memfs://remote/*", 70)
	if len(f.good) != 2000 || !mat.Equal(bitsOf(f.good[:1000], 70), b) || !mat.Equal(bitsOf(f.good[1000:], 70), b) {
		t.Errorf("%d rows, %d bad, or other ones", len(f.good), len(f.bad))
	}
}

func TestNoRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	write(t, path, nil)
	if f := run(t, path, 3); len(f.good) > 0 || len(f.bad) > 0 {
		t.Errorf("an empty file has %d rows and %d bad ones", len(f.good), len(f.bad))
	}
}

func TestNoFiles(t *testing.T) {
	pattern := filepath.Join(t.TempDir(), "none*")
	p, s := beam.NewPipelineWithRoot()
	Read(s, pattern, 3)
	for what, err := range map[string]error{
		"Read": beamx.Run(context.Background(), p),
		"Load": func() error { _, err := Load(context.Background(), pattern, 3); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "no file matches "+pattern) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// Long lines take no memory.
func TestLongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long")
	write(t, path, bytes.Repeat([]byte("01"), 1<<24))
	got := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var reason string
			if err := readFile(context.Background(), path, 64, func(Row) {}, func(b Bad) { reason = b.Reason }); err != nil {
				b.Fatal(err)
			}
			if want := "has 33554432 columns, want 64"; reason != want {
				b.Fatalf("reason %q, want %q", reason, want)
			}
		}
	}).AllocedBytesPerOp()
	if got > 1<<20 {
		t.Errorf("%d bytes for a line of 32 megabytes", got)
	}
}

func TestCoders(t *testing.T) {
	for _, r := range []Row{{}, {"a", 1, []byte{1}}, {"gs://b/ü", 1<<63 - 1, make([]byte, 1000)}, {strings.Repeat("x", 300), 300, []byte{0, 255}}} {
		data := encodeRow(r)
		got, err := decodeRow(data)
		if err != nil || got.File != r.File || got.Number != r.Number || !bytes.Equal(got.Bits, r.Bits) {
			t.Errorf("%v is decoded as %v, %v", r, got, err)
		}
		bad := Bad{r.File, r.Number, string(r.Bits)}
		if got, err := decodeBad(encodeBad(bad)); err != nil || got != bad {
			t.Errorf("%v is decoded as %v, %v", bad, got, err)
		}
		for n := range len(data) - len(r.Bits) {
			if _, err := decodeRow(data[:n]); err == nil {
				t.Errorf("%d of %d bytes are decoded", n, len(data))
			}
		}
		clear(data) // which is Beam's
		if got.File != r.File || !bytes.Equal(got.Bits, r.Bits) {
			t.Error("what is decoded shares memory with the data")
		}
	}
	if _, err := decodeRow([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1}); err == nil {
		t.Error("a file name of 2⁶⁴-1 bytes is decoded")
	}
}

func TestPutPanics(t *testing.T) {
	for want, put := range map[string]func(){
		"rows: x, row 7 has 1 bytes, want 2 for 9 columns": func() { Row{"x", 7, []byte{1}}.Put(rbm.NewBits(1, 9), 0) },
		"rows: x, row 7 has a one in column 9, want 9":     func() { Row{"x", 7, []byte{1, 2}}.Put(rbm.NewBits(1, 9), 0) },
		"no entry (1, 0)": func() { Row{"x", 7, []byte{1}}.Put(rbm.NewBits(1, 3), 1) },
		"rows: columns are 0, want at least 1": func() {
			_, s := beam.NewPipelineWithRoot()
			Read(s, "x", 0)
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			put()
		}()
	}
}

// What may be gone at the next attempt is an error of the job, and takes no row away.
func TestFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.bits")
	if err := bitfile.Write(path, rbm.Blocks(randomBits(5, 3, 1), 5)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	if err := os.WriteFile(path+".gz", b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	none := func(b Bad) { t.Errorf("bad: %v", b) }
	n := 0
	if err := readFile(context.Background(), path+".gz", 3, func(Row) { n++ }, none); err != nil || n != 5 {
		t.Errorf("%d rows, %v, want 5", n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := readFile(ctx, path, 4, func(Row) {}, none); !errors.Is(err, context.Canceled) { // rather than that it has other columns
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := readFile(context.Background(), gone, 3, func(Row) {}, none); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), gone) {
		t.Errorf("without a file: %v", err)
	}

	// The end of a stream is the end of a text only where the network says so.
	for _, broken := range []error{errors.New("the network is down"), io.ErrUnexpectedEOF} {
		n = 0
		text := bufio.NewReader(io.MultiReader(strings.NewReader("010\n11"), iotest.ErrReader(broken)))
		err = readText(text, 3, func(int64, []byte) { n++ }, func(_ int64, reason string) { t.Errorf("bad: %s", reason) })
		if n != 1 || !errors.Is(err, broken) || errors.As(err, new(contentError)) || !strings.Contains(err.Error(), "row 2: ") {
			t.Errorf("%d rows, %v, want 1 and a fault", n, err)
		}
	}
}

// A brokenFS has files that end in an error, before their size.
type brokenFS struct {
	filesystem.Interface
	start []byte
	size  int
	err   error
}

func (f *brokenFS) Size(context.Context, string) (int64, error) { return int64(f.size), nil }

func (f *brokenFS) Close() error { return nil }

func (f *brokenFS) OpenRead(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(f.start), iotest.ErrReader(f.err))), nil
}

// What comes over a network may be cut off too. It needs no temporary folder.
func TestBrokenNetwork(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	none := func(b Bad) { t.Errorf("bad: %v", b) }
	whole := packed(t, randomBits(5, 3, 1))
	for i, broken := range []error{errors.New("the network is down"), io.ErrUnexpectedEOF} {
		for ext, data := range map[string][]byte{"": whole, ".gz": compress(whole)} {
			scheme := fmt.Sprintf("broken%d%d", i, len(ext))
			filesystem.Register(scheme, func(context.Context) filesystem.Interface {
				return &brokenFS{start: data[:40], size: len(data), err: broken}
			})
			if err := readFile(context.Background(), scheme+"://bits"+ext, 3, func(Row) {}, none); !errors.Is(err, broken) {
				t.Errorf("bits%s: error %v, want %v", ext, err, broken)
			}
		}
	}
	memfs.Write("memfs://temporary/bits", whole)
	memfs.Write("memfs://temporary/bits.gz", compress(whole))
	for _, ext := range []string{"", ".gz"} {
		n := 0
		if err := readFile(context.Background(), "memfs://temporary/bits"+ext, 3, func(Row) { n++ }, none); err != nil || n != 5 {
			t.Errorf("bits%s: %d rows, %v, want 5", ext, n, err)
		}
	}
}

// A failing disk fails at the n-th read, and from then on if it is broken.
type failingDisk struct {
	io.ReaderAt
	n      int
	broken bool
	err    error
	short  int // bytes that come nevertheless
}

func (d *failingDisk) ReadAt(b []byte, offset int64) (int, error) {
	d.n--
	if d.n == 0 || d.n < 0 && d.broken {
		n, _ := d.ReaderAt.ReadAt(b[:min(len(b), d.short)], offset)
		return n, d.err
	}
	return d.ReaderAt.ReadAt(b, offset)
}

// While a disk fails no row is bad, even if it soon recovers.
func TestFaultsOfBits(t *testing.T) {
	data := packed(t, randomBits(60_000, 70, 1))
	reads := 0
	for n := 1; ; n++ {
		for _, err := range []error{syscall.EIO, io.EOF, io.ErrUnexpectedEOF} {
			for _, broken := range []bool{false, true} {
				disk := &failingDisk{bytes.NewReader(data), n, broken, err, n % 3 * 10}
				good := 0
				got := readBits(disk, int64(len(data)), 70, func(int64, []byte) { good++ }, func(number int64, reason string) { t.Errorf("row %d is bad: %s", number, reason) })
				if disk.n > 0 { // it has not failed
					if got != nil || good != 60_000 || reads < 3 {
						t.Errorf("%d rows, %v, after %d reads", good, got, reads)
					}
					return
				}
				reads = n
				if !errors.Is(got, err) || errors.As(got, new(contentError)) {
					t.Errorf("read %d fails with %v: %v, want the same", n, err, got)
				}
			}
		}
	}
}
