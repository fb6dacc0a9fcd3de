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
func (s *missing) startAll(m *RBM, data, observed *Bits, label group, seed uint64, until *stop.Signal) (*Bits, error) {
	all := knownBits(data, observed, until)
	var groups oneHot
	groups.load(m.OneHot)
	in := batch{rows: all.rows, cols: all.cols, bits: all}
	s.mask.resize(1, all.cols)
	for r := range all.rows {
		until.Look()
		label.mask(s.mask.row(0), all.row(r), observed.row(r))
		if wrong := groups.wrongRow("Data", &in, r, r, s.mask.row(0)); wrong != "" {
			return nil, errors.New("rbm: " + wrong)
		}
	}
	c := s.start()
	var part Bits
	for r0 := 0; r0 < all.rows; r0 += startRows {
		r1 := min(all.rows, r0+startRows)
		all.slice(&part, r0, r1)
		s.mask.resize(r1-r0, all.cols)
		for r := range s.mask.rows {
			label.mask(s.mask.row(r), part.row(r), observed.row(r0+r))
		}
		src := sourceOf(seed, 0, startOfMissing, uint32(r0/startRows))
		c.seed, c.clock = src.Uint64(), 0
		c.StartGiven(m, &part, &s.mask)
		copy(part.words, c.v.words)
	}
	return all, nil
}

// complete moves what is missing of the rows of a minibatch, as it was drawn last. It
// reports whether m can draw it.
func (s *missing) complete(m *RBM, batch, observed, drawn *Bits, label group, sweeps int, seed uint64, steps int) bool {
	s.short = s.short[:0]
	for r, i := range s.rows {
		if label.misses(observed, i) {
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
		label.mask(s.mask.row(k), batch.row(r), observed.row(i))
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

// mask sets dst to what is observed of a row: nothing of label g, which may be empty, if none
// of its units is on.
func (g group) mask(dst, row, observed []uint64) {
	copy(dst, observed)
	for t := g.from / wordBits; t*wordBits < g.to; t++ {
		if row[t]&observed[t]&within(t, g.from, g.to) != 0 {
			return
		}
	}
	for t := g.from / wordBits; t*wordBits < g.to; t++ {
		dst[t] &^= within(t, g.from, g.to)
	}
}

// misses reports whether row i misses a unit that must be drawn, as those of label g, which may
// be empty, need not be.
func (g group) misses(observed *Bits, i int) bool {
	if g.to == 0 {
		return !observed.full(i)
	}
	return ones(observed.row(i), 0, g.from) < g.from
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
