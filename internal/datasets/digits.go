package datasets

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"

	"github.com/gorbm/rbm"
)

// Pixels are those of a digit, 8×8.
const Pixels = 64

// Digits returns the images of examples/digits/digits.csv.gz, the file of this path, and what they show. A pixel is on
// above a gray level, of 0 to 16.
func Digits(path string, level int) (rows *rbm.Bits, labels []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	r := csv.NewReader(z)
	r.FieldsPerRecord = Pixels + 1
	lines, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	rows, labels = rbm.NewBits(len(lines), Pixels), make([]int, len(lines))
	for r, line := range lines {
		for i, field := range line {
			x, err := strconv.Atoi(field)
			if err != nil {
				return nil, nil, fmt.Errorf("%s, line %d, field %d: %w", path, r+1, i, err)
			}
			if i < Pixels {
				rows.SetBit(r, i, x > level)
			} else {
				labels[r] = x
			}
		}
	}
	return rows, labels, nil
}
