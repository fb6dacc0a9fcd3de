// Package wire encodes values as bytes, and decodes them.
//
// All numbers are little-endian. A value is one of
//
//	uint64   8 bytes
//	int      8 bytes, from 0 to 2⁶³-1
//	float64  8 bytes, IEEE 754; every NaN keeps its bits
//	bool     1 byte, 0 or 1
//	list     its length n, an int; then n values of 8 bytes
//	bytes    their length n, an int; then n bytes
//
// Values follow each other without gaps. A frame surrounds them:
//
//	offset  size  content
//	0       8     89 52 42 4D 0D 0A 1A 0A ("\x89RBM\r\n\x1a\n")
//	8       4     format version, 1
//	12      12    kind of the payload, in ASCII, padded with zeros
//	24      8     size n of the payload
//	32      n     payload
//	32+n    4     CRC-32C (Castagnoli) of all bytes before
//
// The payload of each kind is defined where it is written. Each value has exactly one
// encoding, and a reader accepts no other.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"strings"
)

const (
	magic   = "\x89RBM\r\n\x1a\n"
	version = 1

	kindSize     = 12
	headerSize   = len(magic) + 4 + kindSize + 8
	checksumSize = 4

	Overhead = headerSize + checksumSize // bytes of a frame around its payload
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendUint64 appends x.
func AppendUint64(b []byte, x uint64) []byte { return binary.LittleEndian.AppendUint64(b, x) }

// AppendInt appends x, which is at least 0.
func AppendInt(b []byte, x int) []byte { return AppendUint64(b, uint64(x)) }

// AppendFloat64 appends x.
func AppendFloat64(b []byte, x float64) []byte { return AppendUint64(b, math.Float64bits(x)) }

// AppendBool appends x.
func AppendBool(b []byte, x bool) []byte {
	if x {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendFloats appends the elements of x, without their number.
func AppendFloats(b []byte, x []float64) []byte {
	for _, x := range x {
		b = AppendFloat64(b, x)
	}
	return b
}

// AppendInts appends the elements of x, each at least 0, without their number.
func AppendInts(b []byte, x []int) []byte {
	for _, x := range x {
		b = AppendInt(b, x)
	}
	return b
}

// AppendList appends the list x.
func AppendList(b []byte, x []float64) []byte { return AppendFloats(AppendInt(b, len(x)), x) }

// AppendBytes appends the bytes that write appends, behind their length.
func AppendBytes(b []byte, write func([]byte) ([]byte, error)) ([]byte, error) {
	b = AppendUint64(b, 0)
	start := len(b)
	b, err := write(b)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(b[start-8:], uint64(len(b)-start))
	return b, nil
}

// appendStart appends the bytes of a frame up to the size of the payload.
func appendStart(b []byte, kind string) []byte {
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = append(b, kind...)
	return append(b, make([]byte, kindSize-len(kind))...)
}

// AppendFrame appends a frame. The bytes that write appends are its payload. The kind has
// at most 12 bytes.
func AppendFrame(b []byte, kind string, write func([]byte) ([]byte, error)) ([]byte, error) {
	start := len(b)
	b, err := AppendBytes(appendStart(b, kind), write)
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// WriteFrame writes a frame. The pieces, one after the other, are its payload. The kind has
// at most 12 bytes.
func WriteFrame(w io.Writer, kind string, payload ...[]byte) error {
	size := 0
	for _, piece := range payload {
		size += len(piece)
	}
	start := AppendInt(appendStart(nil, kind), size)
	var sum uint32
	for _, piece := range append([][]byte{start}, payload...) {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, piece)
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum))
	return err
}

// Available returns the number of bytes that can be read from r, or 0 if it is not known.
func Available(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }: // such as a bytes.Buffer or a bytes.Reader
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }: // such as an os.File
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
}

