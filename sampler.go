package rbm

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// Sampler supplies the negative phase of [RBM.Gradient]: [PCD], [CD], [PT], [PTT],
// [Exact]. A wrapper should embed *PCD, say, not Sampler, to keep weights, swap rates,
// chains and checkpoints.
type Sampler interface {
	// Sample returns visible configurations drawn from m, any number × nv, and their
	// non-negative weights; nil weights are equal. Data (n×nv) is the minibatch of the
	// positive phase. m and data must not change; the results last until the next call.
	Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64)
}

// Properties of a Sampler, which a type that embeds a sampler of this package shares.
type (
	// fromData starts each row of its sample, if it has as many, from a row of data.
	fromData interface{ startsFromData() }

	// stateless samples the same whatever happened before.
	stateless interface{ hasNoState() }
)

// A native sampler draws from a model that is already loaded, so that it and the
// gradient share one. All samplers of this package are native. What embeds one has
// these methods too, but itself tells it apart.
type native interface {
	Sampler

	itself() Sampler       // the receiver
	take() *parallel.Guard // begins a use

	// begin checks the settings and starts chains that have not been started, for n
	// rows of data. It returns how many rows draw returns, and about how many rows it
	// takes from one layer to the other.
	begin(m *RBM, n int) (samples, passes int)

	// draw is Sample, p being m loaded. After the first half of a sweep from data, data
	// is nil.
	draw(p *model, m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64)
}

// nativeOf returns s if it is a native sampler and not a type that embeds one, else nil.
func nativeOf(s Sampler) native {
	if n, ok := s.(native); ok && n.itself() == s {
		return n
	}
	return nil
}

// A starter is a native sampler whose chains start from data. The first hidden units of
// a sweep from data can be drawn along with the positive phase, which has their inputs.
type starter interface {
	native
	fromData

	// only lets the chains move that start from rows with these numbers, or all if there
	// are none. The others stay on their rows. Settle must follow.
	only(numbers []int)

	// restart notes rows r0, r0+1, … of n from which chains start.
	restart(in *batch, n, r0 int)

	// first returns the sink that draws the hidden units of the chains that move, from
	// chain r0 of them on.
	first(p *model, n, r0 int) *draws

	// settle joins the chains that have moved with the others.
	settle()
}

// sample is Sample of a native sampler, which loads the model to p.
func sample(s native, p *model, m *RBM, data mat.Matrix, n int) (v mat.Matrix, weights []float64) {
	_, passes := s.begin(m, n)
	p.load(m, passes)
	defer p.done()
	p.sweep = m.untilSweep()
	return s.draw(p, m, data)
}

// Chains are Markov chains that move by block Gibbs sampling (Geman & Geman, 1984). Call
// Start or StartRandom, then Gibbs, for burn-in too, and read Visible. A sweep, one Gibbs
// step of the whole chain, draws all hidden units given the visible ones, then all
// visible units given the hidden ones, with probabilities to 2⁻³²; NaN turns a unit off.
type Chains struct {
	sealed

	seed  uint64
	clock uint64 // sweeps and starts so far
	v, h  Bits
	next  Bits // states to start from

	model model
	pass  pass
	draws draws
	clamp clamp
	in    batch
	guard parallel.Guard

	kept struct { // see call
		clock uint64
		v     Bits
	}

	// While CD has rows with a weight of 0, which do not move: the numbers of the chains
	// that v and h hold.
	numbers []int
}

// The phases of a sweep, which have different random numbers.
const (
	drawHidden = iota
	drawVisible
	drawStart
	drawSwap
)

// NewChains returns chains without states: call Start or StartRandom next.
func NewChains(src rand.Source) *Chains { return &Chains{seed: seed(src)} }

// Start starts a chain from each row of v; values in (0, 1) are probabilities.
func (c *Chains) Start(v mat.Matrix) {
	checkNil("v", v)
	defer c.take().Release()
	c.start(v, nil)
}

// take begins a use.
func (c *Chains) take() *parallel.Guard {
	checkNil("Chains", c)
	return c.guard.Take("Chains")
}

func (c *Chains) start(v mat.Matrix, until *stop.Signal) {
	c.read("v", v, nil, until)
	c.started()
}

