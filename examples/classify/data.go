package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"gonum.org/v1/gonum/mat"
)

const watchedRows = 1000 // rows to train on whose errors are printed

// data are rows to train on, to choose the best epoch by, and to judge by.
type data struct {
	train    *rbm.Bits
	gray     []byte // their levels
	labels   []int  // of the first rows to train on; the others have none
	watched  idx.Set
	held     *idx.Set // nil: none
	test     idx.Set
	trainCRC uint32
}

// load reads the data that the flags ask for.
func load(o options) (data, error) {
	train, test, err := idx.Labeled(o.data)
	if err != nil {
		return data{}, err
	}
	n := len(train.Labels)
	if o.rows > n {
		return data{}, fmt.Errorf("-rows is %d, but there are %d training rows", o.rows, n)
	}
	if o.rows > 0 {
		n = o.rows
	}
	if o.held >= n {
		return data{}, fmt.Errorf("-held is %d of %d training rows, want fewer", o.held, n)
	}
	last := n - o.held
	labeled := last
	if o.labeled > last {
		return data{}, fmt.Errorf("-labeled is %d of %d rows to train on", o.labeled, last)
	}
	if o.labeled > 0 {
		labeled = o.labeled
	}
	d := data{
		train:    train.Images.Slice(0, last),
		gray:     train.Gray,
		labels:   train.Labels[:labeled],
		watched:  slice(train, 0, min(labeled, watchedRows)),
		test:     test,
		trainCRC: train.CRC,
	}
	if o.held > 0 {
		held := slice(train, last, n)
		d.held = &held
	}
	return d, nil
}

// slice returns rows [i, k) of s.
func slice(s idx.Set, i, k int) idx.Set {
	return idx.Set{Images: s.Images.Slice(i, k), Gray: s.Gray[i*idx.Pixels : k*idx.Pixels], Labels: s.Labels[i:k]}
}

// levels are the gray levels of images, from 0 to 255/256, which draw has as probabilities.
type levels []byte

func (l levels) Dims() (r, c int)    { return len(l) / idx.Pixels, idx.Pixels }
func (l levels) At(r, i int) float64 { return float64(l[r*idx.Pixels+i]) / 256 }
func (l levels) T() mat.Matrix       { return mat.Transpose{Matrix: l} }

// draw sets dst to rows to train on, in which a pixel is 1 with its gray level, of
// 256, as the probability.
func (d *data) draw(dst *rbm.Bits, rows []int, src rand.Source) {
	var u uint64
	for k, r := range rows {
		for i, level := range d.gray[r*idx.Pixels:][:idx.Pixels] {
			if i%8 == 0 {
				u = src.Uint64()
			}
			dst.SetBit(k, i, uint8(u) < level)
			u >>= 8
		}
	}
}
