package rbm

import (
	"encoding"
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
)

// The payloads of the frames of internal/wire, value by value:
//
//	RBM        nv, nh; W row by row, B, C; number of groups; of each the first unit
//	           and the one behind the last
//	Phases     bool sum of something; if so, DataWeight, ModelWeight, and Data and
//	           Model each like an RBM, without groups
//	SGD        Rate, Momentum, L2, L1, MaxNorm; bool velocity; if so, the
//	           velocity like an RBM, without groups
//	Centering  Rate; bool Enhanced; list V, list H
//	Sparsity   Target, Cost, Rate; list H
//	Frozen     rows, columns and words of W, of B and of C
//	States     uint64 seed, uint64 clock; rows, columns; uint64 words of the states
//	Chains     States
//	CD         K; uint64 seed, uint64 clock
//	PCD        K; number of chains to start, or 0; Chains
//	PT         K; number of chains; list Base, list betas; States;
//	           if they have rows, of each row its level; of each level but
//	           the last the exchanges tried, then of each those done
//	PTT        K; MinSwapRate; number of chains; number of models; of each model the
//	           RBM, the sum and the number of the probabilities of exchanges
//	           with the next, and their last mean; States
//	Trainer    BatchSize, ShuffleBlock, MissingSweeps; bool Single; bool
//	           Classifier; if so, Classes, Discriminative, Generative, Unlabeled;
//	           of Data, of HeldOut, of Weights, of HeldOutWeights and of Observed
//	           the rows, the columns and a uint64 checksum; uint64 seed; steps;
//	           rate of the last step; RBM; SGD; bool Centering; if so, Centering;
//	           bool Sparsity; if so, Sparsity; bool Frozen; if so, Frozen; bool
//	           best; if so, the best RBM, bool of a Classifier, both parts of its
//	           score, the reports since; peak; steps before the last report; three
//	           times, for the older and the younger report to compare with and for
//	           the chains before the first: its steps, rate and score, list of free
//	           energies, rows, columns and words of the chains; list of biases of
//	           independent units; dependence; rows, columns and words of the
//	           completions of Data; bytes of the Sampler
//
// Sizes, counts and levels are ints, other numbers float64 where nothing else is
// said. States are no frame of their own. A row of states is as many
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

// A decoder tells what data hold of a sampler before it is set.
type decoder interface {
	decode(data []byte) (decoded, error)
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