// read sets the next states to the rows of v, called name, and panics if they do not
// fit the groups of the layer, unless it is nil.
func (c *Chains) read(name string, v mat.Matrix, l *layer, until *stop.Signal) {
	n, nv := v.Dims()
	checkSize("v", n, nv, (nv-1)/wordBits+1)
	c.next.reset(n, nv) // v may be a view of the states
	in := batch{team: &parallel.Team{Until: until}}
	in.each(name, v, n, func(r0 int) {
		if l != nil {
			l.oneHot.check(name, &in, r0, c.clamp.observed, until)
		}
		for r := range in.rows {
			until.Look()
			states := c.next.row(r0 + r)
			if !in.real {
				copy(states, in.bits.row(r))
				continue
			}
			var u [wordBits]uint32
			for i := range nv {
				if i%wordBits == 0 {
					philox.Fill(&u, wordBits, c.seed, c.place(r0+r), i/wordBits)
				}
				if (float64(u[i%wordBits])+0.5)*0x1p-32 < in.at(r, i) {
					states[i/wordBits] |= 1 << (i % wordBits)
				}
			}
		}
	})
}

// StartRandom starts n chains from the visible biases alone, by σ or softmax.
func (c *Chains) StartRandom(m *RBM, n int) {
	defer c.take().Release()
	c.startRandom(m, n)
}

func (c *Chains) startRandom(m *RBM, n int) {
	// p(vᵢ=1) = σ(bᵢ), and in a group p(vᵢ=1) ∝ exp(bᵢ)
	nv, _ := m.Dims()
	checkAtLeast("n", n, 1)
	checkSize("v", n, nv, (nv-1)/wordBits+1)
	m.call.keeps(c)
	c.next.reset(n, nv)
	visible := &c.model.visible
	visible.load(m.B)
	visible.oneHot.load(m.OneHot)
	c.drawBiases(m, n)
	c.started()
}

// drawBiases draws the next states of n chains from the visible biases, which are
// loaded.
func (c *Chains) drawBiases(m *RBM, n int) {
	visible := &c.model.visible
	c.draws = draws{dst: &c.next, seed: c.seed, place: c.place(0)}
	out := c.clamp.sink(&c.draws, visible, n, nil)
	room := make(tile, panelsOfWord*min(n, product.ShareRows))
	for t := range visible.words() {
		for r0 := 0; r0 < n; r0 += product.ShareRows {
			m.until().Look()
			rows := min(n-r0, product.ShareRows)
			x := room[:panelsOfWord*rows]
			for i := range x {
				x[i] = product.Line(visible.bias[t*wordBits+i/rows*product.Lanes:])
			}
			out.take(t, r0, rows, x)
		}
	}
	c.clamp.until = m.until()
	c.clamp.drawSplit(0, n)
	c.clamp.until = nil
}

// started makes the next states the current ones.
func (c *Chains) started() {
	c.v, c.next = c.next, c.v
	c.clock++
}

// Gibbs moves every chain by k sweeps; k₁ and then k₂ are the same as k₁+k₂.
func (c *Chains) Gibbs(m *RBM, k int) {
	checkAtLeast("k", k, 1)
	defer c.take().Release()
	c.check(m)
	c.gibbs(m, k)
}

func (c *Chains) gibbs(m *RBM, k int) {
	m.call.keeps(c)
	c.model.load(m, 2*k*c.v.rows)
	defer c.model.done()
	c.checkStates(&c.model)
	c.sweeps(&c.model, k)
}

// note remembers the states and the clock.
func (c *Chains) note() {
	c.kept.clock = c.clock
	c.kept.v.resize(c.v.rows, c.v.cols)
	copy(c.kept.v.words, c.v.words)
}

// back restores them.
func (c *Chains) back() {
	c.clock = c.kept.clock
	c.v, c.kept.v = c.kept.v, c.v
}

// Visible returns the visible states, one chain per row, in the memory of the chains: the
// next call moves them, and SetBit sets a state.
func (c *Chains) Visible() *Bits {
	checkNil("Chains", c)
	if c.v.rows == 0 {
		panic("rbm: chains have not been started, want Start or StartRandom first")
	}
	return &c.v
}

// unstarted reports whether Visible would panic.
func (c *Chains) unstarted() bool { return c.v.rows == 0 }

// check panics if the states do not have the size of m.
func (c *Chains) check(m *RBM) {
	nv, _ := m.Dims()
	if v := c.Visible(); v.cols != nv {
		panic(fmt.Sprintf("rbm: chains are %d×%d, want n×%d", v.rows, v.cols, nv))
	}
}

// checkStates panics if the states do not fit the groups of the loaded model.
func (c *Chains) checkStates(p *model) {
	if len(p.visible.groups) > 0 {
		c.in.read("chains", &c.v, 0, c.v.rows)
		p.visible.oneHot.check("the chains", &c.in, 0, nil, p.team.Until)
	}
}

// place is where the random numbers of a starting chain stand.
func (c *Chains) place(row int) philox.Place {
	return philox.Place{Row: uint32(row), Sweep: c.clock, Phase: drawStart}
}

