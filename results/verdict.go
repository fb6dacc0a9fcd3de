package main

import (
	"context"
	"encoding/gob"
	"flag"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

var verdictKind = kind{"verdict", "how often a believable interval of LogLikelihood misses the exact value", func(f *flag.FlagSet) action {
	o := new(calibration)
	whole(f, &o.models, "models", 3, 1, "`models` of each family")
	whole(f, &o.seeds, "seeds", 5, 1, "`seeds` of the estimates for each model")
	f.Uint64Var(&o.seed, "seed", 1, "first `seed` of the models")
	whole(f, &o.rows, "rows", 200, 1, "`rows` of each model")
	whole(f, &o.runs, "runs", 100, 1, "`runs` of annealed importance sampling")
	whole(f, &o.temperatures, "temperatures", 1000, 1, "`number` of temperatures")
	f.IntVar(&o.hidden, "hidden", 21, "hidden `units` of models that are enumerated, at least 21")
	f.StringVar(&o.only, "only", "", "families whose name matches this `expression`")
	f.StringVar(&o.cache, "cache", "", "`folder` to keep models in")
	f.BoolVar(&o.each, "each", false, "print every estimate to the standard error, too")
	return o.run
}}

// A calibration measures the verdict on models with a known log Z.
type calibration struct {
	models, seeds, rows, runs, temperatures, hidden int
	seed                                            uint64
	only, cache                                     string
	each                                            bool
}

// A family is models of one kind with rows of one kind.
type family struct {
	name string
	fair bool // the rows are samples of the model, or it is trained on such rows and its chains mix
	make func(o *calibration, src *rand.Rand) judged
}

// A judged is a model, its rows, and the exact log Z.
type judged struct {
	m    *rbm.RBM
	rows *rbm.Bits
	logZ float64
}

// An outcome is what LogLikelihood says, and what it should say.
type outcome struct {
	rbm.LogLikelihood
	exact float64
}

// miss returns how far the exact value is outside the interval.
func (o outcome) miss() float64 { return max(0, o.exact-o.High, o.Low-o.exact) }

func (o *calibration) run(ctx context.Context, w io.Writer) error {
	if o.hidden <= 20 || o.hidden > 26 {
		return fmt.Errorf("-hidden is %d, want 21 to 26: fewer are exact, and more take too long", o.hidden)
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	chosen := slices.DeleteFunc(families(), func(f family) bool { return !only.MatchString(f.name) })
	outcomes := make([][]outcome, len(chosen)*o.models) // of the seeds
	jobs := make(chan int)
	var wait sync.WaitGroup
	var once sync.Once
	var failed error
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for k := range jobs {
				var err error
				if outcomes[k], err = o.judge(ctx, chosen[k/o.models], k%o.models); err != nil {
					once.Do(func() { failed = err })
				}
			}
		}()
	}
	for k := range outcomes {
		jobs <- k
	}
	close(jobs)
	wait.Wait()
	if failed != nil {
		return failed
	}
	fmt.Fprintln(w, "| models and rows | pairs | believable | of these miss | worst | mean width | not believable, and right |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	var all, fair []outcome
	for i, f := range chosen {
		list := slices.Concat(outcomes[i*o.models : (i+1)*o.models]...)
		line(w, f.name, list)
		if all = append(all, list...); f.fair {
			fair = append(fair, list...)
		}
	}
	line(w, "**rows of the model**", fair)
	line(w, "**all**", all)
	return nil
}

// line prints a line of the table.
func line(w io.Writer, name string, list []outcome) {
	believable, missed, right := 0, 0, 0
	var worst, width float64
	for _, x := range list {
		switch miss := x.miss(); {
		case x.Believable():
			believable++
			width += x.High - x.Low
			if miss > 0 {
				missed++
				worst = max(worst, miss)
			}
		case miss == 0:
			right++
		}
	}
	fmt.Fprintf(w, "| %s | %d | %d | %d | %.2f | %.2f | %d |\n", name, len(list), believable, missed, worst, width/float64(max(1, believable)), right)
}

// judge makes model number k of a family, and has it judged.
func (o *calibration) judge(ctx context.Context, f family, k int) ([]outcome, error) {
	var name uint64
	for _, c := range f.name {
		name = name*31 + uint64(c)
	}
	j, err := o.cached(fmt.Sprintf("%x-%d-%d-%d", name, o.seed+uint64(k), o.rows, o.hidden), func() judged {
		return f.make(o, rand.New(rand.NewPCG(o.seed+uint64(k), name)))
	})
	if err != nil {
		return nil, err
	}
	n, _ := j.rows.Dims()
	exact := -j.logZ
	for _, f := range j.m.FreeEnergy(nil, j.rows) {
		exact -= f / float64(n)
	}
	list := make([]outcome, o.seeds)
	for s := range list {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		runs, temperatures := o.runs, o.temperatures
		switch {
		case strings.HasSuffix(f.name, "few temperatures"):
			temperatures = max(1, temperatures/20)
		case strings.HasSuffix(f.name, "few runs"):
			runs = max(1, runs/5)
		}
		l, err := j.m.LogLikelihood(ctx, j.rows, rbm.NewAIS(runs, temperatures, rand.NewPCG(uint64(s), o.seed+uint64(k))))
		if err != nil {
			return nil, err
		}
		list[s] = outcome{l, exact}
		if x := list[s]; o.each {
			fmt.Fprintf(os.Stderr, "%s, model %d, seed %d: exactly %.2f, miss %.2f: %v; uniform %.2f ± %.2f, ESS %.0f; modes %.2f ± %.2f, ESS %.0f; log Z %.2f\n", f.name, k, s, x.exact, x.miss(), l, l.Uniform.Mean, l.Uniform.StdErr, l.Uniform.ESS, l.Modes.Mean, l.Modes.StdErr, l.Modes.ESS, j.logZ)
		}
	}
	return list, nil
}

// cached returns what made returns, or what it returned before, from a file.
func (o *calibration) cached(name string, made func() judged) (j judged, err error) {
	if o.cache == "" {
		return made(), nil
	}
	var kept struct {
		Model *rbm.RBM
		Rows  [][]uint64
		LogZ  float64
	}
	name = filepath.Join(o.cache, name)
	if f, err := os.Open(name); err == nil {
		defer f.Close()
		if err := gob.NewDecoder(f).Decode(&kept); err != nil {
			return j, fmt.Errorf("%s: %w", name, err)
		}
		nv, _ := kept.Model.Dims()
		j = judged{kept.Model, rbm.NewBits(len(kept.Rows), nv), kept.LogZ}
		for r, words := range kept.Rows {
			copy(j.rows.RawRow(r), words)
		}
		return j, nil
	}
	j = made()
	n, _ := j.rows.Dims()
	kept.Model, kept.LogZ = j.m, j.logZ
	for r := range n {
		kept.Rows = append(kept.Rows, j.rows.RawRow(r))
	}
	f, err := os.Create(name)
	if err != nil {
		return j, err
	}
	if err := gob.NewEncoder(f).Encode(kept); err != nil {
		f.Close()
		return j, err
	}
	return j, f.Close()
}

// families lists all families.
func families() []family {
	var list []family
	for _, std := range []float64{0.3, 0.8, 1.5, 3} {
		list = append(list, family{fmt.Sprintf("random weights of %v, its rows", std), true, func(o *calibration, src *rand.Rand) judged {
			return o.own(random(34, o.hidden, std, src), src)
		}})
	}
	list = append(list,
		family{"random weights of 0.8, its rows, few temperatures", true, func(o *calibration, src *rand.Rand) judged {
			return o.own(random(34, o.hidden, 0.8, src), src)
		}},
		family{"random weights of 0.8, its rows, few runs", true, func(o *calibration, src *rand.Rand) judged {
			return o.own(random(34, o.hidden, 0.8, src), src)
		}},
	)
	for _, kind := range []string{"zeros", "noise", "a single row"} {
		list = append(list, family{"random weights of 0.8, " + kind, false, func(o *calibration, src *rand.Rand) judged {
			j := o.own(random(34, o.hidden, 0.8, src), src)
			switch kind {
			case "zeros":
				j.rows = rbm.NewBits(o.rows, 34)
			case "noise":
				j.rows = noisy(o.rows, make([]bool, 34), 0.5, src)
			default:
				j.rows = j.rows.Slice(0, 1)
			}
			return j
		}})
	}
	list = append(list, family{"random weights of 1.5, rows of another model", false, func(o *calibration, src *rand.Rand) judged {
		j := o.own(random(34, o.hidden, 1.5, src), src)
		j.rows = o.own(random(34, o.hidden, 1.5, src), src).rows
		return j
	}})
	for _, modes := range []int{2, 12} {
		for _, depth := range []float64{0, 3} {
			for _, one := range []bool{false, true} {
				name := fmt.Sprintf("%d modes alike, ", modes)
				if depth > 0 {
					name = fmt.Sprintf("%d modes of weights up to e³, ", modes)
				}
				if one {
					name += "rows of one"
				} else {
					name += "rows of all"
				}
				list = append(list, family{name, !one, func(o *calibration, src *rand.Rand) judged {
					m, centers := planted(30, o.hidden, modes, 1, 6, depth, 4, src)
					j := o.own(m, src)
					if one {
						j.rows = near(m, centers[src.IntN(modes)], o.rows, src)
					}
					return j
				}})
			}
		}
	}
	for _, modes := range []int{2, 6} {
		for _, one := range []bool{false, true} {
			name := fmt.Sprintf("%d broad modes, rows of all", modes)
			if one {
				name = fmt.Sprintf("%d broad modes, rows of one", modes)
			}
			list = append(list, family{name, !one, func(o *calibration, src *rand.Rand) judged {
				m, centers := planted(60, o.hidden, modes, 3, 0.8, 1, 8, src)
				j := o.own(m, src)
				if one {
					j.rows = near(m, centers[src.IntN(modes)], o.rows, src)
				}
				return j
			}})
		}
	}
	list = append(list,
		family{"a needle that one hidden unit finds, rows elsewhere", false, func(o *calibration, src *rand.Rand) judged {
			m, _ := needle(30, o.hidden, 1, src)
			j := o.own(m, src)
			j.rows = wander(m, rbm.NewBits(o.rows, 30), src)
			return j
		}},
		family{"a needle that three hidden units find, rows elsewhere", false, func(o *calibration, src *rand.Rand) judged {
			m, _ := needle(30, o.hidden, 3, src)
			j := o.own(m, src)
			j.rows = wander(m, rbm.NewBits(o.rows, 30), src)
			return j
		}},
		family{"a needle, rows of it alone", false, func(o *calibration, src *rand.Rand) judged {
			m, at := needle(30, o.hidden, 1, src)
			m.C.SetVec(0, m.C.AtVec(0)-14) // as likely as all else, or less
			j := o.own(m, src)
			j.rows = noisy(o.rows, at, 0, src)
			return j
		}},
		family{"two phases, all units on or off, its rows", true, func(o *calibration, src *rand.Rand) judged {
			return o.own(phases(36, o.hidden, src), src)
		}},
		family{"two phases, rows of the one with units off", false, func(o *calibration, src *rand.Rand) judged {
			m := phases(36, o.hidden, src)
			j := o.own(m, src)
			j.rows = wander(m, rbm.NewBits(o.rows, 36), src)
			return j
		}},
		family{"two phases, rows of the one with units on", false, func(o *calibration, src *rand.Rand) judged {
			m := phases(36, o.hidden, src)
			j := o.own(m, src)
			j.rows = wander(m, noisy(o.rows, slices.Repeat([]bool{true}, 36), 0, src), src)
			return j
		}},
		family{"six blocks of spins, of either sign", true, func(o *calibration, src *rand.Rand) judged {
			return blocks(6, o.rows, false, src)
		}},
		family{"six blocks of spins, rows of one sign each", false, func(o *calibration, src *rand.Rand) judged {
			return blocks(6, o.rows, true, src)
		}},
		family{"one-hot groups, its rows", true, func(o *calibration, src *rand.Rand) judged {
			return o.own(oneHot(o.hidden, 0.8, 0, src), src)
		}},
		family{"one-hot groups of two modes, rows of one", false, func(o *calibration, src *rand.Rand) judged {
			m := oneHot(o.hidden, 0.1, 6, src)
			j := o.own(m, src)
			return j.half(o.rows, j.rows.RawRow(0), src)
		}},
	)
	for _, d := range []struct {
		name string
		rows func(n int, src *rand.Rand) *rbm.Bits
	}{{"bars and stripes", bars}, {"8 clusters", clusters}, {"cold spins", coldSpins}} {
		for _, t := range []struct {
			name, sampler string
			rate          float64
			steps         int
		}{{"PCD", "pcd", 0.2, 2000}, {"PCD, high rate", "pcd", 1, 1000}, {"CD-1", "cd", 0.2, 2000}, {"PTT", "ptt", 0.2, 1500}} {
			trained := func(o *calibration, src *rand.Rand) judged {
				data := d.rows(o.rows, src)
				m := fit(data, o.hidden, t.sampler, t.rate, t.steps, src)
				j := o.own(m, src)
				j.rows = data
				return j
			}
			list = append(list, family{d.name + ", " + t.name + ", rows to train on", t.name == "PTT" || t.name == "PCD", trained})
			if t.name == "PCD" || t.name == "PTT" {
				list = append(list, family{d.name + ", " + t.name + ", rows of one mode", false, func(o *calibration, src *rand.Rand) judged {
					j := trained(o, src)
					return j.half(o.rows, j.rows.RawRow(0), src)
				}})
			}
		}
	}
	return list
}

// own returns m with rows that are exact samples of it.
func (o *calibration) own(m *rbm.RBM, src *rand.Rand) judged {
	rows, logZ := sample(m, o.rows, src)
	return judged{m, rows, logZ}
}

// half is j with rows that are states of chains from those of its rows that are near to a row,
// in at most a quarter of the units.
func (j judged) half(n int, to []uint64, src *rand.Rand) judged {
	all, nv := j.rows.Dims()
	to = slices.Clone(to)
	var some []int
	for r := range all {
		different := 0
		for i := range nv {
			if j.rows.Bit(r, i) != (to[i/64]>>(i%64)&1 == 1) {
				different++
			}
		}
		if different <= nv/4 {
			some = append(some, r)
		}
	}
	for k := len(some); k < n; k++ {
		some = append(some, some[src.IntN(k)])
	}
	j.rows = j.rows.Gather(nil, some[:n])
	return j
}

// random returns a model of random parameters.
func random(nv, nh int, std float64, src *rand.Rand) *rbm.RBM {
	m := rbm.NewRandom(nv, nh, std, src)
	for i := range nv {
		m.B.SetVec(i, std*src.NormFloat64()-mat.Sum(m.W.ColView(i))/2)
	}
	for j := range nh {
		m.C.SetVec(j, std*src.NormFloat64()-mat.Sum(m.W.RowView(j))/2)
	}
	return m
}

// planted returns a model with far modes, around random centers: the given number of hidden units
// are on near each. The logs of their weights differ by up to the given depth, and are above what
// else there is by background or more.
func planted(nv, nh, modes, units int, strength, depth, background float64, src *rand.Rand) (m *rbm.RBM, centers [][]bool) {
	m = rbm.NewRandom(nv, nh, 0.05, src)
	for k := range modes {
		center, on := make([]bool, nv), 0.
		for i := range center {
			w := -strength
			if src.IntN(2) == 0 {
				center[i], w = true, strength
				on++
			}
			for j := range units {
				m.W.Set(k*units+j, i, w)
			}
		}
		above := (float64(nv)*math.Ln2 + background + depth*src.Float64()) / float64(units)
		for j := range units {
			m.C.SetVec(k*units+j, above-strength*on)
		}
		centers = append(centers, center)
	}
	return m, centers
}

// near returns states of chains that start at a center.
func near(m *rbm.RBM, center []bool, n int, src *rand.Rand) *rbm.Bits {
	return wander(m, noisy(n, center, 0, src), src)
}

// wander returns states of chains that start at rows.
func wander(m *rbm.RBM, rows *rbm.Bits, src *rand.Rand) *rbm.Bits {
	c := rbm.NewChains(src)
	c.Start(rows)
	c.Gibbs(m, 200)
	return c.Visible()
}

// needle returns a model with a single configuration that has nearly all of the probability.
// The given number of hidden units must be on to find it, each of which knows a part of it.
func needle(nv, nh, units int, src *rand.Rand) (m *rbm.RBM, at []bool) {
	m = rbm.NewRandom(nv, nh, 0.2, src)
	at = make([]bool, nv)
	c := make([]float64, units)
	for i := range at {
		at[i] = src.IntN(2) == 0
		k := i % units
		if at[i] {
			m.W.Set(k, i, 10)
			c[k] -= 10
		} else {
			m.W.Set(k, i, -10)
		}
	}
	for k, x := range c {
		m.C.SetVec(k, x+40/float64(units))
	}
	return m, at
}

// phases returns a model that has two phases of about the same probability.
func phases(nv, nh int, src *rand.Rand) *rbm.RBM {
	m := rbm.New(nv, nh)
	w := 8 / math.Sqrt(float64(nv*nh))
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, w*(1+0.1*src.NormFloat64()))
		}
		m.C.SetVec(j, -mat.Sum(m.W.RowView(j))/2)
	}
	for i := range nv {
		m.B.SetVec(i, -mat.Sum(m.W.ColView(i))/2+0.1*src.NormFloat64())
	}
	return m
}

