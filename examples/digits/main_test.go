package main

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"gonum.org/v1/gonum/mat"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

func TestLoad(t *testing.T) {
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if n, nv := d.bits.Dims(); n != 1797 || nv != 64 || len(d.labels) != n {
		t.Fatalf("load gave %d×%d bits and %d labels, want 1797×64 and 1797", n, nv, len(d.labels))
	}
	var count [10]int
	for r, label := range d.labels {
		if label < 0 || label > 9 {
			t.Fatalf("label %d is %d, want 0 to 9", r, label)
		}
		count[label]++
	}
	for label, n := range count {
		if n < 170 || n > 190 {
			t.Errorf("%d digits show a %d, want about 180", n, label)
		}
	}
	// The first digit begins 0,0,5,13,9,1,0,0.
	for i, want := range []bool{false, false, true, true, true, false, false, false} {
		if d.bits.Bit(0, i) != want {
			t.Errorf("bit %d of the first digit is %t, want %t", i, !want, want)
		}
	}
}

func TestSplit(t *testing.T) {
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	train, held := d.split()
	again, _ := d.split()
	if len(train.labels) != 1500 || len(held.labels) != 297 {
		t.Errorf("split gave %d and %d digits, want 1500 and 297", len(train.labels), len(held.labels))
	}
	if !mat.Equal(train.bits, again.bits) {
		t.Error("split is not the same twice")
	}
	var sum, parts [10]int
	for _, label := range d.labels {
		sum[label]++
	}
	for _, label := range append(train.labels, held.labels...) {
		parts[label]++
	}
	if sum != parts {
		t.Errorf("the labels of both parts are %v, want %v", parts, sum)
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{
			"",
			"-hidden 1 -epochs 1 -rate 0.5 -sampler cd -k 3 -seed 7 -out x.png",
			"-hidden 10000 -rate 10",
		},
		[]string{
			"-hidden 0", "-hidden -1", "-hidden 10001", "-hidden x",
			"-epochs 0", "-rate 0", "-rate -1", "-rate NaN", "-rate Inf", "-rate 11",
			"-sampler gibbs", "-sampler PCD", "-k 0", "-seed -1", "-out=", "-out x.jpg", "-out png", "-unknown", "digits.png",
		})
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"-hidden", "-epochs", "-rate", "-sampler", "-k", "-seed", "-out", "never overwritten"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help does not mention %q", want)
		}
	}
}

func TestExitCode(t *testing.T) {
	foreign := filepath.Join(t.TempDir(), "notes.png")
	if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
	}{
		{[]string{"-help"}, 0},
		{[]string{"-k", "0"}, 2},
		{[]string{"-out", foreign}, 1},
		{[]string{"-out", "notes.jpg"}, 2},
	}
	for _, test := range tests {
		clitest.CheckExit(t, test.code, test.args...)
	}
}

func TestRun(t *testing.T) {
	samplers := []string{"pcd", "cd"}
	if testing.Short() {
		samplers = samplers[:1]
	}
	for _, sampler := range samplers {
		out := filepath.Join(t.TempDir(), "digits.png")
		o := options{hidden: 8, epochs: 2, rate: 0.1, sampler: sampler, k: 1, out: out}
		var first, second bytes.Buffer
		if err := run(o, &first); err != nil {
			t.Fatal(err)
		}
		picture := readFile(t, out)
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := img.Bounds(), image.Rect(0, 0, pictureWidth, pictureHeight); got != want {
			t.Errorf("the picture is %v, want %v", got, want)
		}
		// A second run replaces the first picture, by the same one.
		if err := run(o, &second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(picture, readFile(t, out)) {
			t.Error("two runs with the same seed gave different pictures")
		}
	}
}

func TestFit(t *testing.T) {
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	train, held := d.split()
	src := rand.NewPCG(1, 0)
	m := rbm.NewRandom(pixels, 32, 0.01, src)
	m.FitVisibleBias(train.bits)
	before := mean(m.PseudoLogLikelihood(nil, held.bits))
	fit(m, train.bits, held.bits, options{hidden: 32, epochs: 4, rate: 0.1, sampler: "pcd", k: 1}, src, io.Discard)
	after := mean(m.PseudoLogLikelihood(nil, held.bits))
	if after < before+3 {
		t.Errorf("4 epochs took the pseudo-log-likelihood of held-out digits from %.2f to %.2f, want 3 nats more", before, after)
	}
}

// Independent chains, of a model without weights, have an autocorrelation time of one draw or so
// and R̂ of 1. Chains that stay in one of two patterns have not.
func TestMixing(t *testing.T) {
	m := rbm.New(pixels, 2)
	c := rbm.NewChains(rand.NewPCG(1, 1))
	c.StartRandom(m, 20)
	if tau, rhat := mixing(m, c); tau > 1.2*thin || tau < 0.8*thin || rhat > 1.01 {
		t.Errorf("independent draws have the autocorrelation time %.1f and R̂ %.3f, want about %d and 1", tau, rhat, thin)
	}
	for i := range pixels {
		m.W.Set(0, i, 4)
		m.B.SetVec(i, -2)
	}
	m.C.SetVec(0, -2*pixels)
	c.StartRandom(m, 20)
	for i := range pixels {
		c.Visible().SetBit(0, i, true)
	}
	if tau, rhat := mixing(m, c); tau < 10*thin || rhat < 1.1 {
		t.Errorf("a chain that stays elsewhere gives the autocorrelation time %.1f and R̂ %.3f, want larger ones", tau, rhat)
	}
}

func TestPaint(t *testing.T) {
	data := rbm.NewBits(grid*grid, pixels)
	data.SetBit(0, 1, true)
	w := mat.NewDense(2, pixels, nil)
	for i := range pixels {
		w.Set(0, i, 1)
		w.Set(1, i, -2)
	}
	img := paint(data, data, w)
	x, y := margin+dot/2, margin+heading+dot/2 // the first pixel of the first tile
	filters := 2 * (panel + margin)
	tests := []struct {
		what string
		x, y int
		want color.Color
	}{
		{"margin", 0, 0, paper},
		{"first bit of the data", x, y, light},
		{"second bit of the data", x + dot, y, dark},
		{"second bit of the samples", x + panel + margin + dot, y, dark},
		{"first filter", x + filters, y, blue},
		{"second filter", x + filters + tile + gap, y, mix(white, red, 0.5)},
		{"tile without a filter", x + filters + 2*(tile+gap), y, paper},
	}
	for _, test := range tests {
		if got := img.At(test.x, test.y); got != test.want {
			t.Errorf("%s is %v, want %v", test.what, got, test.want)
		}
	}
}

func TestLetters(t *testing.T) {
	for y, row := range letterRows {
		if got, want := len(row), len(letters)*(letterWidth+1)-1; got != want {
			t.Errorf("row %d of the letters is %d wide, want %d", y, got, want)
		}
	}
	for _, letter := range "DATASAMPLESFILTERS+-" {
		if !strings.ContainsRune(letters, letter) {
			t.Errorf("there is no letter %c", letter)
		}
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
