package rbm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// bisect returns where f, which falls, is 0.
func bisect(f func(x float64) float64) float64 {
	low, high := -200., 200.
	for range 200 {
		if mid := (low + high) / 2; f(mid) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// bennettBy returns the root of the equation of Bennett (1976), as he has it for samples of
// equal size, from the free energies of states of both models by both: f[0] and f[1] are of
// the first's states by the first and the second model, f[2] and f[3] of the second's.
func bennettBy(f [4][]float64) float64 {
	fermi := func(x float64) float64 { return 1 / (1 + math.Exp(x)) }
	return bisect(func(x float64) (sum float64) {
		for i := range f[0] {
			sum += fermi(f[1][i] - f[0][i] + x)
		}
		for i := range f[2] {
			sum -= fermi(f[2][i] - f[3][i] - x)
		}
		return sum
	})
}

func TestBennettSolvesItsEquation(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct {
		n, i0, i1, records int
		shift, spread      float64
	}{{7, 0, 7, 5, 0, 1}, {9, 2, 8, 3, 40, 2}, {6, 0, 3, 40, -3, 5}, {5, 2, 5, 8, 1, 0.01}} {
		var c climb
		c.n, c.levels = s.n, 2
		c.diffs = make([][]float64, 1)
		c.exchanges = make([]int, 1)
		c.seen, c.every = new(distinct), 1
		var f [4][]float64
		var of []int // chain of each
		for range s.records {
			below, above := make([]float64, 2*s.n), make([]float64, 2*s.n)
			for i := range 2 * s.n {
				below[i] = 100 * rnd.Float64()
				d := s.shift + s.spread*rnd.NormFloat64()
				if i < s.n {
					d += s.spread / 2
				} else {
					d -= s.spread / 2
				}
				above[i] = below[i] + d
			}
			c.gather(0, below, above, NewBits(2*s.n, 3))
			for i := s.i0; i < s.i1; i++ {
				f[0], f[1] = append(f[0], below[i]), append(f[1], above[i])
				f[2], f[3] = append(f[2], below[s.n+i]), append(f[3], above[s.n+i])
				of = append(of, i)
			}
		}
		moves := make([]float64, s.i1-s.i0)
		got := bennett(c.diffs[0], s.n, s.i0, s.i1, moves)
		want := bennettBy(f)
		if !(math.Abs(got-want) <= 1e-9*(1+math.Abs(want))) {
			t.Errorf("%+v: log Z′/Z is %v, want %v", s, got, want)
		}
		for i := s.i0; i < s.i1; i++ {
			var rest [4][]float64
			for r, chain := range of {
				for k := range f {
					if chain != i {
						rest[k] = append(rest[k], f[k][r])
					}
				}
			}
			if want := bennettBy(rest) - got; !(math.Abs(moves[i-s.i0]-want) <= 0.15*math.Abs(want)+1e-6) {
				t.Errorf("%+v: without chain %d it is larger by %v, want %v", s, i, moves[i-s.i0], want)
			}
		}
	}
}

// Where no state of one model is probable in the other, the root is found all the same.
func TestBennettWithoutOverlap(t *testing.T) {
	moves := make([]float64, 2)
	// log Z′/Z of one state each: the root of σ(-d-x) = σ(e+x) is -(d+e)/2.
	got := bennett([]float64{900, 900, -700, -700}, 2, 0, 2, moves)
	if !(math.Abs(got+100) <= 1e-9) {
		t.Errorf("log Z′/Z is %v, want -100", got)
	}
	if got := bennett([]float64{1, math.NaN(), 2, 3}, 2, 0, 2, moves); !math.IsNaN(got) {
		t.Errorf("log Z′/Z is %v of a NaN", got)
	}
}

func TestSpread(t *testing.T) {
	x := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	n := float64(len(x))
	var mean, square float64
	for _, x := range x {
		mean += x / n
	}
	moves := make([]float64, len(x))
	for i, xi := range x {
		moves[i] = (mean*n-xi)/(n-1) - mean
		square += (xi - mean) * (xi - mean)
	}
	// The jackknife of a mean is the standard error of that mean.
	if got, want := jackknifeErr(moves), math.Sqrt(square/(n-1)/n); !(math.Abs(got-want) <= 1e-12) {
		t.Errorf("standard error is %v, want %v", got, want)
	}
}

// enumeratedRows returns independent samples.
func enumeratedRows(m *RBM, n int, rnd *rand.Rand) *Bits {
	nv, _ := m.Dims()
	p := temperedProbs(m, make([]float64, nv), 1)
	rows := NewBits(n, nv)
	for r := range n {
		x := 0
		for u := rnd.Float64() - p[0]; u > 0 && x < len(p)-1; u -= p[x] {
			x++
		}
		rows.row(r)[0] = uint64(x)
	}
	return rows
}

func TestLadderLogZIsExact(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, s := range []struct {
		name   string
		nv, nh int
		std    float64
		first  int // model of the trajectory that the ladder begins with
	}{
		{"without weights at first", 5, 3, 2, 0},
		{"more hidden units", 3, 6, 2, 0},
		{"enumerable at first", 6, 4, 1, 1},
	} {
		t.Run(s.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, uint64(s.nv)))
			models := trajectory(s.nv, s.nh, s.std, rnd)
			m := models[3]
			want := m.LogPartition()
			rows := enumeratedRows(m, 50, rnd)
			var mean, stderr float64
			const runs = 4
			for seed := range uint64(runs) {
				l, err := NewPTT(24, 1, models[s.first:3], rand.NewPCG(seed, 2)).LogZ(ctx, m, rows, 300)
				if err != nil {
					t.Fatal(err)
				}
				if !l.Believable() || l.StdErr > 0.1 || !(l.Low <= l.Mean && l.Mean <= l.High) {
					t.Errorf("seed %d: %v", seed, l)
				}
				// Mean is at least the bound, which here is close to log Z.
				off := (l.Below+l.Above)/2 - want
				if !(math.Abs(off) <= 4*l.StdErr) {
					t.Errorf("seed %d: log Z is %v, want %v", seed, l, want)
				}
				mean += off / runs
				stderr += l.StdErr / runs
				if l.Seen > want+1e-9 {
					t.Errorf("seed %d: log Z is at least %v, but it is %v", seed, l.Seen, want)
				}
			}
			if !(math.Abs(mean) <= 3.5*stderr/math.Sqrt(runs)) {
				t.Errorf("mean error is %v, and the mean standard error %v", mean, stderr)
			}
		})
	}
}

