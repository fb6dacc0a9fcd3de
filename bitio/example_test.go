package bitio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/bitio"
	"gonum.org/v1/gonum/mat"
)

// Read a CSV of which values are missing, and train on what is known.
func Example() {
	const survey = `name,tea,coffee,milk,remark
Ann,1,0,,
Bob,0,NA,1,"late, as usual"
Cid,1,0,1,
Dot,?,1,0,
`
	t, err := bitio.Read(strings.NewReader(survey), "survey.csv", &bitio.Options{ID: "name", Skip: []string{"remark"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	n, nv := t.Bits.Dims()
	fmt.Println(n, "rows of", t.Columns)
	for r, name := range t.Rows {
		for j, column := range t.Columns {
			if !t.Observed.Bit(r, j) {
				fmt.Printf("%s did not say whether %s\n", name, column)
			}
		}
	}

	m := rbm.NewRandom(nv, 2, 0.01, rand.NewPCG(1, 1))
	trainer := rbm.NewTrainer(m, t.Bits, rbm.NewPCD(10, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	trainer.Observed = t.Observed
	if err := trainer.Train(context.Background(), 20); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(trainer.Epochs(), "epochs")
	// Output:
	// 4 rows of [tea coffee milk]
	// Ann did not say whether milk
	// Bob did not say whether coffee
	// Dot did not say whether tea
	// 20 epochs
}

// Ratings above 3 are likes, and films that nobody rated are missing.
func ExampleRead_ratings() {
	const ratings = `userId,movieId,rating,timestamp
1,31,2.5,1260759144
1,1029,4.0,1260759179
2,31,5.0,835355493
`
	likes := 3.0
	t, err := bitio.Read(strings.NewReader(ratings), "ratings.csv", &bitio.Options{
		Format: bitio.Pairs, Skip: []string{"timestamp"}, Threshold: &likes, AbsentMissing: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := bitio.Write(os.Stdout, t, nil); err != nil {
		fmt.Println(err)
	}
	// Output:
	// id,31,1029
	// 1,0,1
	// 2,1,NA
}

// Turn a table that does not fit in memory into a file to train from.
func ExampleStreamFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	table := filepath.Join(dir, "table.csv")
	if err := os.WriteFile(table, []byte("a,b,c\n0,1,1\n1,0,0\n"), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	rows := filepath.Join(dir, "rows.bits")
	if err := bitfile.Write(rows, bitio.StreamFile(table, nil)); err != nil {
		fmt.Println(err)
		return
	}
	f, err := bitfile.Open(rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	fmt.Println(f.Dims())
	// Output: 2 3
}

// A table is read from a file and written to another one, in the formats of their names.
func ExampleReadFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	csv, tsv := filepath.Join(dir, "table.csv"), filepath.Join(dir, "table.tsv.gz")
	if err := os.WriteFile(csv, []byte("tea,milk\n1,0\n1,1\n"), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	t, err := bitio.ReadFile(csv, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Columns[1] = "cream"
	if err := bitio.WriteFile(tsv, t, nil); err != nil {
		fmt.Println(err)
		return
	}
	t, err = bitio.ReadFile(tsv, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Bits, t.Columns, t.Observed == nil)
	// Output:
	// Bits(2×2) [tea cream] true
}

// What is not understood is an error that says where it is.
func ExampleRead_error() {
	_, err := bitio.Read(strings.NewReader("tea,milk\n1,0\n1,yes\n"), "table.csv", nil)
	fmt.Println(err)
	// Output:
	// bitio: table.csv: line 3, column 1 ("milk") is "yes", want 0 or 1
}

// A stream has no place for missing values: they are an error, for ReadFile to be used.
func ExampleStream() {
	for block, err := range bitio.Stream(strings.NewReader("a,b\n0,1\n1,\n"), "table.csv", nil) {
		if errors.Is(err, bitio.ErrMissing) {
			fmt.Println("some values are missing")
			return
		}
		fmt.Println(block, err)
	}
	// Output:
	// some values are missing
}

// Scores of rows, or their features, beside the names of the rows.
func ExampleWriteValues() {
	scores := mat.NewDense(2, 1, []float64{0.5, 0.125})
	err := bitio.WriteValues(os.Stdout, scores, []string{"Ann", "Bob"}, []string{"score"}, nil)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// id,score
	// Ann,0.5
	// Bob,0.125
}
