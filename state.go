package rbm

import (
	"encoding"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// The payloads of the frames of internal/wire, value by value:
//
//	RBM        nv, nh; W row by row, B, C
//	Phases     bool sum of something; if so, DataWeight, ModelWeight, and Data and
//	           Model like an RBM each
//	SGD        Rate, Momentum, Decay, L1, MaxNorm; bool velocity; if so, the
//	           velocity like an RBM
//	Centering  Rate; bool Enhanced; list V, list H
//	States     uint64 seed, uint64 clock; rows, columns; uint64 words of the states
//	Groups     number of groups; of each the first unit and the one behind the last
//	Chains     States; Groups
//	CD         K; uint64 seed, uint64 clock; Groups
//	PCD        K; number of chains to start, or 0; Chains
//	PT         K; number of chains; list Base, list betas; States;
//	           if they have rows, of each row its level; of each level but
//	           the last the exchanges tried, then of each those done
//	PTT        K; MinSwapRate; number of chains; number of models; of each model the
//	           RBM, the sum and the number of the probabilities of exchanges
//	           with the next, and their last mean; States
//	Trainer    BatchSize, ShuffleBlock, MissingSweeps; of Data, of HeldOut, of Weights and of
//	           Observed the rows, the columns and a uint64 checksum; uint64 seed;
//	           steps; RBM; SGD; bool Centering; if so, Centering; bool best; if
//	           so, the best RBM, its score, the reports since; peak; steps before
//	           the last report; twice, for the older and the younger report to
//	           compare with: its steps, rate and score, list of free energies,
//	           rows, columns and words of the chains; list of biases of independent
//	           units; dependence; rows, columns and words of the completions of
//	           Data; bytes of the Sampler
//
// Sizes, counts and levels are ints, other numbers float64 where nothing else is
// said. States and Groups are no frames of their own. A row of states is as many
// words as it needs, column j being bit j%64 of word j/64; the bits behind the last
// column are 0. Chains without states have 0 rows and 0 columns.

var (
	_ marshaler     = (*RBM)(nil)
	_ io.WriterTo   = (*RBM)(nil)
	_ io.ReaderFrom = (*RBM)(nil)
	_ marshaler     = (*Phases)(nil)
	_ marshaler     = (*SGD)(nil)
	_ marshaler     = (*Centering)(nil)
	_ marshaler     = (*Chains)(nil)
	_ marshaler     = (*CD)(nil)
	_ marshaler     = (*PCD)(nil)
	_ marshaler     = (*PT)(nil)
	_ marshaler     = (*PTT)(nil)
	_ state         = (*Trainer)(nil) // not without its rows
)

// maxCount is the most that anything can have been counted to, so that counting can
// go on.
const maxCount = math.MaxInt / 2

type marshaler interface {
	state
	encoding.BinaryMarshaler
}

type state interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// A part is what is written to a frame.
type part interface {
	bytes() int // that write appends
	write(b []byte) []byte
}

// encode appends a frame, to new memory at most once.
func encode(b []byte, kind string, x part) ([]byte, error) {
	b = slices.Grow(b, x.bytes()+wire.Overhead)
	return wire.AppendFrame(b, kind, func(b []byte) ([]byte, error) { return x.write(b), nil })
}

// decode reads a frame.
func decode[T any](data []byte, kind string, read func(d *wire.Decoder) T) (T, error) {
	d := wire.Open(kind, data)
	x := read(d)
	if err := d.Close(); err != nil {
		return x, fmt.Errorf("rbm: %s: %w", kind, err)
	}
	return x, nil
}

// AppendBinary appends the parameters to b, every NaN with its bits. The error is
// nil. It panics if the sizes of W, B and C do not fit.
func (m *RBM) AppendBinary(b []byte) ([]byte, error) { return encode(b, "RBM", m) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the RBM or to what holds it.
func (m *RBM) MarshalBinary() ([]byte, error) { return m.AppendBinary(nil) }

// UnmarshalBinary sets m, of whatever size it was, to the RBM that AppendBinary
// wrote, in new memory. After an error m is as before.
func (m *RBM) UnmarshalBinary(data []byte) error {
	checkNil("model", m)
	x, err := decode(data, "RBM", readRBM)
	if err == nil {
		*m = x
	}
	return err
}

// WriteTo writes what AppendBinary appends to w, in one call, and returns how many
// bytes w took. It panics if the sizes of W, B and C do not fit.
func (m *RBM) WriteTo(w io.Writer) (int64, error) {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return 0, err
	}
	checkNil("writer", w)
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = fmt.Errorf("rbm: RBM: %w", err)
	}
	return int64(n), err
}

