package rbm

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// Bits is a packed binary matrix, a mat.Matrix. Make one with [BitsOf], or with [NewBits]
// and SetBit. The zero value is empty, and serves only as a destination.
type Bits struct {
	sealed

	rows, cols int
	stride     int      // words from one row to the next
	words      []uint64 // entry (i, j) is bit j%64 of words[i*stride+j/64]; the bits past the last column are 0
}

var _ mat.Matrix = (*Bits)(nil)

const (
	wordBits     = 64
	panelsOfWord = wordBits / product.Lanes
)

// NewBits returns an r×c matrix of zeros. It panics if r or c is less than 1.
func NewBits(r, c int) *Bits {
	checkSize("Bits", r, c, (c-1)/wordBits+1)
	b := new(Bits)
	b.reset(r, c)
	return b
}

// BitsOf returns a as bits. The error names the first entry not 0 or 1.
func BitsOf(a mat.Matrix) (*Bits, error) {
	return convert(a, func(x float64) (bit, ok bool) { return x == 1, x == 0 || x == 1 }, "want 0 or 1")
}

// Binarize returns the bits a > threshold. The error names the first NaN.
func Binarize(a mat.Matrix, threshold float64) (*Bits, error) {
	if math.IsNaN(threshold) {
		return nil, fmt.Errorf("rbm: threshold is NaN")
	}
	return convert(a, func(x float64) (bit, ok bool) { return x > threshold, x == x }, "want a number")
}

// MaskedBitsOf is BitsOf with NaN for missing entries, 0 in v and in observed.
func MaskedBitsOf(a mat.Matrix) (v, observed *Bits, err error) {
	v, err = convert(a, func(x float64) (bit, ok bool) { return x == 1, x == 0 || x == 1 || x != x }, "want 0, 1 or NaN")
	if err != nil {
		return nil, nil, err
	}
	observed, err = convert(a, func(x float64) (bit, ok bool) { return x == x, true }, "")
	return v, observed, err
}

// convert returns a as the bits that test reads from its entries.
func convert(a mat.Matrix, test func(float64) (bit, ok bool), want string) (*Bits, error) {
	checkNil("matrix", a)
	r, c := a.Dims()
	if r < 1 || c < 1 {
		return nil, fmt.Errorf("rbm: matrix is %d×%d, want at least 1×1", r, c)
	}
	b := NewBits(r, c)
	row := make([]float64, c)
	for i := range r {
		for j, x := range readRow(row, a, i) {
			bit, ok := test(x)
			if !ok {
				return nil, fmt.Errorf("rbm: entry at row %d, column %d is %v, %s", i, j, x, want)
			}
			if bit {
				b.row(i)[j/wordBits] |= 1 << (j % wordBits)
			}
		}
	}
	return b, nil
}

// readRow returns row i of a, in place where a's memory allows it and
// otherwise copied to dst.
func readRow(dst []float64, a mat.Matrix, i int) []float64 {
	if a, ok := a.(*mat.Dense); ok {
		return a.RawRowView(i)[:len(dst)]
	}
	for j := range dst {
		dst[j] = a.At(i, j)
	}
	return dst
}

// Dims returns the numbers of rows and columns.
func (b *Bits) Dims() (r, c int) {
	checkNil("Bits", b)
	return b.rows, b.cols
}

// At returns the entry at row i, column j, as 0 or 1.
func (b *Bits) At(i, j int) float64 {
	if b.Bit(i, j) {
		return 1
	}
	return 0
}

// T returns a view of the transpose.
func (b *Bits) T() mat.Matrix {
	checkNil("Bits", b)
	return mat.Transpose{Matrix: b}
}

// Bit reports whether the entry at row i, column j is 1.
func (b *Bits) Bit(i, j int) bool {
	b.check(i, j)
	return b.words[i*b.stride+j/wordBits]>>(j%wordBits)&1 == 1
}

// SetBit sets the entry at row i, column j to 1 if v is true, else to 0.
func (b *Bits) SetBit(i, j int, v bool) {
	b.check(i, j)
	w := &b.row(i)[j/wordBits]
	*w &^= 1 << (j % wordBits)
	if v {
		*w |= 1 << (j % wordBits)
	}
}

// RawRow returns the words of row i, which share memory with b: column j is bit j%64 of
// word j/64. Bits past the last column must stay 0.
func (b *Bits) RawRow(i int) []uint64 {
	b.check(i, 0)
	return b.row(i)
}

