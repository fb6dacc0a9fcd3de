package product

import "math/bits"

// AddOnes adds the rows of a matrix that are set in a row of bits to x, in the order of the
// definition. The rows are whole lines, as many as x has, one row behind the other.
//
// For a single row of bits, that is the fastest way if the matrix stands as it is summed:
// only the rows that are set are read, from end to end.
func AddOnes(x, matrix []Line, words []uint64) {
	for w, word := range words {
		for low := lowest(word); low != 0; low &= low - 1 {
			k := bits.TrailingZeros64(low)
			addNibble(x, matrix[(w*wordBits+k)*len(x):], uint(word>>k%entries))
		}
	}
}
