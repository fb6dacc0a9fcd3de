package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// idx returns a file of n images, without noise the same bar in every n-th column.
func idx(n int, seed uint64) []byte {
	b := []byte{0, 0, 8, 3}
	for _, x := range []int{n, side, side} {
		b = binary.BigEndian.AppendUint32(b, uint32(x))
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		at := r.IntN(side)
		for i := range pixels {
			level := byte(r.IntN(threshold + 1))
			if i%side == at || r.IntN(50) == 0 {
				level = byte(threshold + 1 + r.IntN(threshold+1))
			}
			b = append(b, level)
		}
	}
	return b
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// writeData writes files of so many images, one compressed, and returns their folder.
func writeData(t *testing.T, train, test int) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, trainFile+".gz"), compress(idx(train, uint64(test))))
	writeFile(t, filepath.Join(dir, testFile), idx(test, uint64(train)))
	return dir
}

func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadImages(t *testing.T) {
	const n = 7
	file := idx(n, 1)
	grey := file[imageHeader:]
	grey[0], grey[1], grey[pixels-1], grey[len(grey)-1] = threshold, threshold+1, 255, 255

	for name, content := range map[string][]byte{
		"plain": file, "packed.gz": compress(file),
		"misnamed": compress(file), "misnamed2.gz": file,
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, name), content)
		im, err := readImages(dir, strings.TrimSuffix(name, ".gz"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r, c := im.bits.Dims(); r != n || c != pixels {
			t.Fatalf("%s: %d×%d bits, want %d×%d", name, r, c, n, pixels)
		}
		for i, level := range grey {
			if got, want := im.bits.Bit(i/pixels, i%pixels), level > 127; got != want {
				t.Fatalf("%s: pixel %d of row %d is %t, want %t as its level is %d", name, i%pixels, i/pixels, got, want, level)
			}
		}
	}
}

func TestReadImagesErrors(t *testing.T) {
	const n = 3
	file := idx(n, 1)
	with := func(i int, x ...byte) []byte {
		b := bytes.Clone(file)
		copy(b[i:], x)
		return b
	}
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 2, 5, 0}
	packed := compress(file)
	badSum := bytes.Clone(packed)
	badSum[len(badSum)-8] ^= 1

	for _, test := range []struct {
		what    string
		content []byte
		want    string
	}{
		{"empty", nil, "ends after 0 bytes"},
		{"half a header", file[:10], "ends after 10 bytes, want a header of 16"},
		{"labels", labels, "holds labels, want images"},
		{"compressed labels", compress(labels), "holds labels, want images"},
		{"text", []byte("0,0,5,13,9,1,0,0\n"), "begins with 30 2c 30 2c, want 00 00 08 03"},
		{"other type", with(2, 0x0d), "begins with 00 00 0d 03"},
		{"other dimensions", with(3, 2), "begins with 00 00 08 02"},
		{"taller", with(11, 32), "images have 32×28 pixels, want 28×28"},
		{"wider", with(15, 32), "images have 28×32 pixels, want 28×28"},
		{"pixels without end", with(8, 0xff, 0xff, 0xff, 0xff), "images have 4294967295×28 pixels"},
		{"no images", with(7, 0), "holds 0 images"},
		{"truncated", file[:len(file)-10], "ends in row 2 of the 3 that its header says, at pixel 774 of 784"},
		{"whole rows missing", file[:imageHeader+pixels], "ends in row 1 of the 3 that its header says, at pixel 0"},
		{"images without end", with(4, 0xff, 0xff, 0xff, 0xff), "ends in row 3 of the 4294967295"},
		{"trailing byte", append(bytes.Clone(file), 0), "goes on after the 3 rows"},
		{"wrong checksum", badSum, "checksum"},
		{"truncated gzip", packed[:len(packed)/2], "unexpected EOF"},
		{"truncated gzip header", packed[:4], "unexpected EOF"},
		{"trailing byte after gzip", append(bytes.Clone(packed), 1), "EOF"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, trainFile)
		writeFile(t, path, test.content)
		_, err := readImages(dir, trainFile)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want it to name the file and say %q", test.what, err, test.want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := writeData(t, 30, 20)
	all, err := readImages(dir, trainFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ rows, held, train, watched int }{
		{0, 0, 30, 20},
		{30, 0, 30, 20},
		{12, 0, 12, 20},
		{12, 5, 7, 5},
		{0, 29, 1, 29},
	} {
		d, err := load(options{data: dir, rows: test.rows, held: test.held})
		if err != nil {
			t.Errorf("-rows %d -held %d: %v", test.rows, test.held, err)
			continue
		}
		train, _ := d.train.Dims()
		watched, _ := d.held.Dims()
		judged, _ := d.test.Dims()
		if train != test.train || watched != test.watched || judged != 20 {
			t.Errorf("-rows %d -held %d: %d rows to train on, %d to watch and %d to judge by, want %d, %d and 20", test.rows, test.held, train, watched, judged, test.train, test.watched)
		}
		for i := range pixels {
			if test.held > 0 && d.held.Bit(0, i) != all.bits.Bit(train, i) {
				t.Fatalf("-rows %d -held %d: the rows held out do not follow those to train on", test.rows, test.held)
			}
		}
	}
	for want, o := range map[string]options{
		"-rows is 31, but there are 30":   {data: dir, rows: 31},
		"-held is 30 of 30 training rows": {data: dir, held: 30},
		"-held is 5 of 5 training rows":   {data: dir, rows: 5, held: 5},
		"neither this file nor":           {data: t.TempDir()},
	} {
		if _, err := load(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load(%+v) = %v, want an error that says %q", o, err, want)
		}
	}
	os.Remove(filepath.Join(dir, testFile))
	if _, err := load(options{data: dir}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, testFile)) {
		t.Errorf("without test images load = %v, want an error that names %s", err, testFile)
	}
}

// The data of the module are there, and are what is expected.
func TestModuleData(t *testing.T) {
	d, err := load(options{})
	if err != nil {
		t.Fatal(err)
	}
	train, _ := d.train.Dims()
	test, _ := d.test.Dims()
	if train != 60000 || test != 10000 {
		t.Fatalf("%d training and %d test rows, want 60000 and 10000", train, test)
	}
	// The first digit is a 5, whose middle is a thin stroke.
	var picture strings.Builder
	for i := range pixels {
		if i/side == 14 {
			picture.WriteByte(".#"[int(d.train.At(0, i))])
		}
	}
	if got, want := picture.String(), "..............###..........."; got != want {
		t.Errorf("line 14 of the first training row is %s, want %s", got, want)
	}
}
