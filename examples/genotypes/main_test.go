package main

import (
	"bytes"
	"errors"
	"flag"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
)

func randomBits(n, sites int, rnd *rand.Rand) *rbm.Bits {
	b := rbm.NewBits(n, sites)
	for r := range n {
		for i := range sites {
			b.SetBit(r, i, rnd.IntN(2) == 1)
		}
	}
	return b
}

// A crossing takes the sites from one on from the other parent, at the border of a word too.
func TestCross(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, site := range []int{0, 1, 63, 64, 65, 128, 149} {
		b := randomBits(2, 150, rnd)
		was := b.Gather(nil, []int{0, 1})
		cross(b.RawRow(0), b.RawRow(1), site)
		for i := range 150 {
			want := was.Bit(0, i)
			if i >= site {
				want = was.Bit(1, i)
			}
			if b.Bit(0, i) != want || b.Bit(1, i) != was.Bit(1, i) {
				t.Fatalf("crossing at %d: site %d is %t, want %t", site, i, b.Bit(0, i), want)
			}
		}
	}
}

// Drift takes the heterozygosity away at the rate 1/n of a population without migrants, and
// demes without migrants drift apart.
func TestEvolve(t *testing.T) {
	heterozygosity := func(b *rbm.Bits) (sum float64) {
		for _, x := range frequencies(b) {
			sum += 2 * x * (1 - x)
		}
		return sum
	}
	p := population{sites: 2000, demes: 1, size: 50, crossovers: 20}
	var start, end float64
	for seed := range uint64(10) {
		start += heterozygosity(p.evolve(0, rand.New(rand.NewPCG(seed, 1))))
		end += heterozygosity(p.evolve(25, rand.New(rand.NewPCG(seed, 1))))
	}
	if got, want := end/start, math.Pow(1-1./50, 25); math.Abs(got-want) > 0.05 {
		t.Errorf("after 25 generations of 50 the heterozygosity is %.3f of the first, want %.3f", got, want)
	}
	p = population{sites: 2000, demes: 2, size: 20, crossovers: 20}
	apart := func(b *rbm.Bits) (sum float64) {
		x, y := frequencies(b.Slice(0, 20)), frequencies(b.Slice(20, 40))
		for i := range x {
			sum += math.Abs(x[i] - y[i])
		}
		return sum
	}
	if first, last := apart(p.evolve(0, rand.New(rand.NewPCG(1, 1)))), apart(p.evolve(40, rand.New(rand.NewPCG(1, 1)))); last < 1.5*first {
		t.Errorf("demes are %v apart after 40 generations, %v at first; want more", last, first)
	}
}

func TestLinkage(t *testing.T) {
	// Sites 0 and 1 are equal, and so are 2 and 3; pairs apart are independent; site 4 is constant.
	b := rbm.NewBits(4, 5)
	for r := range 4 {
		b.SetBit(r, 0, r < 2)
		b.SetBit(r, 1, r < 2)
		b.SetBit(r, 2, r%2 == 0)
		b.SetBit(r, 3, r%2 == 0)
	}
	got := linkage(b, 3)
	for d, want := range []float64{2. / 3, 0, 0} {
		if math.Abs(got[d]-want) > 1e-12 {
			t.Errorf("linkage at %d is %v, want %v", d+1, got[d], want)
		}
	}
	rnd := rand.New(rand.NewPCG(2, 1))
	shuffled := independentRows(b, rnd)
	for i, x := range frequencies(shuffled) {
		if want := frequencies(b)[i]; x != want {
			t.Errorf("site %d has frequency %v after shuffling, want %v", i, x, want)
		}
	}
}

func TestRun(t *testing.T) {
	o := options{sites: 120, size: 100, generations: 20, hidden: 20, epochs: 20, seed: 1, out: filepath.Join(t.TempDir(), "genotypes.png")}
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
	for _, want := range []string{"120 sites; 120 haplotypes to train on, 40 to choose the model by, 40 for the test", "samples of the RBM", "independent sites"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("no %q is printed:\n%s", want, &first)
		}
	}
	o.generations = 5000
	if err := run(o, io.Discard); err == nil || !strings.Contains(err.Error(), "fewer than 120 sites") {
		t.Errorf("the error is %v, want one of too few sites", err)
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{"", "-sites 2 -size 50 -generations 0 -hidden 1 -epochs 1 -seed 7 -out x.png"},
		[]string{"-sites 1", "-size 49", "-generations -1", "-hidden 0", "-epochs 0", "-seed -1", "-out x.jpg", "-unknown", "x.png"})
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-sites") {
		t.Errorf("parse(-help) = %v with %q", err, help.String())
	}
}