// The last model has no weights either, so that its log Z is a sum over units.
func TestLadderLogZOfIndependentUnits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	const nv, nh = 30, 24
	first, m := normal(nv, nh, 0, rnd), normal(nv, nh+3, 0, rnd)
	var middle []*RBM
	for k := range 3 { // halfway and so on
		step := m.Clone()
		for i := range nv {
			step.B.SetVec(i, first.B.AtVec(i)+float64(k)/3*(m.B.AtVec(i)-first.B.AtVec(i)))
		}
		middle = append(middle, step)
	}
	var want float64
	for i := range nv {
		want += math.Log1p(math.Exp(m.B.AtVec(i)))
	}
	for j := range nh + 3 {
		want += math.Log1p(math.Exp(m.C.AtVec(j)))
	}
	rows := NewBits(20, nv)
	for _, models := range [][]*RBM{{m}, append([]*RBM{first}, middle...)} {
		l, err := NewPTT(40, 1, models, rand.NewPCG(1, 2)).LogZ(context.Background(), m, rows, 300)
		if err != nil || !l.Believable() || !(math.Abs((l.Below+l.Above)/2-want) <= 4*l.StdErr+1e-9) {
			t.Errorf("ladder of %d: %v, want %v (%v)", len(models)+1, l, want, err)
		}
	}
}

