package rbm

import (
	"encoding"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// The payloads of the frames of internal/wire, value by value:
//
//	RBM        nv, nh; W row by row, B, C
//	SGD        Rate, Momentum, Decay; bool velocity; if so, the velocity like an RBM
//	Centering  Rate; bool Enhanced; list V, list H
//	Chains     uint64 seed, uint64 clock; rows, columns; uint64 words of the states
//	CD         K; uint64 seed, uint64 clock
//	PCD        K; number of chains to start, or 0; Chains
//	PT         K; number of chains; list Base, list betas; Chains;
//	           if they have rows, of each row its level; of each level but
//	           the last the exchanges tried, then of each those done
//
// Sizes, counts and levels are ints, other numbers float64 where nothing else is
// said. A row of states is as many words as it needs, column j being bit j%64 of
// word j/64; the bits behind the last column are 0. Chains without states have 0
// rows and 0 columns.

var (
	_ state                    = (*RBM)(nil)
	_ encoding.BinaryMarshaler = (*RBM)(nil)
	_ state                    = (*SGD)(nil)
	_ state                    = (*Centering)(nil)
	_ state                    = (*Chains)(nil)
	_ state                    = (*CD)(nil)
	_ state                    = (*PCD)(nil)
	_ state                    = (*PT)(nil)
)

type state interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// encode appends a frame.
func encode(b []byte, kind string, write func(b []byte) []byte) ([]byte, error) {
	return wire.AppendFrame(b, kind, func(b []byte) ([]byte, error) { return write(b), nil })
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
func (m *RBM) AppendBinary(b []byte) ([]byte, error) { return encode(b, "RBM", m.write) }

// MarshalBinary is AppendBinary to nil: what packages like encoding/gob call.
func (m *RBM) MarshalBinary() ([]byte, error) { return m.AppendBinary(nil) }

// UnmarshalBinary sets m, of whatever size it was, to the RBM that AppendBinary
// wrote, in new memory. After an error m is as before.
func (m *RBM) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "RBM", readRBM)
	if err == nil {
		*m = x
	}
	return err
}

func (m *RBM) write(b []byte) []byte {
	nv, nh := m.Dims()
	b = slices.Grow(b, 8*(2+nv*nh+nv+nh))
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

// AppendBinary appends the settings and the momentum of earlier steps to b. The
// error is nil.
func (o *SGD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "SGD", o.write) }

// UnmarshalBinary sets o to the SGD that AppendBinary wrote: it goes on as that
// one would have. After an error o is as before.
func (o *SGD) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "SGD", readSGD)
	if err == nil {
		*o = x
	}
	return err
}

func (o *SGD) write(b []byte) []byte {
	b = wire.AppendFloats(b, []float64{o.Rate, o.Momentum, o.Decay})
	moves := o.state != nil && o.state.velocity.W != nil
	b = wire.AppendBool(b, moves)
	if moves {
		d := &o.state.velocity
		b = (&RBM{W: d.W, B: d.B, C: d.C}).write(b)
	}
	return b
}

func readSGD(d *wire.Decoder) SGD {
	o := SGD{Rate: d.Float64(), Momentum: d.Float64(), Decay: d.Float64()}
	if d.Bool("velocity") {
		m := readRBM(d)
		o.state = new(sgdState)
		o.state.velocity.W, o.state.velocity.B, o.state.velocity.C = m.W, m.B, m.C
	}
	return o
}

// AppendBinary appends the settings and the offsets to b. The error is nil. It
// panics if Rate is not between 0 and 1.
func (c *Centering) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Centering", c.write) }

// UnmarshalBinary sets c to the Centering that AppendBinary wrote. After an error
// c is as before.
func (c *Centering) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "Centering", readCentering)
	if err == nil {
		c.Rate, c.Enhanced, c.V, c.H = x.Rate, x.Enhanced, x.V, x.H
	}
	return err
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

// AppendBinary appends the states, the seed and the clock to b. The error is nil.
func (c *Chains) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Chains", c.write) }

// UnmarshalBinary sets c to the Chains that AppendBinary wrote: they go on as
// those would have. After an error c is as before.
func (c *Chains) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "Chains", readChains)
	if err == nil {
		c.restore(x)
	}
	return err
}

// restore sets c to the seed, the clock and the states of x, which it takes over.
func (c *Chains) restore(x *Chains) { c.seed, c.clock, c.v = x.seed, x.clock, x.v }

func (c *Chains) write(b []byte) []byte {
	b = wire.AppendUint64(wire.AppendUint64(b, c.seed), c.clock)
	b = wire.AppendInt(wire.AppendInt(b, c.v.rows), c.v.cols)
	for _, x := range c.v.words {
		b = wire.AppendUint64(b, x)
	}
	return b
}

