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

func TestMain(m *testing.M) { clitest.Main(m, main) }

func loaded(t *testing.T) tumors {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (t tumors) count() (benign, malignant int) {
	for _, is := range t.malignant {
		if is {
			malignant++
		} else {
			benign++
		}
	}
	return benign, malignant
}

func TestLoad(t *testing.T) {
	all := loaded(t)
	benign, malignant := all.count()
	if rows, n := all.values.Dims(); rows != 569 || n != 30 || benign != 357 || malignant != 212 {
		t.Errorf("%d×%d values, %d benign and %d malignant, want 569×30, 357 and 212", rows, n, benign, malignant)
	}
	for _, tt := range []struct {
		row, column int
		name        string
		want        float64
	}{
		{0, 0, "mean radius", 17.99}, {0, 29, "worst fractal dimension", 0.1189}, {0, 13, "error of area", 153.4},
		{568, 0, "mean radius", 7.76}, {1, 23, "worst area", 1956},
	} {
		if got := all.values.At(tt.row, tt.column); got != tt.want || measurement(tt.column) != tt.name {
			t.Errorf("tumor %d: %s is %v, want %s of %v", tt.row, measurement(tt.column), got, tt.name, tt.want)
		}
	}
	if !all.malignant[0] || all.malignant[568] || all.number[568] != 568 {
		t.Error("the first tumor is malignant, the last, of number 568, is not")
	}
}

func TestReadErrors(t *testing.T) {
	row := strings.Repeat("1.5,", 30)
	for _, tt := range []struct{ csv, want string }{
		{"", "0 lines"},
		{"569,30\n", "1 lines"},
		{"h\n" + row + "1\n" + row + "\n", "tumor 1: the class is \"\""},
		{"h\n" + row + "2\n", "tumor 0: the class is \"2\""},
		{"h\n" + row + "1,1\n", "tumor 0 has 32 fields, want 31"},
		{"h\n" + row + "1\n" + strings.Replace(row, "1.5,1.5", "1.5,x", 1) + "1\n", "tumor 1: mean texture is \"x\""},
		{"h\n" + strings.Replace(row, "1.5", "NaN", 1) + "1\n", "tumor 0: mean radius is \"NaN\""},
		{"h\n\"", "quote"},
	} {
		if _, err := read(strings.NewReader(tt.csv)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("read(%q) = %v, want %q", tt.csv, err, tt.want)
		}
	}
}

func TestSplit(t *testing.T) {
	all := loaded(t)
	train, held, test, err := all.split(rand.NewPCG(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	numbers := slices.Concat(train.number, held.number, test.number)
	for _, part := range []struct {
		tumors
		wantBenign, wantMalignant int
	}{{train, 200, 0}, {held, 57, 0}, {test, 100, 212}} {
		if b, m := part.count(); b != part.wantBenign || m != part.wantMalignant {
			t.Errorf("%d benign and %d malignant, want %d and %d", b, m, part.wantBenign, part.wantMalignant)
		}
		for i, r := range part.number {
			if !slices.Equal(part.values.RawRowView(i), all.values.RawRowView(r)) || part.malignant[i] != all.malignant[r] {
				t.Errorf("row %d is not tumor %d", i, r)
			}
		}
	}
	if slices.Sort(numbers); !slices.Equal(numbers, all.number) {
		t.Error("some tumors are in no part, or in two")
	}
	again, _, _, _ := all.split(rand.NewPCG(1, 0))
	other, _, _, _ := all.split(rand.NewPCG(2, 0))
	if !slices.Equal(again.number, train.number) || slices.Equal(other.number, train.number) {
		t.Error("the split is not that of the seed")
	}
	if _, _, _, err := train.split(rand.NewPCG(1, 0)); err == nil {
		t.Error("benign tumors alone were split, want an error")
	}
}

func TestCode(t *testing.T) {
	train, held, _, err := loaded(t).split(rand.NewPCG(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := newCode(train.values)
	if c.units() != 210 {
		t.Fatalf("%d units, want 210", c.units())
	}
	for k, p := range shares {
		// Without ties, as many of 200 values are at most a threshold.
		radius := mat.Col(nil, 0, train.values)
		radius = slices.DeleteFunc(radius, func(x float64) bool { return x > c.thresholds.At(0, k) })
		if want := int(math.Round(200 * p)); len(radius) < want || len(radius) > want+3 {
			t.Errorf("%d values of 200 are at most threshold %d, want %d", len(radius), k, want)
		}
	}
	for _, part := range []tumors{train, held} {
		bits := c.encode(part.values)
		for r := range part.number {
			for i := range measurements() {
				for k := range shares {
					x, threshold := part.values.At(r, i), c.thresholds.At(i, k)
					if got := bits.Bit(r, i*len(shares)+k); got != (x > threshold) {
						t.Fatalf("row %d, %s %v, threshold %v: the unit is %t", r, measurement(i), x, threshold, got)
					}
				}
			}
		}
	}
}

// The area is the share of pairs in order, half of those that tie.
func TestROC(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 0))
	for _, n := range []int{2, 10, 101} {
		values, malignant := make([]float64, n), make([]bool, n)
		for r := range values {
			malignant[r] = r%3 == 0
			values[r] = float64(rnd.IntN(8))
			if malignant[r] {
				values[r] += float64(rnd.IntN(4))
			}
		}
		var pairs, ordered float64
		for r, x := range values {
			for s, y := range values {
				if malignant[r] && !malignant[s] {
					pairs++
					switch {
					case x > y:
						ordered++
					case x == y:
						ordered += 0.5
					}
				}
			}
		}
		before := slices.Clone(values)
		c := newROC(values, malignant)
		if got, want := c.area(), ordered/pairs; math.Abs(got-want) > 1e-12 {
			t.Errorf("%d values: the area is %v, want %v", n, got, want)
		}
		if !slices.Equal(values, before) {
			t.Error("newROC sorted its argument")
		}
	}

	c := newROC([]float64{5, 4, 3, 2, 1, 0}, []bool{true, false, true, false, true, false})
	for _, tt := range []struct{ wrong, want float64 }{{0, 1. / 3}, {0.3, 1. / 3}, {0.4, 2. / 3}, {0.7, 1}, {1, 1}} {
		if got := c.at(tt.wrong); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("at %v are found %v, want %v", tt.wrong, got, tt.want)
		}
	}
}

func TestScores(t *testing.T) {
	train, _, test, err := loaded(t).split(rand.NewPCG(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := newCode(train.values)
	m := rbm.NewRandom(c.units(), 5, 1, rand.NewPCG(2, 0))
	s, err := scores(m, c, train, test)
	if err != nil {
		t.Fatal(err)
	}
	bits, ones := c.encode(test.values), c.encode(train.values)
	if got, want := s[0].values[7], m.FreeEnergy(nil, bits.Slice(7, 8))[0]; got != want {
		t.Errorf("the free energy is %v, want %v", got, want)
	}
	// -log p of independent units, but for what is the same for all rows.
	independent := func(r int) (sum float64) {
		for i := range c.units() {
			p := (mat.Sum(mat.DenseCopyOf(ones).ColView(i)) + 0.5) / 201
			if bits.Bit(r, i) {
				sum -= math.Log(p)
			} else {
				sum -= math.Log(1 - p)
			}
		}
		return sum
	}
	if got, want := s[1].values[7]-s[1].values[3], independent(7)-independent(3); math.Abs(got-want) > 1e-9 {
		t.Errorf("without weights the free energies differ by %v, want %v", got, want)
	}

	// Columns without correlation, of variances 1/3 and 4/3: a row 3 and 4 deviations off.
	square := mat.NewDense(4, 2, []float64{0.5, 0, 1.5, 0, 0.5, 2, 1.5, 2})
	scaled := mat.NewDense(1, 2, []float64{1 + 3/math.Sqrt(3), 1 + 4*2/math.Sqrt(3)})
	d, err := mahalanobis(square, scaled)
	if err != nil || math.Abs(d[0]-5) > 1e-12 {
		t.Errorf("the distance is %v, %v, want 5", d, err)
	}
	if _, err := mahalanobis(mat.NewDense(3, 2, nil), scaled); err == nil {
		t.Error("constant measurements have a distance, want an error")
	}
}

func TestExplain(t *testing.T) {
	train, _, test, err := loaded(t).split(rand.NewPCG(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := newCode(train.values)
	m := rbm.NewRandom(c.units(), 5, 1, rand.NewPCG(2, 0))
	bits := c.encode(test.values)
	const r = 11
	got := explain(m, c, bits, r)
	if len(got) != measurements() {
		t.Fatalf("%d reasons, want one for each of %d measurements", len(got), measurements())
	}
	now := m.FreeEnergy(nil, bits.Slice(r, r+1))[0]
	for k, x := range got {
		if k > 0 && x.nats > got[k-1].nats {
			t.Errorf("reason %d of %v nats stands behind one of %v", k, x.nats, got[k-1].nats)
		}
		least := math.Inf(1)
		for level := range len(shares) + 1 {
			value := test.pick([]int{r})
			thresholds := c.thresholds.RawRowView(x.measurement)
			if level == 0 {
				value.values.Set(0, x.measurement, thresholds[0]-1)
			} else {
				value.values.Set(0, x.measurement, math.Nextafter(thresholds[level-1], math.Inf(1)))
			}
			least = min(least, m.FreeEnergy(nil, c.encode(value.values))[0])
		}
		if math.Abs(x.nats-(now-least)) > 1e-9 {
			t.Errorf("%s adds %v nats, want %v", measurement(x.measurement), x.nats, now-least)
		}
	}
}

// A model trained on benign tumors finds the malignant ones.
func TestFit(t *testing.T) {
	src := rand.NewPCG(1, 0)
	train, held, test, err := loaded(t).split(src)
	if err != nil {
		t.Fatal(err)
	}
	c := newCode(train.values)
	var out bytes.Buffer
	m, err := fit(c, train, held, options{hidden: 32, epochs: 50}, src, &out)
	if err != nil {
		t.Fatal(err)
	}
	plain := rbm.New(c.units(), 1)
	plain.FitVisibleBias(c.encode(train.values))
	bits := c.encode(held.values)
	if before, after := mean(plain, bits), mean(m, bits); after < before+15 {
		t.Errorf("training took the pseudo-log-likelihood from %.1f to %.1f, want 15 nats more", before, after)
	}
	s, err := scores(m, c, train, test)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range s {
		if area := newROC(s.values, test.malignant).area(); area < 0.85 || area > 0.99 {
			t.Errorf("%s: the area under the curve is %.3f, want 0.85 to 0.99", s.name, area)
		}
	}
}

func mean(m *rbm.RBM, rows *rbm.Bits) (sum float64) {
	n, _ := rows.Dims()
	for _, x := range m.PseudoLogLikelihood(nil, rows) {
		sum += x / float64(n)
	}
	return sum
}

// The model is the best one by the tumors held out, whether these end training or not.
func TestFitStops(t *testing.T) {
	train, held, _, err := loaded(t).split(rand.NewPCG(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	train = train.pick([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	c := newCode(train.values)
	fitted := func(epochs int) (m *rbm.RBM, best, of int) {
		var out strings.Builder
		m, err := fit(c, train, held, options{hidden: 32, epochs: epochs}, rand.NewPCG(2, 0), &out)
		if err != nil {
			t.Fatal(err)
		}
		_, last, _ := strings.Cut(out.String(), "\n\nthe model")
		if _, err := fmt.Sscanf(last, " is that of epoch %d, the best of %d", &best, &of); err != nil {
			t.Fatalf("%v:\n%s", err, out.String())
		}
		return m, best, of
	}
	want, best, of := fitted(3000)
	if of == 3000 || of != best+patience*every {
		t.Errorf("the best epoch is %d of %d, want an end %d after it", best, of, patience*every)
	}
	got, _, of := fitted(best + every)
	if of != best+every || !mat.Equal(got.W, want.W) {
		t.Errorf("of %d epochs the model is not that of epoch %d", of, best)
	}
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "anomaly.png")
	o := options{hidden: 8, epochs: 2, seed: 1, out: out}
	var first, second bytes.Buffer
	if err := run(o, &first); err != nil {
		t.Fatal(err)
	}
	picture := readFile(t, out)
	if img, err := png.Decode(bytes.NewReader(picture)); err != nil || img.Bounds().Empty() {
		t.Errorf("the picture does not decode: %v", err)
	}
	// A second run replaces the first picture, by the same one.
	if err := run(o, &second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(picture, readFile(t, out)) || first.String() != second.String() {
		t.Error("two runs with the same seed differ")
	}
	var f []float64
	for line := range strings.Lines(first.String()) {
		if rest, ok := strings.CutPrefix(line, "F = "); ok {
			var x float64
			if _, err := fmt.Sscan(rest, &x); err != nil {
				t.Fatal(err)
			}
			f = append(f, -x)
		}
	}
	if len(f) != most+least || !slices.IsSorted(f) || f[0] == f[len(f)-1] {
		t.Errorf("free energies are %v, want %d that fall", f, most+least)
	}
	for _, want := range []string{"100 other benign tumors, 212 malignant ones", "Mahalanobis distance", "most anomalous", "least anomalous", "best of 2"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("no %q is printed:\n%s", want, first.String())
		}
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{"", "-hidden 1 -epochs 1 -seed 7 -out x.png", "-hidden 10000"},
		[]string{"-hidden 0", "-hidden 10001", "-hidden x", "-epochs 0", "-seed -1", "-out=", "-out x.jpg", "-out png", "-unknown", "x.png"})
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"-hidden", "-epochs", "-seed", "-out", "never overwritten"} {
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
	for _, test := range []struct {
		args []string
		code int
	}{
		{[]string{"-help"}, 0},
		{[]string{"-epochs", "0"}, 2},
		{[]string{"-out", foreign}, 1},
		{[]string{"-out", "notes.jpg"}, 2},
	} {
		clitest.CheckExit(t, test.code, test.args...)
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