// ReadFrom sets m, of whatever size it was, to the RBM that WriteTo wrote, in new
// memory, and returns how many bytes it read. It reads to the end of r, as an
// io.ReaderFrom does: that a byte follows is an error, and so is that there are
// none. After an error m is as before.
func (m *RBM) ReadFrom(r io.Reader) (int64, error) {
	checkNil("reader", r)
	c := counter{r: r}
	data, err := wire.ReadFrame(&c)
	if err == nil {
		var more [1]byte
		if n, end := io.ReadFull(&c, more[:]); n > 0 {
			err = errors.New("bytes follow the model")
		} else if end != io.EOF {
			err = end
		}
	} else if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return c.n, fmt.Errorf("rbm: RBM: %w", err)
	}
	return c.n, m.UnmarshalBinary(data)
}

// A counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Len() int { return int(wire.Available(c.r)) }

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (m *RBM) bytes() int {
	nv, nh := m.Dims()
	return 8 * (2 + nv*nh + nv + nh)
}

func (m *RBM) write(b []byte) []byte {
	nv, nh := m.Dims()
	b = wire.AppendInt(wire.AppendInt(b, nv), nh)
	for j := range nh {
		b = wire.AppendFloats(b, m.W.RawRowView(j))
	}
	for _, x := range []*mat.VecDense{m.B, m.C} {
		for i := range x.Len() {
			b = wire.AppendFloat64(b, x.AtVec(i))
		}
	}
	return b
}

func readRBM(d *wire.Decoder) RBM {
	nv, nh := d.Int("nv", 1), d.Int("nh", 1)
	w, b, c := d.Floats(nh, nv), d.Floats(nv, 1), d.Floats(nh, 1)
	if !d.OK() {
		return RBM{}
	}
	return RBM{W: mat.NewDense(nh, nv, w), B: mat.NewVecDense(nv, b), C: mat.NewVecDense(nh, c)}
}

// AppendBinary appends both sums and their weights to b, every NaN with its bits. The
// error is nil. It panics if p has parts that do not fit.
func (p *Phases) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Phases", p) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the Phases or to what holds them.
func (p *Phases) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

// UnmarshalBinary sets p, of whatever size it was, to the Phases that AppendBinary
// wrote, in new memory. After an error p is as before.
func (p *Phases) UnmarshalBinary(data []byte) error {
	p.checkNil()
	x, err := decode(data, "Phases", readPhases)
	if err == nil {
		p.Data.set(&x.Data)
		p.Model.set(&x.Model)
		p.DataWeight, p.ModelWeight = x.DataWeight, x.ModelWeight
	}
	return err
}

func (p *Phases) bytes() int {
	p.checkNil()
	if p.empty() {
		return 1
	}
	p.check()
	return 1 + 2*8 + p.Data.bytes() + p.Model.bytes()
}

func (p *Phases) write(b []byte) []byte {
	b = wire.AppendBool(b, !p.empty())
	if p.empty() {
		return b
	}
	p.check()
	b = wire.AppendFloats(b, []float64{p.DataWeight, p.ModelWeight})
	return p.Model.write(p.Data.write(b))
}

func readPhases(d *wire.Decoder) *Phases {
	p := new(Phases)
	if !d.Bool("sum of something") {
		return p
	}
	p.DataWeight, p.ModelWeight = d.Float64(), d.Float64()
	if wrong := p.wrong(); d.OK() && wrong != "" {
		d.Failf("%s", wrong)
	}
	p.Data.read(d)
	p.Model.read(d)
	if !d.OK() {
		return p
	}
	if nv, nh := p.Data.B.Len(), p.Data.C.Len(); p.Model.B.Len() != nv || p.Model.C.Len() != nh {
		d.Failf("model phase is %d×%d, want %d×%d", p.Model.C.Len(), p.Model.B.Len(), nh, nv)
	}
	return p
}

// bytes, write and read take the parts of g for those of an RBM.
func (g *Gradient) bytes() int { return (&RBM{W: g.W, B: g.B, C: g.C}).bytes() }

func (g *Gradient) write(b []byte) []byte { return (&RBM{W: g.W, B: g.B, C: g.C}).write(b) }

func (g *Gradient) read(d *wire.Decoder) {
	m := readRBM(d)
	g.set(&Gradient{W: m.W, B: m.B, C: m.C})
}

// set gives g the parts of h.
func (g *Gradient) set(h *Gradient) { g.W, g.B, g.C = h.W, h.B, h.C }

// AppendBinary appends the settings and the momentum of earlier steps to b. The
// error is nil. It panics if a setting is one that Step panics about.
func (o *SGD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "SGD", o) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the SGD or to what holds it.
func (o *SGD) MarshalBinary() ([]byte, error) { return o.AppendBinary(nil) }

// UnmarshalBinary sets o to the SGD that AppendBinary wrote: it goes on as that
// one would have. After an error o is as before.
func (o *SGD) UnmarshalBinary(data []byte) error {
	checkNil("SGD", o)
	x, err := decode(data, "SGD", readSGD)
	if err == nil {
		*o = x
	}
	return err
}