// blocks returns a model of independent blocks, each of which is nearly symmetric in its sign.
func blocks(n, rows int, one bool, src *rand.Rand) judged {
	const nv, nh = 9, 5
	j := judged{m: rbm.New(n*nv, n*nh), rows: rbm.NewBits(rows, n*nv)}
	for k := range n {
		part := phases(nv, nh, src)
		j.m.W.Slice(k*nh, (k+1)*nh, k*nv, (k+1)*nv).(*mat.Dense).Copy(part.W)
		for i := range nv {
			j.m.B.SetVec(k*nv+i, part.B.AtVec(i))
		}
		for i := range nh {
			j.m.C.SetVec(k*nh+i, part.C.AtVec(i))
		}
		own, logZ := sample(part, rows, src)
		if one {
			own = wander(part, rbm.NewBits(rows, nv), src)
		}
		j.logZ += logZ
		for r := range rows {
			for i := range nv {
				j.rows.SetBit(r, k*nv+i, own.Bit(r, i))
			}
		}
	}
	return j
}

// oneHot returns a model of groups, with two modes if there is a strength.
func oneHot(nh int, std, strength float64, src *rand.Rand) *rbm.RBM {
	const groups, size = 12, 4
	m := random(groups*size, nh, std, src)
	for g := range groups {
		m.OneHot = append(m.OneHot, rbm.Group{From: g * size, To: (g + 1) * size})
	}
	if strength == 0 {
		return m
	}
	for k := range 2 {
		for g := range groups {
			on := src.IntN(size)
			for i := range size {
				w := 0.
				if i == on {
					w = strength
				}
				m.W.Set(k, g*size+i, w)
			}
		}
		m.C.SetVec(k, groups*(math.Log(size)-strength)+5)
	}
	return m
}

