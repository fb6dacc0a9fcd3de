package bitfile_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
)

// Write rows to a file as they come, and train from it: of all the rows, no more than
// a block is ever in memory.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rows.bits")

	// 5000 rows, one at a time, of pairs of units that mostly agree.
	rows := func(yield func(*rbm.Bits, error) bool) {
		rnd := rand.New(rand.NewPCG(1, 1))
		row := rbm.NewBits(1, 8)
		for range 5000 {
			for i := 0; i < 8; i += 2 {
				on := rnd.IntN(2) == 1
				row.SetBit(0, i, on)
				row.SetBit(0, i+1, on != (rnd.IntN(20) == 0))
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	if err := bitfile.Write(path, rows); err != nil {
		panic(err)
	}

	f, err := bitfile.Open(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	n, nv := f.Dims()
	fmt.Printf("%d rows of %d columns\n", n, nv)

	m := rbm.NewRandom(nv, 6, 0.01, rand.NewPCG(2, 2))
	first := rbm.NewBits(1000, nv) // enough to fit the biases to
	if err := f.ReadRows(first, 0); err != nil {
		panic(err)
	}
	m.FitVisibleBias(first)
	t := rbm.NewTrainer(m, f, rbm.NewPCD(50, 1, rand.NewPCG(3, 3)), rand.NewPCG(4, 4))
	t.ShuffleBlock = 1000
	t.SGD.Rate = 0.1
	if err := t.Train(context.Background(), 50); err != nil {
		panic(err)
	}
	l, err := m.LogLikelihood(context.Background(), f, nil)
	if err != nil {
		panic(err)
	}
	fmt.Printf("log-likelihood %.1f nats a row, of tossing coins %.1f\n", l.Mean, -8*math.Ln2)
	// Output:
	// 5000 rows of 8 columns
	// log-likelihood -3.7 nats a row, of tossing coins -5.5
}

// A file of bits need not be on a disk: it may be embedded in a program, say.
func ExampleNewFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rows.bits")
	if err := bitfile.Write(path, rbm.Blocks(rbm.NewBits(100, 8), 10)); err != nil {
		panic(err)
	}
	content, err := os.ReadFile(path) // or //go:embed
	if err != nil {
		panic(err)
	}
	f, err := bitfile.NewFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Dims())
	// Output:
	// 100 8
}