func (o *SGD) bytes() int {
	o.check()
	size := 5*8 + 1
	if o.moves() {
		size += o.state.velocity.bytes()
	}
	return size
}

func (o *SGD) write(b []byte) []byte {
	b = wire.AppendFloats(b, []float64{o.Rate, o.Momentum, o.Decay, o.L1, o.MaxNorm})
	if b = wire.AppendBool(b, o.moves()); o.moves() {
		b = o.state.velocity.write(b)
	}
	return b
}

// moves reports whether there is a velocity.
func (o *SGD) moves() bool { return o.state != nil && o.state.velocity.W != nil }

func readSGD(d *wire.Decoder) SGD {
	o := SGD{Rate: d.Float64(), Momentum: d.Float64(), Decay: d.Float64(), L1: d.Float64(), MaxNorm: d.Float64()}
	if wrong := o.wrong(); d.OK() && wrong != "" {
		d.Failf("%s", wrong)
	}
	if d.Bool("velocity") {
		o.state = new(sgdState)
		o.state.velocity.read(d)
	}
	return o
}

// AppendBinary appends the settings and the offsets to b. The error is nil. It
// panics if Rate is not between 0 and 1.
func (c *Centering) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Centering", c) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the Centering or to what holds it.
func (c *Centering) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary sets c to the Centering that AppendBinary wrote. After an error
// c is as before.
func (c *Centering) UnmarshalBinary(data []byte) error {
	checkNil("Centering", c)
	x, err := decode(data, "Centering", readCentering)
	if err == nil {
		c.restore(&x)
	}
	return err
}

// restore sets c to the settings and offsets of x, which it takes over.
func (c *Centering) restore(x *Centering) {
	c.Rate, c.Enhanced, c.V, c.H = x.Rate, x.Enhanced, x.V, x.H
}

func (c *Centering) bytes() int {
	checkNil("Centering", c)
	return 8 + 1 + 8*(2+len(c.V)+len(c.H))
}

func (c *Centering) write(b []byte) []byte {
	if !(0 <= c.Rate && c.Rate <= 1) {
		panic(fmt.Sprintf("rbm: rate of centering is %v, want one in [0, 1]", c.Rate))
	}
	b = wire.AppendFloat64(b, c.Rate)
	b = wire.AppendBool(b, c.Enhanced)
	return wire.AppendList(wire.AppendList(b, c.V), c.H)
}

func readCentering(d *wire.Decoder) Centering {
	c := Centering{Rate: d.Float64(), Enhanced: d.Bool("Enhanced"), V: d.List("V"), H: d.List("H")}
	if !(0 <= c.Rate && c.Rate <= 1) {
		d.Failf("Rate is %v, want one in [0, 1]", c.Rate)
	}
	return c
}

// AppendBinary appends the states, the groups, the seed and the clock to b. The
// error is nil.
func (c *Chains) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Chains", c) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the Chains or to what holds them.
func (c *Chains) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary sets c to the Chains that AppendBinary wrote: they go on as
// those would have. After an error c is as before.
func (c *Chains) UnmarshalBinary(data []byte) error {
	checkNil("Chains", c)
	x, err := decode(data, "Chains", readChains)
	if err == nil {
		c.restore(x)
	}
	return err
}

// restore sets c to the seed, the clock, the states and the groups of x, which it
// takes over.
func (c *Chains) restore(x *Chains) {
	c.seed, c.clock, c.v = x.seed, x.clock, x.v
	c.clamp.groups = x.clamp.groups
}

func (c *Chains) bytes() int {
	checkNil("Chains", c)
	return c.statesBytes() + c.clamp.bytes()
}

func (c *Chains) write(b []byte) []byte { return c.clamp.write(c.writeStates(b)) }

func readChains(d *wire.Decoder) *Chains {
	c := readStates(d)
	c.clamp.read(d, c.v.cols)
	return c
}

func (c *Chains) statesBytes() int { return 2*8 + c.v.bytes() }

func (c *Chains) writeStates(b []byte) []byte {
	b = wire.AppendUint64(wire.AppendUint64(b, c.seed), c.clock)
	return c.v.write(b)
}

func readStates(d *wire.Decoder) *Chains {
	c := readStream(d)
	c.v = readBits(d)
	return c
}

func (s *clamp) bytes() int { return 8 * (1 + 2*len(s.groups)) }

func (s *clamp) write(b []byte) []byte {
	b = wire.AppendInt(b, len(s.groups))
	for _, g := range s.groups {
		b = wire.AppendInt(wire.AppendInt(b, g.from), g.to)
	}
	return b
}