func readChains(d *wire.Decoder) *Chains {
	c := readStream(d)
	c.v.rows, c.v.cols = d.Int("rows", 0), d.Int("columns", 0)
	if (c.v.rows == 0) != (c.v.cols == 0) {
		d.Failf("states are %d×%d, want at least 1×1, or 0×0", c.v.rows, c.v.cols)
	}
	if c.v.rows == 0 || !d.OK() {
		return c
	}
	c.v.stride = (c.v.cols-1)/wordBits + 1
	c.v.words = d.Words(c.v.rows, c.v.stride)
	if behind := ^uint64(0) << ((c.v.cols-1)%wordBits + 1); d.OK() {
		for r := range c.v.rows {
			if x := c.v.row(r)[c.v.stride-1] & behind; x != 0 {
				d.Failf("row %d of the states has a one in column %d, want %d columns",
					r, (c.v.stride-1)*wordBits+bits.TrailingZeros64(x), c.v.cols)
				break
			}
		}
	}
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

// AppendBinary appends K and the seed and the clock of Chains to b. Their states
// are no part of it, as the next call begins with others. The error is nil. It
// panics if K is less than 1 or Chains is nil.
func (s *CD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "CD", s.write) }

// UnmarshalBinary sets s to the CD that AppendBinary wrote: it goes on as that one
// would have. Chains keeps its address, unless it is nil, and has no states. After
// an error s is as before.
func (s *CD) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "CD", readCD)
	if err == nil {
		s.K, s.Chains = x.K, restored(s.Chains, x.Chains)
	}
	return err
}

// restored returns x, at the address of old unless that is nil.
func restored(old, x *Chains) *Chains {
	if old == nil {
		return x
	}
	old.restore(x)
	return old
}

func (s *CD) write(b []byte) []byte {
	s.check()
	b = wire.AppendInt(b, s.K)
	return wire.AppendUint64(wire.AppendUint64(b, s.Chains.seed), s.Chains.clock)
}

func readCD(d *wire.Decoder) CD { return CD{K: d.Int("K", 1), Chains: readStream(d)} }

// AppendBinary appends K and Chains with their states to b. The error is nil. It
// panics if K is less than 1 or Chains is nil.
func (s *PCD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PCD", s.write) }

// UnmarshalBinary sets s to the PCD that AppendBinary wrote: it goes on as that
// one would have. Chains keeps its address, unless it is nil. After an error s is
// as before.
func (s *PCD) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "PCD", readPCD)
	if err == nil {
		s.K, s.n, s.Chains = x.K, x.n, restored(s.Chains, x.Chains)
	}
	return err
}

func (s *PCD) write(b []byte) []byte {
	checkSweeps(s.K)
	if s.Chains == nil {
		panic("rbm: PCD has no Chains, want those of NewChains")
	}
	return s.Chains.write(wire.AppendInt(wire.AppendInt(b, s.K), s.n))
}

func readPCD(d *wire.Decoder) PCD {
	return PCD{K: d.Int("K", 1), n: d.Int("number of chains", 0), Chains: readChains(d)}
}

// AppendBinary appends all settings, temperatures and replicas to b, and how many
// exchanges were tried and took place. The error is nil. It panics if s was not
// made by NewPT, K is less than 1, or Base has a value that is not finite or
// another length than the replicas.
func (s *PT) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PT", s.write) }

// UnmarshalBinary sets s, of whatever size it was, to the PT that AppendBinary
// wrote: it goes on as that one would have. After an error s is as before.
func (s *PT) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "PT", readPT)
	if err == nil {
		s.K, s.Base, s.betas, s.n, s.chains = x.K, x.Base, x.betas, x.n, restored(s.chains, x.chains)
		s.level, s.row, s.tried, s.done = x.level, x.row, x.tried, x.done
	}
	return err
}

func (s *PT) write(b []byte) []byte {
	if s.chains == nil {
		panic("rbm: PT is empty, want that of NewPT")
	}
	checkSweeps(s.K)
	if s.Base != nil {
		nv := s.chains.v.cols
		if nv == 0 {
			nv = max(1, len(s.Base))
		}
		baseOf(New(nv, 1), s.Base) // panics
	}
	b = wire.AppendInt(wire.AppendInt(b, s.K), s.n)
	b = wire.AppendList(wire.AppendList(b, s.Base), s.betas)
	b = s.chains.write(b)
	return wire.AppendInts(wire.AppendInts(wire.AppendInts(b, s.level), s.tried), s.done)
}

func readPT(d *wire.Decoder) PT {
	s := PT{K: d.Int("K", 1), n: d.Int("number of chains", 1), Base: d.List("Base"), betas: d.List("betas"), chains: readChains(d)}
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