// checkTails panics if a row of b, called name in the panic, has a one past the last
// column. Row 0 of b is row r0 of the matrix.
func (b *Bits) checkTails(name string, r0 int) {
	if b.cols%wordBits == 0 {
		return
	}
	for r := range b.rows {
		if b.words[(r+1)*b.stride-1]>>(b.cols%wordBits) != 0 {
			panic(fmt.Sprintf("rbm: row %d of %s has a one in column %d, want %d columns", r0+r, name, b.behind(b.row(r)), b.cols))
		}
	}
}

// behind returns the first column past the last one in which the words of a row have a one,
// or -1.
func (b *Bits) behind(words []uint64) int {
	if x := words[b.stride-1] & (^uint64(0) << ((b.cols-1)%wordBits + 1)); x != 0 {
		return (b.stride-1)*wordBits + bits.TrailingZeros64(x)
	}
	return -1
}

// check panics if there is no entry at row i, column j.
func (b *Bits) check(i, j int) {
	if b == nil {
		panic("rbm: Bits is nil")
	}
	if uint(i) >= uint(b.rows) || uint(j) >= uint(b.cols) {
		panic(fmt.Sprintf("rbm: no entry (%d, %d) in Bits of %d×%d", i, j, b.rows, b.cols))
	}
}

// Slice returns rows [i, k) as a matrix that shares memory with b.
func (b *Bits) Slice(i, k int) *Bits {
	checkNil("Bits", b)
	if i < 0 || i >= k || k > b.rows {
		panic(fmt.Sprintf("rbm: no rows [%d, %d) in Bits of %d×%d", i, k, b.rows, b.cols))
	}
	s := new(Bits)
	b.slice(s, i, k)
	return s
}

func (b *Bits) slice(dst *Bits, i, k int) {
	*dst = Bits{rows: k - i, cols: b.cols, stride: b.stride, words: b.words[i*b.stride : k*b.stride]}
}

// Gather copies the rows of b with the given numbers to dst, a minibatch, and returns it. A
// row may be taken twice, but dst must not share memory with b.
func (b *Bits) Gather(dst *Bits, rows []int) *Bits {
	checkNil("Bits", b)
	if len(rows) == 0 {
		panic("rbm: no rows to gather")
	}
	if dst == nil {
		dst = new(Bits)
	}
	if dst.rows == 0 {
		dst.reset(len(rows), b.cols)
	}
	if dst.rows != len(rows) || dst.cols != b.cols {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want %d×%d", dst.rows, dst.cols, len(rows), b.cols))
	}
	if overlap(dst.words, b.words) {
		panic("rbm: dst shares memory with the matrix to gather from")
	}
	for r, i := range rows {
		if uint(i) >= uint(b.rows) {
			panic(fmt.Sprintf("rbm: no row %d in Bits of %d×%d", i, b.rows, b.cols))
		}
		copy(dst.row(r), b.row(i))
	}
	return dst
}

// ReadRows copies the rows i, i+1, … of b to dst, as many as dst has. The error is
// nil. It panics if they do not exist, if dst has other columns than b, or if it
// shares memory with b.
func (b *Bits) ReadRows(dst *Bits, i int) error {
	checkNil("Bits", b)
	checkNil("dst", dst)
	if dst.cols != b.cols {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want n×%d", dst.rows, dst.cols, b.cols))
	}
	if i < 0 || i > b.rows-dst.rows {
		panic(fmt.Sprintf("rbm: no rows [%d, %d) in Bits of %d×%d", i, i+dst.rows, b.rows, b.cols))
	}
	if overlap(dst.words, b.words) {
		panic("rbm: dst shares memory with the matrix to read from")
	}
	for r := range dst.rows {
		copy(dst.row(r), b.row(i+r))
	}
	return nil
}

// orNil returns b, or nil if it has no rows.
func (b *Bits) orNil() *Bits {
	if b.rows == 0 {
		return nil
	}
	return b
}

// overlap reports whether two slices share elements. If they lie in the same
// array, they have their capacities up to its end.
func overlap(x, y []uint64) bool {
	return cap(x) > 0 && cap(y) > 0 && &x[:cap(x)][cap(x)-1] == &y[:cap(y)][cap(y)-1] &&
		cap(x)-len(x) < cap(y) && cap(y)-len(y) < cap(x)
}

// row returns the words of row i.
func (b *Bits) row(i int) []uint64 { return b.words[i*b.stride:][:b.stride] }

// resize makes b an r×c matrix, in the memory it has if that is enough. Its
// entries are not defined.
func (b *Bits) resize(r, c int) {
	b.rows, b.cols, b.stride = r, c, (c+wordBits-1)/wordBits
	b.words = grow(b.words, r*b.stride)
}