// twoClusters returns a model of 40×22 units with rows, most of them in one of two clusters,
// and the sampler that trained it.
func twoClusters(tb testing.TB, seed uint64, noise float64) (*RBM, *Bits, *PTT) {
	tb.Helper()
	const nv, nh, n, epochs = 40, 22, 400, 60
	rnd := rand.New(rand.NewPCG(seed, 1))
	rows := NewBits(n, nv)
	for r := range n {
		for i := range nv {
			on := r%4 == 0 == (i%2 == 0) // a quarter in one, the others in the opposite
			rows.SetBit(r, i, on != (rnd.Float64() < noise))
		}
	}
	m := NewRandom(nv, nh, 0.01, rnd)
	m.FitVisibleBias(rows)
	ptt := NewPTT(40, 1, nil, rnd)
	ptt.MinSwapRate = 0.5
	tr := NewTrainer(m, rows, ptt, rnd)
	tr.Schedule = Linear(0.05, 0, epochs*4)
	if err := tr.Train(context.Background(), epochs); err != nil {
		tb.Fatal(err)
	}
	return m, rows, ptt
}

// The bounds hold log Z of models of clusters, whatever the seed.
func TestLadderLogZOfClusters(t *testing.T) {
	t.Parallel()
	m, rows, ptt := twoClusters(t, 1, 0.1)
	want := m.LogPartition()
	seeds := fewer(20)
	believed, missed := 0, 0
	for seed := range uint64(seeds) {
		l, err := NewPTT(20, 1, ptt.Models(), rand.NewPCG(seed, 9)).LogZ(context.Background(), m, rows, 400)
		if err != nil {
			t.Fatal(err)
		}
		if !l.Believable() {
			continue
		}
		believed++
		if !(l.Low <= want && want <= l.High) {
			missed++
			t.Logf("seed %d: %v, want %v", seed, l, want)
		}
	}
	if believed < seeds/2 || missed > seeds/20 {
		t.Errorf("%d of %d believed, %d bounds without log Z", believed, seeds, missed)
	}
}

// A ladder that lacks the models between the first and the last is not believed, be the
// second mode seen in the rows or not.
func TestLadderLogZDoubtsBrokenLadder(t *testing.T) {
	t.Parallel()
	m, rows, ptt := twoClusters(t, 2, 0.03)
	want := m.LogPartition()
	few := NewBits(30, 40) // of the larger cluster alone
	for r := range 30 {
		copy(few.row(r), rows.row(4*r+1))
	}
	for name, rows := range map[string]*Bits{"all": rows, "few": few} {
		l, err := NewPTT(20, 1, ptt.Models()[:1], rand.NewPCG(1, 9)).LogZ(context.Background(), m, rows, 400)
		if err != nil {
			t.Fatal(err)
		}
		if l.Believable() {
			t.Errorf("%s rows: %v, want %v", name, l, want)
		}
		if !strings.Contains(l.Doubt, "never come down to the first model (the lowest of the swap rates is ") {
			t.Errorf("%s rows: doubt is %q", name, l.Doubt)
		}
	}
}

// The marks of the replicas say where states have been.
func TestClimbFollowsStates(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	const n, levels, sweeps = 4, 5, 60
	c := newClimb(n, levels, sweeps, new(distinct))
	at := make([]int, n*levels) // the state of each replica
	low, been := make([]bool, n*levels), make([]bool, n*levels)
	for r := range at {
		at[r] = r
	}
	var below, above int
	for sweep := range sweeps {
		for k := sweep % 2; k < levels-1; k += 2 {
			for i := range n {
				swap := rnd.IntN(3) > 0
				c.exchanged(k, i, 0.5, swap)
				if swap {
					at[k*n+i], at[k*n+n+i] = at[k*n+n+i], at[k*n+i]
				}
			}
		}
		c.swept()
		for i := range n {
			low[at[i]], been[at[i]] = true, true
			if x := at[(levels-1)*n+i]; low[x] {
				low[x] = false
				if sweep >= sweeps/4 {
					if i < n/2 {
						below++
					} else {
						above++
					}
				}
			}
		}
		for r, x := range at {
			if c.forgotten[r] != been[x] {
				t.Fatalf("sweep %d: replica %d is said to have been down: %v", sweep, r, c.forgotten[r])
			}
		}
	}
	if c.tripsBelow != below || c.tripsAbove != above || below == 0 || above == 0 {
		t.Errorf("%d and %d trips, want %d and %d", c.tripsBelow, c.tripsAbove, below, above)
	}
}

