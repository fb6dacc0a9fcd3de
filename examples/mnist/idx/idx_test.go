package idx_test

import (
	"bytes"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"gonum.org/v1/gonum/mat"
)

const imageHeader, labelHeader = 16, 8

// writeSet writes the given files of training images and labels, and good ones of
// test images and labels.
func writeSet(t *testing.T, imageName string, images []byte, labelName string, labels []byte) (dir string) {
	dir = idxtest.WriteData(t, 1, 2)
	if err := os.Remove(filepath.Join(dir, idx.TrainImages+".gz")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, idx.TrainLabels)); err != nil {
		t.Fatal(err)
	}
	idxtest.WriteFile(t, filepath.Join(dir, imageName), images)
	idxtest.WriteFile(t, filepath.Join(dir, labelName), labels)
	return dir
}

func TestLabeled(t *testing.T) {
	const n = 7
	images, labels := idxtest.Images(n, 1)
	gray := images[imageHeader:]
	gray[0], gray[1], gray[idx.Pixels-1], gray[len(gray)-1] = idx.Threshold, idx.Threshold+1, 255, 255
	labels[labelHeader], labels[labelHeader+1] = 0, 9
	for _, test := range []struct {
		suffix         string
		images, labels []byte
	}{
		{"", images, labels},
		{".gz", idxtest.Compress(images), idxtest.Compress(labels)},
		{"", idxtest.Compress(images), idxtest.Compress(labels)}, // misnamed
		{".gz", images, labels},
	} {
		dir := writeSet(t, idx.TrainImages+test.suffix, test.images, idx.TrainLabels+test.suffix, test.labels)
		train, other, err := idx.Labeled(dir)
		if err != nil {
			t.Errorf("suffix %q: %v", test.suffix, err)
			continue
		}
		if r, c := train.Images.Dims(); r != n || c != idx.Pixels {
			t.Fatalf("suffix %q: %d×%d bits, want %d×%d", test.suffix, r, c, n, idx.Pixels)
		}
		for i, level := range gray {
			if got, want := train.Images.Bit(i/idx.Pixels, i%idx.Pixels), level > 127; got != want {
				t.Fatalf("pixel %d of row %d is %t, want %t as its level is %d", i%idx.Pixels, i/idx.Pixels, got, want, level)
			}
		}
		want := make([]int, n)
		for r := range want {
			want[r] = int(labels[labelHeader+r])
		}
		if !slices.Equal(train.Labels, want) {
			t.Errorf("the labels are %v, want %v", train.Labels, want)
		}
		if train.CRC != crc32.ChecksumIEEE(gray) {
			t.Error("the checksum is not that of the gray levels")
		}
		if r, _ := other.Images.Dims(); r != 2 || len(other.Labels) != 2 {
			t.Errorf("%d test images and %d labels, want 2 and 2", r, len(other.Labels))
		}
	}
}

// Images needs no files of labels.
func TestImages(t *testing.T) {
	dir := idxtest.WriteData(t, 5, 3)
	wantTrain, wantTest, err := idx.Labeled(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{idx.TestLabels + ".gz", idx.TrainLabels} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := idx.Labeled(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, strings.TrimSuffix(name, ".gz"))) {
			t.Errorf("without labels the error is %v, want it to name %s", err, name)
		}
	}
	train, test, err := idx.Images(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(train.Images, wantTrain.Images) || !mat.Equal(test.Images, wantTest.Images) || train.CRC != wantTrain.CRC || test.CRC != wantTest.CRC {
		t.Error("Images and Labeled have different images")
	}
	if train.Labels != nil || test.Labels != nil {
		t.Error("Images has labels, want none")
	}
	if _, _, err := idx.Images(t.TempDir()); err == nil || !strings.Contains(err.Error(), "neither this file nor") {
		t.Errorf("of an empty folder the error is %v", err)
	}
}