// read reads the groups of chains of nv units, or of 0 if they have no states.
func (s *clamp) read(d *wire.Decoder, nv int) {
	for n := d.Int("number of groups", 0); n > 0 && d.OK(); n-- {
		from, to := d.Int("first unit of a group", 0), d.Int("end of a group", 0)
		if wrong := s.wrong(from, to, nv); d.OK() && wrong != "" {
			d.Failf("%s", wrong)
		}
		s.add(from, to)
	}
}

func (b *Bits) bytes() int { return 8 * (2 + b.rows*b.stride) }

func (b *Bits) write(to []byte) []byte {
	to = wire.AppendInt(wire.AppendInt(to, b.rows), b.cols)
	for r := range b.rows {
		for _, x := range b.row(r) {
			to = wire.AppendUint64(to, x)
		}
	}
	return to
}

// readBits reads the states of chains.
func readBits(d *wire.Decoder) (b Bits) {
	b.rows, b.cols = d.Int("rows", 0), d.Int("columns", 0)
	if (b.rows == 0) != (b.cols == 0) {
		d.Failf("states are %d×%d, want at least 1×1, or 0×0", b.rows, b.cols)
	}
	if b.rows == 0 || !d.OK() {
		return Bits{}
	}
	b.stride = (b.cols-1)/wordBits + 1
	b.words = d.Words(b.rows, b.stride)
	if d.OK() {
		for r := range b.rows {
			if j := b.behind(b.row(r)); j >= 0 {
				d.Failf("row %d of the states has a one in column %d, want %d columns", r, j, b.cols)
				break
			}
		}
	}
	return b
}

// readStream reads the seed and the clock of chains.
func readStream(d *wire.Decoder) *Chains {
	c := &Chains{seed: d.Uint64(), clock: d.Uint64()}
	if c.clock >= 1<<56 {
		d.Failf("clock is %d, want less than 2⁵⁶", c.clock)
	}
	return c
}

// AppendBinary appends K and the seed, the clock and the groups of Chains to b.
// Their states are no part of it, as the next call begins with others. The error is
// nil. It panics if K is out of range or Chains is nil.
func (s *CD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "CD", s) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the CD or to what holds it.
func (s *CD) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s to the CD that AppendBinary wrote: it goes on as that one
// would have. Chains keeps its address, unless it is nil, and has no states. After
// an error s is as before.
func (s *CD) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *CD) decode(data []byte) (d decoded, err error) {
	checkNil("CD", s)
	x, err := decode(data, "CD", readCD)
	return decoded{
		groups: x.groups,
		set:    func() { s.K, s.Chains = x.K, restored(s.Chains, x.Chains) },
	}, err
}

// decoded is what data hold of a sampler, before it is set to that.
type decoded struct {
	nv     int // visible units, 0 if they are not known yet
	groups func() []group
	set    func()
}

// set sets a sampler to what was decoded without an error.
func set(d decoded, err error) error {
	if err == nil {
		d.set()
	}
	return err
}

// fits returns an error unless the sampler can sample nv visible units.
func (d decoded) fits(nv int) error {
	if d.nv != 0 && d.nv != nv {
		return fmt.Errorf("sampler has %d visible units, want %d", d.nv, nv)
	}
	if groups := d.groups(); len(groups) > 0 && groups[len(groups)-1].to > nv {
		return fmt.Errorf("sampler has a group that ends at unit %d, want at most %d", groups[len(groups)-1].to, nv)
	}
	return nil
}

// restored returns x, at the address of old unless that is nil.
func restored(old, x *Chains) *Chains {
	if old == nil {
		return x
	}
	old.restore(x)
	return old
}

func (s *CD) bytes() int {
	s.check()
	return 3*8 + s.Chains.clamp.bytes()
}

func (s *CD) write(b []byte) []byte {
	s.check()
	b = wire.AppendInt(b, s.K)
	return s.Chains.clamp.write(wire.AppendUint64(wire.AppendUint64(b, s.Chains.seed), s.Chains.clock))
}

func readCD(d *wire.Decoder) CD {
	s := CD{K: d.Range("K", 1, maxSweeps), Chains: readStream(d)}
	s.Chains.clamp.read(d, 0)
	return s
}

// AppendBinary appends K and Chains with their states to b. The error is nil. It
// panics if K is out of range or Chains is nil.
func (s *PCD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PCD", s) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the PCD or to what holds it.
func (s *PCD) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s to the PCD that AppendBinary wrote: it goes on as that
// one would have. Chains keeps its address, unless it is nil. After an error s is
// as before.
func (s *PCD) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PCD) decode(data []byte) (d decoded, err error) {
	checkNil("PCD", s)
	x, err := decode(data, "PCD", readPCD)
	return decoded{
		nv:     x.Chains.v.cols,
		groups: x.groups,
		set:    func() { s.K, s.n, s.Chains = x.K, x.n, restored(s.Chains, x.Chains) },
	}, err
}

