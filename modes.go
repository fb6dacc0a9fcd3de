package rbm

import (
	"cmp"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

const (
	coldness   = 16 // the inverse temperature at which chains go down to a minimum of F
	coldSweeps = 8
	mostHidden = 1024 // hidden units from which chains start

	hardly      = 4 // times as many of the chains as of the states are in a mode
	mostModes   = 8
	leastRuns   = 10   // of a mode
	apart       = 3.   // nats between the base models of two modes, for nearly all states
	notApart    = 0.05 // share of states that may be between
	assignments = 5    // of states to two modes
)

// elsewhere returns a.Runs states from which chains may find modes that are not those of the
// rows: half of them the lowest minima of F that are found from random states, from what each
// hidden unit looks like, and from the complements of states that are near the rows; others
// are ends of runs, or random.
func (a *AIS) elsewhere(m *RBM, states, ends *Bits, seen *distinct) *Bits {
	c := a.chains
	nv, nh := m.Dims()
	cold := m.clone()
	cold.W.Scale(coldness, cold.W)
	cold.B.ScaleVec(coldness, cold.B)
	cold.C.ScaleVec(coldness, cold.C)
	cold = cold.as(m)

	uniform := New(nv, 1)
	uniform.OneHot = m.OneHot
	c.startRandom(uniform.as(m), a.Runs)
	random := new(Bits)
	random.append(&c.v)
	pool := new(Bits)
	pool.append(random)
	c.startHidden(cold, evenly(nh, mostHidden))
	pool.append(&c.v)
	pool.append(complements(states, m.OneHot))
	c.start(pool, m.until())
	c.gibbs(cold, coldSweeps)
	f := m.FreeEnergy(nil, &c.v)
	seen.most = max(seen.most, len(seen.rows)+c.v.rows)
	seen.add(&c.v, f)

	order := numbers(len(f))
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(f[x], f[y]) })
	var lowest []int // that differ
	half := (a.Runs + 1) / 2
	for _, r := range order {
		if len(lowest) == half {
			break
		}
		if !slices.ContainsFunc(lowest, func(k int) bool { return slices.Equal(c.v.row(k), c.v.row(r)) }) {
			lowest = append(lowest, r)
		}
	}
	found := new(Bits)
	for _, x := range []*Bits{&c.v, ends, random} {
		found.append(x)
	}
	start := make([]int, a.Runs)
	for k := range start {
		switch {
		case k < half:
			start[k] = lowest[k%len(lowest)]
		case k%2 == 0:
			start[k] = c.v.rows + k%ends.rows
		default:
			start[k] = c.v.rows + ends.rows + k
		}
	}
	return found.Gather(nil, start)
}

// startHidden starts a chain from each of some hidden units: from the visible units given that
// it alone is on.
func (c *Chains) startHidden(m *RBM, units []int) {
	_, nh := m.Dims()
	m.call.keeps(c)
	c.h.reset(len(units), nh)
	for r, j := range units {
		c.h.SetBit(r, j, true)
	}
	c.model.load(m, 2*len(units))
	defer c.model.done()
	c.visibleHalf(&c.model.team, &c.model, 0, len(units), nil)
	c.clock++
}

// modes returns log Z by runs from base models of the modes where the chains are, and states
// of chains from the rows are hardly, together with runs of AIS that have ended in other modes.
// A run from a mode counts only if it ends there. Then each part of Z is estimated without
// bias, and so is the sum. Without such a mode, modes returns nothing.
func (a *AIS) modes(m *RBM, states, ends *Bits, ais LogZ) LogZ {
	c := a.chains
	all := new(Bits)
	all.append(states)
	all.append(&c.v)
	modes := modesOf(all, m, min(mostModes, a.Runs/leastRuns))
	var away []int // modes
	isAway := make([]bool, len(modes))
	for k, x := range modes {
		of := 0 // states
		for _, r := range x.rows {
			if r < states.rows {
				of++
			}
		}
		if isAway[k] = hardly*of*c.v.rows < (len(x.rows)-of)*states.rows; isAway[k] {
			away = append(away, k)
		}
	}
	if len(away) == 0 {
		return LogZ{}
	}
	first := New(all.cols, 1)
	first.OneHot = m.OneHot
	starts, of := new(Bits), make([]int, a.Runs)
	runs := make([]int, len(away))
	var bases []*mat.VecDense
	for k, mode := range away {
		runs[k] = (k+1)*a.Runs/len(away) - k*a.Runs/len(away)
		first.B = mat.NewVecDense(all.cols, modes[mode].bias)
		bases = append(bases, first.B)
		for r := range runs[k] {
			of[starts.rows+r] = k
		}
		c.startRandom(first.as(m), runs[k])
		starts.append(&c.v)
	}
	c.start(starts, m.until())
	logw := a.anneal(m, bases, of, false)
	// The mean of all weights is the sum of the means of each part.
	total := float64(a.Runs + len(ais.LogWeights))
	for r, k := range of {
		if nearest(modes, c.v.row(r)) != away[k] {
			logw[r] = math.Inf(-1)
		} else {
			logw[r] += logistic.Log(total / float64(runs[k]))
		}
	}
	for r, x := range ais.LogWeights {
		if isAway[nearest(modes, ends.row(r))] {
			x = math.Inf(-1)
		} else {
			x += logistic.Log(total / float64(len(ais.LogWeights)))
		}
		logw = append(logw, x)
	}
	return logZOf(logw, false)
}

