package product

// Bits is the bit side. Row i begins at Words[i·Stride]; in the last of its
// words, the bits behind the last column are 0.
type Bits struct {
	Rows, Cols, Stride int
	Words              []uint64
}

// Transpose sets dst[i·stride], for the columns 64w+i of b, to rows [r0, r0+64)
// of that column.
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

// transpose transposes 64×64 bits: it exchanges the off-diagonal halves, then
// those of each quarter, and so on.
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
