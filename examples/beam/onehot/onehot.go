// Package onehot reads groups of one-hot units from a flag.
package onehot

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
)

// Usage is the help of the flag.
const Usage = "`groups` of one-hot columns, each as its first one, from 0, and the one behind its last, as in 0:3,3:8: exactly one column of each is 1"

// Parse returns the groups that s names, of so many columns and in their order, or nil if
// s is empty.
func Parse(s string, columns int) ([]rbm.Group, error) {
	if s == "" {
		return nil, nil
	}
	var groups []rbm.Group
	end := 0
	for _, text := range strings.Split(s, ",") {
		from, to, _ := strings.Cut(text, ":")
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		switch {
		case errA != nil || errB != nil:
			return nil, fmt.Errorf("group %q is no pair of numbers, want them as in 0:3,3:8", text)
		case a < end:
			return nil, fmt.Errorf("group %s begins at column %d, want %d at the earliest", text, a, end)
		case b <= a:
			return nil, fmt.Errorf("group %s is empty, want at least one column", text)
		case b > columns:
			return nil, fmt.Errorf("group %s ends at column %d, want %d at the latest", text, b, columns)
		}
		groups = append(groups, rbm.Group{From: a, To: b})
		end = b
	}
	return groups, nil
}
