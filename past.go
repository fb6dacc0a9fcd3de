package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/wire"
)

// pastSteps is how far back a report looks: after so many steps chains should have
// moved, and the model is another one.
const pastSteps = 100

// A snapshot is what is kept of a report for later ones to compare with.
type snapshot struct {
	step   int       // 0: there is none
	rate   float64   // of the report
	score  float64   // its PseudoLogLikelihood
	free   []float64 // free energies of the rows of Data watched
	chains Bits      // of the sampler
}

// past are two snapshots, so that one is pastSteps back where reports are closer:
// the last one that was compared with, and the one that takes its place when it is
// old enough. At first there is the younger alone, and before that start, which has
// no more than the chains pastSteps before the first report.
type past struct{ older, younger, start snapshot }

// begin notes the chains before the first report.
func (p *past) begin(step int, chains *Bits) {
	p.start.step = step
	p.start.keepChains(chains)
}

// before returns what the report after so many steps is compared with, or nil if
// there is nothing.
func (p *past) before(steps int) *snapshot {
	switch {
	case p.younger.isOld(steps) || p.younger.step > 0 && p.older.step == 0:
		return &p.younger
	case p.older.step > 0:
		return &p.older
	case p.start.isOld(steps):
		return &p.start
	}
	return nil
}

// isOld reports whether there is a snapshot that is far enough back.
func (s *snapshot) isOld(steps int) bool { return s.step > 0 && steps-s.step >= pastSteps }

// keep notes the report, if it is time to.
func (p *past) keep(step int, rate, score float64, free []float64, chains *Bits) {
	switch {
	case p.younger.isOld(step):
		p.older, p.younger = p.younger, p.older
	case p.younger.step > 0:
		return
	}
	p.start = snapshot{}
	s := &p.younger
	s.step, s.rate, s.score = step, rate, score
	s.free = append(s.free[:0], free...)
	s.keepChains(chains)
}

// keepChains copies the chains, or none.
func (s *snapshot) keepChains(chains *Bits) {
	if chains == nil {
		s.chains = Bits{}
		return
	}
	s.chains.resize(chains.rows, chains.cols)
	copy(s.chains.words, chains.words)
}

// move returns the ChainMove of chains since the snapshot, or NaN if it has no such
// chains.
func (s *snapshot) move(chains *Bits, until *stop.Signal) float64 {
	if s == nil || chains == nil || s.chains.rows != chains.rows || s.chains.cols != chains.cols {
		return math.NaN()
	}
	spread := chains.spread(until)
	if spread == 0 {
		return math.NaN()
	}
	return chains.difference(&s.chains) / spread
}

// shift returns the FreeEnergyShift since the snapshot, or NaN if it has no such
// rows.
func (s *snapshot) shift(free, weights []float64) float64 {
	if s == nil || len(s.free) != len(free) {
		return math.NaN()
	}
	change, most := make([]float64, len(free)), math.Inf(-1)
	for r, f := range free {
		change[r] = f - s.free[r]
		most = max(most, change[r])
	}
	mean := weightedMean(change, weights)
	for r, x := range change {
		change[r] = logistic.Exp(x - most)
	}
	return max(0, most+logistic.Log(weightedMean(change, weights))-mean)
}

func (s *snapshot) bytes() int { return 8*(3+1+len(s.free)) + s.chains.bytes() }

func (s *snapshot) write(b []byte) []byte {
	b = wire.AppendFloat64(wire.AppendFloat64(wire.AppendInt(b, s.step), s.rate), s.score)
	return s.chains.write(wire.AppendList(b, s.free))
}

func readSnapshot(d *wire.Decoder, steps int) snapshot {
	return snapshot{d.Range("steps before a report", 0, steps), d.Float64(), d.Float64(), d.List("free energies"), readBits(d)}
}