// ReadFrame reads the bytes of one frame of any kind, and no more. It checks the beginning;
// Open checks the rest. It returns io.EOF if there are no bytes.
func ReadFrame(r io.Reader) ([]byte, error) {
	const (
		step = 1 << 16
		most = 1 << 36 // at once
	)
	available := min(Available(r), most)
	b := make([]byte, headerSize)
	n, err := io.ReadFull(r, b)
	if err == io.ErrUnexpectedEOF {
		if err := checkStart(b[:n]); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	if err := checkStart(b); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint64(b[headerSize-8:])
	if size > math.MaxInt-uint64(headerSize+checksumSize) {
		return nil, fmt.Errorf("size of the payload is %d, want one that fits into memory", size)
	}
	// The size may be wrong. So memory is allocated for bytes that are known to be there,
	// and otherwise as they come.
	for left := int(size) + checksumSize; left > 0; {
		n := int(min(int64(left), max(step, int64(len(b)), available)))
		grown := make([]byte, len(b)+n)
		copy(grown, b)
		b = grown
		if _, err := io.ReadFull(r, b[len(b)-n:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		left -= n
	}
	return b, nil
}

// checkStart checks the magic bytes and the version of a frame, as far as they are in b.
func checkStart(b []byte) error {
	n := min(len(b), len(magic))
	if string(b[:n]) != magic[:n] {
		return fmt.Errorf("data begins with %q, want %q", b[:n], magic)
	}
	if b = b[n:]; len(b) < 4 {
		return nil
	}
	if v := binary.LittleEndian.Uint32(b); v != version {
		return fmt.Errorf("data is of format version %d, known is only %d", v, version)
	}
	return nil
}

// A Decoder reads the values of a payload one after the other. After the first error all
// values are zero. A Decoder never allocates more than a small multiple of the bytes that
// are left.
type Decoder struct {
	data []byte // bytes that are left
	err  error
}

// Open returns a Decoder of the payload of data, which must be one frame of this kind. An
// error is the first error of the Decoder.
func Open(kind string, data []byte) *Decoder {
	payload, err := open(kind, data)
	return &Decoder{payload, err}
}

func open(kind string, data []byte) ([]byte, error) {
	if err := checkStart(data); err != nil {
		return nil, err
	}
	if len(data) < headerSize+checksumSize {
		return nil, fmt.Errorf("data has %d bytes, want at least %d", len(data), headerSize+checksumSize)
	}
	end := len(data) - checksumSize
	size := binary.LittleEndian.Uint64(data[headerSize-8:])
	if have := uint64(end - headerSize); size != have {
		return nil, fmt.Errorf("payload has %d bytes, want %d", have, size)
	}
	sum := binary.LittleEndian.Uint32(data[end:])
	if got := crc32.Checksum(data[:end], castagnoli); got != sum {
		return nil, fmt.Errorf("checksum is %08x, want %08x: the data is damaged", got, sum)
	}
	name := string(data[len(magic)+4:][:kindSize])
	if name != kind+strings.Repeat("\x00", kindSize-len(kind)) {
		return nil, fmt.Errorf("data is of kind %q", strings.TrimRight(name, "\x00"))
	}
	return data[headerSize:end], nil
}

// Close returns the first error. Bytes that are left are an error too.
func (d *Decoder) Close() error {
	if d.err == nil && len(d.data) != 0 {
		d.Failf("%d bytes follow the last value", len(d.data))
	}
	return d.err
}

// Failf sets the error, unless there is one already.
func (d *Decoder) Failf(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
	d.data = nil
}

// OK reports whether there has been no error so far.
func (d *Decoder) OK() bool { return d.err == nil }

var errShort = errors.New("payload ends too early")

// take returns the next n bytes, or nil if there are fewer.
func (d *Decoder) take(n int) []byte {
	if d.err == nil && n > len(d.data) {
		d.err, d.data = errShort, nil
	}
	if d.err != nil {
		return nil
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

// Uint64 reads a uint64.
func (d *Decoder) Uint64() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// Int reads an int, called name in errors, that is at least least.
func (d *Decoder) Int(name string, least int) int { return d.Range(name, least, math.MaxInt) }

// Range reads an int, called name in errors, from least to most.
func (d *Decoder) Range(name string, least, most int) int {
	x := d.Uint64()
	switch {
	case d.err != nil:
	case x > uint64(most):
		d.Failf("%s is %d, want at most %d", name, x, most)
	case int(x) < least:
		d.Failf("%s is %d, want at least %d", name, x, least)
	default:
		return int(x)
	}
	return 0
}

// Float64 reads a float64.
func (d *Decoder) Float64() float64 { return math.Float64frombits(d.Uint64()) }

// Bool reads a bool, called name in errors.
func (d *Decoder) Bool(name string) bool {
	b := d.take(1)
	if b == nil {
		return false
	}
	if b[0] > 1 {
		d.Failf("%s is %d, want 0 or 1", name, b[0])
		return false
	}
	return b[0] == 1
}

// words returns the bytes of the next r·c values. Both r and c must be at least 0.
func (d *Decoder) words(r, c int) []byte {
	if c != 0 && r > len(d.data)/8/c {
		if d.err == nil {
			d.err, d.data = errShort, nil
		}
		return nil
	}
	return d.take(8 * r * c)
}

// values reads r·c values. It returns nil if r·c is 0.
func values[T any](d *Decoder, r, c int, value func(uint64) T) []T {
	b := d.words(r, c)
	if len(b) == 0 {
		return nil
	}
	x := make([]T, len(b)/8)
	for i := range x {
		x[i] = value(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return x
}

// Floats reads r·c float64s. It returns nil if r·c is 0. Both r and c must be at least 0.
func (d *Decoder) Floats(r, c int) []float64 { return values(d, r, c, math.Float64frombits) }

// Words reads r·c uint64s. It returns nil if r·c is 0. Both r and c must be at least 0.
func (d *Decoder) Words(r, c int) []uint64 {
	return values(d, r, c, func(x uint64) uint64 { return x })
}

// Ints reads n ints, called name in errors, that are at least 0. It returns nil if n is 0.
func (d *Decoder) Ints(name string, n int) []int {
	large := false
	x := values(d, n, 1, func(x uint64) int {
		large = large || x > math.MaxInt
		return int(x)
	})
	if large {
		d.Failf("a value of %s is too large, want at most %d", name, math.MaxInt)
		return nil
	}
	return x
}

// List reads a list, called name in errors. It returns nil if the list is empty.
func (d *Decoder) List(name string) []float64 { return d.Floats(d.Int("length of "+name, 0), 1) }

// Bytes reads bytes, called name in errors. They share the memory of the data.
func (d *Decoder) Bytes(name string) []byte { return d.take(d.Int("length of "+name, 0)) }
