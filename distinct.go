package rbm

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/gorbm/rbm/internal/logistic"
)

// mostSeen is how many configurations contribute to the lower bound of Z, so that
// larger data take no more memory.
const mostSeen = 1 << 16

// A distinct adds up exp(-F) over different configurations, which is a lower bound
// of Z. The zero value has none, and takes none.
type distinct struct {
	most int // configurations; others are left out, and the bound is one all the same
	rows map[[16]byte]struct{}
	key  []byte
	sums []float64 // the log of the sum so far, and what follows
}

// add adds the rows that are not there yet. Their free energies are f.
func (d *distinct) add(rows *Bits, f []float64) {
	if d.rows == nil {
		d.rows = make(map[[16]byte]struct{})
	}
	hash := fnv.New128a()
	for r := range rows.rows {
		if len(d.rows) >= d.most {
			break
		}
		// Equal rows have the same hash. If others had it too, one of them would be
		// left out.
		hash.Reset()
		d.key = d.key[:0]
		for _, word := range rows.row(r) {
			d.key = binary.LittleEndian.AppendUint64(d.key, word)
		}
		hash.Write(d.key)
		key := [16]byte(hash.Sum(d.key[:0]))
		if _, ok := d.rows[key]; !ok {
			d.rows[key] = struct{}{}
			d.sums = append(d.sums, -f[r])
		}
	}
	d.sums = append(d.sums[:0], d.logZ())
}

// addStates adds the states of chains, however many there have been.
func (d *distinct) addStates(m *RBM, c *Chains) {
	d.most = max(d.most, len(d.rows)+c.v.rows)
	d.add(&c.v, m.FreeEnergy(nil, &c.v))
}

// logZ returns the lower bound of log Z.
func (d *distinct) logZ() float64 { return logistic.LogSumExp(d.sums) }