// fit returns a model trained on rows.
func fit(data *rbm.Bits, hidden int, sampler string, rate float64, steps int, src *rand.Rand) *rbm.RBM {
	_, nv := data.Dims()
	m := rbm.NewRandom(nv, hidden, 0.01, src)
	m.FitVisibleBias(data)
	var s rbm.Sampler = rbm.NewPCD(50, 1, src)
	switch sampler {
	case "cd":
		s = rbm.NewCD(1, src)
	case "ptt":
		ptt := rbm.NewPTT(50, 1, nil, src)
		ptt.MinSwapRate = 0.1
		s = ptt
	}
	t := rbm.NewTrainer(m, data, s, src)
	t.BatchSize, t.SGD.L2 = 50, 1e-3
	t.Schedule = rbm.Linear(rate, 0, steps)
	t.ReportEvery = steps
	n, _ := data.Dims()
	if err := t.Train(context.Background(), (steps*50+n-1)/n); err != nil {
		panic(err) // nothing ends it
	}
	return m
}

// noisy returns rows that differ from one in units that are drawn with a probability.
func noisy(n int, row []bool, p float64, src *rand.Rand) *rbm.Bits {
	rows := rbm.NewBits(n, len(row))
	for r := range n {
		for i, on := range row {
			rows.SetBit(r, i, on != (src.Float64() < p))
		}
	}
	return rows
}

