package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// PTT is the [Sampler] of parallel trajectory tempering (Béreux, Decelle, Furtlehner,
// Rosset & Seoane, 2024), for modes that part as a model learns: persistent chains, each
// with a replica at every model of a ladder saved during training, and at the sampled
// model. Each sweep, neighbors swap visible states, even and odd pairs in turn. A sweep
// costs two of n chains of PCD per model.
type PTT struct {
	sealed

	K           int     // sweeps per call, from 1 to 2²⁴
	MinSwapRate float64 // acceptance rate, in [0, 1), below which the sampled model joins the ladder; 0: never; NewPTT: 0.25

	n      int
	saved  []*RBM
	models []*model // saved, ready to use, or nil until the next call of Sample
	chains *Chains  // row k·n+i: the replica of chain i at model k, the last being the sampled one
	swaps  []swapRate
	sample Bits

	top          *model // the sampled one, in a call
	free         marginal
	below, above []float64 // free energies of both states of each exchange
	climb        *climb    // what LogZ gathers, else nil

	kept struct { // see call
		models int
		swaps  []swapRate
	}
}

var _ Sampler = (*PTT)(nil)

// swapRate is the mean probability of the exchanges between two neighbors.
type swapRate struct {
	sum   float64
	tried int
	last  float64 // mean of the last swapWindow or more; NaN before
}

// swapWindow is how many exchanges make a swap rate.
const swapWindow = 100

// NewPTT returns PTT of n chains, at most 2²², by k sweeps per call, with copies of models
// as the ladder. To sample a trained model, pass checkpoints of its training in order, or
// the Models of the PTT that trained it. To train one, pass nil: the ladder begins with its
// visible biases, without weights.
func NewPTT(n, k int, models []*RBM, src rand.Source) *PTT {
	// The first model should be one in which chains move freely. Without weights, a sweep
	// draws them afresh.
	// The first call of Sample starts all replicas from the visible biases of the first
	// model. The models must have the same visible units and groups.
	checkChains(n, 1)
	checkK(k)
	s := &PTT{K: k, MinSwapRate: 0.25, n: n, chains: NewChains(src)}
	for i, m := range models {
		nv, _ := m.Dims()
		if want, _ := models[0].Dims(); nv != want {
			panic(fmt.Sprintf("rbm: models[%d] has %d visible units, want %d", i, nv, want))
		}
		if want := models[0].OneHot; !slices.Equal(m.OneHot, want) {
			panic(fmt.Sprintf("rbm: models[%d] has the groups %v, want %v", i, m.OneHot, want))
		}
		s.save(m)
	}
	return s
}

// Sample returns the states at m (n×nv) after K more sweeps.
func (s *PTT) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	// The visible units and the groups of m must be those of the ladder.
	defer s.take().Release()
	return sample(s, &s.chains.model, m, data, 0)
}

// draw moves the replicas on. The last of them are at m.
func (s *PTT) draw(p *model, m *RBM, _ mat.Matrix) (v mat.Matrix, weights []float64) {
	s.chains.checkStates(p)
	s.top = p
	for i := range s.K {
		if p.sweep.Given() {
			break
		}
		s.sweep(s.K - 1 - i)
	}
	s.top = nil
	if s.swaps[len(s.swaps)-1].last < s.MinSwapRate && !p.sweep.Given() {
		v := &s.chains.v
		s.save(m)
		v.words = append(v.words, v.words[(v.rows-s.n)*v.stride:]...)
		v.rows += s.n
	}
	s.collect()
	return &s.sample, nil
}

// Visible returns the states that Sample returned last, or nil before that.
func (s *PTT) Visible() *Bits {
	checkNil("PTT", s)
	return s.sample.orNil()
}

// collect sets the sample to the states at the model that is sampled.
func (s *PTT) collect() {
	v := &s.chains.v
	v.slice(&s.sample, v.rows-s.n, v.rows)
}

// Models returns copies of the models of the ladder, from the first on.
func (s *PTT) Models() []*RBM {
	checkNil("PTT", s)
	models := make([]*RBM, len(s.saved))
	for k, m := range s.saved {
		models[k] = m.Clone()
	}
	return models
}

// SwapRates returns the acceptance rate of about 100 swaps between each model and the next,
// the last being the sampled one, or NaN before that.
func (s *PTT) SwapRates() []float64 {
	// A rate is the mean probability of the last 100 swaps or, if n is larger, of the last
	// sweep that tried some. A rate near 0 separates the models below from the models
	// above.
	checkNil("PTT", s)
	rates := make([]float64, len(s.swaps))
	for k := range rates {
		rates[k] = s.swaps[k].last
	}
	return rates
}