func (s *PCD) bytes() int {
	s.check()
	return 2*8 + s.Chains.bytes()
}

func (s *PCD) write(b []byte) []byte {
	s.check()
	return s.Chains.write(wire.AppendInt(wire.AppendInt(b, s.K), s.n))
}

func readPCD(d *wire.Decoder) PCD {
	return PCD{K: d.Range("K", 1, maxSweeps), n: d.Range("number of chains", 0, maxChains), Chains: readChains(d)}
}

// AppendBinary appends all settings, temperatures and replicas to b, and how many
// exchanges were tried and took place. The error is nil. It panics if s was not
// made by NewPT, K is out of range, or Base has a value that is not finite or
// another length than the replicas.
func (s *PT) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PT", s) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the PT or to what holds it.
func (s *PT) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s, of whatever size it was, to the PT that AppendBinary
// wrote: it goes on as that one would have. After an error s is as before.
func (s *PT) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PT) decode(data []byte) (d decoded, err error) {
	checkNil("PT", s)
	x, err := decode(data, "PT", readPT)
	return decoded{
		nv:     max(len(x.Base), x.chains.v.cols),
		groups: x.groups,
		set: func() {
			s.K, s.Base, s.betas, s.n, s.chains = x.K, x.Base, x.betas, x.n, restored(s.chains, x.chains)
			s.level, s.row, s.tried, s.done = x.level, x.row, x.tried, x.done
			if s.sample = (Bits{}); s.chains.v.rows > 0 {
				s.collect()
			}
		},
	}, err
}

func (s *PT) bytes() int {
	s.checkMade()
	return 8*(4+len(s.Base)+len(s.betas)+len(s.level)+len(s.tried)+len(s.done)) + s.chains.statesBytes()
}

func (s *PT) write(b []byte) []byte {
	s.checkMade()
	checkK(s.K)
	if s.Base != nil {
		nv := s.chains.v.cols
		if nv == 0 {
			nv = max(1, len(s.Base))
		}
		baseOf(New(nv, 1), s.Base) // panics
	}
	b = wire.AppendInt(wire.AppendInt(b, s.K), s.n)
	b = wire.AppendList(wire.AppendList(b, s.Base), s.betas)
	b = s.chains.writeStates(b)
	return wire.AppendInts(wire.AppendInts(wire.AppendInts(b, s.level), s.tried), s.done)
}

func readPT(d *wire.Decoder) PT {
	s := PT{K: d.Range("K", 1, maxSweeps), n: d.Range("number of chains", 1, maxChains), Base: d.List("Base"), betas: d.List("betas"), chains: readStates(d)}
	if !d.OK() {
		return s
	}
	for i, x := range s.Base {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			d.Failf("Base[%d] is %v, want a finite number", i, x)
		}
	}
	levels := len(s.betas)
	if levels == 0 {
		d.Failf("there are no betas, want at least 1")
		return s
	}
	if first, last := s.betas[0], s.betas[levels-1]; !(first >= 0 && last == 1) {
		d.Failf("betas go from %v to %v, want them to rise from at least 0 to 1", first, last)
	}
	for k := range levels - 1 {
		if !(s.betas[k] <= s.betas[k+1]) { // Adapt may round neighbours to the same number
			d.Failf("betas[%d] is %v and betas[%d] is %v, want them to rise", k, s.betas[k], k+1, s.betas[k+1])
		}
	}
	if most := maxChains / levels; s.n > most {
		d.Failf("number of chains is %d, want at most %d at %d temperatures", s.n, most, levels)
	}
	rows, nv := s.chains.v.rows, s.chains.v.cols
	if rows == 0 || !d.OK() {
		return s
	}
	if s.Base != nil && len(s.Base) != nv {
		d.Failf("Base has length %d, want %d", len(s.Base), nv)
	}
	if rows%levels != 0 || rows/levels != s.n {
		d.Failf("replicas are %d, want those of %d chains at %d temperatures", rows, s.n, levels)
	}
	s.level = d.Ints("levels", rows)
	s.tried, s.done = d.Ints("exchanges tried", levels-1), d.Ints("exchanges done", levels-1)
	if !d.OK() {
		return s
	}
	for k, n := range s.done {
		if s.tried[k] > maxCount {
			d.Failf("exchanges tried of level %d are %d, want at most %d", k, s.tried[k], maxCount)
		}
		if n > s.tried[k] {
			d.Failf("exchanges done of level %d are %d, want at most %d, those tried", k, n, s.tried[k])
		}
	}
	s.row = make([]int, rows)
	for r := range s.row {
		s.row[r] = -1
	}
	for r, k := range s.level {
		if k >= levels {
			d.Failf("level of row %d is %d, want less than %d", r, k, levels)
			break
		}
		at := &s.row[r/levels*levels+k]
		if *at >= 0 {
			d.Failf("rows %d and %d of a chain have the same level %d", *at, r, k)
			break
		}
		*at = r
	}
	return s
}

