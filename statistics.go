package rbm

import (
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// statistics accumulates, over rows of any number of batches,
//
//	Σᵣ sᵣ (ĥᵣ, 1)(vᵣ, 1)ᵀ
//
// whose parts are ⟨ĥvᵀ⟩, ⟨v⟩ and ⟨ĥ⟩ for a scale s that sums to one. Rows of bits
// wait until there are enough of them to be worth a product.
type statistics struct {
	nv, nh int
	acc    []product.Line // panels of (ĥ, 1) × (nv+1), if there is more than one flush
	begun  bool           // acc holds something

	p      []float64 // s·(ĥ, 1) of the waiting rows: words of units × room × 64
	single bool      // add rows of bits in fixed point
	fixed  singles   // s·(ĥ, 1) of the waiting rows in place of p, if they are
	room   int       // rows, a multiple of 64
	rows   int       // that wait, a multiple of 64
	bits   []uint64  // what is not 0 in (v, 1) of the waiting rows, transposed: (nv+1) × room
	lists  lists
	real   bool
	values []float64 // (v, 1) of the waiting rows itself, transposed, if it is real: (nv+1) × room

	until  *stop.Signal
	pass   pass
	in     batch
	base   int       // where the rows of the current pass go
	scale  []float64 // of these rows
	place  []int     // of each, counted from base, or empty if they are in order
	chosen []int
	spread Bits   // the rows of the current pass at their places
	layer  *layer // of ĥ, in a pass

	means    *means // of data, which wait in the first rows
	dataRows int    // a multiple of 64; 0: no data wait
	realData bool

	soft    groupProbs
	dst     store          // of the current product, if it is the last
	scratch []flushScratch // of each worker
}

// A phase says what the statistics are of: it sets s·(ĥ, 1) for rows that are added.
type phase interface {
	// read is given rows r0, r0+1, … of n, called name, before any of them is left out. It
	// panics if they do not fit the groups.
	read(p *model, name string, in *batch, n, r0 int)

	// run sets s·(ĥ, 1) for the rows that are left in the batch of the statistics.
	run(p *model, s *statistics)
}

// A store takes the panels of (ĥ, 1)(v, 1)ᵀ, q being the number of the panel.
type store interface {
	store(panel []product.Line, q int)
}

type flushScratch struct {
	product, acc, fixed []product.Line
}

// maxRoom is how many float64s may wait, if that is for more than 1024 rows.
const maxRoom = 1 << 19

// reset makes s empty, for n rows in two batches, which wait together if that is
// not too much.
func (s *statistics) reset(nv, nh, n int) {
	s.nv, s.nh, s.begun, s.rows = nv, nh, false, 0
	s.real, s.means, s.dataRows = false, nil, 0 // as a call may have been ended
	s.single, s.fixed.isOn = false, false
	room := (min(n, 2*blockRows) + 2*wordBits - 1) &^ (wordBits - 1)
	s.room = min(room, max(1024, maxRoom/((nh/wordBits+1)*wordBits)&^(wordBits-1)))
	if n := (nh/wordBits + 1) * s.room * wordBits; cap(s.p) < n {
		s.p = product.Floats(product.Lines(n / product.Lanes))
	}
	s.p = s.p[:cap(s.p)]
	s.bits = grow(s.bits, (nv+1)*s.room/wordBits)
}

// panels returns the number of panels of (ĥ, 1).
func (s *statistics) panels() int { return s.nh/product.Lanes + 1 }

// add adds the rows of v, of which ph sets ĥ, each with its weight, or 1, divided by
// total. Rows with a weight of 0 are left out. If numbers are given, row r of v is
// number numbers[r] of the rows that have the weights, and the others are left out.
//
// The sums have the bits of the sums over all rows: rows that share a nibble of the
// product keep sharing one.
func (s *statistics) add(p *model, ph phase, name string, v mat.Matrix, weights []float64, total float64, numbers []int) {
	n, _ := v.Dims()
	s.until = p.team.Until
	for r0, r1 := 0, 0; r0 < n; r0 = r1 {
		r1 = s.end(numbers, r0, n)
		s.in.read(name, v, r0, r1)
		ph.read(p, name, &s.in, n, r0)
		rows := s.choose(weights, total, numbers, r0)
		if rows == 0 {
			continue
		}
		if s.in.real || s.rows+rows > s.room {
			s.flush(&p.team, nil)
		}
		s.base = s.rows
		s.fixed.isOn = s.single && !s.in.real
		ph.run(p, s)
		s.rows += rows
		s.transpose(&p.team)
		if s.in.real {
			s.flush(&p.team, nil)
		}
	}
}

// ofProbs is the phase of rows with ĥ = p(h=1|v).
type ofProbs struct{}

func (ofProbs) read(p *model, name string, in *batch, _, r0 int) {
	p.visible.oneHot.check(name, in, r0, nil, p.team.Until)
}

func (ofProbs) run(p *model, s *statistics) { s.probs(p, s) }

// probs sets s·(ĥ, 1) by a sink that does so for units in no group, such as s.
func (s *statistics) probs(p *model, out sink) {
	s.layer = &p.hidden
	s.pass.run(&p.team, &p.hidden, &s.in, out)
	s.soft.finish(&p.hidden.oneHot, s.in.rows, s)
	s.layer = nil
}

// end returns where the rows that are added together with row r of n end. They do
// not part a nibble, and have room with gaps in it.
func (s *statistics) end(numbers []int, r, n int) int {
	if numbers == nil {
		return min(n, r+s.room)
	}
	end := min(n, r+s.room/nibble)
	for end < n && numbers[end]/nibble == numbers[end-1]/nibble {
		end--
	}
	return end
}

const nibble = product.Nibble

// choose finds the scales of the rows of the batch, of which row 0 is row r0 of v,
// removes those with a weight of 0, and gives the others their places. It returns
// how many places they fill, a multiple of 64.
func (s *statistics) choose(weights []float64, total float64, numbers []int, r0 int) int {
	s.scale, s.place, s.chosen = s.scale[:0], s.place[:0], s.chosen[:0]
	last, at := -1, -nibble // the nibble of the row before, and its place
	for r := range s.in.rows {
		number, scale := r0+r, 1/total
		if numbers != nil {
			number = numbers[number]
		}
		if weights != nil {
			if weights[number] == 0 {
				continue
			}
			scale = weights[number] / total
		}
		if number/nibble != last {
			last = number / nibble
			at += nibble
		}
		s.scale = append(s.scale, scale)
		s.place = append(s.place, at+number%nibble)
		s.chosen = append(s.chosen, r)
	}
	n := len(s.chosen)
	if n == 0 {
		return 0
	}
	end := s.place[n-1] + 1
	if n < s.in.rows {
		s.in.choose(s.chosen)
	}
	if end == n {
		s.place = s.place[:0]
	}
	return (end + wordBits - 1) / wordBits * wordBits
}

// ofData notes that the rows of the current pass are data, whose means may be asked for.
func (s *statistics) ofData(m *means) {
	s.means, s.realData = m, s.in.real
	s.dataRows = s.base + (s.at(s.in.rows-1)+wordBits)/wordBits*wordBits
}

// take is the sink of ĥ.
func (s *statistics) take(t, r0, n int, x tile) {
	for r := r0; r < r0+n; r++ {
		in := x.row(r-r0, n)
		if s.fixed.isOn {
			var p [wordBits]float64
			in.Probs(p[:], s.scale[r])
			s.round(t, r, &p)
			continue
		}
		scale, p := s.scale[r], s.word(t, r)
		in.Probs(p, scale)
		if len(s.layer.groups) > 0 {
			s.layer.oneHot.probs(p, t, in, scale)
		}
		s.closeRow(t, r)
	}
}

// closeRow sets s·1 for row r of the current pass, with the last word t of its units.
func (s *statistics) closeRow(t, r int) {
	if t == (s.nh-1)/wordBits {
		s.setOne(r, s.scale[r])
	}
}

func (s *statistics) scaleOf(r int) float64 { return s.scale[r] }

// word returns the part of s·(ĥ, 1) for word t and row r of the current pass.
func (s *statistics) word(t, r int) []float64 {
	return s.p[(t*s.room+s.base+s.at(r))*wordBits:][:wordBits]
}

// at returns the place of row r of the current pass.
func (s *statistics) at(r int) int {
	if len(s.place) == 0 {
		return r
	}
	return s.place[r]
}

// setOne sets s·1 for row r of the current pass.
func (s *statistics) setOne(r int, scale float64) {
	if s.fixed.isOn {
		s.fixed.set(s.nh, s.base+s.at(r), scale)
		return
	}
	s.word(s.nh/wordBits, r)[s.nh%wordBits] = scale
}

// keep puts inputs in the place of s·ĥ.
func (s *statistics) keep(t, r int, in logistic.Inputs) {
	dst := s.word(t, r)
	for q := range in.N {
		copy(dst[q*product.Lanes:], in.X[q*in.Stride][:])
	}
}

const halfWord = wordBits / 2

// put sets s·ĥ of half a word t, from its unit i on, and row r of the current pass to p.
func (s *statistics) put(t, r, i int, p *[halfWord]float64) {
	if !s.fixed.isOn {
		copy(s.word(t, r)[i:], p[:])
		return
	}
	from := t*wordBits + i
	for k, x := range p[:min(halfWord, s.nh-from)] {
		s.fixed.set(from+k, s.base+s.at(r), x)
	}
}

// transpose appends the rows of the batch, with ones behind them, to the waiting ones.
func (s *statistics) transpose(team *parallel.Team) {
	words := (s.nv + wordBits - 1) / wordBits
	work := s.in.rows * s.nv / 8
	if s.in.real {
		s.real = true
		s.values = grow(s.values, (s.nv+1)*s.room)
		work *= 8
	}
	if len(s.place) > 0 {
		s.spread.reset(s.rows-s.base, s.nv)
		for r := range s.in.rows {
			copy(s.spread.row(s.at(r)), s.in.bits.row(r))
		}
	}
	team.Run(team.Workers(words, work), words, (*transposing)(s))
	ones := s.bits[(s.nv*s.room+s.base)/wordBits:][:(s.rows-s.base)/wordBits]
	clear(ones)
	for r := range s.in.rows {
		at := s.at(r)
		ones[at/wordBits] |= 1 << (at % wordBits)
	}
	if s.in.real {
		for r := range s.in.rows {
			s.values[s.nv*s.room+s.at(r)] = 1
		}
	}
}

// transposing is the job of transpose, the units of a word a part.
type transposing statistics

func (s *transposing) Do(_, w int) {
	side := s.in.bits.side()
	if len(s.place) > 0 {
		side = s.spread.side()
	}
	stride := s.room / wordBits
	for r0 := 0; r0 < side.Rows; r0 += wordBits {
		product.Transpose(s.bits[w*wordBits*stride+(s.base+r0)/wordBits:], stride, side, r0, w)
	}
	if s.in.real {
		(*statistics)(s).transposeValues(w*wordBits, min(s.nv, (w+1)*wordBits))
	}
}

// transposeValues sets the values of units [i0, i1).
func (s *statistics) transposeValues(i0, i1 int) {
	in, r := &s.in, 0
	if len(s.place) == 0 {
		for ; r+product.Lanes <= in.rows; r += product.Lanes {
			product.TransposeRows(s.values[i0*s.room+r:], s.room, in.values[r*in.stride()+i0:], in.stride(), i1-i0)
		}
	}
	for ; r < in.rows; r++ {
		at := s.at(r)
		for i, x := range in.value(r)[i0:i1] {
			s.values[(i0+i)*s.room+at] = x
		}
	}
}

// flush adds the products of the waiting rows to acc, and stores acc in dst
// unless it is nil.
func (s *statistics) flush(team *parallel.Team, dst store) {
	if s.rows == 0 && dst == nil {
		return
	}
	if dst == nil && s.dataRows > 0 {
		s.means.addWaiting(s)
	}
	s.dst = dst
	if dst == nil {
		s.acc = growLines(s.acc, s.panels()*(s.nv+1))
	}
	team.Run(s.prepare(team), s.parts(), (*flushing)(s))
	s.rows, s.real, s.begun, s.dst = 0, false, true, nil
}

const flushPanels = 2 // of (ĥ, 1) in a part of a flush: as many units as a panel in fixed point

var _ [product.FixedLanes]struct{} = [flushPanels * product.Lanes]struct{}{}

// parts returns the number of parts of a flush.
func (s *statistics) parts() int { return (s.panels() + flushPanels - 1) / flushPanels }

// panelsOf returns the first panel of a part, and how many it has.
func (s *statistics) panelsOf(part int) (first, n int) {
	first = part * flushPanels
	return first, min(flushPanels, s.panels()-first)
}

// flushWork returns about how many nanoseconds a flush takes.
func (s *statistics) flushWork() int { return s.panels() * (s.nv + 1) * (s.rows/16 + 2) }

// prepare prepares the product of the waiting rows, and returns the number of workers.
func (s *statistics) prepare(team *parallel.Team) (workers int) {
	s.lists.build(team, product.Bits{Rows: s.nv + 1, Cols: s.rows, Stride: s.room / wordBits, Words: s.bits}, s.nv+1)
	workers = team.Workers(s.parts(), s.flushWork())
	for len(s.scratch) < workers {
		s.scratch = append(s.scratch, flushScratch{product: product.Lines(product.ScratchLines)})
	}
	if s.fixed.isOn {
		for i := range s.scratch[:workers] {
			s.scratch[i].fixed = growLines(s.scratch[i].fixed, 2*(s.nv+1))
		}
	}
	if s.dst != nil && !s.begun { // the only flush
		for i := range s.scratch[:workers] {
			s.scratch[i].acc = growLines(s.scratch[i].acc, flushPanels*(s.nv+1))
		}
	}
	return workers
}

// flushing is the job of flush.
type flushing statistics

func (s *flushing) Do(worker, part int) {
	first, panels := (*statistics)(s).panelsOf(part)
	acc := (*statistics)(s).sums(worker, part)
	if s.dst == nil {
		return
	}
	for q := range panels {
		s.dst.store(acc[q*(s.nv+1):][:s.nv+1], first+q)
	}
}

// sums returns the panels of a part, which are in acc or, in the only flush, with the worker.
func (s *statistics) sums(worker, part int) []product.Line {
	first, panels := s.panelsOf(part)
	acc := s.scratch[worker].acc
	if s.dst == nil || s.begun {
		acc = s.acc[first*(s.nv+1):]
	}
	acc = acc[:panels*(s.nv+1)]
	if !s.begun && !s.setsSums() {
		clear(acc)
	}
	s.multiply(acc, worker, part)
	return acc
}

// copySums is sums to dst, and leaves acc as it is.
func (s *statistics) copySums(dst []product.Line, worker, part int) {
	first, panels := s.panelsOf(part)
	dst = dst[:panels*(s.nv+1)]
	if s.begun {
		copy(dst, s.acc[first*(s.nv+1):])
	} else if !s.setsSums() {
		clear(dst)
	}
	s.multiply(dst, worker, part)
}

// setsSums reports whether multiply sets the sums of the first rows, and does not add to zeros.
func (s *statistics) setsSums() bool { return s.fixed.isOn && s.rows > 0 }

// multiply adds the product of the waiting rows to the panels of a part.
func (s *statistics) multiply(dst []product.Line, worker, part int) {
	if s.rows == 0 {
		return
	}
	first, panels := s.panelsOf(part)
	if s.fixed.isOn {
		s.multiplyFixed(dst, worker, part)
		return
	}
	var p product.Panels
	p.View(s.rows, wordBits, wordBits, s.p[first/panelsOfWord*s.room*wordBits:])
	q := first % panelsOfWord
	scratch := s.scratch[worker].product
	if s.real {
		w := product.Weights{Stride: s.room, Data: s.values}
		s.lists.MulWeights(dst, w, &p, q, q+panels, scratch, 0, s.nv+1)
	} else {
		s.lists.Mul(dst, &p, q, q+panels, scratch, 0, s.nv+1)
	}
}

// means are the means of the visible units and of ĥ over the rows of a batch.
type means struct {
	v, h  []float64
	p     []float64 // h, filled up to whole words
	scale []float64 // of the waiting rows

	penalty []float64 // a part of the gradient of C that the means do not tell: see Sparsity
}

// reset makes s zero.
func (s *means) reset(nv, nh int) {
	s.p = grow(s.p, (nh+wordBits-1)/wordBits*wordBits)
	s.v, s.h = grow(s.v, nv), s.p[:nh]
	s.penalty = grow(s.penalty, nh)
	clear(s.v)
	clear(s.p)
	clear(s.penalty)
}

// addWaiting adds the data among the rows that wait in stats, or did so before the last
// flush, each times its scale. Nobody else need ask for means: they cost nothing then.
func (s *means) addWaiting(stats *statistics) {
	rows, room := stats.dataRows, stats.room
	stats.dataRows = 0
	there := stats.bits[stats.nv*room/wordBits:][:rows/wordBits] // not a gap
	s.scale = grow(s.scale, rows)
	eachOne(there, func(r int) { s.scale[r] = stats.one(r) })
	for t := range len(s.p) / wordBits {
		stats.until.Look()
		sum := (*[wordBits]float64)(s.p[t*wordBits:])
		if stats.fixed.isOn {
			stats.fixed.addMeans(sum, t, there)
			continue
		}
		eachOne(there, func(r int) {
			p := (*[wordBits]float64)(stats.p[(t*room+r)*wordBits:])
			for l := range sum {
				sum[l] += p[l]
			}
		})
	}
	for i := range s.v {
		stats.until.Look()
		eachOne(stats.bits[i*room/wordBits:][:rows/wordBits], func(r int) {
			if stats.realData {
				s.v[i] += float64(s.scale[r] * stats.values[i*room+r])
			} else {
				s.v[i] += s.scale[r]
			}
		})
	}
}

// startSingle makes s add rows of bits in fixed point, after reset, unless the model is too
// large, or a weight is infinite: a probability may be NaN then, and no integer is.
func (s *statistics) startSingle(p *model) {
	if !p.hidden.canPack() {
		return
	}
	p.hidden.pack(&p.team)
	if s.single = !slices.Contains(p.hidden.fixed.Units, math.Inf(1)); !s.single {
		return
	}
	s.fixed.p.Reset(s.room, (s.nh/wordBits+1)*wordBits)
}

// round sets s·ĥ of word t and row r of the current pass to p.
func (s *statistics) round(t, r int, p *[wordBits]float64) {
	for i, x := range p[:min(wordBits, s.nh-t*wordBits)] {
		s.fixed.set(t*wordBits+i, s.base+s.at(r), x)
	}
	s.closeRow(t, r)
}

func (s *statistics) always() bool { return s.fixed.isOn }

func (s *statistics) takesFixed(int) bool { return s.fixed.isOn }

func (s *statistics) takeFixed(w *fixedWord) {
	w.plain()
	for r := range w.n {
		row := w.r0 + r
		w.rule.Probs(s.fixed.word(w.t, s.base+s.at(row)), float32(s.scale[row]/singleUnit), w.inputs(r))
		s.closeRow(w.t, row)
	}
}

// one returns s·1 of the waiting row at a place.
func (s *statistics) one(at int) float64 {
	if s.fixed.isOn {
		return s.fixed.get(s.nh, at)
	}
	return s.p[(s.nh/wordBits*s.room+at)*wordBits+s.nh%wordBits]
}

// multiplyFixed is multiply in fixed point.
func (s *statistics) multiplyFixed(dst []product.Line, worker, part int) {
	n := s.nv + 1
	scratch := &s.scratch[worker]
	sums := product.AsFixed(scratch.fixed)[:n]
	clear(sums)
	s.lists.MulFixed(sums, &s.fixed.p, part, part+1, scratch.product, 0, n)
	lo, hi := dst[:n], scratch.fixed[n:]
	if len(dst) > n {
		hi = dst[n:]
	}
	if s.begun {
		product.AddFloats(lo, hi, sums, singleUnit)
	} else {
		product.SetFloats(lo, hi, sums, singleUnit)
	}
}