// A mode is states and the base model that is fitted to them.
type mode struct {
	rows []int
	ones []float64 // states in which a unit is on
	bias []float64
	logZ float64 // of the visible units
	one  bool    // that is not two
}

// logp returns the log-probability of a state by the base model.
func (x *mode) logp(row []uint64) float64 { return product.SumBits(row, x.bias) - x.logZ }

// nearest returns the number of the mode by which a state is most likely.
func nearest(modes []mode, row []uint64) int {
	best, most := 0, math.Inf(-1)
	for k := range modes {
		if p := modes[k].logp(row); p > most {
			best, most = k, p
		}
	}
	return best
}

// modesOf parts states into at most the given number of modes, or one.
func modesOf(states *Bits, m *RBM, most int) []mode {
	modes := []mode{modeOf(states, m, numbers(states.rows))}
	for len(modes) < most {
		largest := -1
		for k := range modes {
			if !modes[k].one && (largest < 0 || len(modes[k].rows) > len(modes[largest].rows)) {
				largest = k
			}
		}
		if largest < 0 {
			break
		}
		m.until().Look()
		x, y, ok := modes[largest].split(states, m)
		if !ok {
			modes[largest].one = true
			continue
		}
		modes[largest] = x
		modes = append(modes, y)
	}
	return modes
}

// modeOf returns the mode of states with the given numbers.
func modeOf(states *Bits, m *RBM, rows []int) mode {
	x := mode{rows: rows, ones: make([]float64, states.cols)}
	for _, r := range rows {
		eachOne(states.row(r), func(i int) { x.ones[i]++ })
	}
	x.fit(m, len(rows))
	return x
}

// fit fits the base model to n states.
func (x *mode) fit(m *RBM, n int) {
	x.bias = biasOf(m.OneHot, x.ones, slices.Repeat([]float64{float64(n)}, len(x.ones))).RawVector().Data
	x.logZ = logZOfBiases(0, x.bias, m.OneHot)
}

// without returns the mode without one of its states.
func (x *mode) without(row []uint64, m *RBM) mode {
	y := mode{ones: slices.Clone(x.ones)}
	eachOne(row, func(i int) { y.ones[i]-- })
	y.fit(m, len(x.rows)-1)
	return y
}

// split parts a mode in two, from the state that is least likely and the one that is farthest
// from it. They are two if hardly any state is between.
func (x *mode) split(states *Bits, m *RBM) (a, b mode, ok bool) {
	if len(x.rows) < 2 {
		return a, b, false
	}
	first, least := 0, math.Inf(1)
	for _, r := range x.rows {
		if p := x.logp(states.row(r)); p < least {
			first, least = r, p
		}
	}
	second, most := 0, 0
	for _, r := range x.rows {
		if d := distance(states.row(first), states.row(r)); d > most {
			second, most = r, d
		}
	}
	if most == 0 {
		return a, b, false
	}
	two := []mode{modeOf(states, m, []int{first}), modeOf(states, m, []int{second})}
	for range assignments {
		var rows [2][]int
		for _, r := range x.rows {
			k := nearest(two, states.row(r))
			rows[k] = append(rows[k], r)
		}
		if len(rows[0]) == 0 || len(rows[1]) == 0 {
			return a, b, false
		}
		for k := range two {
			two[k] = modeOf(states, m, rows[k])
		}
	}
	between := 0
	for k := range two {
		m.until().Look()
		for _, r := range two[k].rows {
			// A state that no other is like may be as likely anywhere.
			row := states.row(r)
			if own := two[k].without(row, m); own.logp(row)-two[1-k].logp(row) < apart {
				between++
			}
		}
	}
	return two[0], two[1], float64(between) <= notApart*float64(len(x.rows))
}

// complements returns states with all units changed that are in no group.
func complements(states *Bits, groups []Group) *Bits {
	c := states.Gather(nil, numbers(states.rows))
	for r := range c.rows {
		row := c.row(r)
		for i := range c.cols {
			row[i/wordBits] ^= 1 << (i % wordBits)
		}
		for _, g := range groups {
			for i := g.From; i < g.To; i++ {
				row[i/wordBits] ^= 1 << (i % wordBits)
			}
		}
	}
	return c
}
