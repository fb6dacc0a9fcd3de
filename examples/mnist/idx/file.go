package idx

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A kind of idx file: it begins with two zeros, the type of its entries and the
// number of its dimensions, then each dimension in four bytes. The first is that of
// the rows.
type kind struct {
	name   string // of what the rows are
	magic  uint32
	header int
	row    int // bytes
}

var (
	imageFile = kind{"images", 0x00000803, 16, Pixels} // unsigned bytes, three dimensions
	labelFile = kind{"labels", 0x00000801, 8, 1}
)

// read returns the rows of the idx file with the given name in dir, or the same
// with .gz. There must be n of them, unless n is 0.
func read(dir, name string, k kind, n int) ([]byte, error) {
	path := filepath.Join(dir, name+".gz")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, name)
		f, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: neither this file nor the same with .gz exists", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := unpack(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	rows, err := k.decode(r, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

// unpack returns what r holds, whether it is compressed or not.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(b)
	}
	return b, nil
}

// decode returns the n rows of a file, or all if n is 0.
func (k kind) decode(r io.Reader, n int) ([]byte, error) {
	header := make([]byte, k.header)
	got, err := io.ReadFull(r, header)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if got >= 4 {
		if err := k.checkMagic(binary.BigEndian.Uint32(header)); err != nil {
			return nil, err
		}
	}
	if got < k.header {
		return nil, fmt.Errorf("ends after %d bytes, want a header of %d", got, k.header)
	}
	said := int64(binary.BigEndian.Uint32(header[4:]))
	if k == imageFile {
		rows, cols := binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
		if rows != Side || cols != Side {
			return nil, fmt.Errorf("its images have %d×%d pixels, want %d×%d", rows, cols, Side, Side)
		}
	}
	if n > 0 && said != int64(n) {
		return nil, fmt.Errorf("holds %d %s, want %d, one for each image", said, k.name, n)
	}
	if said == 0 {
		return nil, fmt.Errorf("holds 0 %s, want at least 1", k.name)
	}
	return k.decodeRows(r, said)
}

func (k kind) checkMagic(magic uint32) error {
	switch magic {
	case k.magic:
		return nil
	case imageFile.magic:
		return errors.New("holds images, want labels")
	case labelFile.magic:
		return errors.New("holds labels, want images")
	}
	inBytes := func(x uint32) []byte { return binary.BigEndian.AppendUint32(nil, x) }
	return fmt.Errorf("begins with % x, want % x: not an idx file of %s", inBytes(magic), inBytes(k.magic), k.name)
}

// decodeRows returns n rows, with which r must end.
func (k kind) decodeRows(r io.Reader, n int64) ([]byte, error) {
	row := int64(k.row)
	// It grows with what is there, not with what the header says.
	data, err := io.ReadAll(io.LimitReader(r, n*row+1))
	if err != nil {
		return nil, err
	}
	have := int64(len(data))
	switch {
	case have > n*row:
		return nil, fmt.Errorf("goes on after the %d rows that its header says", n)
	case have < n*row && k == imageFile:
		return nil, fmt.Errorf("ends in row %d of the %d that its header says, at pixel %d of %d", have/row, n, have%row, row)
	case have < n*row:
		return nil, fmt.Errorf("ends before row %d of the %d that its header says", have, n)
	}
	if k == labelFile {
		for r, label := range data {
			if label >= Classes {
				return nil, fmt.Errorf("the label of row %d is %d, want 0 to %d", r, label, Classes-1)
			}
		}
	}
	return data, nil
}