// reset makes b an r×c matrix of zeros, in the memory it has if that is enough.
func (b *Bits) reset(r, c int) {
	b.resize(r, c)
	clear(b.words)
}

// grow returns a slice of length n, in the memory of s if it is large enough. Its elements
// are not defined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (b *Bits) bytes() int { return 8 * (2 + b.rows*b.stride) }

func (b *Bits) write(to []byte) []byte {
	to = wire.AppendInt(wire.AppendInt(to, b.rows), b.cols)
	for r := range b.rows {
		for _, x := range b.row(r) {
			to = wire.AppendUint64(to, x)
		}
	}
	return to
}

// readBits reads the states of chains.
func readBits(d *wire.Decoder) (b Bits) {
	b.rows, b.cols = d.Int("rows", 0), d.Int("columns", 0)
	if (b.rows == 0) != (b.cols == 0) {
		d.Failf("states are %d×%d, want at least 1×1, or 0×0", b.rows, b.cols)
	}
	if b.rows == 0 || !d.OK() {
		return Bits{}
	}
	b.stride = (b.cols-1)/wordBits + 1
	b.words = d.Words(b.rows, b.stride)
	if d.OK() {
		for r := range b.rows {
			if j := b.behind(b.row(r)); j >= 0 {
				d.Failf("row %d of the states has a one in column %d, want %d columns", r, j, b.cols)
				break
			}
		}
	}
	return b
}

// append adds the rows of a, which has as many columns unless b is empty.
func (b *Bits) append(a *Bits) {
	words := slices.Clone(b.words[:b.rows*b.stride])
	*b = Bits{rows: b.rows + a.rows, cols: a.cols, stride: a.stride, words: append(words, a.words[:a.rows*a.stride]...)}
}

// side returns b as the bit side of a product.
func (b *Bits) side() product.Bits {
	return product.Bits{Rows: b.rows, Cols: b.cols, Stride: b.stride, Words: b.words}
}

// count returns the number of ones.
func (b *Bits) count() (n int) {
	for _, x := range b.words {
		n += bits.OnesCount64(x)
	}
	return n
}

// full reports whether all of row r is 1.
func (b *Bits) full(r int) bool {
	row := b.row(r)
	for _, x := range row[:b.stride-1] {
		if x != ^uint64(0) {
			return false
		}
	}
	return row[b.stride-1] == ^uint64(0)>>(b.stride*wordBits-b.cols)
}

// mask returns which units of row r are observed, or nil if none is.
func (b *Bits) mask(r int) []uint64 {
	if b == nil {
		return nil
	}
	return b.row(min(r, b.rows-1))
}

// observes reports whether unit i of row r is observed.
func (b *Bits) observes(r, i int) bool {
	return b != nil && b.mask(r)[i/wordBits]>>(i%wordBits)&1 == 1
}

// ones returns how many rows have each bit.
func (b *Bits) ones(until *stop.Signal) []int {
	ones := make([]int, b.cols)
	b.addOnes(ones, until)
	return ones
}

// addOnes adds how many rows have each bit.
func (b *Bits) addOnes(ones []int, until *stop.Signal) {
	for r := range b.rows {
		until.Look()
		for w, word := range b.row(r) {
			for ; word != 0; word &= word - 1 {
				ones[w*wordBits+bits.TrailingZeros64(word)]++
			}
		}
	}
}

// spread returns the share of bits by which two different rows differ, in the mean
// over all pairs.
func (b *Bits) spread(until *stop.Signal) float64 {
	if b.rows < 2 {
		return 0
	}
	var pairs float64
	for _, k := range b.ones(until) {
		pairs += float64(float64(k) * float64(b.rows-k))
	}
	n := float64(b.rows)
	return pairs / (n * (n - 1) / 2) / float64(b.cols)
}

// difference returns the share of bits by which b differs from a of the same size.
func (b *Bits) difference(a *Bits) float64 {
	n := 0
	for r := range b.rows {
		n += distance(a.row(r), b.row(r))
	}
	return float64(n) / (float64(b.rows) * float64(b.cols))
}

// distance returns in how many bits two rows differ.
func distance(x, y []uint64) (n int) {
	for w := range x {
		n += bits.OnesCount64(x[w] ^ y[w])
	}
	return n
}

// eachOne calls f for each bit that is set.
func eachOne(words []uint64, f func(i int)) {
	for w, word := range words {
		for ; word != 0; word &= word - 1 {
			f(w*wordBits + bits.TrailingZeros64(word))
		}
	}
}
