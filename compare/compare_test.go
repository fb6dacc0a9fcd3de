package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
)

// draw returns independent rows with a share of ones, whose first two columns agree with
// probability agree.
func draw(n, cols int, ones, agree float64, src *rand.Rand) *rbm.Bits {
	b := rbm.NewBits(n, cols)
	for i := range n {
		for j := range cols {
			b.SetBit(i, j, src.Float64() < ones)
		}
		if cols > 1 && src.Float64() < agree {
			b.SetBit(i, 1, b.Bit(i, 0))
		}
	}
	return b
}

func fair(n, cols int, src *rand.Rand) *rbm.Bits { return draw(n, cols, 0.5, 0, src) }

// hamming is the definition.
func hamming(x *rbm.Bits, i int, y *rbm.Bits, j int) (d int) {
	_, cols := x.Dims()
	for c := range cols {
		if x.Bit(i, c) != y.Bit(j, c) {
			d++
		}
	}
	return d
}

var shapes = []struct{ nx, ny, cols int }{
	{2, 2, 1}, {2, 3, 4}, {3, 2, 4}, {7, 5, 64}, {5, 8, 65}, {12, 20, 10}, {30, 10, 130}, {90, 70, 12},
}

func each(t *testing.T, test func(t *testing.T, x, y *rbm.Bits)) {
	for _, s := range shapes {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("nx=%d/ny=%d/cols=%d/seed=%d", s.nx, s.ny, s.cols, seed), func(t *testing.T) {
				src := rand.New(rand.NewPCG(seed, 1))
				test(t, draw(s.nx, s.cols, 0.4, 0, src), draw(s.ny, s.cols, 0.6, 0, src))
			})
		}
	}
}

// nearestTerm is the definition of a term of the adversarial accuracy.
func nearestTerm(own, other *rbm.Bits) float64 {
	n, cols := own.Dims()
	m, _ := other.Dims()
	var sum float64
	for i := range n {
		inside, outside := cols+1, cols+1
		for j := range n {
			if j != i {
				inside = min(inside, hamming(own, i, own, j))
			}
		}
		for j := range m {
			outside = min(outside, hamming(own, i, other, j))
		}
		if outside > inside {
			sum++
		} else if outside == inside {
			sum += 0.5
		}
	}
	return sum / float64(n)
}

