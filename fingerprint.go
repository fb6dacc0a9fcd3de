package rbm

import (
	"hash/crc64"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// A fingerprint stands for rows that are not written: they must be the same.
type fingerprint struct {
	name       string
	rows, cols int // 0 if there are none
	sum        uint64
}

// printed is the fingerprint of rows that are read from elsewhere.
type printed struct {
	rows  Rows
	print fingerprint
}

func fingerprintOf(name string, rows Rows) (fingerprint, error) {
	p := fingerprint{name: name}
	if isNil(rows) {
		return p, nil
	}
	p.rows, p.cols = rows.Dims()
	if a, ok := fractionsOf(rows, nil); ok { // zeros and ones alone have the sum of Bits
		p.sum = sumOfValues(a)
		return p, nil
	}
	var row []byte
	for block, err := range Blocks(rows, passBlock(p.cols)) {
		if err != nil {
			return p, err
		}
		for r := range block.rows {
			row = row[:0]
			for _, x := range block.row(r) {
				row = wire.AppendUint64(row, x)
			}
			p.sum = checksum(p.sum, row)
		}
	}
	return p, nil
}

// weightsPrint returns the fingerprint of weights.
func weightsPrint(name string, weights []float64) fingerprint {
	p := fingerprint{name: name, rows: len(weights), cols: min(1, len(weights))}
	var b []byte
	for w := range slices.Chunk(weights, 1<<10) {
		b = wire.AppendFloats(b[:0], w)
		p.sum = checksum(p.sum, b)
	}
	return p
}

// sumOfValues returns the checksum of the bits of a as float64.
func sumOfValues(a mat.Matrix) (sum uint64) {
	n, c := a.Dims()
	row, b := make([]float64, c), []byte(nil)
	for i := range n {
		b = wire.AppendFloats(b[:0], readRow(row, a, i))
		sum = checksum(sum, b)
	}
	return sum
}

// checksum returns the checksum of b behind what has the sum.
func checksum(sum uint64, b []byte) uint64 {
	return crc64.Update(sum, crc64.MakeTable(crc64.ECMA), b)
}

func (p fingerprint) write(b []byte) []byte {
	return wire.AppendUint64(wire.AppendInt(wire.AppendInt(b, p.rows), p.cols), p.sum)
}

// compare sets an error unless p is the next fingerprint of d.
func (p fingerprint) compare(d *wire.Decoder) {
	rows, cols, sum := d.Int("rows", 0), d.Int("columns", 0), d.Uint64()
	switch {
	case !d.OK():
	case rows != p.rows || cols != p.cols:
		d.Failf("%s is %d×%d, want %d×%d", p.name, p.rows, p.cols, rows, cols)
	case sum != p.sum:
		d.Failf("%s has checksum %016x, want %016x: the values are others", p.name, p.sum, sum)
	}
}
