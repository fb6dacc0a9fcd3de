package product

// Bits is a matrix of bits. Row i begins at Words[i·Stride]. Bits behind the last column,
// in the last word of a row, must be 0.
type Bits struct {
	Rows, Cols, Stride int
	Words              []uint64
}

// Transpose transposes 64 rows of word w of b, from row r0 on: it sets dst[i·stride] to
// the bits of column 64w+i in these rows. There may be fewer rows or columns.
func Transpose(dst []uint64, stride int, b Bits, r0, w int) {
	var a [wordBits]uint64
	for r := range min(wordBits, b.Rows-r0) {
		a[r] = b.Words[(r0+r)*b.Stride+w]
	}
	transpose(&a)
	for i := range min(wordBits, b.Cols-w*wordBits) {
		dst[i*stride] = a[i]
	}
}

// transpose transposes 64×64 bits in place.
//
// What makes it fast: it takes six steps. The first exchanges the two quarters off the
// diagonal, of 32×32 bits each. The next does the same within each quarter, and so on.
// Each step exchanges 32 bits of two rows at once.
func transpose(a *[wordBits]uint64) {
	mask := uint64(1<<32 - 1)
	for j := uint(32); j != 0; j /= 2 {
		for k := uint(0); k < wordBits; k = (k + j + 1) &^ j {
			x, y := &a[k%wordBits], &a[(k+j)%wordBits]
			t := (*x>>(j%wordBits) ^ *y) & mask
			*x ^= t << (j % wordBits)
			*y ^= t
		}
		mask ^= mask << (j / 2)
	}
}