// bars returns pictures of 6×6 pixels, of whole rows or whole columns.
func bars(n int, src *rand.Rand) *rbm.Bits {
	const side = 6
	rows := rbm.NewBits(n, side*side)
	for r := range n {
		across, lines := src.IntN(2) == 0, src.IntN(1<<side)
		for i := range side * side {
			line := i % side
			if across {
				line = i / side
			}
			rows.SetBit(r, i, lines>>line&1 == 1)
		}
	}
	return rows
}

// clusters returns rows near eight centers.
func clusters(n int, src *rand.Rand) *rbm.Bits {
	const nv = 40
	rows := rbm.NewBits(n, nv)
	for r := range n {
		center := rand.New(rand.NewPCG(7, uint64(src.IntN(8))))
		for i := range nv {
			rows.SetBit(r, i, (center.IntN(2) == 0) != (src.Float64() < 0.04))
		}
	}
	return rows
}

// coldSpins returns states of an Ising model of 6×6 spins below the critical temperature, of either
// sign alike.
func coldSpins(n int, src *rand.Rand) *rbm.Bits {
	const side, coupling = 6, 0.5
	rows := rbm.NewBits(n, side*side)
	for r := range n {
		var s [side][side]float64
		sign := float64(2*src.IntN(2) - 1)
		for x := range s {
			for y := range s[x] {
				s[x][y] = sign
			}
		}
		for range 30 * side * side {
			x, y := src.IntN(side), src.IntN(side)
			sum := s[(x+1)%side][y] + s[(x+side-1)%side][y] + s[x][(y+1)%side] + s[x][(y+side-1)%side]
			s[x][y] = -1
			if src.Float64() < 1/(1+math.Exp(-2*coupling*sum)) {
				s[x][y] = 1
			}
		}
		for i := range side * side {
			rows.SetBit(r, i, s[i/side][i%side] > 0)
		}
	}
	return rows
}