func TestAdversarialAccuracy(t *testing.T) {
	each(t, func(t *testing.T, x, y *rbm.Bits) {
		want := Adversarial{Truth: nearestTerm(x, y), Synthetic: nearestTerm(y, x)}
		want.Accuracy = (want.Truth + want.Synthetic) / 2
		if got := AdversarialAccuracy(x, y); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// meanOf returns the mean of f over seeds, and its standard error.
func meanOf(seeds int, f func(src *rand.Rand) float64) (mean, stdErr float64) {
	values := make([]float64, seeds)
	for k := range values {
		values[k] = f(rand.New(rand.NewPCG(uint64(k), 2)))
		mean += values[k] / float64(seeds)
	}
	for _, x := range values {
		stdErr += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(stdErr / float64(seeds*(seeds-1)))
}

// Two samples of one distribution have an accuracy of ½, also where many distances are equal
// and sizes differ. One row less in its own sample is 1/(4n-2) of it.
func TestAdversarialAccuracyOfOneDistribution(t *testing.T) {
	shapes := []struct{ nx, ny, cols int }{{30, 70, 200}, {50, 50, 30}, {60, 40, 30}, {50, 50, 300}}
	if testing.Short() {
		shapes = shapes[:1]
	}
	for _, s := range shapes {
		t.Run(fmt.Sprintf("nx=%d/ny=%d/cols=%d", s.nx, s.ny, s.cols), func(t *testing.T) {
			mean, stdErr := meanOf(300, func(src *rand.Rand) float64 {
				return AdversarialAccuracy(fair(s.nx, s.cols, src), fair(s.ny, s.cols, src)).Accuracy
			})
			want := 0.5 - 0.5/float64(s.nx+s.ny-1)
			if stdErr > 0.01 || math.Abs(mean-want) > 4*stdErr {
				t.Errorf("mean accuracy %.4f ± %.4f, want %.4f", mean, stdErr, want)
			}
		})
	}
}

func TestAdversarialAccuracyOfCopies(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 3))
	x := draw(100, 200, 0.2, 0, src)
	copies := x.Gather(nil, src.Perm(100))
	if got := AdversarialAccuracy(x, copies); got.Accuracy > 0.01 {
		t.Errorf("got %+v for copies, want about 0", got)
	}
	if got := AdversarialAccuracy(x, draw(100, 200, 0.95, 0, src)); got.Accuracy < 0.99 {
		t.Errorf("got %+v for another distribution, want about 1", got)
	}
	// A model that knows one row of its data: synthetic rows are close to each other, and the
	// truth is not close to them.
	one := x.Gather(nil, make([]int, 100))
	if got := AdversarialAccuracy(x, one); got.Truth < 0.9 || got.Synthetic != 0.5 {
		t.Errorf("got %+v for copies of one row, want Truth about 1, and ties of the synthetic ones", got)
	}
}

// countsOf is the definition of the numbers of pairs at each distance.
func countsOf(x, y *rbm.Bits) (counts [3][]int, distances []int) {
	nx, cols := x.Dims()
	ny, _ := y.Dims()
	for k := range counts {
		counts[k] = make([]int, cols+1)
	}
	note := func(k, d int) {
		counts[k][d]++
		distances = append(distances, d)
	}
	for i := range nx {
		for j := range i {
			note(0, hamming(x, i, x, j))
		}
		for j := range ny {
			note(2, hamming(x, i, y, j))
		}
	}
	for i := range ny {
		for j := range i {
			note(1, hamming(y, i, y, j))
		}
	}
	slices.Sort(distances)
	return counts, distances
}

func TestDistances(t *testing.T) {
	each(t, func(t *testing.T, x, y *rbm.Bits) {
		p := newPool("x", x, "y", y)
		gram := make(triangle, p.rows()*(p.rows()-1)/2)
		got := p.counts(gram)
		want, distances := countsOf(x, y)
		for k := range want {
			if !slices.Equal(got[k], want[k]) {
				t.Errorf("counts %d are %v, want %v", k, got[k], want[k])
			}
		}
		n := len(distances)
		if got, want := median(got), max(float64(distances[n/2]+distances[(n-1)/2])/2, 0.5); got != want {
			t.Errorf("median is %v, want %v", got, want)
		}
		slices.Sort(gram)
		for k, d := range distances {
			if int(gram[k]) != d {
				t.Fatalf("sorted distance %d is %d, want %d", k, gram[k], d)
			}
		}
	})
}

// mmd is the definition: means over pairs of different rows.
func mmd(x, y *rbm.Bits, scale float64) float64 {
	nx, _ := x.Dims()
	ny, _ := y.Dims()
	mean := func(a, b *rbm.Bits, na, nb int) float64 {
		var sum float64
		n := 0
		for i := range na {
			for j := range nb {
				if a != b || i != j {
					sum += math.Exp(-float64(hamming(a, i, b, j)) / scale)
					n++
				}
			}
		}
		return sum / float64(n)
	}
	return mean(x, x, nx, nx) + mean(y, y, ny, ny) - 2*mean(x, y, nx, ny)
}

func TestDiscrepancy(t *testing.T) {
	each(t, func(t *testing.T, x, y *rbm.Bits) {
		for _, scale := range []float64{0, 0.7, 3, 100} {
			got := Discrepancy(x, y, scale, 0, nil)
			if scale == 0 {
				_, d := countsOf(x, y)
				scale = max(float64(d[len(d)/2]+d[(len(d)-1)/2])/2, 0.5)
			}
			if want := mmd(x, y, scale); math.Abs(got.Squared-want) > 1e-12 || got.Scale != scale {
				t.Errorf("MMD² = %v at scale %v, want %v at %v", got.Squared, got.Scale, want, scale)
			}
			if !math.IsNaN(got.P) || !math.IsNaN(got.StdErr) {
				t.Errorf("p-value %v and standard error %v without permutations, want NaN", got.P, got.StdErr)
			}
		}
	})
}

// With few rows, random partitions are all partitions.
func TestPermutations(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 4))
	for _, n := range [][2]int{{3, 4}, {4, 3}, {4, 4}} {
		x, y := draw(n[0], 20, 0.4, 0, src), draw(n[1], 20, 0.6, 0, src)
		all := rbm.NewBits(n[0]+n[1], 20)
		for i := range n[0] + n[1] {
			if i < n[0] {
				copy(all.RawRow(i), x.RawRow(i))
			} else {
				copy(all.RawRow(i), y.RawRow(i-n[0]))
			}
		}
		var share, squares, partitions float64
		observed := mmd(x, y, 5)
		for set := range 1 << (n[0] + n[1]) {
			var rows [2][]int
			for i := range n[0] + n[1] {
				k := 1 - set>>i&1
				rows[k] = append(rows[k], i)
			}
			if len(rows[0]) != n[0] {
				continue
			}
			d := mmd(all.Gather(nil, rows[0]), all.Gather(nil, rows[1]), 5)
			partitions++
			squares += d * d
			if d > observed-1e-12 {
				share++
			}
		}
		share /= partitions
		const permutations = 20000
		got := Discrepancy(x, y, 5, permutations, src)
		if stdErr := math.Sqrt(share * (1 - share) / permutations); math.Abs(got.P-share) > 4*stdErr+1./permutations {
			t.Errorf("%v rows: p-value %v, want %v ± %v", n, got.P, share, stdErr)
		}
		if want := math.Sqrt(squares / partitions); math.Abs(got.StdErr/want-1) > 0.03 {
			t.Errorf("%v rows: standard error %v, want %v", n, got.StdErr, want)
		}
	}
}