func TestErrors(t *testing.T) {
	const n = 3
	images, labels := idxtest.Images(n, 1)
	with := func(b []byte, i int, x ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[i:], x)
		return b
	}
	packed := idxtest.Compress(images)
	badSum := bytes.Clone(packed)
	badSum[len(badSum)-8] ^= 1

	type cases []struct {
		what    string
		content []byte
		want    string
	}
	check := func(name string, tests cases, write func(content []byte) (dir string)) {
		for _, test := range tests {
			dir := write(test.content)
			path := filepath.Join(dir, name)
			_, _, err := idx.Labeled(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s, %s: error %v, want it to name the file and say %q", name, test.what, err, test.want)
			}
		}
	}
	check(idx.TrainImages, cases{
		{"empty", nil, "ends after 0 bytes"},
		{"half a header", images[:10], "ends after 10 bytes, want a header of 16"},
		{"labels", labels, "holds labels, want images"},
		{"compressed labels", idxtest.Compress(labels), "holds labels, want images"},
		{"text", []byte("0,0,5,13,9,1,0,0\n"), "begins with 30 2c 30 2c, want 00 00 08 03"},
		{"other type", with(images, 2, 0x0d), "begins with 00 00 0d 03"},
		{"other dimensions", with(images, 3, 2), "begins with 00 00 08 02"},
		{"taller", with(images, 11, 32), "images have 32×28 pixels, want 28×28"},
		{"wider", with(images, 15, 32), "images have 28×32 pixels, want 28×28"},
		{"pixels without end", with(images, 8, 0xff, 0xff, 0xff, 0xff), "images have 4294967295×28 pixels"},
		{"no images", with(images, 7, 0), "holds 0 images"},
		{"truncated", images[:len(images)-10], "ends in row 2 of the 3 that its header says, at pixel 774 of 784"},
		{"whole rows missing", images[:imageHeader+idx.Pixels], "ends in row 1 of the 3 that its header says, at pixel 0"},
		{"images without end", with(images, 4, 0xff, 0xff, 0xff, 0xff), "ends in row 3 of the 4294967295"},
		{"trailing byte", append(bytes.Clone(images), 0), "goes on after the 3 rows"},
		{"wrong checksum", badSum, "checksum"},
		{"truncated gzip", packed[:len(packed)/2], "unexpected EOF"},
		{"truncated gzip header", packed[:4], "unexpected EOF"},
		{"trailing byte after gzip", append(bytes.Clone(packed), 1), "EOF"},
	}, func(content []byte) string { return writeSet(t, idx.TrainImages, content, idx.TrainLabels, labels) })
	check(idx.TrainLabels, cases{
		{"empty", nil, "ends after 0 bytes"},
		{"half a header", labels[:6], "ends after 6 bytes, want a header of 8"},
		{"images", images, "holds images, want labels"},
		{"text", []byte("5,0,4,1,9,2,1,3\n"), "begins with 35 2c 30 2c, want 00 00 08 01: not an idx file of labels"},
		{"fewer labels", with(labels[:labelHeader+2], 7, 2), "holds 2 labels, want 3, one for each image"},
		{"more labels", with(append(bytes.Clone(labels), 1), 7, 4), "holds 4 labels, want 3"},
		{"truncated", labels[:len(labels)-1], "ends before row 2 of the 3 that its header says"},
		{"trailing byte", append(bytes.Clone(labels), 0), "goes on after the 3 rows"},
		{"no digit", with(labels, labelHeader+1, 10), "the label of row 1 is 10, want 0 to 9"},
	}, func(content []byte) string { return writeSet(t, idx.TrainImages, images, idx.TrainLabels, content) })
}

// The data of the module are there, and are what is expected.
func TestModuleData(t *testing.T) {
	train, test, err := idx.Labeled("")
	if err != nil {
		t.Fatal(err)
	}
	ntrain, _ := train.Images.Dims()
	ntest, _ := test.Images.Dims()
	if ntrain != 60000 || ntest != 10000 {
		t.Fatalf("%d training and %d test rows, want 60000 and 10000", ntrain, ntest)
	}
	if got, want := train.Labels[:5], []int{5, 0, 4, 1, 9}; !slices.Equal(got, want) {
		t.Errorf("the first training labels are %v, want %v", got, want)
	}
	if got, want := test.Labels[:5], []int{7, 2, 1, 0, 4}; !slices.Equal(got, want) {
		t.Errorf("the first test labels are %v, want %v", got, want)
	}
	// The first digit is a 5, whose middle is a thin stroke.
	var picture strings.Builder
	for i := range idx.Pixels {
		if i/idx.Side == 14 {
			picture.WriteByte(".#"[int(train.Images.At(0, i))])
		}
	}
	if got, want := picture.String(), "..............###..........."; got != want {
		t.Errorf("line 14 of the first training row is %s, want %s", got, want)
	}
}
