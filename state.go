package rbm

import (
	"encoding"
	"fmt"
	"hash/crc64"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
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

// decoded is what data hold of a sampler, before it is set to that.
type decoded struct {
	nv  int // visible units, 0 if they are not known yet
	set func()
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
	return nil
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
