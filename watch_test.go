package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The rows watched are different ones, as many on both sides, as likely each as any
// other, and always the same.
func TestWatch(t *testing.T) {
	data := func(n int) *Bits {
		b := NewBits(n, 11)
		for r := range n {
			for i := range 11 {
				b.SetBit(r, i, r>>i&1 == 1)
			}
		}
		return b
	}
	numbers := func(b *Bits) (rows []int) {
		for r := range b.rows {
			rows = append(rows, int(b.row(r)[0]))
		}
		return rows
	}
	weights := make([]float64, 1000)
	for r := range weights {
		weights[r] = float64(r % 5)
	}
	for _, tt := range []struct{ n, held, want, weighted int }{
		{1000, 0, 500, 500}, {1000, 2000, 500, 500}, {1000, 400, 400, 400}, {300, 1000, 300, 240}, {300, 7, 7, 7}, {1, 9, 1, 0},
	} {
		for _, weighted := range []bool{false, true} {
			tr := NewTrainer(New(11, 2), data(tt.n), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, uint64(tt.n)))
			want := tt.want
			if tt.held > 0 {
				tr.Held = data(tt.held)
			}
			if weighted {
				if want = tt.weighted; want == 0 {
					continue
				}
				tr.Weights = weights[:tt.n]
			}
			v, w, _ := tr.watch(tr.Data, tr.Weights, watchData)
			rows := numbers(v)
			if len(rows) != want || !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != want {
				t.Errorf("%+v: rows %v of Data, want %d", tt, rows, want)
			}
			for i, r := range rows {
				if weighted && (w[i] != weights[r] || w[i] == 0) {
					t.Errorf("%+v: weight of row %d is %v, want %v", tt, r, w[i], weights[r])
				}
			}
			if !weighted && w != nil {
				t.Errorf("%+v: weights %v", tt, w)
			}
			if again, _, _ := tr.watch(tr.Data, tr.Weights, watchData); !slices.Equal(numbers(again), rows) {
				t.Errorf("%+v: other rows the second time", tt)
			}
			if tr.Held == nil {
				continue
			}
			v, _, _ = tr.watch(tr.Held, nil, watchHeld)
			held := numbers(v)
			if len(held) != want || !slices.IsSorted(held) || len(slices.Compact(slices.Clone(held))) != want {
				t.Errorf("%+v: rows %v of Held, want %d", tt, held, want)
			}
		}
	}

	const trials = 20000
	var count [10]float64
	src := rand.NewPCG(3, 3)
	tr := NewTrainer(New(11, 2), data(10), NewCD(1, rand.NewPCG(1, 1)), src)
	tr.Held = data(3)
	for range trials {
		tr.state.seed = src.Uint64()
		v, _, _ := tr.watch(tr.Data, nil, watchData)
		for _, r := range numbers(v) {
			count[r]++
		}
	}
	for r, k := range count {
		if !(math.Abs(k-0.3*trials) <= 5*math.Sqrt(0.3*0.7*trials)) {
			t.Errorf("row %d was watched %v times of %d, want 3 in 10", r, k, trials)
		}
	}
}

// The order of an epoch is that of the seed, also if that has changed since.
func TestEpochRowsOfAnotherSeed(t *testing.T) {
	tr := NewTrainer(New(5, 2), NewBits(50, 5), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
	first := slices.Clone(tr.epochRows(0, 0))
	tr.state.seed++
	if second := tr.epochRows(0, 0); slices.Equal(first, second) {
		t.Errorf("two seeds gave the order %v", second)
	}
	tr.state.seed--
	if again := tr.epochRows(0, 0); !slices.Equal(first, again) {
		t.Errorf("order %v, want %v", again, first)
	}
}

// What was trained on before a state was restored is no part of the next RowsPerSecond.
func TestSpeedOfRestored(t *testing.T) {
	tr := NewTrainer(New(5, 2), NewBits(50, 5), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
	b, err := tr.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Train(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	if err := tr.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if tr.rows != 0 || tr.elapsed != 0 {
		t.Errorf("%d rows in %v", tr.rows, tr.elapsed)
	}
}
