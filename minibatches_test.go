package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// numbered returns n rows of which row r spells r+1 in its last columns.
func numbered(n int) *rbm.Bits {
	b := rbm.NewBits(n, 75)
	for r := range n {
		for i := range 15 {
			b.SetBit(r, 60+i, (r+1)>>i&1 == 1)
		}
	}
	return b
}

func number(b *rbm.Bits, r int) int {
	x := -1
	for i := range 15 {
		x += int(b.At(r, 60+i)) << i
	}
	return x
}

// pass returns the row numbers of each minibatch.
func pass(data *rbm.Bits, n int, src rand.Source) (batches [][]int) {
	for batch := range rbm.Minibatches(data, n, src) {
		var rows []int
		size, _ := batch.Dims()
		for r := range size {
			rows = append(rows, number(batch, r))
		}
		batches = append(batches, rows)
	}
	return batches
}

func TestMinibatchesCoverEveryRowOnce(t *testing.T) {
	for _, tt := range []struct {
		rows, n int
		sizes   []int
	}{
		{1, 1, []int{1}},
		{1, 5, []int{1}},
		{7, 1, []int{1, 1, 1, 1, 1, 1, 1}},
		{7, 3, []int{3, 3, 1}},
		{6, 3, []int{3, 3}},
		{5, 5, []int{5}},
		{5, 100, []int{5}},
		{5, math.MaxInt, []int{5}},
		{130, 64, []int{64, 64, 2}},
	} {
		t.Run(fmt.Sprintf("rows=%d/n=%d", tt.rows, tt.n), func(t *testing.T) {
			data := numbered(tt.rows)
			var sizes, seen []int
			for _, rows := range pass(data, tt.n, newSource(1)) {
				sizes = append(sizes, len(rows))
				seen = append(seen, rows...)
			}
			if !slices.Equal(sizes, tt.sizes) {
				t.Errorf("batches of %v rows, want %v", sizes, tt.sizes)
			}
			slices.Sort(seen)
			for r, x := range seen {
				if x != r {
					t.Fatalf("rows seen, sorted: %v", seen)
				}
			}
			if len(seen) != tt.rows {
				t.Errorf("%d rows seen, want %d", len(seen), tt.rows)
			}
			if !mat.Equal(data, numbered(tt.rows)) {
				t.Error("the data changed")
			}
		})
	}
}

func TestMinibatchesDependOnTheSourceAlone(t *testing.T) {
	data := numbered(100)
	first := pass(data, 30, newSource(2))
	if got := pass(data, 30, newSource(2)); !slices.EqualFunc(got, first, slices.Equal) {
		t.Errorf("the same seed gave %v, then %v", first, got)
	}
	if got := pass(data, 30, newSource(3)); slices.EqualFunc(got, first, slices.Equal) {
		t.Errorf("two seeds gave %v", got)
	}
	src := newSource(2)
	pass(data, 30, src)
	if got := pass(data, 30, src); slices.EqualFunc(got, first, slices.Equal) {
		t.Errorf("two passes with one source gave %v", got)
	}
}

func TestMinibatchesBreak(t *testing.T) {
	first := pass(numbered(10), 3, newSource(4))[0]
	batches := 0
	for batch := range rbm.Minibatches(numbered(10), 3, newSource(4)) {
		batches++
		if number(batch, 0) != first[0] {
			t.Errorf("first row %d, want %d", number(batch, 0), first[0])
		}
		break
	}
	if batches != 1 {
		t.Errorf("%d batches before the break", batches)
	}
}

func TestMinibatchesRepeat(t *testing.T) {
	batches := rbm.Minibatches(numbered(10), 3, newSource(6))
	var first, second []int
	for batch := range batches {
		first = append(first, number(batch, 0))
	}
	for batch := range batches {
		second = append(second, number(batch, 0))
	}
	if !slices.Equal(first, second) {
		t.Errorf("ranging twice gave %v, then %v", first, second)
	}
}

func TestMinibatchesShuffleUniformly(t *testing.T) {
	const passes = 24 * 1000
	data := numbered(4)
	src := newSource(5)
	count := make(map[[4]int]float64)
	for range passes {
		batches := pass(data, 3, src)
		count[[4]int(append(batches[0], batches[1]...))]++
	}
	if len(count) != 24 {
		t.Errorf("%d permutations of 4 rows, want 24", len(count))
	}
	for rows, k := range count {
		checkMean(t, fmt.Sprintf("order %v", rows), k, passes, 1./24)
	}
}

func TestMinibatchesMisuse(t *testing.T) {
	data := numbered(3)
	wantPanic(t, "n = 0", func() { pass(data, 0, newSource(1)) }, "0")
	wantPanic(t, "n = -5", func() { pass(data, -5, newSource(1)) }, "-5")
	wantPanic(t, "nil data", func() { pass(nil, 1, newSource(1)) }, "nil")
	wantPanic(t, "nil source", func() { pass(data, 1, nil) }, "nil")
	wantPanic(t, "n = 0, not yet ranged over", func() { rbm.Minibatches(data, 0, newSource(1)) }, "0")
}