// For samples of one distribution the estimate is 0 within its error, and p-values are
// uniform. For others neither is so.
func TestCalibration(t *testing.T) {
	const seeds = 400
	for _, s := range []struct{ nx, ny, cols int }{{20, 30, 40}, {25, 25, 6}} {
		t.Run(fmt.Sprintf("nx=%d/ny=%d/cols=%d", s.nx, s.ny, s.cols), func(t *testing.T) {
			var p, z []float64
			mean, stdErr := meanOf(seeds, func(src *rand.Rand) float64 {
				m := Discrepancy(draw(s.nx, s.cols, 0.3, 0.5, src), draw(s.ny, s.cols, 0.3, 0.5, src), 0, 99, src)
				p = append(p, m.P)
				z = append(z, m.Squared/m.StdErr)
				return m.Squared
			})
			if math.Abs(mean) > 4*stdErr {
				t.Errorf("mean MMD² is %g ± %g, want 0", mean, stdErr)
			}
			var squares float64
			for _, z := range z {
				squares += z * z / seeds
			}
			if squares < 0.7 || squares > 1.3 {
				t.Errorf("MMD² has a mean square of %v standard errors, want 1", squares)
			}
			slices.Sort(p)
			for k, p := range p { // Kolmogorov, 1e-4
				if d := math.Abs(p - (float64(k)+0.5)/seeds); d > 2.23/math.Sqrt(seeds)+0.01 {
					t.Fatalf("p-value number %d of %d is %v", k, seeds, p)
				}
			}
		})
	}

	src := rand.New(rand.NewPCG(1, 5))
	got := Discrepancy(draw(100, 20, 0.5, 0, src), draw(150, 20, 0.6, 0, src), 0, 199, src)
	if got.P != 1./200 || got.Squared < 4*got.StdErr {
		t.Errorf("got %+v for distributions that differ", got)
	}
}

