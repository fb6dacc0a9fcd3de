// Command exchange does its part of exchange.py, in a directory with the file rows: of each model there it writes the
// free energies and the hidden probabilities of the rows, and the model as it was read; and so of one that it trains.
package main

import (
	"bufio"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/npz"
	"gonum.org/v1/gonum/mat"
)

func main() {
	log.SetFlags(0)
	dir := os.Args[1]
	v := rows(filepath.Join(dir, "rows"))
	paths, err := filepath.Glob(filepath.Join(dir, "*.npz"))
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range paths {
		m, err := npz.Load(path)
		if err != nil {
			log.Fatal(err)
		}
		write(path, m, v)
	}
	path := filepath.Join(dir, "go.npz")
	m := trained(v)
	if err := npz.Save(path, m); err != nil {
		log.Fatal(err)
	}
	write(path, m, v)
	fmt.Printf("%d models, %d rows of %d units\n", len(paths), v.RawMatrix().Rows, v.RawMatrix().Cols)
}

// rows reads a line of 0 and 1 for each row.
func rows(path string) *mat.Dense {
	b, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.Fields(string(b))
	v := mat.NewDense(len(lines), len(lines[0]), nil)
	for r, line := range lines {
		for i, x := range line {
			v.Set(r, i, float64(x-'0'))
		}
	}
	return v
}

func trained(v mat.Matrix) *rbm.RBM {
	data, err := rbm.BitsOf(v)
	if err != nil {
		log.Fatal(err)
	}
	_, nv := data.Dims()
	m := rbm.NewRandom(nv, 40, 0.01, rand.NewPCG(1, 2))
	m.FitVisibleBias(data)
	cd := rbm.NewCD(1, rand.NewPCG(3, 4))
	sgd := rbm.SGD{Rate: 0.1, Momentum: 0.5}
	src := rand.NewPCG(5, 6)
	var g rbm.Gradient
	for range 20 {
		for batch := range rbm.Minibatches(data, 50, src) {
			m.Gradient(&g, batch, cd)
			sgd.Step(m, &g)
		}
	}
	return m
}

// write writes what is asked of a model beside its file. A hexadecimal number loses nothing.
func write(path string, m *rbm.RBM, v mat.Matrix) {
	n, _ := v.Dims()
	nv, nh := m.Dims()
	name := strings.TrimSuffix(path, ".npz")
	writeRows(name+".free", mat.NewDense(n, 1, m.FreeEnergy(nil, v)))
	writeRows(name+".hidden", m.HiddenProbs(nil, v))
	writeRows(name+".W", m.W)
	writeRows(name+".b", mat.NewDense(1, nv, m.B.RawVector().Data))
	writeRows(name+".c", mat.NewDense(1, nh, m.C.RawVector().Data))
}

func writeRows(path string, x *mat.Dense) {
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriter(f)
	rows, _ := x.Dims()
	for r := range rows {
		for _, x := range x.RawRowView(r) {
			fmt.Fprintf(w, "%x ", x)
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}
