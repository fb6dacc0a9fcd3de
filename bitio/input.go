package bitio

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm/internal/npy"
)

// An input is what is read, unpacked.
type input struct {
	*bufio.Reader
	o      *Options
	name   string
	format Format

	at   io.ReaderAt // the same bytes, if they may be read anywhere; or nil
	size int64
}

const (
	bufferBytes = 1 << 16
	gzipMagic   = "\x1f\x8b\x08" // with the method
)

func newInput(r io.Reader, name string, o *Options) (*input, error) {
	if r == nil {
		panic("bitio: reader is nil")
	}
	in := &input{o: o, name: name, format: o.Format}
	in.at, in.size = anywhere(r)
	b := bufio.NewReaderSize(r, bufferBytes)
	if start, _ := b.Peek(3); string(start) == gzipMagic {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		b = bufio.NewReaderSize(z, bufferBytes)
		in.at = nil
	}
	in.Reader = b
	start, err := b.Peek(bufferBytes)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(start) == 0 {
		return nil, errors.New("file is empty")
	}
	if in.format == Auto {
		if in.format = formatOfName(name); in.format == Auto {
			in.format = formatOfBytes(start)
		}
	}
	switch in.format {
	case Text, CSV, Pairs, LibSVM, Indices:
		if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
			return nil, errors.New("it is UTF-16, want UTF-8")
		}
		if bytes.HasPrefix(start, []byte("\ufeff")) {
			b.Discard(len("\ufeff"))
		}
	}
	return in, nil
}

// anywhere returns r with its size, if it is at the beginning of a file of which any part
// may be read.
func anywhere(r io.Reader) (io.ReaderAt, int64) {
	f, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil, 0
	}
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return nil, 0
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0
	}
	return f, size
}

// extension returns the extension of a name, in small letters, without .gz.
func extension(name string) string {
	name = strings.TrimSuffix(strings.ToLower(filepath.Base(name)), ".gz")
	return path.Ext(name)
}

// formatOfName returns the format that a name says, or Auto.
func formatOfName(name string) Format {
	switch extension(name) {
	case ".csv", ".tsv", ".tab":
		return CSV
	case ".txt":
		return Text
	case ".pairs":
		return Pairs
	case ".libsvm", ".svm", ".svmlight":
		return LibSVM
	case ".indices":
		return Indices
	case ".npy":
		return NPY
	case ".npz":
		return NPZ
	case ".idx":
		return IDX
	case ".bits":
		return Packed
	}
	if strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), "-ubyte") {
		return IDX
	}
	return Auto
}

// formatOfBytes returns the format of a file that begins so.
func formatOfBytes(start []byte) Format {
	switch {
	case bytes.HasPrefix(start, []byte(npy.Magic)):
		return NPY
	case bytes.HasPrefix(start, []byte("PK")):
		return NPZ
	case bytes.HasPrefix(start, []byte("\x89BIT")):
		return Packed
	case len(start) >= 4 && start[0] == 0 && start[1] == 0:
		return IDX
	}
	line := firstLine(bytes.TrimPrefix(start, []byte("\ufeff")))
	fields := bytes.Fields(line)
	switch {
	case bytes.HasPrefix(line, []byte("#")), len(bytes.Trim(line, "01? \t\r")) == 0 && !bytes.ContainsRune(line, '\t'):
		return Text
	case len(fields) > 0 && bytes.ContainsRune(fields[len(fields)-1], ':') && !bytes.ContainsAny(line, ",;"):
		return LibSVM
	case !bytes.ContainsAny(line, ",;\t") && len(fields) > 1:
		return Text
	}
	return CSV
}

// firstLine returns the first line that is not blank.
func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte("\n"))
	return line
}

// comma returns the separator of a text, or a blank where there is none.
func (in *input) comma() rune {
	if in.o.Comma != 0 {
		return in.o.Comma
	}
	if e := extension(in.name); e == ".tsv" || e == ".tab" {
		return '\t'
	}
	start, _ := in.Peek(bufferBytes)
	count := make(map[byte]int)
	quoted := false
	for _, c := range firstLine(start) {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			count[c]++
		}
	}
	best := byte(' ')
	most := 0
	for _, c := range []byte(",;\t") {
		if count[c] > most {
			best, most = c, count[c]
		}
	}
	return rune(best)
}

// open returns the rows. With stream they are not all in memory, or there is an error.
func (in *input) open(stream bool) (s *source, err error) {
	switch in.format {
	case CSV:
		s, err = in.openCSV()
	case Text:
		s, err = in.openText()
	case Pairs:
		s, err = in.openPairs(stream)
	case LibSVM, Indices:
		s, err = in.openSparse(stream)
	case NPY:
		s, err = openNPY(in, in.o, stream)
	case NPZ:
		s, err = in.openNPZ(stream)
	case IDX:
		s, err = in.openIDX(stream)
	case Packed:
		s, err = in.openPacked(stream)
	default:
		return nil, in.format.unknown()
	}
	if err != nil {
		return nil, err
	}
	return s, s.name(in.o.Columns)
}

// unknown is the error of a format that is none.
func (f Format) unknown() error { return fmt.Errorf("format is %q, want one of %q", f, formats) }

var formats = []Format{Text, CSV, Pairs, LibSVM, Indices, NPY, NPZ, IDX, Packed}

// lines reads a text line by line.
type lines struct {
	r      *bufio.Reader
	number int // of the line that was read last, from 1
	buf    []byte
}

// next returns the next line without its end, valid until the next one.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		piece, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, piece...)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil && (err != io.EOF || len(l.buf) == 0) {
			return nil, err
		}
		l.number++
		line := bytes.TrimSuffix(l.buf, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), nil
	}
}
