package rbm

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"

	"gonum.org/v1/gonum/mat"
)

// checkNil panics if x, called name, is nil.
func checkNil(name string, x any) {
	if isNil(x) {
		panic(fmt.Sprintf("rbm: %s is nil", name))
	}
}

// isNil reports whether x is nil, or holds a pointer or a function that is, or says so.
func isNil(x any) bool {
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		if v.IsNil() {
			return true
		}
	}
	v, ok := x.(interface{ isNil() bool })
	return ok && v.isNil()
}

// checkAtLeast panics if x, called name, is less than least.
func checkAtLeast(name string, x, least int) {
	if x < least {
		panic(fmt.Sprintf("rbm: %s is %d, want at least %d", name, x, least))
	}
}

// checkRange panics unless x, called name, is in [least, most].
func checkRange(name string, x, least, most int) {
	checkAtLeast(name, x, least)
	if x > most {
		panic(fmt.Sprintf("rbm: %s is %d, want at most %d", name, x, most))
	}
}

// checkFactor panics unless x, called name, is finite and not negative.
func checkFactor(name string, x float64) {
	if wrong := wrongFactor(name, x); wrong != "" {
		panic("rbm: " + wrong)
	}
}

// wrongFactor says what is wrong with x, or nothing.
func wrongFactor(name string, x float64) string {
	if 0 <= x && x <= math.MaxFloat64 {
		return ""
	}
	return fmt.Sprintf("%s is %v, want a finite number of at least 0", name, x)
}

// checkBatch returns the number of rows of v, called name, and panics unless it
// has rows of n columns.
func checkBatch(name string, v interface{ Dims() (r, c int) }, n int) int {
	checkNil(name, v)
	r, c := v.Dims()
	if r < 1 || c != n {
		panic(fmt.Sprintf("rbm: %s is %d×%d, want n×%d", name, r, c, n))
	}
	return r
}

// checkLength panics unless there are n weights, called name.
func checkLength(name string, weights []float64, n int) {
	if len(weights) != n {
		panic(fmt.Sprintf("rbm: %s have length %d, want %d", name, len(weights), n))
	}
}

// checkDst returns dst, allocated if it is nil or empty, and panics if it does
// not have length n.
func checkDst[T any](dst []T, n int) []T {
	if len(dst) == 0 {
		return make([]T, n)
	}
	if len(dst) != n {
		panic(fmt.Sprintf("rbm: dst has length %d, want %d", len(dst), n))
	}
	return dst
}

// checkDense returns dst, allocated if it is nil or empty, and panics if it is
// not r×c.
func checkDense(dst *mat.Dense, r, c int) *mat.Dense {
	if dst == nil {
		dst = new(mat.Dense)
	}
	if dst.IsEmpty() {
		dst.ReuseAs(r, c)
	}
	if dr, dc := dst.Dims(); dr != r || dc != c {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want %d×%d", dr, dc, r, c))
	}
	return dst
}

// maxWords is how many words of 64 bits a slice can have.
const maxWords = min(math.MaxInt/8, 1<<45)

// checkSize panics if a matrix of r×c has no elements, or if r rows of so many
// words are more than a slice can have.
func checkSize(name string, r, c, words int) {
	if r < 1 || c < 1 {
		panic(fmt.Sprintf("rbm: %s is %d×%d, want at least 1×1", name, r, c))
	}
	if hi, lo := bits.Mul(uint(r), uint(words)); hi != 0 || lo > maxWords {
		panic(fmt.Sprintf("rbm: %s is %d×%d, which no memory can hold", name, r, c))
	}
}

// What a Sampler may be set to: more than anybody needs, and so little that a number
// that makes no sense in a file is told.
const (
	maxChains = 1 << 22 // to start, of PT the replicas
	maxSweeps = 1 << 24 // of a call
)

// checkK panics if k is no number of sweeps of a Sampler.
func checkK(k int) { checkRange("k", k, 1, maxSweeps) }

// checkChains panics if n is no number of chains, each of so many replicas, for a
// Sampler to start.
func checkChains(n, replicas int) { checkRange("n", n, 1, maxChains/replicas) }

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// firstNotFinite returns the number of the first element that is not finite, or -1.
func firstNotFinite(x *mat.VecDense) int {
	for i := range x.Len() {
		if !finite(x.AtVec(i)) {
			return i
		}
	}
	return -1
}