// What a chain gathers does not depend on the rows of others.
func TestLadderChainsAreIndependent(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	models := trajectory(9, 5, 1.5, rnd)
	const n, levels, sweeps = 6, 4, 4 // more, and equal random numbers take both starts to the same states
	run := func(last bool) [][]float64 {
		rows := NewBits((n-n/2)*levels, 9)
		for i := range rows.rows {
			for k := range 9 {
				rows.SetBit(i, k, last && i >= (n-n/2-1)*levels || k == i%9) // of the last chain
			}
		}
		m := models[3]
		s := NewPTT(n, 1, models[:3], rand.NewPCG(1, 1)).apart(m)
		s.climb = newClimb(n, levels, sweeps, new(distinct))
		s.start(m, rows)
		p := new(model)
		p.load(m, 10)
		defer p.done()
		s.top = p
		for range sweeps {
			s.sweep(0)
			s.climb.swept()
		}
		return s.climb.diffs
	}
	a, b := run(false), run(true)
	other := false
	for k := range a {
		for x := range a[k] {
			if a[k][x] == b[k][x] {
				continue
			}
			if x%n != n-1 {
				t.Fatalf("models %d and %d: difference %d of chain %d is another one by another start of chain %d", k, k+1, x, x%n, n-1)
			}
			other = true
		}
	}
	if !other {
		t.Error("the start of the last chain changes nothing")
	}
}

func TestLadderLogZLeavesTheChains(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	models := trajectory(20, 23, 0.7, rnd)
	m := models[3]
	rows := NewBits(7, 20)
	ctx := context.Background()
	a, b := NewPTT(8, 2, models[:3], rand.NewPCG(1, 1)), NewPTT(8, 2, models[:3], rand.NewPCG(1, 1))
	var before LadderLogZ
	for call := range 3 {
		first, err := a.LogZ(ctx, m, rows, 40)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := a.LogZ(ctx, m, rows, 40)
		if fmt.Sprint(first) != fmt.Sprint(again) || first.Mean != again.Mean {
			t.Errorf("call %d: %v and then %v", call, first, again)
		}
		if first.Mean == before.Mean {
			t.Errorf("call %d: the same as before the last sample: %v", call, first)
		}
		before = first
		x, _ := a.Sample(m, nil)
		y, _ := b.Sample(m, nil)
		if !mat.Equal(x, y) {
			t.Fatalf("call %d: other states", call)
		}
		p, _ := a.MarshalBinary()
		q, _ := b.MarshalBinary()
		if !bytes.Equal(p, q) {
			t.Fatalf("call %d: other bytes", call)
		}
		// What is loaded from a file goes on alike.
		loaded := new(PTT)
		if err := loaded.UnmarshalBinary(p); err != nil {
			t.Fatal(err)
		}
		c, _ := a.LogZ(ctx, m, rows, 40)
		d, _ := loaded.LogZ(ctx, m, rows, 40)
		if c.Mean != d.Mean || c.StdErr != d.StdErr {
			t.Errorf("call %d: loaded, it is %v, want %v", call, d, c)
		}
	}
	// Before the first Sample a ladder of nil begins with the biases, and stays empty.
	empty := NewPTT(8, 1, nil, rand.NewPCG(1, 1))
	if _, err := empty.LogZ(ctx, m, rows, 40); err != nil || len(empty.Models()) != 0 {
		t.Errorf("%d models: %v", len(empty.Models()), err)
	}
}

func TestLadderLogZEnds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	models := trajectory(20, 23, 0.7, rnd)
	ptt := NewPTT(8, 2, models[:3], rand.NewPCG(1, 1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ptt.LogZ(ctx, models[3], NewBits(3, 20), 40); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 40 sweeps of the ladder") {
		t.Errorf("error is %v", err)
	}
	m := models[3].Clone()
	m.W.Set(2, 3, math.NaN())
	l, err := ptt.LogZ(context.Background(), m, NewBits(3, 20), 40)
	if err != nil || !math.IsNaN(l.Mean) || l.Believable() {
		t.Errorf("of a NaN: %v, %v", l, err)
	}
}