// The smallest and largest kernels are numbers, too.
func TestScale(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 6))
	x, y := draw(30, 500, 0.2, 0, src), draw(20, 500, 0.8, 0, src)
	for _, scale := range []float64{1e-300, 0.3, 3, 1e6, math.MaxFloat64} {
		got := Discrepancy(x, y, scale, 99, src)
		if math.IsNaN(got.Squared) || !(got.P > 0 && got.P <= 1) || !(got.StdErr >= 0) {
			t.Errorf("got %+v at scale %v", got, scale)
		}
		if scale == 3 && got.P != 0.01 { // all values are below 1e-40
			t.Errorf("got %+v at scale %v, want a p-value of 0.01", got, scale)
		}
	}
	same := rbm.NewBits(3, 4)
	if got, want := Discrepancy(same, same, 0, 9, src), (MMD{0, 0.5, 0, 1}); got != want {
		t.Errorf("got %+v for equal rows, want %+v", got, want)
	}
}

func TestIsTheSame(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 7))
	x, y := fair(300, 100, src), fair(200, 100, src)
	run := func() (Adversarial, MMD) {
		return AdversarialAccuracy(x, y), Discrepancy(x, y, 0, 50, rand.NewPCG(1, 8))
	}
	a, m := run()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	if a4, m4 := run(); a4 != a || m4 != m {
		t.Errorf("got %+v and %+v with GOMAXPROCS=4, want %+v and %+v", a4, m4, a, m)
	}
	if want := (MMD{-2.398002768355667e-05, 50, 0.0004230324022956186, 0.5098039215686274}); m != want {
		t.Errorf("got %#v, want %#v", m, want)
	}
}

func TestPanics(t *testing.T) {
	two, one, other := rbm.NewBits(2, 5), rbm.NewBits(1, 5), rbm.NewBits(3, 6)
	dirty := rbm.NewBits(2, 5)
	dirty.RawRow(1)[0] = 1 << 5
	for _, test := range []struct {
		name, want string
		call       func()
	}{
		{"nil", "compare: truth is nil", func() { AdversarialAccuracy(nil, two) }},
		{"nil y", "compare: y is nil", func() { Discrepancy(two, nil, 0, 0, nil) }},
		{"one row", "compare: truth is 1×5, want at least 2 rows", func() { AdversarialAccuracy(one, two) }},
		{"one synthetic row", "compare: synthetic is 1×5, want at least 2 rows", func() { AdversarialAccuracy(two, one) }},
		{"empty", "compare: x is 0×0, want at least 2 rows", func() { Discrepancy(new(rbm.Bits), two, 0, 0, nil) }},
		{"columns", "compare: y is 3×6, want n×5 as x is 2×5", func() { Discrepancy(two, other, 0, 0, nil) }},
		{"tail", "compare: row 1 of y has a one past its 5 columns", func() { Discrepancy(two, dirty, 0, 0, nil) }},
		{"scale", "compare: scale is -1, want a finite number of at least 0", func() { Discrepancy(two, two, -1, 0, nil) }},
		{"NaN", "compare: scale is NaN, want a finite number of at least 0", func() { Discrepancy(two, two, math.NaN(), 0, nil) }},
		{"permutations", "compare: -1 permutations, want 0 to 16777216", func() { Discrepancy(two, two, 0, -1, nil) }},
		{"source", "compare: source is nil", func() { Discrepancy(two, two, 0, 1, nil) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != test.want {
					t.Errorf("panic: %v, want %q", got, test.want)
				}
			}()
			test.call()
		})
	}
}

func benchmark(b *testing.B, call func(x, y *rbm.Bits)) {
	src := rand.New(rand.NewPCG(1, 9))
	x, y := fair(1000, 805, src), fair(1000, 805, src)
	for range b.N {
		call(x, y)
	}
}

func BenchmarkAdversarialAccuracy(b *testing.B) {
	benchmark(b, func(x, y *rbm.Bits) { AdversarialAccuracy(x, y) })
}

func BenchmarkDiscrepancy(b *testing.B) {
	for _, permutations := range []int{0, 200} {
		b.Run(fmt.Sprintf("permutations=%d", permutations), func(b *testing.B) {
			benchmark(b, func(x, y *rbm.Bits) { Discrepancy(x, y, 0, permutations, rand.NewPCG(1, 1)) })
		})
	}
}