// sample returns exact samples of m, and log Z, by a sum over all hidden states.
func sample(m *rbm.RBM, n int, src *rand.Rand) (rows *rbm.Bits, logZ float64) {
	nv, nh := m.Dims()
	all := 1 << nh
	logp := make([]float64, all)
	up, down := mat.NewDense(nh, nv, nil), mat.NewDense(nh, nv, nil) // what a unit does to exp(inputs)
	up.Apply(func(_, _ int, w float64) float64 { return math.Exp(w) }, m.W)
	down.Apply(func(_, _ int, w float64) float64 { return math.Exp(-w) }, m.W)
	odds, c, h := make([]float64, nv), 0., 0
	for i := range odds {
		odds[i] = math.Exp(m.B.AtVec(i))
	}
	largest := math.Inf(-1)
	for k := range all {
		if k > 0 { // one hidden unit changes at a time
			j := bits.TrailingZeros(uint(k))
			h ^= 1 << j
			by := down.RawRowView(j)
			if h>>j&1 == 1 {
				by = up.RawRowView(j)
				c += m.C.AtVec(j)
			} else {
				c -= m.C.AtVec(j)
			}
			for i, x := range by {
				odds[i] *= x
			}
		}
		logp[h] = c + logSum(odds, m.OneHot)
		largest = max(largest, logp[h])
	}
	var sum float64
	for h := range logp {
		sum += math.Exp(logp[h] - largest)
	}
	points := make([]float64, n)
	for r := range points {
		points[r] = src.Float64() * sum
	}
	sort.Float64s(points)
	rows = rbm.NewBits(n, nv)
	var upTo float64
	r, states := 0, make([]int, n)
	for h := range logp {
		upTo += math.Exp(logp[h] - largest)
		for ; r < n && points[r] < upTo; r++ {
			states[r] = h
		}
	}
	src.Shuffle(n, func(r, s int) { states[r], states[s] = states[s], states[r] })
	in := make([]float64, nv)
	for r, h := range states {
		copy(in, m.B.RawVector().Data)
		for j := range nh {
			if h>>j&1 == 1 {
				for i, w := range m.W.RawRowView(j) {
					in[i] += w
				}
			}
		}
		drawRow(rows, r, in, m.OneHot, src)
	}
	return rows, largest + math.Log(sum)
}