// Groups and rows of values are as good as others.
func TestLadderLogZOfGroups(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	groups := []Group{{1, 4}, {5, 8}}
	models := trajectory(9, 4, 1, rnd)
	for _, m := range models {
		m.OneHot = groups
	}
	m := models[3]
	rows := mat.NewDense(5, 9, nil)
	for r := range 5 {
		rows.SetRow(r, []float64{0.3, 0, 1, 0, 0.9, 1, 0, 0, 0.5})
	}
	l, err := NewPTT(40, 1, models[:3], rand.NewPCG(1, 1)).LogZ(context.Background(), m, rows, 600)
	if want := m.LogPartition(); err != nil || !l.Believable() || !(math.Abs((l.Below+l.Above)/2-want) <= 4*l.StdErr) {
		t.Errorf("%v, want %v (%v)", l, want, err)
	}
}

func TestLadderLogZPanics(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	m := normal(25, 23, 0.1, rnd)
	rows := NewBits(3, 25)
	ctx := context.Background()
	grouped := m.Clone()
	grouped.OneHot = []Group{{0, 2}}
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"want at most 20 rows or columns to enumerate; begin the ladder with a model without weights", func() { NewPTT(8, 1, []*RBM{m}, rnd).LogZ(ctx, m, rows, 10) }},
		{"chains is 3, want at least 4", func() { NewPTT(3, 1, nil, rnd).LogZ(ctx, m, rows, 10) }},
		{"sweeps is 7, want", func() { NewPTT(4, 1, nil, rnd).LogZ(ctx, m, rows, 7) }},
		{"ladder has 9 visible units, want 25", func() { NewPTT(4, 1, []*RBM{New(9, 1)}, rnd).LogZ(ctx, m, rows, 10) }},
		{"as the ladder", func() { NewPTT(4, 1, []*RBM{New(25, 1)}, rnd).LogZ(ctx, grouped, rows, 10) }},
		{"rows is 3×4", func() { NewPTT(4, 1, nil, rnd).LogZ(ctx, m, NewBits(3, 4), 10) }},
		{"PTT is nil", func() { (*PTT)(nil).LogZ(ctx, m, rows, 10) }},
		{"k is 0", func() { new(PTT).LogZ(ctx, m, rows, 10) }},
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, c.want) {
					t.Errorf("panic %q, want %q in it", r, c.want)
				}
			}()
			c.f()
		}()
	}
}

func TestLogLikelihoodByLadder(t *testing.T) {
	t.Parallel()
	m, rows, ptt := twoClusters(t, 1, 0.1)
	ctx := context.Background()
	exact := m.LogPartition()
	run := func(ladder *PTT, runs int) LogLikelihood {
		t.Helper()
		a := NewAIS(runs, 3, rand.NewPCG(1, 1))
		a.Ladder = ladder
		last, all := 0, 0
		a.Progress = func(done, of int) {
			if done <= last || done > of {
				t.Errorf("progress is %d of %d after %d", done, of, last)
			}
			last, all = done, of
		}
		l, err := m.LogLikelihood(ctx, rows, a)
		if err != nil {
			t.Fatal(err)
		}
		if last != all {
			t.Errorf("progress is %d of %d at the end", last, all)
		}
		return l
	}
	few := NewPTT(12, 1, ptt.Models(), rand.NewPCG(1, 9))
	alone := run(nil, 3000)
	if alone.Believable() {
		t.Fatalf("AIS is believable: %v", alone)
	}
	l := run(few, 3000)
	f := -l.Mean - l.LogZ // the mean free energy
	if !l.Believable() || l.LogZ != l.Ladder.Mean || !(math.Abs(l.LogZ-exact) <= 4*l.Ladder.StdErr) ||
		l.AIS.Mean != alone.AIS.Mean || l.Reverse.Mean != alone.Reverse.Mean ||
		!(math.Abs(-f-l.Ladder.High-l.Low) <= 1e-9) || !(l.Low <= l.Mean && l.Mean <= l.High) {
		t.Errorf("%v, want log Z %v", l, exact)
	}
	if want := -m.meanFreeEnergy("rows", rows) - l.LogZ; !(math.Abs(l.Mean-want) <= 1e-9) {
		t.Errorf("mean is %v, want %v", l.Mean, want)
	}
	if text := l.String(); !strings.Contains(text, "AIS is not believable; log Z") {
		t.Errorf("text is %q", text)
	}
	// Too few sweeps leave what AIS has found.
	alone, l = run(nil, 40), run(few, 40)
	if len(l.Ladder.SwapRates) == 0 || l.Ladder.Believable() || l.LogZ != alone.LogZ || l.Doubt != alone.Doubt {
		t.Errorf("few sweeps: %v, want not to be believed", l)
	}
}