// AppendBinary appends all settings, models and replicas to b, and the rates of
// exchanges. The error is nil. It panics if s was not made by NewPTT, K is out of
// range or MinSwapRate is not in [0, 1).
func (s *PTT) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PTT", s) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call. To
// those pass a pointer, to the PTT or to what holds it.
func (s *PTT) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s, of whatever size it was, to the PTT that AppendBinary
// wrote: it goes on as that one would have. After an error s is as before.
func (s *PTT) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PTT) decode(data []byte) (d decoded, err error) {
	checkNil("PTT", s)
	x, err := decode(data, "PTT", readPTT)
	if len(x.saved) > 0 {
		d.nv, _ = x.saved[0].Dims()
	}
	d.groups = x.groups
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
	size := 4*8 + s.chains.statesBytes()
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
	return s.chains.writeStates(b)
}

func readPTT(d *wire.Decoder) (s PTT) {
	s.K, s.MinSwapRate = d.Range("K", 1, maxSweeps), d.Float64()
	if !(0 <= s.MinSwapRate && s.MinSwapRate < 1) {
		d.Failf("MinSwapRate is %v, want one in [0, 1)", s.MinSwapRate)
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
		nv = n
		s.keep(&m, &m)
		s.swaps[k] = swaps
	}
	s.chains = readStates(d)
	rows, cols := s.chains.v.Dims()
	if replicas := len(s.saved) + 1; d.OK() && rows != 0 && (rows%replicas != 0 || rows/replicas != s.n || len(s.saved) == 0 || cols != nv) {
		d.Failf("replicas are %d×%d, want those of %d chains of %d units at %d models", rows, cols, s.n, nv, replicas)
	}
	return s
}

// AppendBinary appends all that a later call depends on to b, but for the rows
// themselves and for Schedule, Patience, ReportEvery and OnReport, which are up to the program.
// Of the rows it appends a checksum, which takes a pass over them: of Data that are
// not [Bits] only the first time. The error is that of Data, or of a Sampler, which
// must be an encoding.BinaryAppender and BinaryUnmarshaler, as all of this package
// are, or an [Exact]. It panics if the settings do not fit.
func (t *Trainer) AppendBinary(b []byte) ([]byte, error) {
	t.check()
	prints, err := t.fingerprints()
	if err != nil {
		return nil, fmt.Errorf("rbm: Trainer: %w", err)
	}
	s := &t.state
	drawn := new(Bits)
	if t.Observed != nil && s.drawn.rows > 0 {
		drawn = t.completions()
	}
	b = slices.Grow(b, t.bytes()+wire.Overhead)
	return wire.AppendFrame(b, "Trainer", func(b []byte) ([]byte, error) {
		b = wire.AppendInt(wire.AppendInt(wire.AppendInt(b, t.BatchSize), t.ShuffleBlock), t.MissingSweeps)
		for _, p := range prints {
			b = p.write(b)
		}
		b = wire.AppendInt(wire.AppendUint64(b, s.seed), s.steps)
		b = t.SGD.write(t.Model.write(b))
		if b = wire.AppendBool(b, t.Centering != nil); t.Centering != nil {
			b = t.Centering.write(b)
		}
		if b = wire.AppendBool(b, s.best != nil); s.best != nil {
			b = wire.AppendInt(wire.AppendFloat64(s.best.write(b), s.score), s.waited)
		}
		b = wire.AppendInt(wire.AppendFloat64(b, s.peak), s.reported)
		b = s.past.start.write(s.past.younger.write(s.past.older.write(b)))
		b = wire.AppendFloat64(wire.AppendList(b, s.columns.biases), s.columns.dependence)
		b = drawn.write(b)
		return wire.AppendBytes(b, func(b []byte) ([]byte, error) {
			switch s := t.Sampler.(type) {
			case state:
				return s.AppendBinary(b)
			case stateless:
				return b, nil
			}
			return nil, fmt.Errorf("rbm: Trainer: sampler is a %T, want one with AppendBinary and UnmarshalBinary", t.Sampler)
		})
	})
}

// bytes returns how many of them a frame of t has, as far as it is known of the
// Sampler, or some more.
func (t *Trainer) bytes() int {
	s := &t.state
	bytes := 8*(3+4*3+2+2+2+1) + 2 + t.Model.bytes() + t.SGD.bytes() + s.drawn.bytes()
	bytes += s.past.older.bytes() + s.past.younger.bytes() + s.past.start.bytes() + 8*(1+len(s.columns.biases)+1)
	if t.Centering != nil {
		bytes += t.Centering.bytes()
	}
	if s.best != nil {
		bytes += s.best.bytes()
	}
	if sampler, ok := t.Sampler.(part); ok {
		bytes += sampler.bytes() + wire.Overhead
	}
	return bytes
}