// logSum returns the log of the sum over visible states of the products of their odds.
func logSum(odds []float64, groups []rbm.Group) (sum float64) {
	product := 1.
	for i := 0; i < len(odds); i++ {
		part := 1 + odds[i]
		if len(groups) > 0 && groups[0].From == i {
			part = 0
			for _, x := range odds[i:groups[0].To] {
				part += x
			}
			i, groups = groups[0].To-1, groups[1:]
		}
		if product *= part; product > 1e100 || product < 1e-100 {
			sum += math.Log(product)
			product = 1
		}
	}
	return sum + math.Log(product)
}

// drawRow draws row r, given the inputs of the units.
func drawRow(rows *rbm.Bits, r int, in []float64, groups []rbm.Group, src *rand.Rand) {
	for i := 0; i < len(in); i++ {
		if len(groups) > 0 && groups[0].From == i {
			g := groups[0]
			best, on := math.Inf(-1), g.From
			for k := g.From; k < g.To; k++ { // the largest with Gumbel noise
				if x := in[k] - math.Log(src.ExpFloat64()); x > best {
					best, on = x, k
				}
			}
			rows.SetBit(r, on, true)
			i, groups = g.To-1, groups[1:]
			continue
		}
		rows.SetBit(r, i, src.Float64() < 1/(1+math.Exp(-in[i])))
	}
}
