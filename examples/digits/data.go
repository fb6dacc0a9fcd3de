package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// csvGz holds 1797 digits, one a line: 64 gray levels from 0 to 16, row by row,
// and the label. E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
// Digits, UCI Machine Learning Repository, 1998, CC BY 4.0.
//
//go:embed digits.csv.gz
var csvGz []byte

const (
	side      = 8 // a digit has side × side pixels
	pixels    = side * side
	threshold = 4    // a gray level above it is 1: thin strokes stay connected
	trainRows = 1500 // the others are held out
	splitSeed = 1    // not -seed: the held-out digits are always the same
)

// digits are binary images, one a row, and what they show.
type digits struct {
	bits   *rbm.Bits
	labels []int
}

// load returns the embedded digits, binarized.
func load() (digits, error) {
	records, err := readCSV()
	if err != nil {
		return digits{}, err
	}
	gray := mat.NewDense(len(records), pixels, nil)
	labels := make([]int, len(records))
	for r, record := range records {
		for i, field := range record {
			x, err := strconv.Atoi(field)
			if err != nil {
				return digits{}, fmt.Errorf("digit %d: %w", r, err)
			}
			if i < pixels {
				gray.Set(r, i, float64(x))
			} else {
				labels[r] = x
			}
		}
	}
	bits, err := rbm.Binarize(gray, threshold)
	return digits{bits, labels}, err
}

func readCSV() ([][]string, error) {
	z, err := gzip.NewReader(bytes.NewReader(csvGz))
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(z)
	c.FieldsPerRecord = pixels + 1
	return c.ReadAll()
}

// split deals the digits out at random to a training and a held-out set.
func (d digits) split() (train, held digits) {
	order := rand.New(rand.NewPCG(splitSeed, 0)).Perm(len(d.labels))
	return d.pick(order[:trainRows]), d.pick(order[trainRows:])
}

func (d digits) pick(rows []int) digits {
	labels := make([]int, len(rows))
	for i, r := range rows {
		labels[i] = d.labels[r]
	}
	return digits{d.bits.Gather(nil, rows), labels}
}

// showcase returns a column of digits for each label, as the tiles of a panel.
func (d digits) showcase() *rbm.Bits {
	tiles := make([]int, grid*grid)
	var column [10]int // its length so far
	for r, label := range d.labels {
		if column[label] < grid {
			tiles[column[label]*grid+label] = r
			column[label]++
		}
	}
	return d.bits.Gather(nil, tiles)
}