// UnmarshalBinary sets what AppendBinary wrote of a Trainer with the same rows, be
// they in memory or not, and a Sampler of the same type: t goes on as that one would
// have, with its own Schedule, Patience, ReportEvery and OnReport. Model keeps its address,
// and so do the Sampler and Centering, unless that is nil. Other rows are an error.
// After an error t is as before.
func (t *Trainer) UnmarshalBinary(data []byte) error {
	t.check()
	type saved struct {
		batch     int
		block     int
		sweeps    int
		state     trainerState
		model     RBM
		sgd       SGD
		centering *Centering
		sampler   []byte
	}
	x, err := decode(data, "Trainer", func(d *wire.Decoder) (x saved) {
		x.batch, x.block, x.sweeps = d.Int("BatchSize", 1), d.Int("ShuffleBlock", 0), d.Range("MissingSweeps", 0, maxSweeps)
		if !d.OK() {
			return x
		}
		prints, err := t.fingerprints()
		if err != nil {
			d.Failf("%w", err)
		}
		for _, p := range prints {
			p.compare(d)
		}
		x.state.seed, x.state.steps = d.Uint64(), d.Range("steps", 0, maxCount)
		x.model, x.sgd = readRBM(d), readSGD(d)
		if d.Bool("Centering") {
			c := readCentering(d)
			x.centering = &c
		}
		if d.Bool("best") {
			best := readRBM(d)
			x.state.best, x.state.score, x.state.waited = &best, d.Float64(), d.Range("reports", 0, x.state.steps)
		}
		x.state.peak, x.state.reported = d.Float64(), d.Range("steps before the last report", 0, x.state.steps)
		x.state.past = past{readSnapshot(d, x.state.reported), readSnapshot(d, x.state.reported), readSnapshot(d, x.state.steps)}
		x.state.columns.biases, x.state.columns.dependence = d.List("biases of independent units"), d.Float64()
		x.state.drawn = readBits(d)
		x.sampler = d.Bytes("sampler")
		if d.OK() {
			_, nv := t.Data.Dims()
			x.model.fits(d, "model", nv, x.model.C.Len())
			x.state.best.fits(d, "best model", nv, x.model.C.Len())
			x.sgd.fits(d, nv, x.model.C.Len())
			x.centering.fits(d, nv, x.model.C.Len())
			t.fits(d, &x.state.drawn)
			if n := len(x.state.columns.biases); n != nv && (n > 0 || x.state.reported > 0) {
				d.Failf("biases of independent units are %d, want %d", n, nv)
			}
		}
		return x
	})
	if err != nil {
		return err
	}
	switch s := t.Sampler.(type) {
	case *CD, *PCD, *PT, *PTT: // of which the size can be told before they change
		d, err := s.(interface{ decode([]byte) (decoded, error) }).decode(x.sampler)
		if err == nil {
			err = d.fits(x.model.B.Len())
		}
		if err != nil {
			return fmt.Errorf("rbm: Trainer: %w", err)
		}
		d.set()
	case state:
		if err := s.UnmarshalBinary(x.sampler); err != nil {
			return fmt.Errorf("rbm: Trainer: %w", err)
		}
	case stateless:
		if len(x.sampler) > 0 {
			return fmt.Errorf("rbm: Trainer: sampler is a %T, want the one of the data", s)
		}
	default:
		return fmt.Errorf("rbm: Trainer: sampler is a %T, want one with AppendBinary and UnmarshalBinary", s)
	}
	t.BatchSize, t.ShuffleBlock, t.MissingSweeps = x.batch, x.block, x.sweeps
	t.state, *t.Model, t.SGD = x.state, x.model, x.sgd
	t.gradient = nil // which may have had another size
	t.rows, t.elapsed, t.due = 0, 0, 0
	if c := x.centering; c == nil || t.Centering == nil {
		t.Centering = c
	} else {
		t.Centering.restore(c)
	}
	return nil
}

func (s *snapshot) bytes() int { return 8*(3+1+len(s.free)) + s.chains.bytes() }

func (s *snapshot) write(b []byte) []byte {
	b = wire.AppendFloat64(wire.AppendFloat64(wire.AppendInt(b, s.step), s.rate), s.score)
	return s.chains.write(wire.AppendList(b, s.free))
}

func readSnapshot(d *wire.Decoder, steps int) snapshot {
	return snapshot{d.Range("steps before a report", 0, steps), d.Float64(), d.Float64(), d.List("free energies"), readBits(d)}
}

