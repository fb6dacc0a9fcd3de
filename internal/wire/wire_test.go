package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// The layout, byte by byte.
func TestLayout(t *testing.T) {
	b, err := AppendFrame([]byte("x"), "Kind", func(b []byte) ([]byte, error) {
		b = AppendUint64(b, 0x0102030405060708)
		b = AppendInt(b, 9)
		b = AppendFloat64(b, -2)
		b = AppendBool(AppendBool(b, true), false)
		b = AppendList(b, []float64{1})
		b = AppendInts(b, []int{3, 4})
		return AppendBytes(b, func(b []byte) ([]byte, error) { return append(b, 5, 6), nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "78" + "8952424d0d0a1a0a" + "01000000" + "4b696e640000000000000000" + "4400000000000000" +
		"0807060504030201" + "0900000000000000" + "00000000000000c0" + "0100" +
		"0100000000000000" + "000000000000f03f" + "0300000000000000" + "0400000000000000" + "0200000000000000" + "0506"
	if got := hex.EncodeToString(b[:len(b)-4]); got != want {
		t.Errorf("frame is\n%s, want\n%s", got, want)
	}

	d := Open("Kind", b[1:])
	if x := d.Uint64(); x != 0x0102030405060708 {
		t.Errorf("Uint64 = %x", x)
	}
	if x := d.Int("x", 9); x != 9 {
		t.Errorf("Int = %d", x)
	}
	if x := d.Float64(); x != -2 {
		t.Errorf("Float64 = %v", x)
	}
	if x, y := d.Bool("x"), d.Bool("y"); !x || y {
		t.Errorf("Bools = %v, %v", x, y)
	}
	if x := d.List("x"); !slices.Equal(x, []float64{1}) {
		t.Errorf("List = %v", x)
	}
	if x := d.Ints("x", 2); !slices.Equal(x, []int{3, 4}) {
		t.Errorf("Ints = %v", x)
	}
	if x := d.Bytes("x"); !bytes.Equal(x, []byte{5, 6}) {
		t.Errorf("Bytes = %v", x)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpen(t *testing.T) {
	empty := func(kind string) []byte {
		b, err := AppendFrame(nil, kind, func(b []byte) ([]byte, error) { return b, nil })
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, kind := range []string{"", "Kind", "twelve bytes"} {
		if err := Open(kind, empty(kind)).Close(); err != nil {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
	for _, kind := range []string{"", "Kin", "Kindx", "Kind\x00x", "kind", "\x00Kind"} {
		if err := Open("Kind", empty(kind)).Close(); err == nil || !strings.Contains(err.Error(), "data is of kind") {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
	for n := headerSize; n < headerSize+checksumSize; n++ {
		b := empty("Kind")[:n]
		binary.LittleEndian.PutUint64(b[24:], uint64(n-headerSize-checksumSize))
		binary.LittleEndian.PutUint32(b[n-4:], crc32.Checksum(b[:n-4], castagnoli))
		if err := Open("Kind", b).Close(); err == nil || !strings.Contains(err.Error(), "want at least 36") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// After the first error there are only zeros, and the error stays.
func TestDecoderAfterAnError(t *testing.T) {
	b, _ := AppendFrame(nil, "Kind", func(b []byte) ([]byte, error) { return append(b, bytes.Repeat([]byte{1}, 100)...), nil })
	d := Open("Kind", b)
	d.Int("x", math.MaxInt)
	first := d.err
	d.Failf("another")
	if d.OK() || first == nil || d.Uint64() != 0 || d.Int("x", 1) != 0 || d.Float64() != 0 || d.Bool("x") ||
		d.Floats(1, 1) != nil || d.Words(0, 0) != nil || d.Ints("x", 3) != nil || d.List("x") != nil || d.Bytes("x") != nil {
		t.Error("values after an error")
	}
	if err := d.Close(); err != first {
		t.Errorf("error %v, want %v", err, first)
	}
}

// A frame that is written in pieces is the one that is appended.
func TestWriteFrame(t *testing.T) {
	for _, pieces := range [][][]byte{nil, {nil}, {{1}, {}, {2, 3}}, {bytes.Repeat([]byte{4}, 1000), {5}}} {
		want, err := AppendFrame(nil, "Kind", func(b []byte) ([]byte, error) { return append(b, slices.Concat(pieces...)...), nil })
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := WriteFrame(&b, "Kind", pieces...); err != nil || !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%d pieces are written as %x, %v, want %x", len(pieces), b.Bytes(), err, want)
		}
		full := errors.New("full")
		for n := range want {
			if err := WriteFrame(&limited{n, full}, "Kind", pieces...); err != full {
				t.Errorf("after %d bytes: error %v, want %v", n, err, full)
			}
		}
	}
}

// limited takes n bytes, and no more.
type limited struct {
	n   int
	err error
}

func (w *limited) Write(p []byte) (int, error) {
	if len(p) <= w.n {
		w.n -= len(p)
		return len(p), nil
	}
	return w.n, w.err
}

// Memory is allocated once for bytes that are there, and otherwise as they come, however
// many are claimed.
func TestReadFrameMemory(t *testing.T) {
	const n = 1 << 20
	whole, err := AppendFrame(nil, "Kind", func(b []byte) ([]byte, error) { return append(b, make([]byte, n)...), nil })
	if err != nil {
		t.Fatal(err)
	}
	claim := slices.Clone(whole[:100])
	binary.LittleEndian.PutUint64(claim[headerSize-8:], 1<<30)
	path := filepath.Join(t.TempDir(), "frame")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		name string
		r    io.Reader
		most uint64
		ok   bool
	}{
		{"Reader", bytes.NewReader(whole), n + 20<<10, true},
		{"Buffer", bytes.NewBuffer(whole), n + 20<<10, true},
		{"file", file, n + 20<<10, true},
		{"bytes that come", iotest.HalfReader(bytes.NewReader(whole)), 3*n + 20<<10, true},
		{"claim", bytes.NewReader(claim), 80 << 10, false},
		{"claim of bytes that come", iotest.HalfReader(bytes.NewReader(claim)), 80 << 10, false},
	} {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		got, err := ReadFrame(tt.r)
		runtime.ReadMemStats(&m1)
		if tt.ok && (err != nil || !bytes.Equal(got, whole)) || !tt.ok && err != io.ErrUnexpectedEOF {
			t.Errorf("%s: %d bytes, %v", tt.name, len(got), err)
		}
		if took := m1.TotalAlloc - m0.TotalAlloc; took > tt.most {
			t.Errorf("%s: took %d bytes, want at most %d", tt.name, took, tt.most)
		}
	}
}

func TestFailedWrites(t *testing.T) {
	want := errors.New("failed")
	fail := func(b []byte) ([]byte, error) { return b, want }
	if _, err := AppendFrame(nil, "Kind", fail); err != want {
		t.Errorf("error %v, want %v", err, want)
	}
	if _, err := AppendBytes(nil, fail); err != want {
		t.Errorf("error %v, want %v", err, want)
	}
}
