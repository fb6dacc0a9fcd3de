package rbm

import (
	"errors"

	"github.com/gorbm/rbm/internal/stop"
)

// missing is what a Trainer needs to complete the rows of a minibatch.
type missing struct {
	rows   []int   // the numbers in Data of those of the minibatch
	short  []int   // the places in the minibatch of those that miss a unit
	chains *Chains // nil before the first
	mask   Bits    // what is observed of these
}

// startRows is how many rows are started together.
const startRows = 1 << 10

// startAll draws what is missing of all rows from the visible biases of m, at once, so that
// it does not depend on which row is visited when. It returns an error if a row does not
// fit the groups where it is observed.
func (s *missing) startAll(m *RBM, data, observed *Bits, seed uint64, until *stop.Signal) (*Bits, error) {
	all := knownBits(data, observed, until)
	var groups oneHot
	groups.load(m.OneHot)
	in := batch{rows: all.rows, cols: all.cols, bits: all}
	for r := range all.rows {
		until.Look()
		if wrong := groups.wrongRow("Data", &in, r, r, observed.row(r)); wrong != "" {
			return nil, errors.New("rbm: " + wrong)
		}
	}
	c := s.start()
	var part, mask Bits
	for r0 := 0; r0 < all.rows; r0 += startRows {
		r1 := min(all.rows, r0+startRows)
		all.slice(&part, r0, r1)
		observed.slice(&mask, r0, r1)
		src := sourceOf(seed, 0, startOfMissing, uint32(r0/startRows))
		c.seed, c.clock = src.Uint64(), 0
		c.StartGiven(m, &part, &mask)
		copy(part.words, c.v.words)
	}
	return all, nil
}

// complete moves what is missing of the rows of a minibatch, as it was drawn last. It
// reports whether m can draw it.
func (s *missing) complete(m *RBM, batch, observed, drawn *Bits, sweeps int, seed uint64, steps int) bool {
	s.short = s.short[:0]
	for r, i := range s.rows {
		if !observed.full(i) {
			s.short = append(s.short, r)
		}
	}
	if len(s.short) == 0 {
		return true
	}
	c := s.start()
	c.v.resize(len(s.short), batch.cols)
	s.mask.resize(len(s.short), batch.cols)
	for k, r := range s.short {
		i := s.rows[r]
		copy(s.mask.row(k), observed.row(i))
		copy(c.v.row(k), drawn.row(i))
		observe(c.v.row(k), batch.row(r), s.mask.row(k))
	}
	src := sourceOf(seed, uint64(steps), sweepOfMissing, 0)
	c.seed, c.clock = src.Uint64(), 0
	c.GibbsGiven(m, max(1, sweeps), &s.mask)
	if c.model.nan {
		return false
	}
	for k, r := range s.short {
		copy(batch.row(r), c.v.row(k))
	}
	return true
}

// completed keeps what is missing of the rows of the minibatch as it was drawn.
func (s *missing) completed(batch, drawn *Bits) {
	for _, r := range s.short {
		copy(drawn.row(s.rows[r]), batch.row(r))
	}
}

// start returns the chains.
func (s *missing) start() *Chains {
	if s.chains == nil {
		s.chains = new(Chains)
	}
	return s.chains
}
