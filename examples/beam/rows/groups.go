package rows

import (
	"fmt"

	"github.com/gorbm/rbm"
)

// checked returns what passes on the rows that have exactly one unit of each group on as
// good, and the others as bad.
func checked(groups []rbm.Group, good func(Row), bad func(Bad)) func(Row) {
	if len(groups) == 0 {
		return good
	}
	return func(r Row) {
		if reason := wrongGroup(groups, r.Bits); reason != "" {
			bad(Bad{r.File, r.Number, reason})
			return
		}
		good(r)
	}
}

// wrongGroup says which group a row violates, or nothing.
func wrongGroup(groups []rbm.Group, bits []byte) string {
	for _, g := range groups {
		on := 0
		for j := g.From; j < g.To; j++ {
			on += int(bits[j/8] >> (j % 8) & 1)
		}
		if on != 1 {
			return fmt.Sprintf("has %d units on in the group %v, want 1", on, g)
		}
	}
	return ""
}
