package rbm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// elsewhere are rows that are not known to be Bits.
type elsewhere struct {
	*rbm.Bits
	reads [][2]int                   // first and number of the rows
	fail  func(i, n int) (err error) // unless it is nil
}

func (s *elsewhere) ReadRows(dst *rbm.Bits, i int) error {
	n, c := dst.Dims()
	s.reads = append(s.reads, [2]int{i, n})
	for r := range n {
		for j := range c {
			if dst.Bit(r, j) { // a source may set ones alone, if it knows no better
				panic("dst is not 0")
			}
			dst.SetBit(r, j, s.Bit(i+r, j))
		}
		if s.fail != nil {
			if err := s.fail(i+r, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// computed are n rows of 640 columns that are nowhere.
type computed int

func (n computed) Dims() (r, c int) { return int(n), 640 }

func (n computed) ReadRows(dst *rbm.Bits, i int) error {
	rows, _ := dst.Dims()
	for r := range rows {
		for w := range dst.RawRow(r) {
			dst.RawRow(r)[w] = uint64(i+r+1) * 0x9e3779b97f4a7c15 >> w
		}
	}
	return nil
}

// A renamer assigns to *dst, in place of setting its entries.
type renamer struct {
	*rbm.Bits
	rows func(i, n int) *rbm.Bits
}

func (s renamer) ReadRows(dst *rbm.Bits, i int) error {
	n, _ := dst.Dims()
	*dst = *s.rows(i, n)
	return nil
}

// numbersOf returns the numbers of the rows of each block, until there is an error.
func numbersOf(blocks iter.Seq2[*rbm.Bits, error]) (numbers [][]int, err error) {
	for b, err := range blocks {
		if err != nil {
			return numbers, err
		}
		var rows []int
		n, _ := b.Dims()
		for r := range n {
			rows = append(rows, number(b, r))
		}
		numbers = append(numbers, rows)
	}
	return numbers, nil
}

// The rows that a source assigns to *dst would be lost where dst is a part of a
// minibatch.
func TestRowsThatAreAssigned(t *testing.T) {
	data := randomBits(60, 12, 0.4, 1)
	m := rbm.New(12, 3)
	for name, rows := range map[string]func(i, n int) *rbm.Bits{
		"shared": func(i, n int) *rbm.Bits { return data.Slice(i, i+n) },
		"fewer":  func(i, n int) *rbm.Bits { return rbm.NewBits(max(1, n-1), 12) },
		"other":  func(i, n int) *rbm.Bits { return rbm.NewBits(n, 13) },
		"none":   func(i, n int) *rbm.Bits { return new(rbm.Bits) },
	} {
		source := renamer{data, rows}
		for _, block := range []int{0, 13} {
			name := fmt.Sprintf("%s, block %d", name, block)
			wantPanic(t, name, func() {
				tr := rbm.NewTrainer(m, source, rbm.NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
				tr.ShuffleBlock = block
				tr.Step()
			}, "ReadRows of rbm_test.renamer assigned to *dst", "×12")
		}
		wantPanic(t, name+", likelihood", func() { m.LogLikelihood(context.Background(), source, nil) }, "60×12")
	}
}

// cut returns the numbers below total, n at a time.
func cut(total, n int) [][]int {
	all := make([]int, total)
	for r := range all {
		all[r] = r
	}
	return slices.Collect(slices.Chunk(all, n))
}

func checkNumbers(t *testing.T, name string, got, want [][]int) {
	t.Helper()
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%s: rows %v, want %v", name, got, want)
	}
}

func TestReadRows(t *testing.T) {
	b := numbered(9)
	dst := ones(3, 75)
	if err := b.Slice(1, 9).ReadRows(dst, 5); err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(dst, b.Slice(6, 9)) {
		t.Error("other rows than asked for")
	}
	for _, tt := range []struct {
		dst  *rbm.Bits
		i    int
		want string
	}{
		{nil, 0, "dst is nil"},
		{rbm.NewBits(2, 76), 0, "dst is 2×76, want n×75"},
		{dst, 7, "no rows [7, 10) in Bits of 9×75"},
		{dst, -1, "no rows [-1, 2) in Bits of 9×75"},
		{dst, math.MaxInt, "in Bits of 9×75"},
		{b.Slice(0, 3), 3, "shares memory"},
	} {
		wantPanic(t, tt.want, func() { b.ReadRows(tt.dst, tt.i) }, tt.want)
	}
}

func TestRawRow(t *testing.T) {
	for _, c := range []int{1, 63, 64, 65, 75, 128} {
		b := randomBits(5, c, 0.5, 1)
		words := b.RawRow(3)
		if len(words) != (c+63)/64 {
			t.Errorf("%d columns: %d words", c, len(words))
		}
		for j := range c {
			if words[j/64]>>(j%64)&1 == 1 != b.Bit(3, j) {
				t.Errorf("%d columns: column %d differs", c, j)
			}
		}
		words[0] ^= 1
		if again := b.RawRow(3); again[0] != words[0] || b.Bit(3, 0) != (words[0]&1 == 1) {
			t.Errorf("%d columns: RawRow shares no memory", c)
		}
		other := ones(5, c)
		for r := range 5 {
			copy(other.RawRow(r), b.RawRow(r))
		}
		if !mat.Equal(other, b) {
			t.Errorf("%d columns: setting all words is no copy", c)
		}
		wantPanic(t, "no row", func() { b.RawRow(5) }, fmt.Sprintf("in Bits of 5×%d", c))
		wantPanic(t, "row -1", func() { b.RawRow(-1) }, fmt.Sprintf("in Bits of 5×%d", c))
		if c%64 != 0 {
			words[len(words)-1] |= 1 << (c % 64)
			m := rbm.New(c, 2)
			want := fmt.Sprintf("row 3 of v has a one in column %d, want %d columns", c, c)
			wantPanic(t, "behind the last column", func() { m.FreeEnergy(nil, b) }, want)
			wantPanic(t, "behind the last column", func() { m.Gradient(new(rbm.Gradient), b, rbm.NewPCD(1, 1, newSource(1))) }, want)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, tt := range []struct{ rows, n int }{{1, 1}, {7, 3}, {6, 3}, {5, 5}, {5, math.MaxInt}} {
		for _, rows := range []rbm.Rows{numbered(tt.rows), &elsewhere{Bits: numbered(tt.rows)}} {
			blocks := rbm.Blocks(rows, tt.n)
			for range 2 { // it may be repeated
				got, err := numbersOf(blocks)
				if err != nil {
					t.Error(err)
				}
				checkNumbers(t, fmt.Sprintf("%T %+v", rows, tt), got, cut(tt.rows, tt.n))
			}
			for range blocks {
				break
			}
		}
	}
	broken := errors.New("broken")
	s := &elsewhere{Bits: numbered(10), fail: func(i, _ int) error {
		if i == 5 {
			return broken
		}
		return nil
	}}
	errs := 0
	for b, err := range rbm.Blocks(s, 4) {
		if err == nil {
			continue
		}
		errs++
		if b != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), "rbm: rows [4, 8): broken") {
			t.Errorf("block %v, error %v", b, err)
		}
	}
	if errs != 1 || len(s.reads) != 2 {
		t.Errorf("%d errors in %d reads, want 1 in 2", errs, len(s.reads))
	}
	wantPanic(t, "nil", func() { rbm.Blocks(nil, 1) }, "rows are nil")
	wantPanic(t, "nil Bits", func() { rbm.Blocks((*rbm.Bits)(nil), 1) }, "rows are nil")
	wantPanic(t, "n", func() { rbm.Blocks(s, 0) }, "n is 0, want at least 1")
}

// A loop over the blocks of a source is one over the rows in memory.
func TestLoopOverBlocks(t *testing.T) {
	const size = 7
	data := randomBits(50, 12, 0.4, 1)
	run := func(step func(do func(batch *rbm.Bits))) []float64 {
		m := randomModel(12, 5, 0.1, 2)
		s, sgd := rbm.NewPCD(9, 1, newSource(3)), rbm.SGD{Rate: 0.1, Momentum: 0.5}
		var g rbm.Gradient
		step(func(batch *rbm.Bits) {
			m.Gradient(&g, batch, s)
			sgd.Step(m, &g)
		})
		return params(m)
	}
	want := run(func(do func(*rbm.Bits)) {
		for i := 0; i < 50; i += size {
			do(data.Slice(i, min(i+size, 50)))
		}
	})
	for _, rows := range []rbm.Rows{data, &elsewhere{Bits: data}} {
		got := run(func(do func(*rbm.Bits)) {
			for batch, err := range rbm.Blocks(rows, size) {
				if err != nil {
					t.Fatal(err)
				}
				do(batch)
			}
		})
		checkSame(t, "stream", got, want)
	}
}

// blockwise is a training that uses everything, with minibatches that go across the borders
// of blocks.
func blockwise(data rbm.Rows, batch, block int) *rbm.Trainer {
	n, nv := data.Dims()
	tr := rbm.NewTrainer(randomModel(nv, 6, 0.1, 2), data, rbm.NewPCD(10, 1, newSource(3)), newSource(4))
	tr.Weights = randomWeights(n, 5)
	tr.HeldOut = randomBits(20, nv, 0.4, 6)
	tr.BatchSize, tr.ShuffleBlock, tr.ReportEvery = batch, block, 3
	tr.SGD.Momentum = 0.5
	tr.Schedule = rbm.Linear(0.2, 0, 60)
	return tr
}

// Training is the same wherever the rows are, also when it is continued elsewhere.
func TestTrainerOfRowsElsewhere(t *testing.T) {
	data := randomBits(95, 70, 0.4, 1)
	for _, tt := range []struct{ batch, block int }{{10, 0}, {10, 20}, {7, 30}, {30, 7}, {9, 1}, {1, 9}, {40, 95}, {200, 10}, {8, 1000}} {
		name := fmt.Sprintf("batch=%d/block=%d", tt.batch, tt.block)
		whole := blockwise(data, tt.batch, tt.block)
		want := collect(whole)
		trainFor(t, whole, 4)
		for _, procs := range []int{1, 3} {
			setProcs(t, procs)
			tr := blockwise(&elsewhere{Bits: data}, tt.batch, tt.block)
			got := collect(tr)
			trainFor(t, tr, 4)
			checkSame(t, name, params(tr.Model), params(whole.Model))
			checkReports(t, name, *got, *want)
			if !bytes.Equal(saved(t, tr), saved(t, whole)) {
				t.Errorf("%s: the state differs", name)
			}
		}
		// After each few steps, to the other place.
		from := blockwise(data, tt.batch, tt.block)
		for k := 0; from.Epochs() < 4; k++ {
			for range 3 {
				if from.Epochs() == 4 {
					break
				}
				if err := from.Step(); err != nil {
					t.Fatal(err)
				}
			}
			to := blockwise(data, 5, 3) // what the bytes hold need not be set
			if k%2 == 0 {
				to = blockwise(&elsewhere{Bits: data}, 5, 3)
			}
			if err := to.UnmarshalBinary(saved(t, from)); err != nil {
				t.Fatal(err)
			}
			from = to
		}
		checkSame(t, name+": continued", params(from.Model), params(whole.Model))
		if from.BatchSize != tt.batch || from.ShuffleBlock != tt.block {
			t.Errorf("%s: BatchSize %d and ShuffleBlock %d after all", name, from.BatchSize, from.ShuffleBlock)
		}
	}
}

func checkReports(t *testing.T, name string, got, want []rbm.Report) {
	t.Helper()
	for _, reports := range [][]rbm.Report{got, want} {
		for k := range reports {
			reports[k].RowsPerSecond = 0
		}
	}
	if got, want := fmt.Sprint(got), fmt.Sprint(want); got != want {
		t.Errorf("%s: reports %s, want %s", name, got, want)
	}
}

// An epoch is each row once, block after block, in another order each time; a block is read once.
func TestTrainerBlocks(t *testing.T) {
	for _, tt := range []struct{ rows, batch, block int }{{40, 7, 10}, {43, 7, 10}, {41, 12, 5}, {43, 100, 10}, {10, 3, 50}, {10, 1, 1}} {
		source := &elsewhere{Bits: numbered(tt.rows)}
		s := new(noted)
		tr := rbm.NewTrainer(rbm.New(75, 2), source, s, newSource(1))
		tr.BatchSize, tr.ShuffleBlock = tt.batch, tt.block
		size := min(tt.block, tt.rows)
		var orders [][]int
		firsts := make(map[int]bool)
		held := -1
		for range 8 {
			s.batches, source.reads = nil, nil
			trainFor(t, tr, tr.Epochs()+1)
			for k, b := range s.batches {
				if want := min(tt.batch, tt.rows-k*tt.batch); len(b) != want {
					t.Errorf("%+v: batch %d has %d rows, want %d", tt, k, len(b), want)
				}
			}
			order := slices.Concat(s.batches...)
			orders = append(orders, order)
			if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, cut(tt.rows, tt.rows)[0]) {
				t.Fatalf("%+v: rows of an epoch, sorted: %v", tt, sorted)
			}
			firsts[order[0]/size] = true
			var blocks []int // in their order
			for i := range order {
				if i == 0 || order[i]/size != order[i-1]/size {
					blocks = append(blocks, order[i]/size)
				}
			}
			if n := (tt.rows-1)/size + 1; len(blocks) != n {
				t.Errorf("%+v: %d changes of the block in %v, want %d", tt, len(blocks), order, n)
			}
			var reads [][2]int
			for _, b := range blocks {
				reads = append(reads, [2]int{b * size, min(size, tt.rows-b*size)})
			}
			if n := len(reads) - len(source.reads); n == 1 && blocks[0] == held {
				reads = reads[1:] // the block is still there
			}
			if !slices.Equal(source.reads, reads) {
				t.Errorf("%+v: reads %v, want %v", tt, source.reads, reads)
			}
			held = blocks[len(blocks)-1]
		}
		for k, order := range orders[1:] {
			if slices.Equal(order, orders[k]) {
				t.Errorf("%+v: two epochs in the order %v", tt, order)
			}
		}
		if size < tt.rows && len(firsts) < 3 {
			t.Errorf("%+v: epochs begin with blocks %v alone", tt, firsts)
		}
		// Not all blocks in the same order inside.
		if size >= 5 && tt.rows >= 2*size {
			inside := make(map[string]bool)
			for b := range tt.rows / size {
				var rows []int
				for _, r := range orders[0] {
					if r/size == b {
						rows = append(rows, r%size)
					}
				}
				inside[fmt.Sprint(rows)] = true
			}
			if len(inside) < tt.rows/size {
				t.Errorf("%+v: blocks have the same order inside: %v", tt, inside)
			}
		}
	}
}

// A block that is held is of no use for other rows, or for blocks of another size.
func TestTrainerForgetsBlocks(t *testing.T) {
	a, b := randomBits(20, 12, 0.4, 1), randomBits(20, 12, 0.4, 2)
	run := func(seed uint64, place func(b *rbm.Bits) rbm.Rows) []float64 {
		tr := rbm.NewTrainer(randomModel(12, 6, 0.1, 2), place(a), rbm.NewCD(1, newSource(3)), newSource(seed))
		tr.BatchSize = 5
		for _, step := range []struct {
			data  *rbm.Bits
			block int
		}{{a, 10}, {b, 10}, {b, 15}, {b, 10}, {a, 15}} {
			tr.Data, tr.ShuffleBlock = place(step.data), step.block
			if err := tr.Step(); err != nil {
				t.Fatal(err)
			}
		}
		return params(tr.Model)
	}
	for seed := range uint64(20) {
		places := map[*rbm.Bits]rbm.Rows{a: &elsewhere{Bits: a}, b: &elsewhere{Bits: b}}
		got := run(seed, func(b *rbm.Bits) rbm.Rows { return places[b] })
		checkSame(t, fmt.Sprintf("seed %d", seed), got, run(seed, func(b *rbm.Bits) rbm.Rows { return b }))
	}
}

// A ShuffleBlock of all rows is as good as none.
func TestTrainerOfOneBlock(t *testing.T) {
	data := randomBits(50, 12, 0.4, 1)
	want := blockwise(data, 7, 0)
	trainFor(t, want, 3)
	for _, block := range []int{50, 51, math.MaxInt} {
		for _, rows := range []rbm.Rows{data, &elsewhere{Bits: data}} {
			tr := blockwise(rows, 7, block)
			trainFor(t, tr, 3)
			checkSame(t, fmt.Sprintf("%T, block %d", rows, block), params(tr.Model), params(want.Model))
		}
	}
}

// An error of the source stops training, and changes nothing: where the source recovers,
// all goes on as if it had been well.
func TestTrainerOfBrokenRows(t *testing.T) {
	broken := errors.New("broken")
	data := randomBits(60, 12, 0.4, 1)
	for _, block := range []int{0, 13} {
		whole := blockwise(data, 10, block)
		want := collect(whole)
		trainFor(t, whole, 3)
		left := 1
		source := &elsewhere{Bits: data}
		source.fail = func(i, _ int) error {
			if i != 47 {
				return nil
			}
			if left--; left < 0 {
				left = 2
				return broken
			}
			return nil
		}
		tr := blockwise(source, 10, block)
		got := collect(tr)
		errs, reports := 0, 0
		for tr.Epochs() < 3 || errs == 0 {
			steps, before, rate := tr.Steps(), len(*got), tr.SGD.Rate
			err := tr.Train(context.Background(), 3)
			if err == nil {
				break
			}
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), "rows [") {
				t.Fatal(err)
			}
			if tr.Steps() == steps && len(*got) == before && tr.SGD.Rate != rate {
				t.Errorf("block %d: the rate is %v after an error, want %v", block, tr.SGD.Rate, rate)
			}
			if tr.Steps()%3 == 0 && tr.Steps() > 0 && len(*got) < tr.Steps()/3 {
				reports++ // that could not be made
			}
			errs++
		}
		if errs < 2 || reports == 0 {
			t.Errorf("block %d: %d errors, %d of reports", block, errs, reports)
		}
		checkSame(t, fmt.Sprintf("block %d", block), params(tr.Model), params(whole.Model))
		checkSame(t, fmt.Sprintf("block %d: best", block), params(tr.Best()), params(whole.Best()))
		checkReports(t, fmt.Sprintf("block %d", block), *got, *want)
		source.fail = nil
		if !bytes.Equal(saved(t, tr), saved(t, whole)) {
			t.Errorf("block %d: the state differs", block)
		}
	}
	source := &elsewhere{Bits: data, fail: func(i, _ int) error {
		if i == 59 {
			return broken
		}
		return nil
	}}
	tr := blockwise(source, 10, 13)
	if _, err := tr.AppendBinary(nil); !errors.Is(err, broken) || !strings.Contains(err.Error(), "rbm: Trainer: rbm: rows [0, 60): broken") {
		t.Errorf("AppendBinary: %v", err)
	}
	good := saved(t, blockwise(data, 10, 13))
	if err := tr.UnmarshalBinary(good); !errors.Is(err, broken) {
		t.Errorf("UnmarshalBinary: %v", err)
	}
	source.fail = nil
	if err := tr.UnmarshalBinary(good); err != nil {
		t.Error(err)
	}
}

// The checksum of rows elsewhere is found once, and anew for others.
func TestFingerprintOfRowsElsewhere(t *testing.T) {
	data := randomBits(60, 12, 0.4, 1)
	source := &elsewhere{Bits: data}
	tr := blockwise(source, 10, 13)
	first := saved(t, tr)
	reads := len(source.reads)
	if err := tr.UnmarshalBinary(saved(t, tr)); err != nil {
		t.Fatal(err)
	}
	if len(source.reads) != reads || reads == 0 {
		t.Errorf("%d reads for the first checksum, %d for the next ones", reads, len(source.reads)-reads)
	}
	data = data.Gather(nil, cut(60, 60)[0])
	data.SetBit(59, 11, !data.Bit(59, 11))
	for _, other := range []rbm.Rows{&elsewhere{Bits: data}, data} {
		tr.Data = other
		if err := tr.UnmarshalBinary(first); err == nil || !strings.Contains(err.Error(), "Data has checksum") {
			t.Errorf("%T of other values: %v", other, err)
		}
	}
	data.SetBit(59, 11, !data.Bit(59, 11)) // rows in memory may change
	tr.Data = data
	if err := tr.UnmarshalBinary(first); err != nil {
		t.Error(err)
	}
}

// The log-likelihood of rows elsewhere is that of rows in memory, exact or not.
func TestLogLikelihoodOfRowsElsewhere(t *testing.T) {
	t.Parallel()
	for _, nh := range []int{4, 22} {
		m := coupled(25, nh, 0.3, 1)
		data := chainRows(m, 90)
		run := func(rows rbm.Rows) string {
			l, err := m.LogLikelihood(context.Background(), rows, rbm.NewAIS(20, 30, newSource(1)))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%+v", l)
		}
		if got, want := run(&elsewhere{Bits: data}), run(data); got != want {
			t.Errorf("nh=%d: %s, want %s", nh, got, want)
		}
		if nh == 22 { // not exact: the base is that of FitVisibleBias
			fit, ais := rbm.New(25, 1), rbm.NewAIS(20, 30, newSource(1))
			fit.FitVisibleBias(data)
			ais.Base = fit.B
			based := logLikelihood(t, m, data, ais)
			if l := logLikelihood(t, m, data, rbm.NewAIS(20, 30, newSource(1))); l.AIS.Mean != based.AIS.Mean {
				t.Errorf("log Z is %v, with the base of FitVisibleBias %v", l.AIS.Mean, based.AIS.Mean)
			}
			// A pass over all, and then the rows from which the reverse runs start.
			want := [][2]int{{0, 90}}
			for _, i := range []int{0, 12, 25, 38, 51, 64, 77} {
				want = append(want, [2]int{i, 1})
			}
			source := &elsewhere{Bits: data}
			if _, err := m.LogLikelihood(context.Background(), source, rbm.NewAIS(7, 3, newSource(1))); err != nil || !slices.Equal(source.reads, want) {
				t.Errorf("reads %v, want %v, error %v", source.reads, want, err)
			}
		}
		broken := errors.New("broken")
		for reads, fail := range [][2]int{{0, 0}, {90, 0}} {
			n := 0
			s := &elsewhere{Bits: data, fail: func(int, int) error {
				if n++; n > fail[0] {
					return broken
				}
				return nil
			}}
			_, err := m.LogLikelihood(context.Background(), s, rbm.NewAIS(20, 3, newSource(1)))
			if want := reads == 0 || nh == 22; errors.Is(err, broken) != want {
				t.Errorf("nh=%d: error %v", nh, err)
			}
		}
	}
}

// The mean of many rows is summed block by block as it would be at once.
func TestLogLikelihoodOfManyRows(t *testing.T) {
	t.Parallel()
	const n = 15000 // more than a block
	m := randomModel(640, 3, 0.1, 1)
	for i := range 640 { // so that F is much larger than log Z
		m.B.SetVec(i, m.B.AtVec(i)-10)
	}
	all := rbm.NewBits(n, 640)
	if err := computed(n).ReadRows(all, 0); err != nil {
		t.Fatal(err)
	}
	mean := product.Sum(m.FreeEnergy(nil, all)) / n
	for _, rows := range []rbm.Rows{all, computed(n)} {
		l, err := m.LogLikelihood(context.Background(), rows, nil)
		if want := -mean - m.LogPartition(); err != nil || l.Mean != want {
			t.Errorf("%T: %v, %v, want %v", rows, l.Mean, err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.LogLikelihood(ctx, computed(math.MaxInt), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// The base is fitted to the rows of all blocks.
func TestLogLikelihoodBaseOfManyRows(t *testing.T) {
	t.Parallel()
	const n = 12_500 // more than are read at once
	data := rbm.NewBits(n, 640)
	if err := computed(n).ReadRows(data, 0); err != nil {
		t.Fatal(err)
	}
	m, fit := randomModel(640, 21, 0.01, 1), rbm.New(640, 1)
	fit.FitVisibleBias(data)
	based := rbm.NewAIS(5, 3, newSource(1))
	based.Base = fit.B
	want := logLikelihood(t, m, data, based)
	for _, rows := range []rbm.Rows{data, computed(n)} {
		l, err := m.LogLikelihood(context.Background(), rows, rbm.NewAIS(5, 3, newSource(1)))
		if err != nil || l.AIS.Mean != want.AIS.Mean {
			t.Errorf("%T: log Z is %v, with the base of FitVisibleBias %v, error %v", rows, l.AIS.Mean, want.AIS.Mean, err)
		}
	}
}

// weighed are rows that note how much memory is in use when they are read.
type weighed struct {
	computed
	reads int
	most  uint64 // bytes
}

func (w *weighed) ReadRows(dst *rbm.Bits, i int) error {
	if w.reads++; w.reads%4 == 0 {
		w.most = max(w.most, inUse())
	}
	return w.computed.ReadRows(dst, i)
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// 10 MB of rows take less than half of that, in training and in scoring.
func TestRowsTakeConstantMemory(t *testing.T) {
	rows := &weighed{computed: 1 << 17}
	m := randomModel(640, 2, 0.01, 1)
	tr := rbm.NewTrainer(m, rows, rbm.NewCD(1, newSource(1)), newSource(2))
	tr.BatchSize, tr.ShuffleBlock = 1<<9-1, 1<<12
	before := inUse()
	for range 40 { // of five blocks
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
	}
	saved(t, tr)
	if _, err := m.LogLikelihood(context.Background(), rows, nil); err != nil {
		t.Fatal(err)
	}
	if rows.reads < 25 || rows.most < before || rows.most > before+5<<20 {
		t.Errorf("%d bytes are in use after %d reads, %d before, want at most 5 MB more", rows.most, rows.reads, before)
	}
}
