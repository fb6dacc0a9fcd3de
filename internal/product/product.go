package product

// Lanes is the number of columns of a panel.
const Lanes = 8

// A Line is one row of a panel.
type Line = [Lanes]float64

// Nibble is the number of rows of a nibble.
const Nibble = group

const (
	group    = 4          // rows of a nibble
	entries  = 1 << group // of a nibble's table
	wordBits = 64
	nibbles  = wordBits / group // of a word
)
