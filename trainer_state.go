package rbm

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
)

var _ state = (*Trainer)(nil)

// AppendBinary appends all that a later call depends on to b, but for the rows themselves
// and for Schedule, Patience, ReportEvery and OnReport, which are up to the program. Of
// the rows it appends a checksum, which takes a pass over them: of Data that are not in
// memory only the first time. The error comes from Data, or from a Sampler, which must be
// an encoding.BinaryAppender and BinaryUnmarshaler, as all of this package are, or an
// Exact. It panics if the settings do not fit.
func (t *Trainer) AppendBinary(b []byte) ([]byte, error) {
	t.check()
	prints, err := t.fingerprints()
	if err != nil {
		return nil, fmt.Errorf("rbm: Trainer: %w", err)
	}
	s := &t.state
	drawn := new(Bits)
	if t.Observed != nil && s.drawn.rows > 0 {
		if drawn, err = t.completions(); err != nil {
			return nil, fmt.Errorf("rbm: Trainer: %w", err)
		}
	}
	b = slices.Grow(b, t.bytes()+wire.Overhead)
	return wire.AppendFrame(b, "Trainer", func(b []byte) ([]byte, error) {
		b = wire.AppendInt(wire.AppendInt(wire.AppendInt(b, t.BatchSize), t.ShuffleBlock), t.MissingSweeps)
		b = t.writeClassifier(wire.AppendBool(b, t.Single))
		for _, p := range prints {
			b = p.write(b)
		}
		b = wire.AppendFloat64(wire.AppendInt(wire.AppendUint64(b, s.seed), s.steps), s.rate)
		b = t.SGD.write(t.Model.write(b))
		if b = wire.AppendBool(b, t.Centering != nil); t.Centering != nil {
			b = t.Centering.write(b)
		}
		if b = wire.AppendBool(b, t.Sparsity != nil); t.Sparsity != nil {
			b = t.Sparsity.write(b)
		}
		if b = wire.AppendBool(b, t.Frozen != nil); t.Frozen != nil {
			b = t.Frozen.write(b)
		}
		if b = wire.AppendBool(b, s.best != nil); s.best != nil {
			b = wire.AppendInt(s.score.write(s.best.write(b)), s.waited)
		}
		b = wire.AppendInt(wire.AppendFloat64(b, s.peak), s.reported)
		b = s.past.start.write(s.past.younger.write(s.past.older.write(b)))
		b = wire.AppendFloat64(wire.AppendList(b, s.columns.biases), s.columns.dependence)
		b = drawn.write(b)
		return wire.AppendBytes(b, func(b []byte) ([]byte, error) {
			switch s := t.Sampler.(type) {
			case state:
				return s.AppendBinary(b)
			case nil, stateless:
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
	bytes := 8*(3+4+5*3+3+3+2+1) + 7 + t.Model.bytes() + t.SGD.bytes() + s.drawn.bytes()
	bytes += s.past.older.bytes() + s.past.younger.bytes() + s.past.start.bytes() + 8*(1+len(s.columns.biases)+1)
	if t.Centering != nil {
		bytes += t.Centering.bytes()
	}
	if t.Sparsity != nil {
		bytes += t.Sparsity.bytes()
	}
	if t.Frozen != nil {
		bytes += t.Frozen.bytes()
	}
	if s.best != nil {
		bytes += s.best.bytes()
	}
	if sampler, ok := t.Sampler.(part); ok {
		bytes += sampler.bytes() + wire.Overhead
	}
	return bytes
}

// UnmarshalBinary sets what AppendBinary wrote of a Trainer with the same rows, in memory
// or not, a Sampler of the same type and a Classifier of as many classes, if any. Then t
// continues as that Trainer would have, with its own Schedule, Patience, ReportEvery and
// OnReport. Model keeps its address, and so do the Sampler, the Classifier and, unless
// nil, Centering and Sparsity. Other rows are an error. After an error t is as before.
func (t *Trainer) UnmarshalBinary(data []byte) error {
	t.check()
	type saved struct {
		batch      int
		block      int
		sweeps     int
		single     bool
		classifier Classifier
		state      trainerState
		model      RBM
		sgd        SGD
		centering  *Centering
		sparsity   *Sparsity
		frozen     *Frozen
		sampler    []byte
	}
	x, err := decode(data, "Trainer", func(d *wire.Decoder) (x saved) {
		x.batch, x.block, x.sweeps = d.Int("BatchSize", 1), d.Int("ShuffleBlock", 0), d.Range("MissingSweeps", 0, maxSweeps)
		x.single = d.Bool("Single")
		x.classifier = t.readClassifier(d)
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
		x.state.seed, x.state.steps, x.state.rate = d.Uint64(), d.Range("steps", 0, maxCount), d.Float64()
		x.model, x.sgd = readRBM(d), readSGD(d)
		if d.Bool("Centering") {
			c := readCentering(d)
			x.centering = &c
		}
		if d.Bool("Sparsity") {
			s := readSparsity(d)
			x.sparsity = &s
		}
		if d.Bool("Frozen") {
			f := readFrozen(d)
			x.frozen = &f
		}
		if d.Bool("best") {
			best := readRBM(d)
			x.state.best, x.state.score, x.state.waited = &best, readScore(d), d.Range("reports", 0, x.state.steps)
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
			x.sparsity.fits(d, x.model.C.Len())
			x.frozen.fits(d, nv, x.model.C.Len())
			x.classifier.fits(d, &x.model)
			t.fits(d, &x.state.drawn)
			if n := len(x.state.columns.biases); n != nv && n > 0 {
				d.Failf("biases of independent units are %d, want %d", n, nv)
			}
		}
		return x
	})
	if err != nil {
		return err
	}
	switch s := codecOf(t.Sampler).(type) {
	case decoder: // of which the size can be told before they change
		d, err := s.decode(x.sampler)
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
	case nil, stateless:
		if len(x.sampler) > 0 {
			return fmt.Errorf("rbm: Trainer: sampler is a %T, want the one of the data", s)
		}
	default:
		return fmt.Errorf("rbm: Trainer: sampler is a %T, want one with AppendBinary and UnmarshalBinary", s)
	}
	t.BatchSize, t.ShuffleBlock, t.MissingSweeps, t.Single = x.batch, x.block, x.sweeps, x.single
	t.state, *t.Model, t.SGD = x.state, x.model, x.sgd
	if c := t.Classifier; c != nil {
		c.Discriminative, c.Generative, c.Unlabeled = x.classifier.Discriminative, x.classifier.Generative, x.classifier.Unlabeled
	}
	t.gradient = nil // which may have had another size
	t.rows, t.elapsed, t.due = 0, 0, 0
	if c := x.centering; c == nil || t.Centering == nil {
		t.Centering = c
	} else {
		t.Centering.restore(c)
	}
	if s := x.sparsity; s == nil || t.Sparsity == nil {
		t.Sparsity = s
	} else {
		t.Sparsity.restore(s)
	}
	t.Frozen = x.frozen
	return nil
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
	label, mask := t.labelUnits(), NewBits(1, data.cols).row(0)
	for r := range drawn.rows {
		want := data.row(r)
		label.mask(mask, want, t.Observed.row(r))
		for w, x := range drawn.row(r) {
			if wrong := (x ^ want[w]) & mask[w]; wrong != 0 {
				d.Failf("completion of row %d differs in column %d, which is observed", r, w*wordBits+bits.TrailingZeros64(wrong))
				return
			}
		}
	}
}

// fingerprints returns those of Data, HeldOut, Weights, HeldOutWeights and Observed. That
// of Data which may be changed in memory is found each time.
func (t *Trainer) fingerprints() ([]fingerprint, error) {
	if t.printed == nil {
		t.printed = new(printed)
	}
	data, err := t.printed.print, error(nil)
	_, inMemory := t.Data.(*Bits)
	if _, ok := valuesOf(t.Data); ok || inMemory || !sameRows(t.printed.rows, t.Data) {
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
	return []fingerprint{data, held, weightsPrint("Weights", t.Weights), weightsPrint("HeldOutWeights", t.HeldOutWeights), observed}, err
}

// codecOf returns s itself as a decoder if it is native, and else s.
func codecOf(s Sampler) any {
	if n := nativeOf(s); n != nil {
		if d, ok := n.(decoder); ok {
			return d
		}
	}
	return s
}
