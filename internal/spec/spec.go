// Package spec defines the numbers that a kernel in assembly shares with its definition
// in Go and with its callers. The generator of the assembly imports it too, so each
// number has one place. It imports nothing itself.
package spec

// Lines, panels and nibbles: see package product.
const (
	FloatBytes = 8
	Lanes      = 8 // float64s of a line, and columns of a panel
	LineBytes  = Lanes * FloatBytes

	Group   = 4          // rows of a nibble
	Entries = 1 << Group // lines of the table of a nibble
)

// Lines in fixed point.
const (
	FixedLanes = 16 // int32s of a line
	AbsStep    = 16 // numbers whose absolute values a kernel adds at a time
	PackStep   = 4  // columns that a kernel packs at a time
)

// Lists and tiles of package product, where there is assembly.
const (
	// BlockGroups is the number of nibbles of a block. Their tables take a KB each in
	// every panel, and must stay in the first-level cache, of 32 KB or more.
	BlockGroups = 24

	// ListLen is the room for a list: BlockGroups entries, and the 8 that are stored at a
	// time.
	ListLen = BlockGroups + 8

	RowsAtOnce = 4 // rows whose lists are processed together

	// A list entry is EntryUnit times the number of a line in the tables of a block. So
	// the offset of the line, in bytes, is EntryScale times the entry.
	EntryUnit  = 16
	EntryScale = LineBytes / EntryUnit

	TileLines = BlockGroups*Group + 1 // lines of a tile, of which the last is -0
)

// A Span is the part of a word of bits that belongs to a block.
type Span struct {
	Word uint64     // the number of the word in a row
	Mask uint64     // the bits of the block's nibbles
	Base [16]uint16 // for each nibble its list entry without set bits
}

// The numbers of elements that a kernel takes at a time. The caller's must be a multiple.
const (
	TransposeStep = 4
	DotStep       = 16
	ScanStep      = 16
	UnitStep      = 8

	PlainStep  = 4 // of package update, with and without momentum
	CenterStep = Lanes
)

// Exp of package logistic: x = k·ln 2 + r and eˣ = 2ᵏ(1 + r + r²·q(r)).
const (
	ExpMax = 710  // above, the result is +Inf
	ExpMin = -709 // below, the result is 0

	Log2e = 0x1.71547652b82fep+0
	Ln2Hi = 0.6931467056274414     // ln 2 to 21 bits: its product with an exponent is exact
	Ln2Lo = 4.7493250390316726e-07 // ln 2 - Ln2Hi
	Round = 0x1.8p52               // x + Round - Round is x to the nearest integer, ties to even

	// The coefficients of q.
	Q0 = 0.5
	Q1 = 0.16666666666666669
	Q2 = 0.04166666666662413
	Q3 = 0.008333333333330062
	Q4 = 0.0013888888917213717
	Q5 = 0.00019841269863053618
	Q6 = 2.4801521295954376e-05
	Q7 = 2.7557268459997064e-06
	Q8 = 2.7620088445409746e-07
	Q9 = 2.510038549551032e-08
)

// The exponential in float32 of package logistic: x = k·ln 2 + r and eˣ = 2ᵏ(1 + r + r²·p(r)).
const (
	Exp32Max = 24 // of |x|

	Log2e32 = 0x1.715476p+0
	Ln2Hi32 = 0.693359375             // ln 2 to 10 bits
	Ln2Lo32 = -2.1219444005469058e-04 // ln 2 - Ln2Hi32
	Round32 = 0x1.8p23

	// The coefficients of p.
	P0 = 0.5
	P1 = 0.16666576266288757
	P2 = 0.04166655242443085
	P3 = 0.00836323294788599
	P4 = 0.0013926250394433737
)

// Philox4x32 of package philox.
const (
	PhiloxRounds = 10

	// The multipliers of the counters, and the numbers added to the key, in each round.
	PhiloxM0, PhiloxM1 = 0xD2511F53, 0xCD9E8D57
	PhiloxW0, PhiloxW1 = 0x9E3779B9, 0xBB67AE85

	Counters = 16 // of a word of 64 units: each gives 4 random numbers
)
