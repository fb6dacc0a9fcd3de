package rbm

import "errors"

// sealed is embedded in what keeps a state in fields that encoding/json does not see.
type sealed struct{}

// MarshalJSON returns an error: JSON would lose the state.
func (sealed) MarshalJSON() ([]byte, error) { return nil, errSealed }

// UnmarshalJSON returns an error: JSON holds no state.
func (sealed) UnmarshalJSON([]byte) error { return errSealed }

var errSealed = errors.New("rbm: JSON would lose its state: use AppendBinary or package checkpoint, of Bits package bitfile, " +
	"of a Gradient the RBM with its W, B and C, of Values the numbers themselves")