// fits sets an error unless m, called name, has so many units, or is nil.
func (m *RBM) fits(d *wire.Decoder, name string, nv, nh int) {
	if m == nil {
		return
	}
	if v, h := m.Dims(); v != nv || h != nh {
		d.Failf("%s has %d visible and %d hidden units, want %d and %d", name, v, h, nv, nh)
	}
}

// fits sets an error unless the velocity, if there is one, is that of so many
// units.
func (o *SGD) fits(d *wire.Decoder, nv, nh int) {
	if o.state != nil {
		v := &o.state.velocity
		(&RBM{W: v.W, B: v.B, C: v.C}).fits(d, "velocity", nv, nh)
	}
}

// fits sets an error unless the offsets, if there are any, are those of so many
// units, or c is nil.
func (c *Centering) fits(d *wire.Decoder, nv, nh int) {
	if c == nil {
		return
	}
	if v, h := len(c.V), len(c.H); v != 0 && v != nv || h != 0 && h != nh {
		d.Failf("offsets are those of %d visible and %d hidden units, want %d and %d", v, h, nv, nh)
	}
}

// fits sets an error unless drawn is empty or has completions of Data.
func (t *Trainer) fits(d *wire.Decoder, drawn *Bits) {
	if drawn.rows == 0 {
		return
	}
	data, _ := t.Data.(*Bits)
	if t.Observed == nil || drawn.rows != data.rows || drawn.cols != data.cols {
		rows, cols := t.Data.Dims()
		if t.Observed == nil {
			rows, cols = 0, 0
		}
		d.Failf("completions are %d×%d, want %d×%d", drawn.rows, drawn.cols, rows, cols)
		return
	}
	for r := range drawn.rows {
		mask, want := t.Observed.row(r), data.row(r)
		for w, x := range drawn.row(r) {
			if wrong := (x ^ want[w]) & mask[w]; wrong != 0 {
				d.Failf("completion of row %d differs in column %d, which is observed", r, w*wordBits+bits.TrailingZeros64(wrong))
				return
			}
		}
	}
}

// A fingerprint stands for rows that are not written: they must be the same.
type fingerprint struct {
	name       string
	rows, cols int // 0 if there are none
	sum        uint64
}

// fingerprints returns those of Data, HeldOut, Weights and Observed. That of Data which
// may be changed in memory is found each time.
func (t *Trainer) fingerprints() ([]fingerprint, error) {
	if t.printed == nil {
		t.printed = new(printed)
	}
	data, err := t.printed.print, error(nil)
	if _, ok := t.Data.(*Bits); ok || !sameRows(t.printed.rows, t.Data) {
		if data, err = fingerprintOf("Data", t.Data); err != nil {
			return nil, err
		}
		*t.printed = printed{rows: t.Data, print: data}
	}
	held, err := fingerprintOf("HeldOut", t.HeldOut)
	if err != nil {
		return nil, err
	}
	observed, err := fingerprintOf("Observed", t.Observed)
	weights := fingerprint{name: "Weights", rows: len(t.Weights), cols: min(1, len(t.Weights))}
	var b []byte
	for w := range slices.Chunk(t.Weights, 1<<10) {
		b = wire.AppendFloats(b[:0], w)
		weights.sum = crc64.Update(weights.sum, crc64.MakeTable(crc64.ECMA), b)
	}
	return []fingerprint{data, held, weights, observed}, err
}

// printed is the fingerprint of rows that are read from elsewhere.
type printed struct {
	rows  Rows
	print fingerprint
}

func fingerprintOf(name string, rows Rows) (fingerprint, error) {
	p := fingerprint{name: name}
	if isNil(rows) {
		return p, nil
	}
	p.rows, p.cols = rows.Dims()
	table := crc64.MakeTable(crc64.ECMA)
	var row []byte
	for block, err := range Blocks(rows, passBlock(p.cols)) {
		if err != nil {
			return p, err
		}
		for r := range block.rows {
			row = row[:0]
			for _, x := range block.row(r) {
				row = wire.AppendUint64(row, x)
			}
			p.sum = crc64.Update(p.sum, table, row)
		}
	}
	return p, nil
}

func (p fingerprint) write(b []byte) []byte {
	return wire.AppendUint64(wire.AppendInt(wire.AppendInt(b, p.rows), p.cols), p.sum)
}

// compare sets an error unless p is the next fingerprint of d.
func (p fingerprint) compare(d *wire.Decoder) {
	rows, cols, sum := d.Int("rows", 0), d.Int("columns", 0), d.Uint64()
	switch {
	case !d.OK():
	case rows != p.rows || cols != p.cols:
		d.Failf("%s is %d×%d, want %d×%d", p.name, p.rows, p.cols, rows, cols)
	case sum != p.sum:
		d.Failf("%s has checksum %016x, want %016x: the values are others", p.name, p.sum, sum)
	}
}