func (s *PTT) itself() Sampler { return s }

func (s *PTT) take() *parallel.Guard {
	s.check()
	return s.chains.guard.Take("PTT")
}

// firstOf returns the first model of a ladder for m, without weights.
func firstOf(m *RBM) *RBM {
	nv, _ := m.Dims()
	first := New(nv, 1)
	first.B.CopyVec(m.B)
	first.OneHot = m.OneHot
	return first
}

func (s *PTT) begin(m *RBM, _ int) (samples, passes int) {
	m.Dims() // panics if there is no model
	m.call.keeps(s.chains)
	m.call.keeps(s)
	if len(s.saved) == 0 {
		s.save(firstOf(m))
	}
	if want := s.saved[0].OneHot; !slices.Equal(m.OneHot, want) {
		panic(fmt.Sprintf("rbm: model has the groups %v, want %v as the ladder", m.OneHot, want))
	}
	if s.chains.v.rows == 0 {
		s.chains.startRandom(s.saved[0].as(m), (len(s.saved)+1)*s.n)
	}
	s.chains.check(m)
	s.read(m)
	return s.n, 4 * s.K * s.chains.v.rows
}

// note remembers the ladder.
func (s *PTT) note() {
	s.kept.models, s.kept.swaps = len(s.saved), append(s.kept.swaps[:0], s.swaps...)
}

// back restores it, after the chains are back.
func (s *PTT) back() {
	n := s.kept.models
	clear(s.saved[n:])
	clear(s.models[n:])
	s.saved, s.models = s.saved[:n], s.models[:n]
	s.swaps, s.kept.swaps = s.kept.swaps, s.swaps
	if s.sample = (Bits{}); s.chains.v.rows > 0 {
		s.collect()
	}
}

// check panics if s cannot be used.
func (s *PTT) check() {
	checkNil("PTT", s)
	checkK(s.K)
	if wrong := s.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	if s.chains == nil {
		panic("rbm: PTT is empty, want that of NewPTT")
	}
}

// wrong says which setting is out of range, or returns "".
func (s *PTT) wrong() string {
	if !(0 <= s.MinSwapRate && s.MinSwapRate < 1) {
		return fmt.Sprintf("MinSwapRate is %v, want one in [0, 1)", s.MinSwapRate)
	}
	return ""
}

// ladder returns how many models it has.
func (s *PTT) ladder() int { return len(s.saved) }

// save adds a copy of m to the ladder.
func (s *PTT) save(m *RBM) { s.keep(m.clone()) }

// keep adds saved itself to the ladder.
func (s *PTT) keep(saved *RBM) {
	s.saved, s.models = append(s.saved, saved), append(s.models, nil)
	s.swaps = append(s.swaps, swapRate{last: math.NaN()})
}

// read makes the models of the ladder ready to use, inside of the call that m is in.
func (s *PTT) read(m *RBM) {
	for k, saved := range s.saved {
		if s.models[k] != nil {
			continue
		}
		p := new(model)
		p.load(saved.as(m), 0)
		p.team.Stop() // only that of the model sampled is at work
		p.team.Until = nil
		s.models[k] = p
	}
}

// model returns model k of the ladder, or the sampled model, which is one above the last.
func (s *PTT) model(k int) *model {
	if k == len(s.models) {
		return s.top
	}
	return s.models[k]
}

// sweep exchanges states and then moves every replica by a Gibbs sweep, ahead of some more.
func (s *PTT) sweep(ahead int) {
	c, team, n := s.chains, &s.top.team, s.n
	for k := int(c.clock % 2); k < len(s.models); k += 2 {
		s.exchange(k)
	}
	for k := range len(s.models) + 1 {
		p := s.model(k)
		if c.pass.ahead = ahead; k < len(s.models) {
			c.pass.ahead = packRows // the models of the ladder stay as they are
		}
		c.hiddenHalf(team, p, k*n, (k+1)*n, nil)
		c.visibleHalf(team, p, k*n, (k+1)*n, nil)
	}
	c.clock++
}

