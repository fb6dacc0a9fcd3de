// Package idxtest makes small files for tests of programs that read idx files.
package idxtest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/idx"
)

// Images returns a file of n images and one of their labels. An image is noise and a
// bar, which stands the further to the right the greater the label.
func Images(n int, seed uint64) (images, labels []byte) {
	images, labels = []byte{0, 0, 8, 3}, []byte{0, 0, 8, 1}
	labels = binary.BigEndian.AppendUint32(labels, uint32(n))
	for _, x := range []int{n, idx.Side, idx.Side} {
		images = binary.BigEndian.AppendUint32(images, uint32(x))
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		at := r.IntN(idx.Side)
		labels = append(labels, byte(at*idx.Classes/idx.Side))
		for i := range idx.Pixels {
			level := byte(r.IntN(idx.Threshold + 1))
			if i%idx.Side == at || r.IntN(50) == 0 {
				level = byte(idx.Threshold + 1 + r.IntN(idx.Threshold+1))
			}
			images = append(images, level)
		}
	}
	return images, labels
}

// WriteData writes a data set with so many images, partly compressed, and returns
// its folder.
func WriteData(t testing.TB, train, test int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	images, labels := Images(train, uint64(test))
	WriteFile(t, filepath.Join(dir, idx.TrainImages+".gz"), Compress(images))
	WriteFile(t, filepath.Join(dir, idx.TrainLabels), labels)
	images, labels = Images(test, uint64(train))
	WriteFile(t, filepath.Join(dir, idx.TestImages), images)
	WriteFile(t, filepath.Join(dir, idx.TestLabels+".gz"), Compress(labels))
	return dir
}

// Compress returns b as a gzip file.
func Compress(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// WriteFile writes b to a file.
func WriteFile(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ReadFile returns the content of a file.
func ReadFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
