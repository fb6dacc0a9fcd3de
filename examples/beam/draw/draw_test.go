package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"gonum.org/v1/gonum/mat"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// drawn returns the rows that are written with some arguments, and their folder.
func drawn(t *testing.T, columns int, args string) (v *rbm.Bits, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	o, err := parse(append(strings.Fields(args), "-out", dir), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(o, &out); err != nil {
		t.Fatal(err)
	}
	v, err = rows.Load(context.Background(), dir+"/rows-*", columns)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := v.Dims()
	if want := fmt.Sprintf("%d rows: %s/rows-*\n", n, dir); out.String() != want {
		t.Errorf("it printed %q, want %q", out.String(), want)
	}
	return v, dir
}

// Rows follow the model that is written beside them.
func TestSamples(t *testing.T) {
	const n, nv = 20000, 8
	v, dir := drawn(t, nv, fmt.Sprintf("-rows %d -files 3 -columns %d -hidden 4", n, nv))
	f, err := os.Open(filepath.Join(dir, modelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var m rbm.RBM
	if _, err := m.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	if r, _ := v.Dims(); r != n {
		t.Fatalf("%d rows, want %d", r, n)
	}
	all := rbm.NewBits(1<<nv, nv)
	for x := range 1 << nv {
		for i := range nv {
			all.SetBit(x, i, x>>i&1 == 1)
		}
	}
	energy := m.FreeEnergy(nil, all)
	z := 0.0
	for _, e := range energy {
		z += math.Exp(-e)
	}
	counts := make([]float64, 1<<nv)
	for r := range n {
		counts[v.RawRow(r)[0]]++
	}
	chi2 := 0.0
	for x, e := range energy {
		want := n * math.Exp(-e) / z
		chi2 += (counts[x] - want) * (counts[x] - want) / want
	}
	// Of mean 255 and variance 510; rows of a chain that are 10 sweeps apart still depend a little on each other.
	if math.Abs(chi2-255) > 5*math.Sqrt(2*255)+25 {
		t.Errorf("χ² is %.0f of 255 degrees of freedom", chi2)
	}
}

// Rows depend on the seed and the number of files, and not on the format.
func TestFormats(t *testing.T) {
	const args = "-rows 2503 -columns 70 -hidden 5 -files 4 "
	v, dir := drawn(t, 70, args+"-format text")
	for _, test := range []struct {
		args string
		same bool
	}{{"-format text", true}, {"-format bits", true}, {"-format bits -seed 2", false}} {
		w, other := drawn(t, 70, args+test.args)
		if mat.Equal(v, w) != test.same {
			t.Errorf("%s: the same rows: %t, want %t", test.args, !test.same, test.same)
		}
		m, err := os.ReadFile(filepath.Join(dir, modelFile))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(other, modelFile)); err != nil || bytes.Equal(got, m) != test.same {
			t.Errorf("%s: the same model: %t, want %t", test.args, !test.same, test.same)
		}
		if paths, err := filepath.Glob(other + "/rows-0000?-of-00004.*"); err != nil || len(paths) != 4 {
			t.Errorf("files %q, %v", paths, err)
		}
	}
}

func TestImages(t *testing.T) {
	data := idxtest.WriteData(t, 30, 20)
	train, test, err := idx.Images(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		want *rbm.Bits
	}{
		{"-mnist train", train.Images},
		{"-mnist test -format bits", test.Images},
		{"-mnist train -rows 17 -files 1", train.Images.Slice(0, 17)},
	} {
		v, dir := drawn(t, idx.Pixels, tt.args+" -data "+data)
		if !mat.Equal(v, tt.want) {
			t.Errorf("%s: other rows", tt.args)
		}
		if _, err := os.Stat(filepath.Join(dir, modelFile)); err == nil {
			t.Errorf("%s: there is a model", tt.args)
		}
	}
	for args, want := range map[string]string{
		"-mnist train -rows 31":   "-rows is 31, want 8, one a file, to 30",
		"-mnist test -groups 0:3": `-groups is "0:3", want none with -mnist`,
		"-mnist test -files 21":   "-rows is 20, want 21, one a file, to 20",
	} {
		o, err := parse(append(strings.Fields(args), "-data", data, "-out", t.TempDir()), io.Discard)
		if err == nil {
			err = run(o, io.Discard)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", args, err, want)
		}
	}
}

// Files of two runs are never taken for those of one.
func TestOtherRows(t *testing.T) {
	_, dir := drawn(t, 3, "-rows 8 -columns 3 -hidden 2")
	for args, want := range map[string]string{
		"-rows 9":              "",
		"-rows 8 -files 7":     "rows-00000-of-00008.txt; want another folder",
		"-rows 8 -format bits": "rows-00000-of-00008.txt; want another folder",
	} {
		o, err := parse(append(strings.Fields(args), "-columns", "3", "-hidden", "2", "-out", dir), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(o, io.Discard); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", args, err, want)
		}
	}
}

// The folder of another program stays as it is.
func TestForeignFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "checkpoint")
	if err := os.WriteFile(path, []byte("made by github.com/gorbm/rbm/examples/mnist\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-out", dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(o, io.Discard); err == nil || !strings.Contains(err.Error(), "-out: "+path+" was made by examples/mnist") {
		t.Errorf("error %v, want one that says whose %s is", err, dir)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error {
		_, err := parse(args, io.Discard)
		return err
	}, []string{"", "-rows 8", "-rows 1 -files 1", "-mnist train", "-mnist test -rows 8", "-format bits", "-columns 1 -hidden 1", "-columns 8 -groups 0:3,3:8"},
		[]string{"-out=", "-rows 7", "-rows -1", "-files 0", "-files 100000", "-format csv", "-columns 0", "-columns 100001", "-hidden 0",
			"-hidden 100001", "-mnist both", "-groups 3", "-groups 60:65", "-nonsense"})
	clitest.CheckExit(t, 2, "-rows=7")
	clitest.CheckExit(t, 0, "-help")
}

// Samples of a model with groups have one unit of each on.
func TestGroups(t *testing.T) {
	v, dir := drawn(t, 80, "-rows 1003 -columns 80 -hidden 4 -groups 0:3,3:8,60:70")
	f, err := os.Open(filepath.Join(dir, modelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var m rbm.RBM
	if _, err := m.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	if want := []rbm.Group{{From: 0, To: 3}, {From: 3, To: 8}, {From: 60, To: 70}}; !slices.Equal(m.OneHot, want) {
		t.Errorf("the model has the groups %v, want %v", m.OneHot, want)
	}
	if err := m.CheckRows(v); err != nil {
		t.Error(err)
	}
}
