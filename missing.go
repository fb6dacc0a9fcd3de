package rbm

import "fmt"

// missing is what a Trainer needs to complete the rows of a minibatch.
type missing struct {
	rows   []int   // the numbers in Data of those of the minibatch
	short  []int   // the places in the minibatch of those that miss a unit
	chains *Chains // nil before the first
	mask   Bits    // what is observed of these
}

// startRows is how many rows are started together.
const startRows = 1 << 10

// checkObserved panics if Observed does not fit.
func (t *Trainer) checkObserved() {
	checkRange("MissingSweeps", t.MissingSweeps, 0, maxSweeps)
	if t.Observed == nil {
		return
	}
	data, ok := t.Data.(*Bits)
	if !ok {
		panic(fmt.Sprintf("rbm: Data is a %T with Observed, want a *rbm.Bits", t.Data))
	}
	if t.Observed.rows != data.rows || t.Observed.cols != data.cols {
		panic(fmt.Sprintf("rbm: Observed is %d×%d, want %d×%d", t.Observed.rows, t.Observed.cols, data.rows, data.cols))
	}
}

// startMissing draws what is missing of all rows, unless that has been done: at
// once, so that it does not depend on which row is visited when.
func (t *Trainer) startMissing() {
	drawn := &t.state.drawn
	if t.Observed == nil {
		*drawn = Bits{}
		return
	}
	data := t.Data.(*Bits)
	if drawn.rows == data.rows && drawn.cols == data.cols {
		return
	}
	all := knownBits(data, t.Observed, t.until())
	var groups oneHot
	groups.load(t.Model.OneHot)
	var in batch
	in.each("Data", all, all.rows, func(r0 int) { groups.check("Data", &in, r0, t.Observed, t.until()) })
	c := t.missing.start()
	var part, mask Bits
	for r0 := 0; r0 < all.rows; r0 += startRows {
		r1 := min(all.rows, r0+startRows)
		all.slice(&part, r0, r1)
		t.Observed.slice(&mask, r0, r1)
		src := t.source(0, startOfMissing, uint32(r0/startRows))
		c.seed, c.clock = src.Uint64(), 0
		c.StartGiven(t.Model, &part, &mask)
		copy(part.words, c.v.words)
	}
	*drawn = *all
}

// complete moves what is missing of the rows of the minibatch. It reports whether
// the model can draw it.
func (t *Trainer) complete() bool {
	s := &t.missing
	s.short = s.short[:0]
	for r, i := range s.rows {
		if !t.Observed.full(i) {
			s.short = append(s.short, r)
		}
	}
	if len(s.short) == 0 {
		return true
	}
	c := s.start()
	c.v.resize(len(s.short), t.batch.cols)
	s.mask.resize(len(s.short), t.batch.cols)
	for k, r := range s.short {
		i := s.rows[r]
		copy(s.mask.row(k), t.Observed.row(i))
		copy(c.v.row(k), t.state.drawn.row(i))
		observe(c.v.row(k), t.batch.row(r), s.mask.row(k))
	}
	src := t.source(uint64(t.state.steps), sweepOfMissing, 0)
	c.seed, c.clock = src.Uint64(), 0
	c.GibbsGiven(t.Model, max(1, t.MissingSweeps), &s.mask)
	if c.model.nan {
		return false
	}
	for k, r := range s.short {
		copy(t.batch.row(r), c.v.row(k))
	}
	return true
}

// completed keeps what is missing of the rows of the minibatch as it was drawn.
func (t *Trainer) completed() {
	for _, r := range t.missing.short {
		copy(t.state.drawn.row(t.missing.rows[r]), t.batch.row(r))
	}
}

// start returns the chains.
func (s *missing) start() *Chains {
	if s.chains == nil {
		s.chains = new(Chains)
	}
	return s.chains
}

// completions returns all rows, what is missing being as it was drawn last.
func (t *Trainer) completions() *Bits {
	t.startMissing()
	drawn, data := &t.state.drawn, t.Data.(*Bits)
	for r := range drawn.rows {
		t.until().Look()
		observe(drawn.row(r), data.row(r), t.Observed.row(r))
	}
	return drawn
}

// full reports whether all of row r is 1.
func (b *Bits) full(r int) bool {
	row := b.row(r)
	for _, x := range row[:b.stride-1] {
		if x != ^uint64(0) {
			return false
		}
	}
	return row[b.stride-1] == ^uint64(0)>>(b.stride*wordBits-b.cols)
}
