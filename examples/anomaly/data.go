package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// csvGz holds 569 tumors, one a line, after a line of sizes and names: 30
// measurements, and 0 for a malignant one or 1 for a benign one. W. Wolberg,
// O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI
// Machine Learning Repository, 1995, CC BY 4.0.
//
//go:embed cancer.csv.gz
var csvGz []byte

// The measurements are three of each property of the nuclei in a picture: the mean,
// its standard error and the worst, the mean of the three largest.
var (
	properties = []string{"radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry", "fractal dimension"}
	statistics = []string{"mean", "error of", "worst"}
)

const (
	trainRows = 200 // of the benign ones, to learn from
	heldRows  = 57  // to stop training by; the other benign ones are for the test
)

// tumors are measurements, one tumor a row.
type tumors struct {
	values    *mat.Dense
	malignant []bool
	number    []int // of the row in the file, from 0
}

// measurement returns the name of column i.
func measurement(i int) string {
	return statistics[i/len(properties)] + " " + properties[i%len(properties)]
}

func measurements() int { return len(properties) * len(statistics) }

// load returns the embedded tumors.
func load() (tumors, error) {
	z, err := gzip.NewReader(bytes.NewReader(csvGz))
	if err != nil {
		return tumors{}, err
	}
	return read(z)
}

func read(r io.Reader) (tumors, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1 // the first line has others
	records, err := c.ReadAll()
	if err != nil {
		return tumors{}, err
	}
	if len(records) < 2 {
		return tumors{}, fmt.Errorf("there are %d lines, want a line of names and tumors", len(records))
	}
	records = records[1:]
	n := measurements()
	t := tumors{mat.NewDense(len(records), n, nil), make([]bool, len(records)), make([]int, len(records))}
	for r, record := range records {
		if len(record) != n+1 {
			return tumors{}, fmt.Errorf("tumor %d has %d fields, want %d", r, len(record), n+1)
		}
		for i, field := range record[:n] {
			x, err := strconv.ParseFloat(field, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return tumors{}, fmt.Errorf("tumor %d: %s is %q, want a number", r, measurement(i), field)
			}
			t.values.Set(r, i, x)
		}
		if class := record[n]; class != "0" && class != "1" {
			return tumors{}, fmt.Errorf("tumor %d: the class is %q, want 0 or 1", r, class)
		}
		t.malignant[r], t.number[r] = record[n] == "0", r
	}
	return t, nil
}

// split deals the benign tumors out at random to a set to train on, one to stop
// training by, and one for the test, which gets all the malignant ones too.
func (t tumors) split(src rand.Source) (train, held, test tumors, err error) {
	var benign, rest []int
	for _, r := range rand.New(src).Perm(len(t.number)) {
		if t.malignant[r] {
			rest = append(rest, r)
		} else {
			benign = append(benign, r)
		}
	}
	if len(benign) <= trainRows+heldRows || len(rest) == 0 {
		return train, held, test, fmt.Errorf("there are %d benign and %d malignant tumors, want more than %d and some", len(benign), len(rest), trainRows+heldRows)
	}
	rest = append(rest, benign[trainRows+heldRows:]...)
	return t.pick(benign[:trainRows]), t.pick(benign[trainRows : trainRows+heldRows]), t.pick(rest), nil
}

func (t tumors) pick(rows []int) tumors {
	p := tumors{mat.NewDense(len(rows), measurements(), nil), make([]bool, len(rows)), make([]int, len(rows))}
	for i, r := range rows {
		p.values.SetRow(i, t.values.RawRowView(r))
		p.malignant[i], p.number[i] = t.malignant[r], t.number[r]
	}
	return p
}
