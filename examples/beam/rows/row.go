// Package rows reads binary rows in a pipeline, from any number of files.
//
// A file is one of package bitfile, or text: a row a line, as digits 0 and 1 with at
// most a comma and any blanks and tabs between two of them. A name that ends with .gz is
// that of a compressed file.
package rows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
)

func init() {
	// Without these they would be called by reflection.
	register.Function1x1(encodeRow)
	register.Function1x2(decodeRow)
	register.Function1x1(encodeBad)
	register.Function1x2(decodeBad)
	beam.RegisterCoder(reflect.TypeFor[Row](), encodeRow, decodeRow)
	beam.RegisterCoder(reflect.TypeFor[Bad](), encodeBad, decodeBad)
}

// A Row is an observation, and where it was found.
type Row struct {
	File   string
	Number int64  // in the file, from 1
	Bits   []byte // column j, from 0, is bit j%8 of byte j/8; the bits behind the last column are 0
}

// Put sets row i of dst. It panics if that does not exist or has other columns.
func (r Row) Put(dst *rbm.Bits, i int) {
	_, c := dst.Dims()
	if len(r.Bits) != bytesOf(c) {
		panic(fmt.Sprintf("rows: %s, row %d has %d bytes, want %d for %d columns", r.File, r.Number, len(r.Bits), bytesOf(c), c))
	}
	if k := c % 8; k > 0 && r.Bits[c/8]>>k != 0 {
		panic(fmt.Sprintf("rows: %s, row %d has a one in column %d, want %d columns", r.File, r.Number, c+bits.TrailingZeros8(r.Bits[c/8]>>k), c))
	}
	words := dst.RawRow(i)
	clear(words)
	for k, b := range r.Bits {
		words[k/8] |= uint64(b) << (k % 8 * 8)
	}
}

// bytesOf returns how many bytes a row of so many columns has.
func bytesOf(columns int) int { return (columns-1)/8 + 1 }

// Bad is a row that could not be read or violates a group, and why.
type Bad struct {
	File   string
	Number int64 // in the file, from 1; 0: the file as a whole, or what is left of it
	Reason string
}

func (b Bad) String() string {
	if b.Number == 0 {
		return fmt.Sprintf("%s: %s", b.File, b.Reason)
	}
	return fmt.Sprintf("%s: row %d: %s", b.File, b.Number, b.Reason)
}

// A Row or Bad is encoded as the length of File, File, Number, and the rest.

func encodeRow(r Row) []byte { return encode(r.File, r.Number, r.Bits) }

func decodeRow(data []byte) (r Row, err error) {
	r.File, r.Number, data, err = decode(data)
	r.Bits = append([]byte(nil), data...)
	return r, err
}

func encodeBad(b Bad) []byte { return encode(b.File, b.Number, b.Reason) }

func decodeBad(data []byte) (b Bad, err error) {
	b.File, b.Number, data, err = decode(data)
	b.Reason = string(data)
	return b, err
}

func encode[T string | []byte](file string, number int64, rest T) []byte {
	b := make([]byte, 0, 2*binary.MaxVarintLen64+len(file)+len(rest))
	b = binary.AppendUvarint(b, uint64(len(file)))
	b = append(b, file...)
	b = binary.AppendVarint(b, number)
	return append(b, rest...)
}

func decode(data []byte) (file string, number int64, rest []byte, err error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return "", 0, nil, errors.New("rows: an encoded row ends in the name of its file")
	}
	file, data = string(data[n:n+int(size)]), data[n+int(size):]
	number, n = binary.Varint(data)
	if n <= 0 {
		return "", 0, nil, errors.New("rows: an encoded row ends in its number")
	}
	return file, number, data[n:], nil
}
