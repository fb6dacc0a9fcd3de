package rbm

import (
	"hash/crc64"

	"github.com/gorbm/rbm/internal/wire"
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
	if a, ok := fractionsOf(rows, nil); ok { // zeros and ones alone are those of Bits
		p.sum = sumOfValues(a)
		return p, nil
	}
	table := crc64.MakeTable(crc64.ECMA)
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
			p.sum = crc64.Update(p.sum, table, row)
		}
	}
	return p, nil
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
