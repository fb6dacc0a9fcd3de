package product

import "github.com/gorbm/rbm/internal/spec"

// Lanes is the number of columns of a panel, and of float64s in a line.
const Lanes = spec.Lanes

// A Line is a row of a panel.
type Line = [Lanes]float64

// Nibble is the number of rows of a nibble.
const Nibble = group

const (
	group    = spec.Group   // rows of a nibble
	entries  = spec.Entries // lines of the table of a nibble
	wordBits = 64
	nibbles  = wordBits / group // of a word
)
