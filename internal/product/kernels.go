package product

import (
	"math"
	"math/bits"
)

// The kernels in plain Go. They are the definition of those in assembly, which
// give the same bits.

var minusZero = func() (z Line) {
	for l := range z {
		z[l] = math.Copysign(0, -1)
	}
	return z
}()

// fillGo sets the entries of rows of bits, which are so many words apart.
func fillGo(entry, rows []uint16, words []uint64, stride int, spans []span) {
	for i, r := range rows {
		entry := entry[i*listLen:][:listLen]
		at := 0
		for j := range spans {
			s := &spans[j]
			x := words[int(r)*stride+int(s.word)] & s.mask
			for low := lowest(x); low != 0; low &= low - 1 {
				k := bits.TrailingZeros64(low)
				entry[at] = s.base[k/group] + uint16(x>>k%entries)*entryUnit
				at++
			}
		}
	}
}

// buildGo tabulates the partial sums of the given nibbles, which are rows of p, one
// after the other.
func buildGo(tab []Line, groups []int32, p Panel) {
	for i, g := range groups {
		buildNibble((*[entries]Line)(tab[i*entries:]), int(g)*group, p)
	}
}

// buildNibble tabulates the partial sums of rows i to i+3 of p.
func buildNibble(t *[entries]Line, i int, p Panel) {
	var zero Line
	// Rows behind the last are never set.
	r0, r1, r2, r3 := p.Line(i), &zero, &zero, &zero
	switch min(group, p.Rows-i) {
	case 4:
		r1, r2, r3 = p.Line(i+1), p.Line(i+2), p.Line(i+3)
	case 3:
		r1, r2 = p.Line(i+1), p.Line(i+2)
	case 2:
		r1 = p.Line(i + 1)
	}
	t[0] = minusZero
	for l := range Lanes {
		a, b, c, d := r0[l], r1[l], r2[l], r3[l]
		ab, ac, bc, abc := a+b, a+c, b+c, a+b+c
		t[1][l], t[2][l], t[3][l], t[4][l] = a, b, ab, c
		t[5][l], t[6][l], t[7][l], t[8][l] = ac, bc, abc, d
		t[9][l], t[10][l], t[11][l], t[12][l] = a+d, b+d, ab+d, c+d
		t[13][l], t[14][l], t[15][l] = ac+d, bc+d, abc+d
	}
}

// addEntriesGo adds the table entries of the listed rows to those of x.
func addEntriesGo(x, tab []Line, list list) {
	for i := range x {
		acc := &x[list.rows[i]]
		a0, a1, a2, a3, a4, a5, a6, a7 := acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]
		for _, e := range list.of(i) {
			t := &tab[e/entryUnit]
			a0 += t[0]
			a1 += t[1]
			a2 += t[2]
			a3 += t[3]
			a4 += t[4]
			a5 += t[5]
			a6 += t[6]
			a7 += t[7]
		}
		acc[0], acc[1], acc[2], acc[3] = a0, a1, a2, a3
		acc[4], acc[5], acc[6], acc[7] = a4, a5, a6, a7
	}
}

// addRowsGo does the same from the rows of p themselves, without tables.
func addRowsGo(x []Line, p Panel, groups []int32, list list) {
	for i := range x {
		acc := &x[list.rows[i]]
		for _, e := range list.of(i) {
			e /= entryUnit
			n := uint(e % entries)
			i := int(groups[e/entries]) * group
			row := p.Line(i + bits.TrailingZeros(n))
			a0, a1, a2, a3, a4, a5, a6, a7 := row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
			for n &= n - 1; n != 0; n &= n - 1 {
				row = p.Line(i + bits.TrailingZeros(n))
				a0 += row[0]
				a1 += row[1]
				a2 += row[2]
				a3 += row[3]
				a4 += row[4]
				a5 += row[5]
				a6 += row[6]
				a7 += row[7]
			}
			acc[0] += a0
			acc[1] += a1
			acc[2] += a2
			acc[3] += a3
			acc[4] += a4
			acc[5] += a5
			acc[6] += a6
			acc[7] += a7
		}
	}
}

