// Package bitfile keeps binary rows in a file, a bit each, to train from when they do
// not fit into memory:
//
//	err := bitfile.Write("rows.bits", bitio.StreamFile("rows.csv", nil)) // or other blocks
//	…
//	f, err := bitfile.Open("rows.bits")
//	…
//	defer f.Close()
//	t := rbm.NewTrainer(m, f, sampler, src)
//	t.ShuffleBlock = 100_000 // rows in memory
//
// A file is read a few kilobytes at the least, and each of these has a checksum: what
// was cut off or has changed on the way gives an error. It is not protected against
// someone who changes it on purpose, but then too it gives at worst other rows.
//
// # Format
//
// All numbers are little-endian and unsigned.
//
//	offset  size  content
//	0       8     89 42 49 54 0D 0A 1A 0A ("\x89BIT\r\n\x1a\n")
//	8       4     format version, 1
//	12      8     columns, at least 1
//	20      8     rows, at least 1
//	28      4     CRC-32C (Castagnoli) of the bytes before
//	32            chunks
//
// A row is as many words of 64 bits as it needs, column j being bit j%64 of word j/64;
// the bits behind the last column are 0. A chunk is as many rows as fit into 4096
// bytes, but at least one, the last chunk having what is left, and then the CRC-32C of
// the number of the chunk, from 0, in 8 bytes, and of its rows.
package bitfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"os"
	"slices"

	"github.com/gorbm/rbm"
)

const (
	magic   = "\x89BIT\r\n\x1a\n"
	version = 1

	headerSize = 32
	sumSize    = 4
	chunkBytes = 4096    // of rows, about
	readBytes  = 1 << 18 // at a time, about
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A layout says where the rows are.
type layout struct {
	rows, cols int
	words      int // of a row
	per        int // rows of a chunk
}

func newLayout(rows, cols int) layout {
	words := (cols-1)/64 + 1
	return layout{rows: rows, cols: cols, words: words, per: max(1, chunkBytes/8/words)}
}

// chunk returns how many rows a chunk has and where it begins. Behind the last one
// the file ends.
func (l layout) chunk(k int) (rows int, offset int64) {
	first := min(int64(k)*int64(l.per), int64(l.rows))
	return int(min(int64(l.per), int64(l.rows)-first)), headerSize + first*8*int64(l.words) + int64(k)*sumSize
}

// chunks returns the number of chunks.
func (l layout) chunks() int { return (l.rows-1)/l.per + 1 }

// size returns the size of the file, or -1 if no file can have so many rows.
func (l layout) size() int64 {
	if hi, lo := bits.Mul64(uint64(l.rows), 8*uint64(l.words)); hi != 0 || lo > math.MaxInt64/2 {
		return -1
	}
	_, end := l.chunk(l.chunks())
	return end
}

// header returns the bytes before the first chunk.
func (l layout) header() []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint64(b, uint64(l.cols))
	b = binary.LittleEndian.AppendUint64(b, uint64(l.rows))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readHeader returns the layout of a file of so many bytes.
func readHeader(r io.ReaderAt, size int64) (l layout, err error) {
	b := make([]byte, min(headerSize, max(0, size)))
	if err := readAt(r, b, 0); err != nil {
		return l, err
	}
	n := min(len(b), len(magic))
	if n == 0 {
		return l, errors.New("file is empty")
	}
	if string(b[:n]) != magic[:n] {
		return l, fmt.Errorf("file begins with %q, want %q", b[:n], magic)
	}
	if len(b) < headerSize {
		return l, fmt.Errorf("file has %d bytes, want at least %d", len(b), headerSize)
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != version {
		return l, fmt.Errorf("file is of format version %d, known is only %d", v, version)
	}
	if got, want := crc32.Checksum(b[:headerSize-sumSize], castagnoli), binary.LittleEndian.Uint32(b[headerSize-sumSize:]); got != want {
		return l, fmt.Errorf("header has checksum %08x, want %08x: the file is damaged", got, want)
	}
	cols, rows := binary.LittleEndian.Uint64(b[12:]), binary.LittleEndian.Uint64(b[20:])
	if cols < 1 || rows < 1 || cols > math.MaxInt || rows > math.MaxInt {
		return l, fmt.Errorf("file is %d×%d, want from 1×1 to %d×%[3]d", rows, cols, math.MaxInt)
	}
	l = newLayout(int(rows), int(cols))
	switch want := l.size(); {
	case want < 0:
		return l, fmt.Errorf("file is %d×%d, which no file can hold", rows, cols)
	case size < want:
		_, first := l.chunk(1)
		there := (size - headerSize) / (first - headerSize) * int64(l.per)
		return l, fmt.Errorf("file has %d bytes, want %d: only the first %d of %d rows are there", size, want, min(there, int64(rows)), rows)
	case size > want:
		return l, fmt.Errorf("file has %d bytes, want %d for %d rows", size, want, rows)
	}
	return l, nil
}

// readAt fills b with the bytes from an offset on.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A File is rows in a file, for a Trainer: call [Open], and [File.Close] at last. It
// implements [rbm.Rows]. The file must not change while it is in use.
type File struct {
	layout
	r       io.ReaderAt
	name    string // in errors, with what separates it
	close   func() error
	buffers chan *buffer // that are free
}

var _ rbm.Rows = (*File)(nil)

// Open opens the file of this path. The error says what is wrong with its header or
// its size; the rows are looked at when they are read.
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bitfile: %w", err)
	}
	info, err := r.Stat()
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("bitfile: %w", err)
	}
	f, err := newFile(r, info.Size(), path+": ")
	if err != nil {
		r.Close()
		return nil, err
	}
	f.close = r.Close
	return f, nil
}

