package rbm

import "math"

// cheapSums is up to how many additions a report has log Z: some milliseconds.
const cheapSums = 1 << 22

// cheapLogZ returns log Z if it is cheap. That depends on the sizes alone, so that all
// reports of a training have the same figures.
func (m *RBM) cheapLogZ() (logZ float64, ok bool) {
	nv, units := m.Dims() // that are summed out
	if m.enumeratesHidden() {
		units = nv
	}
	if m.enumerated(maxPartition) > cheapSums/units {
		return math.NaN(), false
	}
	return m.logPartition(), true
}