// A certain lower bound above the estimate is a doubt, and no bound is below it.
func TestLadderLogZIsBounded(t *testing.T) {
	l := LadderLogZ{Mean: 5, StdErr: 0.1, Low: 4.7, High: 5.4}
	if l.bounded(5.2); !l.Believable() || l.Mean != 5.2 || l.Low != 5.2 || l.High != 5.4 || l.Seen != 5.2 {
		t.Errorf("%+v", l)
	}
	l = LadderLogZ{Mean: 5, StdErr: 0.1, Low: 4.7, High: 5.2}
	if l.bounded(6); l.Believable() || l.Mean != 6 || l.Low != 6 || l.High != 6.2 {
		t.Errorf("%+v", l)
	}
}

// By how much the root moves without a chain is the root without it, less the root.
func TestBennettMoves(t *testing.T) {
	const n, exchanges = 50, 4
	random := rand.New(rand.NewPCG(1, 1))
	var diffs []float64
	of := make([]float64, n) // differences of a chain are alike
	for i := range of {
		of[i] = random.NormFloat64()
	}
	for range exchanges {
		for _, side := range []float64{0.5, -0.5} {
			for i := range n {
				diffs = append(diffs, 2+side+of[i]+random.NormFloat64())
			}
		}
	}
	moves := make([]float64, n)
	root := bennett(diffs, n, 0, n, moves)
	for i := range n {
		var rest []float64
		for k, d := range diffs {
			if k%n != i {
				rest = append(rest, d)
			}
		}
		want := bennett(rest, n-1, 0, n-1, make([]float64, n-1)) - root
		if !(math.Abs(moves[i]-want) <= 0.01*math.Abs(want)+1e-4) {
			t.Errorf("without chain %d the root moves by %v, want %v", i, moves[i], want)
		}
	}
}

// Each piece of evidence against a ladder is a doubt by itself.
func TestLadderDoubts(t *testing.T) {
	for _, tt := range []struct {
		below, above, drift float64
		trips               [2]int
		stuck               int
		reason              string // "" if believable
	}{
		{10, 10.4, 0.3, [2]int{10, 10}, 0, ""},
		{10, 10.6, 0, [2]int{10, 10}, 0, "the halves of the chains are 0.60 nats apart, want at most 0.50"},
		{10.6, 10, 0, [2]int{10, 10}, 0, "the halves of the chains are -0.60 nats apart"},
		{10, 10, 0.5, [2]int{10, 10}, 0, "the halves of the sweeps are 0.50 nats apart, want at most 0.40"},
		{10, 10, -0.5, [2]int{10, 10}, 0, "the halves of the sweeps are -0.50 nats apart"},
		{10, 10, 0, [2]int{9, 50}, 0, "9 states have come up"},
		{10, 10, 0, [2]int{50, 9}, 0, "9 states have come up"},
		{10, 10, 0, [2]int{10, 10}, 1, "1 of 6 states have never come down to the first model (the lowest of the swap rates is 0.2, between the models 1 and 2)"},
		{math.NaN(), 10, 0, [2]int{10, 10}, 0, "log Z is not finite"},
		{math.Inf(1), 10, 0, [2]int{10, 10}, 0, "log Z is not finite"},
	} {
		c := &climb{tripsBelow: tt.trips[0], tripsAbove: tt.trips[1], forgotten: make([]bool, 6)}
		for i := range c.forgotten {
			c.forgotten[i] = i >= tt.stuck
		}
		l := LadderLogZ{Below: tt.below, Above: tt.above, Mean: (tt.below + tt.above) / 2, Drift: tt.drift, SwapRates: []float64{0.5, 0.2}}
		if got := c.doubt(&l, 0.5, 0.4); (got == "") != (tt.reason == "") || !strings.Contains(got, tt.reason) {
			t.Errorf("%+v: doubt %q, want %q", tt, got, tt.reason)
		}
	}
}
