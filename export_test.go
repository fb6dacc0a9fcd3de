package rbm

// Opened returns how many draws of the chains were decided again in float64, and
// whether any weights were packed for the last call.
func Opened(c *Chains) (n int, packed bool) {
	for i := range c.pass.scratch {
		n += c.pass.scratch[i].fixed.opened
	}
	return n, c.model.visible.isPacked || c.model.hidden.isPacked
}

// Fewer is fewer, for the tests of package rbm_test.
var Fewer = fewer