// NewFile returns the rows in size bytes of r, as [Open] does.
func NewFile(r io.ReaderAt, size int64) (*File, error) { return newFile(r, size, "") }

func newFile(r io.ReaderAt, size int64, name string) (*File, error) {
	l, err := readHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("bitfile: %s%w", name, err)
	}
	return &File{layout: l, r: r, name: name, buffers: make(chan *buffer, keptBuffers)}, nil
}

// Close closes what Open has opened, after which no row can be read.
func (f *File) Close() error {
	f.checkNil()
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Dims returns the number of rows and columns.
func (f *File) Dims() (r, c int) {
	f.checkNil()
	return f.rows, f.cols
}

// String returns the path, if the file was opened by it, and the size.
func (f *File) String() string {
	f.checkNil()
	return fmt.Sprintf("File(%s%d×%d)", f.name, f.rows, f.cols)
}

// MarshalJSON returns an error, as JSON would have nothing of the file.
func (f *File) MarshalJSON() ([]byte, error) {
	return nil, errors.New("bitfile: JSON has nothing of a File: keep its path")
}

func (f *File) checkNil() {
	if f == nil {
		panic("bitfile: File is nil, want that of Open")
	}
}

// ReadRows reads the rows i, i+1, … to fill dst. For a single row it reads some 4
// kilobytes, which have one checksum. It may be called concurrently.
//
// The error names the rows that are damaged, or that could not be read; what dst holds is
// then not defined. It panics if dst is nil or has other columns than the file, or if the
// rows do not exist.
func (f *File) ReadRows(dst *rbm.Bits, i int) error {
	f.checkNil()
	if dst == nil {
		panic("bitfile: dst is nil")
	}
	n, c := dst.Dims()
	if c != f.cols {
		panic(fmt.Sprintf("bitfile: dst is %d×%d, want n×%d", n, c, f.cols))
	}
	if i < 0 || i > f.rows-n {
		panic(fmt.Sprintf("bitfile: no rows [%d, %d) in a file of %d×%d", i, i+n, f.rows, f.cols))
	}
	b := f.buffer()
	defer f.release(b)
	last := (i + n - 1) / f.per
	atOnce := max(1, readBytes/(8*f.words*f.per))
	for k := i / f.per; k <= last; k += atOnce {
		if err := f.readChunks(dst, i, k, min(last, k+atOnce-1), b); err != nil {
			return fmt.Errorf("bitfile: %s%w", f.name, err)
		}
	}
	return nil
}

// keptBuffers is how many are kept for later calls: those that run at a time, as a
// rule.
const keptBuffers = 8

// buffer returns one that is free, or a new one.
func (f *File) buffer() *buffer {
	select {
	case b := <-f.buffers:
		return b
	default:
		return new(buffer)
	}
}

// release keeps a buffer, if there are not enough.
func (f *File) release(b *buffer) {
	select {
	case f.buffers <- b:
	default:
	}
}

// A buffer is memory to read to.
type buffer struct {
	data []byte
}

// readChunks reads chunks k to last, and sets the rows of dst that are in them, the
// first of dst being row i of the file.
func (f *File) readChunks(dst *rbm.Bits, i, k, last int, b *buffer) error {
	_, from := f.chunk(k)
	_, to := f.chunk(last + 1)
	b.data = slices.Grow(b.data[:0], int(to-from))[:to-from]
	if err := readAt(f.r, b.data, from); err != nil {
		return fmt.Errorf("rows from %d on: %w", k*f.per, err)
	}
	n, _ := dst.Dims()
	data := b.data
	for ; k <= last; k++ {
		rows, _ := f.chunk(k)
		first, size := k*f.per, rows*f.words*8
		if got, want := checksum(k, data[:size]), binary.LittleEndian.Uint32(data[size:]); got != want {
			return fmt.Errorf("rows [%d, %d) have checksum %08x, want %08x: the file is damaged", first, first+rows, got, want)
		}
		for r := max(i, first); r < min(i+n, first+rows); r++ {
			at, row := (r-first)*f.words, dst.RawRow(r-i)
			for w := range row {
				row[w] = binary.LittleEndian.Uint64(data[8*(at+w):])
			}
			if j := f.behind(row); j > 0 {
				return fmt.Errorf("row %d has a one in column %d, want %d columns", r, j, f.cols)
			}
		}
		data = data[size+sumSize:]
	}
	return nil
}

// behind returns the first column behind the last one in which the words of a row
// have a one, or 0.
func (l layout) behind(row []uint64) int {
	if x := row[l.words-1] & (^uint64(0) << ((l.cols-1)%64 + 1)); x != 0 {
		return (l.words-1)*64 + bits.TrailingZeros64(x)
	}
	return 0
}

// checksum returns the checksum of chunk k with these rows.
func checksum(k int, rows []byte) uint32 {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(k))
	return crc32.Update(crc32.Checksum(number[:], castagnoli), castagnoli, rows)
}
