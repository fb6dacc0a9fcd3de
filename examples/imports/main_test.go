package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"gonum.org/v1/gonum/mat"
)

// tree writes Go files in folders: file i of folder k imports the packages p(k%4), …, p(k%4+5)
// but for one.
func tree(t *testing.T, folders, files int) string {
	t.Helper()
	root := t.TempDir()
	for k := range folders {
		dir := filepath.Join(root, fmt.Sprintf("d%d", k))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range files {
			src := "package x\n"
			for j := range 6 {
				if j != i%6 {
					src += fmt.Sprintf("import %q\n", fmt.Sprintf("p%d", k%4+j))
				}
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.go", i)), []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestRead(t *testing.T) {
	root := tree(t, 20, 6)
	testdata := filepath.Join(root, "testdata")
	if err := os.Mkdir(testdata, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(testdata, "wrong.go"), []byte("not Go"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"}; !slices.Equal(tab.items, want) || len(tab.files) != 120 {
		t.Fatalf("items are %v of %d files, want %v of 120", tab.items, len(tab.files), want)
	}
	if f := tab.files[0]; f.path != "d0/f0.go" || !slices.Equal(f.imports, []int{1, 2, 3, 4, 5}) {
		t.Errorf("the first file is %v", f)
	}
	train, valid, test := tab.split(1)
	if len(train)+len(valid)+len(test) != 120 || len(train) < len(valid) || len(train) < len(test) {
		t.Errorf("%d, %d and %d files, want 120 in all, most of them to train on", len(train), len(valid), len(test))
	}
	of := map[string]int{}
	for part, files := range [][]file{train, valid, test} {
		for _, f := range files {
			dir := filepath.Dir(f.path)
			if before, ok := of[dir]; ok && before != part {
				t.Errorf("%s is in two parts", dir)
			}
			of[dir] = part
		}
	}
	if err := os.WriteFile(filepath.Join(root, "wrong.go"), []byte("not Go"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(root); err == nil || !strings.Contains(err.Error(), "wrong.go") {
		t.Errorf("the error is %v, want it to name wrong.go", err)
	}
	if _, err := read(t.TempDir()); err == nil {
		t.Error("a folder without files was read")
	}
}

func bitsOf(t *testing.T, r, c int, values ...float64) *rbm.Bits {
	t.Helper()
	b, err := rbm.BitsOf(mat.NewDense(r, c, values))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestScores(t *testing.T) {
	train := bitsOf(t, 4, 3, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1)
	input := bitsOf(t, 2, 3, 1, 0, 0, 0, 1, 1)
	if got, want := popularity(train, input), mat.NewDense(2, 3, []float64{2, 3, 2, 2, 3, 2}); !mat.Equal(got, want) {
		t.Errorf("popularities are %v, want %v", mat.Formatted(got), mat.Formatted(want))
	}
	c01, c02, c12 := 2/math.Sqrt(6), 0.5, 1/math.Sqrt(6)
	want := mat.NewDense(2, 3, []float64{1, c01, c02, c01 + c02, 1 + c12, c12 + 1})
	if got := cosine(train, input); !mat.EqualApprox(got, want, 1e-15) {
		t.Errorf("cosines are %v, want %v", mat.Formatted(got), mat.Formatted(want))
	}
}

// The items of the input are no answers, and those that tie count half.
func TestRanks(t *testing.T) {
	q := question{bitsOf(t, 2, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1), []int{2, 0}}
	ranks := q.ranks(mat.NewDense(2, 5, []float64{9, 3, 2, 1, 2, 1, 5, 4, 3, 2}))
	if !slices.Equal(ranks, []float64{1.5, 3}) {
		t.Errorf("ranks are %v, want 1.5 and 3", ranks)
	}
	for k, want := range []float64{0, 0, 0.5, 0.5, 1} {
		if got := recall(ranks, k); got != want {
			t.Errorf("recall in %d is %v, want %v", k, got, want)
		}
	}
}

func TestAskAndSpoil(t *testing.T) {
	tab, err := read(tree(t, 20, 6))
	if err != nil {
		t.Fatal(err)
	}
	q := tab.ask(tab.files, rand.New(rand.NewPCG(1, 1)))
	for r, f := range tab.files {
		if !slices.Contains(f.imports, q.hidden[r]) || q.input.Bit(r, q.hidden[r]) || len(onesOf(q.input, r)) != len(f.imports)-1 {
			t.Fatalf("file %d of %v hides %d, and shows %v", r, f.imports, q.hidden[r], onesOf(q.input, r))
		}
	}
	for r, f := range tab.spoil(tab.files, counts(tab.bits(tab.files)), rand.New(rand.NewPCG(1, 1))) {
		var others int
		for _, i := range f.imports {
			if !slices.Contains(tab.files[r].imports, i) {
				others++
			}
		}
		if others != 1 || len(f.imports) != len(tab.files[r].imports) {
			t.Fatalf("file %d of %v is spoiled to %v, want one other", r, tab.files[r].imports, f.imports)
		}
	}
}

// The area is the share of pairs in order, half of those that tie.
func TestArea(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 0))
	x, y := make([]float64, 30), make([]float64, 20)
	for i := range x {
		x[i] = float64(rnd.IntN(8))
	}
	for i := range y {
		y[i] = float64(rnd.IntN(8) + 2)
	}
	var want float64
	for _, x := range x {
		for _, y := range y {
			switch {
			case y > x:
				want += 1. / 600
			case y == x:
				want += 0.5 / 600
			}
		}
	}
	if got := area(x, y); math.Abs(got-want) > 1e-12 {
		t.Errorf("the area is %v, want %v", got, want)
	}
}

func TestRun(t *testing.T) {
	o := options{root: tree(t, 40, 6), hidden: 4, epochs: 60, seed: 1, out: filepath.Join(t.TempDir(), "imports.png")}
	var first, second bytes.Buffer
	if err := run(o, &first); err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile(o.out)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(picture)); err != nil || img.Bounds().Empty() {
		t.Errorf("the picture does not decode: %v", err)
	}
	if err := run(o, &second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("two runs with the same seed print\n%s\nand\n%s", &first, &second)
	}
	// A package that is too far from the others stands out, but not by its count.
	var model, counts float64
	for line := range strings.Lines(first.String()) {
		if rest, ok := strings.CutPrefix(line, "RBM, least likely import"); ok {
			fmt.Sscan(rest, &model)
		}
		if rest, ok := strings.CutPrefix(line, "independent packages"); ok {
			fmt.Sscan(rest, &counts)
		}
	}
	if model < counts+0.1 {
		t.Errorf("the area of the model is %v, of counts alone %v; want 0.1 more:\n%s", model, counts, &first)
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{"", "-hidden 1 -epochs 1 -seed 7 -out x.png -root ."},
		[]string{"-hidden 0", "-epochs 0", "-seed -1", "-out x.jpg", "-unknown", "x.png"})
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-hidden") {
		t.Errorf("parse(-help) = %v with %q", err, help.String())
	}
}
