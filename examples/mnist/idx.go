package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
)

const (
	side      = 28 // an image has side × side pixels
	pixels    = side * side
	threshold = 127 // a grey level above it is 1
)

// An idx file begins with two zeros, the type of its entries and the number of its
// dimensions, then each dimension in four bytes.
const (
	imageMagic  = 0x00000803 // unsigned bytes, three dimensions
	labelMagic  = 0x00000801
	imageHeader = 16
)

// images are those of a file, binary, one a row.
type images struct {
	bits *rbm.Bits
	crc  uint32 // of the grey levels
}

// readImages reads the idx file with the given name in dir, or the same with .gz.
func readImages(dir, name string) (images, error) {
	path := filepath.Join(dir, name+".gz")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, name)
		f, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return images{}, fmt.Errorf("%s: neither this file nor the same with .gz exists", path)
	}
	if err != nil {
		return images{}, err
	}
	defer f.Close()
	r, err := unpack(f)
	if err != nil {
		return images{}, fmt.Errorf("%s: %w", path, err)
	}
	im, err := decode(r)
	if err != nil {
		return images{}, fmt.Errorf("%s: %w", path, err)
	}
	return im, nil
}

// unpack returns what r holds, whether it is compressed or not.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(b)
	}
	return b, nil
}

// decode reads an idx file of images.
func decode(r io.Reader) (images, error) {
	header := make([]byte, imageHeader)
	got, err := io.ReadFull(r, header)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return images{}, err
	}
	if got >= 4 {
		switch magic := binary.BigEndian.Uint32(header); magic {
		case imageMagic:
		case labelMagic:
			return images{}, errors.New("holds labels, want images")
		default:
			return images{}, fmt.Errorf("begins with % x, want % x: not an idx file of images", header[:4], binary.BigEndian.AppendUint32(nil, imageMagic))
		}
	}
	if got < imageHeader {
		return images{}, fmt.Errorf("ends after %d bytes, want a header of %d", got, imageHeader)
	}
	n := int64(binary.BigEndian.Uint32(header[4:]))
	rows, cols := binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
	if rows != side || cols != side {
		return images{}, fmt.Errorf("its images have %d×%d pixels, want %d×%d", rows, cols, side, side)
	}
	if n == 0 {
		return images{}, errors.New("holds 0 images, want at least 1")
	}

	// It grows with what is there, not with what the header says.
	grey, err := io.ReadAll(io.LimitReader(r, n*pixels+1))
	if err != nil {
		return images{}, err
	}
	if have := int64(len(grey)); have < n*pixels {
		return images{}, fmt.Errorf("ends in row %d of the %d that its header says, at pixel %d of %d", have/pixels, n, have%pixels, pixels)
	} else if have > n*pixels {
		return images{}, fmt.Errorf("goes on after the %d rows that its header says", n)
	}
	return images{binarize(grey), crc32.ChecksumIEEE(grey)}, nil
}

func binarize(grey []byte) *rbm.Bits {
	b := rbm.NewBits(len(grey)/pixels, pixels)
	for i, level := range grey {
		if level > threshold {
			b.SetBit(i/pixels, i%pixels, true)
		}
	}
	return b
}
