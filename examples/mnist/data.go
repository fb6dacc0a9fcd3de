package main

import (
	"fmt"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
)

// data are rows to train on, to watch, and to judge by.
type data struct {
	train, held, test *rbm.Bits
	trainCRC, testCRC uint32 // of the files
}

// load reads the data that the flags ask for.
func load(o options) (data, error) {
	train, test, err := idx.Images(o.data)
	if err != nil {
		return data{}, err
	}
	n, _ := train.Images.Dims()
	if o.rows > n {
		return data{}, fmt.Errorf("-rows is %d, but there are %d training rows", o.rows, n)
	}
	if o.rows > 0 {
		n = o.rows
	}
	if o.held >= n {
		return data{}, fmt.Errorf("-held is %d of %d training rows, want fewer", o.held, n)
	}
	d := data{
		train:    train.Images.Slice(0, n-o.held),
		held:     test.Images,
		test:     test.Images,
		trainCRC: train.CRC,
		testCRC:  test.CRC,
	}
	if o.held > 0 {
		d.held = train.Images.Slice(n-o.held, n)
	}
	if o.flip {
		for _, b := range []*rbm.Bits{train.Images, test.Images} {
			flip(b)
		}
	}
	return d, nil
}

// flip makes every 0 a 1 and every 1 a 0.
func flip(b *rbm.Bits) {
	n, pixels := b.Dims()
	for r := range n {
		for i := range pixels {
			b.SetBit(r, i, !b.Bit(r, i))
		}
	}
}
