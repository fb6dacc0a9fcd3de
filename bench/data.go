package main

import (
	"bufio"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gorbm/rbm"
)

const (
	side    = 28
	visible = side * side
	rowsAll = 10000
)

// syntheticRows draws n rows with the look of thresholded MNIST: a stroke of a pen in the
// middle of an image of 28×28, with 13 % of the pixels on. All arithmetic is in integers,
// so the rows are the same on every machine.
func syntheticRows(n int) *rbm.Bits {
	const (
		scale   = 8 // positions are in eighths of a pixel
		least   = 5 * scale
		most    = 22 * scale
		pen     = 7 // radius
		fewest  = 72
		choices = 64
	)
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := rbm.NewBits(n, visible)
	for r := range n {
		want := fewest + rnd.IntN(choices) // pixels
		x, y := least+rnd.IntN(most-least), least+rnd.IntN(most-least)
		dx, dy := 0, 0
		for on := 0; on < want; {
			if rnd.IntN(8) == 0 || dx == 0 && dy == 0 { // a turn of the stroke
				dx, dy = rnd.IntN(13)-6, rnd.IntN(13)-6
			}
			x, y = min(max(x+dx, least), most), min(max(y+dy, least), most)
			for j := (y - pen) / scale; j <= (y+pen)/scale; j++ {
				for i := (x - pen) / scale; i <= (x+pen)/scale; i++ {
					u, v := i*scale-x, j*scale-y
					if u*u+v*v <= pen*pen && !rows.Bit(r, side*j+i) {
						rows.SetBit(r, side*j+i, true)
						on++
					}
				}
			}
		}
	}
	return rows
}

// startModel returns a model at the start of training on data.
func startModel(hidden int, data *rbm.Bits) *rbm.RBM {
	m := rbm.NewRandom(visible, hidden, 0.01, rand.NewPCG(3, 4))
	m.FitVisibleBias(data)
	return m
}

// writeRows writes a byte for each entry of data, for the peers.
func writeRows(folder string, data *rbm.Bits) error {
	n, nv := data.Dims()
	b := make([]byte, 0, n*nv)
	for r := range n {
		for i := range nv {
			var x byte
			if data.Bit(r, i) {
				x = 1
			}
			b = append(b, x)
		}
	}
	return os.WriteFile(filepath.Join(folder, "rows"), b, 0o600)
}

// writeModel writes the parameters of m as float32, weights, visible and hidden biases, for
// the peers.
func writeModel(folder string, m *rbm.RBM) error {
	nv, nh := m.Dims()
	p := make([]float32, 0, nv*nh+nv+nh)
	for j := range nh {
		for i := range nv {
			p = append(p, float32(m.W.At(j, i)))
		}
	}
	for i := range nv {
		p = append(p, float32(m.B.AtVec(i)))
	}
	for j := range nh {
		p = append(p, float32(m.C.AtVec(j)))
	}
	f, err := os.Create(filepath.Join(folder, "model-"+strconv.Itoa(nh)))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := binary.Write(w, binary.LittleEndian, p); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
