package keep

import (
	"fmt"
	"strings"

	"github.com/gorbm/rbm/checkpoint"
)

// Settings are what a training must not change on its way: flags and data, each a
// name and a value. As the first part of a checkpoint they say in words why it does
// not fit.
type Settings [][2]any

var _ checkpoint.State = Settings(nil)

// AppendBinary appends a line for each setting.
func (s Settings) AppendBinary(b []byte) ([]byte, error) {
	for _, x := range s {
		b = fmt.Appendf(b, "%v %v\n", x[0], x[1])
	}
	return b, nil
}

// A misfit says how a checkpoint was made.
type misfit string

func (m misfit) Error() string { return "was made with " + string(m) }

// UnmarshalBinary returns an error, a misfit where it can, unless data are these
// settings.
func (s Settings) UnmarshalBinary(data []byte) error {
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) != len(s) {
		return fmt.Errorf("there are %d settings, want %d", len(lines), len(s))
	}
	for i, x := range s {
		if want := fmt.Sprintf("%v %v", x[0], x[1]); lines[i] != want {
			return misfit(lines[i] + ", not " + want)
		}
	}
	return nil
}