// sweeps moves every chain by k sweeps, or by fewer if p.sweep is given.
func (c *Chains) sweeps(p *model, k int) {
	for i := range k {
		if p.sweep.Given() {
			return
		}
		c.pass.ahead = k - 1 - i
		c.hiddenHalf(&p.team, p, 0, c.v.rows, nil)
		c.visibleHalf(&p.team, p, 0, c.v.rows, nil)
		c.clock++
	}
}

// hiddenHalf draws the hidden units of chains [r0, r1) given the visible ones, the first
// half of a sweep, by a sink of its own or, if that is nil, as they are. The sink draws by
// c.draws.
func (c *Chains) hiddenHalf(team *parallel.Team, p *model, r0, r1 int, out sink) {
	d := c.hidden(p, c.clock, c.v.rows, r0)
	if out == nil {
		out = d
	}
	c.in.read("v", &c.v, r0, r1)
	c.pass.run(team, &p.hidden, &c.in, out)
}

// visibleHalf draws the visible units of chains [r0, r1) given the hidden ones, the second
// half of a sweep, at the temperatures of heat unless that is nil. When all have been
// drawn, the caller must advance the clock.
func (c *Chains) visibleHalf(team *parallel.Team, p *model, r0, r1 int, heat *tempering) {
	c.v.resize(c.h.rows, p.visible.units)
	c.in.read("h", &c.h, r0, r1)
	c.draws = draws{dst: &c.v, row: r0, numbers: c.numbers, seed: c.seed, place: philox.Place{Sweep: c.clock, Phase: drawVisible}}
	c.pass.run(team, &p.visible, &c.in, c.clamp.sink(&c.draws, &p.visible, r1-r0, heat))
	c.clamp.finish(team)
}

// hidden returns the sink that draws the hidden units of a sweep of n chains,
// for those from row r0 on.
func (c *Chains) hidden(p *model, sweep uint64, n, r0 int) *draws {
	c.h.resize(n, p.hidden.units)
	c.draws = draws{dst: &c.h, row: r0, numbers: c.numbers, seed: c.seed, place: philox.Place{Sweep: sweep, Phase: drawHidden}}
	return &c.draws
}

var _ marshaler = (*Chains)(nil)

// AppendBinary appends the states, the seed and the clock to b.
func (c *Chains) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Chains", c) }

// MarshalBinary is AppendBinary to nil.
func (c *Chains) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (c *Chains) UnmarshalBinary(data []byte) error {
	checkNil("Chains", c)
	x, err := decode(data, "Chains", readChains)
	if err == nil {
		c.restore(x)
	}
	return err
}

// restore sets c to the seed, the clock and the states of x, which it takes over.
func (c *Chains) restore(x *Chains) { c.seed, c.clock, c.v = x.seed, x.clock, x.v }

// restored returns x, at the address of old unless that is nil.
func restored(old, x *Chains) *Chains {
	if old == nil {
		return x
	}
	old.restore(x)
	return old
}

func (c *Chains) bytes() int {
	checkNil("Chains", c)
	return 2*8 + c.v.bytes()
}

func (c *Chains) write(b []byte) []byte {
	return c.v.write(wire.AppendUint64(wire.AppendUint64(b, c.seed), c.clock))
}

func readChains(d *wire.Decoder) *Chains {
	c := readStream(d)
	c.v = readBits(d)
	return c
}

// readStream reads the seed and the clock of chains.
func readStream(d *wire.Decoder) *Chains {
	c := &Chains{seed: d.Uint64(), clock: d.Uint64()}
	if c.clock >= 1<<56 {
		d.Failf("clock is %d, want less than 2⁵⁶", c.clock)
	}
	return c
}

// lend returns what a Sampler, which may be the user's own, samples from m.
//
// The user's code must never see half of a result, nor be unwound, so that only the
// samplers of this package that it calls look at the context: between sweeps. If one
// has ended early, so does the call. If not, the call is left alone from here on, as
// what a Sampler has done to itself cannot be undone.
func (m *RBM) lend(s Sampler, data mat.Matrix) (v mat.Matrix, weights []float64) {
	if m.call == nil {
		return s.Sample(m, data)
	}
	m.lent = true
	defer func() { m.lent = false }()
	v, weights = s.Sample(m, data)
	if m.call.signal.Seen() {
		m.call.signal.Look()
	}
	m.call = nil
	return v, weights
}

// chainsOf returns the states of the persistent chains of s, or nil if there are
// none, or only one.
func chainsOf(s Sampler) *Bits {
	p, ok := s.(interface{ Visible() *Bits })
	if !ok {
		return nil
	}
	if c, ok := s.(interface{ unstarted() bool }); ok && c.unstarted() {
		return nil
	}
	v := p.Visible()
	if v == nil || v.rows < 2 {
		return nil
	}
	return v
}