// exchange lets the replicas of each chain at the models k and k+1 change places.
//
// Visible configurations v of model k and v′ of the next one do so with
// probability min(1, exp(F(v) + F′(v′) - F(v′) - F′(v))), which leaves p(v)p′(v′)
// as it is; hidden units are drawn anew after it. The joint energies of (v,h)
// would do as well, with as many products, but at a lower rate, as joint
// distributions overlap less than their marginals, and only for models of equal
// hidden units.
func (s *PTT) exchange(k int) {
	// Where modes of the data part while a model learns, each saved model differs a little
	// from the next, and states come up from models that mix well. Along β a mode can
	// vanish at once.
	c, team, n := s.chains, &s.top.team, s.n
	s.below, s.above = grow(s.below, 2*n), grow(s.above, 2*n)
	c.in.read("v", &c.v, k*n, (k+2)*n)
	p, q := s.model(k), s.model(k+1)
	s.free.energies(team, s.below, &c.in, &p.visible, &p.hidden)
	s.free.energies(team, s.above, &c.in, &q.visible, &q.hidden)
	if s.climb != nil {
		s.climb.gather(k, s.below, s.above, &c.v)
	}
	swaps := &s.swaps[k]
	for i := range n {
		if i%swapWindow == 0 {
			team.Until.Look()
		}
		ratio := q.orNaN(s.below[i] - s.below[n+i] + s.above[n+i] - s.above[i])
		var u [wordBits]uint32
		philox.Fill(&u, 1, c.seed, philox.Place{Row: uint32(k*n + i), Sweep: c.clock, Phase: drawSwap}, 0)
		swap := logistic.Log((float64(u[0])+0.5)*0x1p-32) < ratio
		if swap {
			v, w := c.v.row(k*n+i), c.v.row((k+1)*n+i)
			for t := range v {
				v[t], w[t] = w[t], v[t]
			}
		}
		rate := logistic.Exp(min(0, ratio))
		swaps.sum += rate
		if s.climb != nil {
			s.climb.exchanged(k, i, rate, swap)
		}
	}
	if swaps.tried += n; swaps.tried >= swapWindow {
		*swaps = swapRate{last: swaps.sum / float64(swaps.tried)}
	}
}

var _ marshaler = (*PTT)(nil)

// AppendBinary appends the settings, models, replicas and swap rates to b.
func (s *PTT) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PTT", s) }

// MarshalBinary is AppendBinary to nil.
func (s *PTT) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (s *PTT) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PTT) decode(data []byte) (d decoded, err error) {
	checkNil("PTT", s)
	x, err := decode(data, "PTT", readPTT)
	if len(x.saved) > 0 {
		d.nv, _ = x.saved[0].Dims()
	}
	d.set = func() {
		s.K, s.MinSwapRate, s.n, s.chains = x.K, x.MinSwapRate, x.n, restored(s.chains, x.chains)
		s.saved, s.models, s.swaps = x.saved, x.models, x.swaps
		if s.sample = (Bits{}); s.chains.v.rows > 0 {
			s.collect()
		}
	}
	return d, err
}

func (s *PTT) bytes() int {
	s.check()
	size := 4*8 + s.chains.bytes()
	for _, m := range s.saved {
		size += m.bytes() + 3*8
	}
	return size
}

func (s *PTT) write(b []byte) []byte {
	s.check()
	b = wire.AppendFloat64(wire.AppendInt(b, s.K), s.MinSwapRate)
	b = wire.AppendInt(wire.AppendInt(b, s.n), len(s.saved))
	for k, m := range s.saved {
		swaps := s.swaps[k]
		b = wire.AppendFloat64(m.write(b), swaps.sum)
		b = wire.AppendFloat64(wire.AppendInt(b, swaps.tried), swaps.last)
	}
	return s.chains.write(b)
}

func readPTT(d *wire.Decoder) (s PTT) {
	s.K, s.MinSwapRate = d.Range("K", 1, maxSweeps), d.Float64()
	if wrong := s.wrong(); wrong != "" {
		d.Failf("%s", wrong)
	}
	s.n = d.Range("number of chains", 1, maxChains)
	nv := 0
	for k, models := 0, d.Int("number of models", 0); k < models; k++ {
		m := readRBM(d)
		swaps := swapRate{sum: d.Float64(), tried: d.Range("number of exchanges", 0, swapWindow-1), last: d.Float64()}
		if !d.OK() {
			return s
		}
		n, _ := m.Dims()
		if k > 0 && n != nv {
			d.Failf("model %d has %d visible units, want %d", k, n, nv)
			return s
		}
		if k > 0 && !slices.Equal(m.OneHot, s.saved[0].OneHot) {
			d.Failf("model %d has the groups %v, want %v", k, m.OneHot, s.saved[0].OneHot)
			return s
		}
		nv = n
		s.keep(&m)
		s.swaps[k] = swaps
	}
	s.chains = readChains(d)
	rows, cols := s.chains.v.Dims()
	if replicas := len(s.saved) + 1; d.OK() && rows != 0 && (rows%replicas != 0 || rows/replicas != s.n || len(s.saved) == 0 || cols != nv) {
		d.Failf("replicas are %d×%d, want those of %d chains of %d units at %d models", rows, cols, s.n, nv, replicas)
	}
	return s
}