// gatherGo sets lines to the columns of the given nibbles in the first eight rows of
// src.
func gatherGo(lines []Line, groups []int32, src []float64, stride int) {
	for i, g := range groups {
		to := (*[group]Line)(lines[i*group:])
		for l := range Lanes {
			from := (*[group]float64)(src[l*stride+int(g)*group:])
			to[0][l], to[1][l], to[2][l], to[3][l] = from[0], from[1], from[2], from[3]
		}
	}
}

// addWeightsGo adds, for each row of x, the weighted rows of p that its list names:
// those of place i of the list begin at row 4·at[i], and their weights at 4·groups[i].
func addWeightsGo(x []Line, p Panel, at []int32, w Weights, groups []int32, list list) {
	for i := range x {
		acc, weights := &x[list.rows[i]], w.Data[int(list.rows[i])*w.Stride:]
		for _, e := range list.of(i) {
			e /= entryUnit
			place, nibble := int(e/entries), e%entries
			w := (*[group]float64)(weights[int(groups[place])*group:])
			rows := [group]*Line{&minusZero, &minusZero, &minusZero, &minusZero} // 0·(-0) changes no sum
			for b := range rows {
				if nibble>>b&1 != 0 {
					rows[b] = p.Line(int(at[place])*group + b)
				}
			}
			for l := range acc {
				sum := float64(w[0]*rows[0][l]) + float64(w[1]*rows[1][l])
				sum += float64(w[2] * rows[2][l])
				sum += float64(w[3] * rows[3][l])
				acc[l] += sum
			}
		}
	}
}

// addColumnsGo adds the weighted columns of nibbles to x, one element for each of the
// first rows of src.
func addColumnsGo(x, src []float64, stride int, groups []int32, weights []quad) {
	for l, sum := range x {
		row := src[l*stride:]
		for i, g := range groups {
			part := minusZero[0]
			for b, w := range weights[i] {
				if w != 0 {
					part += float64(w * row[int(g)*group+b])
				}
			}
			sum += part
		}
		x[l] = sum
	}
}

// dotGo is Dot, added to sum.
func dotGo(sum float64, weights, x []float64) float64 {
	for i := 0; i < len(weights); i += group {
		part := minusZero[0]
		for j := i; j < min(i+group, len(weights)); j++ {
			if w := weights[j]; w != 0 {
				part += float64(w * x[j])
			}
		}
		sum += part
	}
	return sum
}

// transposeGo sets the first eight columns of n rows of dst to the columns of eight
// rows of src.
func transposeGo(dst []float64, to int, src []float64, from, n int) {
	for l := range Lanes {
		for i, x := range src[l*from:][:n] {
			dst[i*to+l] = x
		}
	}
}

// hasNaNGo reports whether a NaN is in x.
func hasNaNGo(x []float64) bool {
	for _, x := range x {
		if x != x {
			return true
		}
	}
	return false
}

// unpackGo sets the columns of the first eight rows of dst to panel.
func unpackGo(panel []Line, dst []float64, stride int) {
	var rows [Lanes][]float64
	for l := range rows {
		rows[l] = dst[l*stride:][:len(panel)]
	}
	for i := range panel {
		line := &panel[i]
		for l := range rows {
			rows[l][i] = line[l]
		}
	}
}

// nonzeroGo sets words to the bits x[i] ≠ 0, and reports whether all x[i] are 0 or 1.
func nonzeroGo(words []uint64, x []float64) (binary bool) {
	binary = true
	for w := range words {
		var word uint64
		for i, x := range x[w*wordBits:][:min(wordBits, len(x)-w*wordBits)] {
			if x != 0 {
				word |= 1 << i
				binary = binary && x == 1
			}
		}
		words[w] = word
	}
	return binary
}

// unitGo sets dst to x, with 0 in place of -0, and reports whether all x[i] are
// numbers in [0, 1].
func unitGo(dst, x []float64) (ok bool) {
	ok = true
	for i, x := range x {
		dst[i] = x + 0
		ok = ok && 0 <= x && x <= 1
	}
	return ok
}
