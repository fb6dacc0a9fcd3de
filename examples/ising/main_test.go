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

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/spin"
	"gonum.org/v1/gonum/mat"
)

// enumerate returns log Z and the exact means per spin.
func (l lattice) enumerate() (logZ, energy, magnetization float64) {
	n := l.spins()
	var z float64
	for x := range 1 << n {
		at := func(i int) int { return 2*(x>>i&1) - 1 }
		bonds, sum := 0, 0
		for i := range n {
			row, column := i/l.side, i%l.side
			bonds += at(i) * (at(row*l.side+(column+1)%l.side) + at((row+1)%l.side*l.side+column))
			sum += at(i)
		}
		p := math.Exp(l.beta * float64(bonds))
		z += p
		energy -= p * float64(bonds)
		magnetization += p * math.Abs(float64(sum))
	}
	return math.Log(z), energy / z / float64(n), magnetization / z / float64(n)
}

func TestKaufman(t *testing.T) {
	for _, side := range []int{3, 4} {
		for _, temperature := range []float64{1, 2, 2.27, 3, 10} {
			l := lattice{side, 1 / temperature}
			logZ, energy, _ := l.enumerate()
			if got := l.logPartition(); math.Abs(got-logZ) > 1e-11 {
				t.Errorf("%d×%d, T = %v: log Z = %v, want %v", side, side, temperature, got, logZ)
			}
			if got := l.energy(); math.Abs(got-energy) > 1e-8 {
				t.Errorf("%d×%d, T = %v: the energy is %v, want %v", side, side, temperature, got, energy)
			}
		}
	}
}

func TestSimulate(t *testing.T) {
	for k, temperature := range temperatures {
		l := lattice{4, 1 / temperature}
		_, energy, magnetization := l.enumerate()
		v := l.simulate(20000, rand.NewPCG(1, uint64(k)))
		for _, test := range []struct {
			name string
			got  estimate
			want float64
		}{
			{"energy", mean(l.energies(v), true), energy},
			{"magnetization", mean(l.magnetizations(v), true), magnetization},
		} {
			if e := test.got; e.err > 0.01 || math.Abs(e.mean-test.want) > 4*e.err {
				t.Errorf("T = %v: %s is %v, want %v", temperature, test.name, e, test.want)
			}
		}
	}
}

// A model with a hidden spin for each pair of neighbors is the lattice itself.
func TestExactModel(t *testing.T) {
	l := lattice{4, 1 / 2.27}
	n := l.spins()
	x := spin.RBM{W: mat.NewDense(2*n, n, nil), A: mat.NewVecDense(n, nil), D: mat.NewVecDense(2*n, nil)}
	w := math.Acosh(math.Exp(2*l.beta)) / 2
	for i := range n {
		next := l.neighbors(i)
		for k, j := range []int{next[0], next[2]} {
			x.W.Set(2*i+k, i, w)
			x.W.Set(2*i+k, j, w)
		}
	}
	m, _ := spin.FromSpins(&x)
	_, couplings := spin.Effective(m)
	truth := l.truth()
	for i, j := range l.around(couplings) {
		if math.Abs(j-truth[i]) > 1e-12 {
			t.Errorf("the coupling of the middle with spin %d is %v, want %v", i, j, truth[i])
		}
	}
	neighbors, others := l.split(couplings)
	if math.Abs(neighbors.mean-l.beta) > 1e-12 || neighbors.err > 1e-12 || math.Abs(others.mean) > 1e-12 || others.err > 1e-12 {
		t.Errorf("neighbors %v, others %v, want %v and 0", neighbors, others, l.beta)
	}

	// States are as likely as in the lattice.
	v := l.simulate(5, rand.NewPCG(1, 0))
	logZ, e, f := m.LogPartition(), l.energies(v), m.FreeEnergy(nil, v)
	for r := range f {
		if got, want := -f[r]-logZ, -l.beta*e[r]*float64(n)-l.logPartition(); math.Abs(got-want) > 1e-10 {
			t.Errorf("the log-probability of state %d is %v, want %v", r, got, want)
		}
	}
}

// A small lattice is learned well.
func TestStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("a training of this length has the same bits in every build")
	}
	l := lattice{3, 1 / 2.27}
	o := options{side: 3, rows: 20000, hidden: 18, epochs: 60, rate: 1, sweeps: 30, seed: 1}
	r, err := study(o, l, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, energy, magnetization := l.enumerate()
	for k, who := range []string{"data", "model"} {
		if e := r.energy[k]; math.Abs(e.mean/energy-1) > 0.02 {
			t.Errorf("the energy of the %s is %v, want %v", who, e, energy)
		}
		if m := r.magnetization[k]; math.Abs(m.mean/magnetization-1) > 0.02 {
			t.Errorf("the magnetization of the %s is %v, want %v", who, m, magnetization)
		}
	}
	if r.likelihood.Mean > r.exact+0.05 || r.likelihood.Mean < r.exact-0.1 {
		t.Errorf("the log-likelihood is %v, want about %v", r.likelihood.Mean, r.exact)
	}
	if a := r.adversarial.Accuracy; math.Abs(a-0.5) > 0.1 {
		t.Errorf("nearest neighbors tell with an accuracy of %v, want 0.5", a)
	}
}

func TestRun(t *testing.T) {
	o := options{side: 4, rows: 1000, hidden: 8, epochs: 1, rate: 0.1, sweeps: 10, seed: 1, out: filepath.Join(t.TempDir(), "ising.png")}
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
	again, err := os.ReadFile(o.out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(picture, again) || first.String() != second.String() {
		t.Error("two runs with the same seed differ")
	}
	o.out = filepath.Join(t.TempDir(), "missing", "ising.png")
	if err := run(o, io.Discard); err == nil {
		t.Error("a picture was written to a folder that is missing")
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{"", "-side 3 -rows 1000 -hidden 1 -epochs 1 -rate 1 -sweeps 1 -seed 7 -out x.png"},
		[]string{"-side 2", "-side 17", "-rows 999", "-hidden 0", "-hidden 1001", "-epochs 0", "-rate 0", "-rate NaN", "-sweeps 0", "-seed -1", "-out=", "-out x.jpg", "-unknown", "x.png"})
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-sweeps") {
		t.Errorf("parse(-help) = %v, and prints %q", err, help.String())
	}
}
