package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/rows"
	"gonum.org/v1/gonum/mat"
)

// readShards returns the rows of all shards.
func readShards(t *testing.T, dir string, n int) []string {
	t.Helper()
	var all []string
	for k := range n {
		f, done, err := openRows(context.Background(), fmt.Sprintf("%s/%s/shards/%05d-of-%05d.bits", dir, training, k, n))
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range rbm.Blocks(f, 1) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text(b, 0))
		}
		done()
	}
	return all
}

func text(b *rbm.Bits, i int) string {
	_, c := b.Dims()
	s := make([]byte, c)
	for j := range s {
		s[j] = '0' + byte(b.At(i, j))
	}
	return string(s)
}

// Each good row is in one shard, once, and each bad one in the list of these.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	b := pairs(300, 4)
	var lines, want []string
	for i := range 300 {
		lines = append(lines, text(b, i))
		want = append(want, text(b, i))
	}
	lines = slices.Insert(lines, 100, "01")
	lines = slices.Insert(lines, 170, "0123")
	for k, part := range [][]string{lines[:150], lines[150:]} {
		if err := os.WriteFile(fmt.Sprintf("%s/%d.txt", dir, k), []byte(strings.Join(part, "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sorted := slices.Sorted(slices.Values(want))
	for _, local := range []string{"", " -local"} {
		work := t.TempDir()
		out := mustRun(t, dir+"/*.txt", work, "-shards 5 -rounds 1"+local)
		if !strings.Contains(out, "300 rows in 5 shards\n2 bad rows: "+filepath.Join(work, training, "bad-?????-of-00005.csv")+"\n") {
			t.Errorf("it printed\n%s", out)
		}
		got := readShards(t, work, 5)
		if slices.Equal(got, want) {
			t.Error("the rows are in the order of the input")
		}
		slices.Sort(got)
		if !slices.Equal(got, sorted) {
			t.Errorf("the shards have %d rows, not those of the input", len(got))
		}
		var bad []string
		for path, text := range tree(t, filepath.Join(work, training)) {
			if strings.HasPrefix(path, "bad-") {
				lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
				bad = append(bad, lines[1:]...)
			}
		}
		slices.Sort(bad)
		if len(bad) != 2 || !strings.HasPrefix(bad[0], dir+"/0.txt,101,") || !strings.HasPrefix(bad[1], dir+"/1.txt,21,") {
			t.Errorf("bad rows are %q", bad)
		}

		_, err := smallRun(t, dir+"/*.txt", t.TempDir(), "-shards 200"+local)
		checkError(t, "200 shards", err, "of 200 has no rows, want fewer -shards or more rows")
		_, err = smallRun(t, dir+"/*.bits", t.TempDir(), local)
		checkError(t, "no files", err, dir+"/*.bits")
		_, err = smallRun(t, dir+"/*.txt", t.TempDir(), "-columns 11"+local)
		checkError(t, "11 columns", err, "shard 0 of 3 has no rows")
	}
}

// Packing is tried again too, in another folder.
func TestPackAgain(t *testing.T) {
	input := write(t, pairs(200, 1), 3)
	a, b := t.TempDir(), t.TempDir()
	mustRun(t, input, a, "-local")
	if err := os.WriteFile(b+"/blocked", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	before := newName
	defer func() { newName = before }()
	newName = func() string {
		newName = before
		return "blocked"
	}
	out := mustRun(t, input, b, "-local")
	if !strings.HasPrefix(out, "packing, attempt 1 of 3: ") || !strings.Contains(out, b+"/blocked/") {
		t.Errorf("it printed\n%s", out)
	}
	got := tree(t, b)
	delete(got, "blocked")
	checkSame(t, "packed again", got, tree(t, a))
}

// The order of rows does not depend on that in which they come, nor on how many times.
func TestShuffle(t *testing.T) {
	b := pairs(200, 1)
	var all []rows.Row
	for i := range 200 {
		w := b.RawRow(i)[0]
		all = append(all, rows.Row{File: "ab"[i%2:][:1], Number: int64(i/2 + 1), Bits: []byte{byte(w), byte(w >> 8)}})
	}
	s := Settings{Columns: columns, Shards: 1, Seed: 3}
	want, err := s.shuffle(each(all))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := want.Dims(); n != 200 {
		t.Errorf("there are %d rows, want 200", n)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		again := slices.Concat(all, all[:rnd.IntN(200)])
		rnd.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if got, err := s.shuffle(each(again)); err != nil || !mat.Equal(got, want) {
			t.Fatalf("rows in another order are shuffled otherwise, error %v", err)
		}
	}
	s.Seed++
	if got, err := s.shuffle(each(all)); err != nil || mat.Equal(got, want) {
		t.Errorf("another seed shuffles the same way, error %v", err)
	}
	other := all[7]
	other.Bits = []byte{all[7].Bits[0] ^ 1, 0}
	_, err = s.shuffle(each(append(all, other)))
	checkError(t, "another row", err, "b: row 4 came twice, and not the same")
	_, err = s.shuffle(each[rows.Row](nil))
	checkError(t, "nothing", err, "there are no rows")
}

// Rows are placed as by chance: shards are of one size, and the order has nothing to do
// with that of the input, but for what chance does.
func TestPlace(t *testing.T) {
	const n, shards = 40000, 8
	for _, file := range []string{"", "gs://bucket/rows-00000-of-00001.txt"} {
		s := Settings{Shards: shards, Seed: 1}
		var counts [shards]int
		var sum, next, last float64
		for i := range n {
			k, order := s.place(rows.Row{File: file, Number: int64(i + 1)})
			counts[k]++
			u := float64(order>>11)/(1<<53) - 0.5
			sum += u * (float64(i)/n - 0.5)
			next += u * last
			last = u
		}
		for k, c := range counts {
			if e := 5 * math.Sqrt(n/shards*(1-1.0/shards)); math.Abs(float64(c)-n/shards) > e {
				t.Errorf("%q: shard %d has %d rows, want %d ± %.0f (5 standard errors)", file, k, c, n/shards, e)
			}
		}
		for name, x := range map[string]float64{"its place": sum, "the order of the row before it": next} {
			if e := 5 * math.Sqrt(n) / 12; math.Abs(x) > e {
				t.Errorf("%q: the order of a row has the covariance %.1f with %s, want 0 ± %.1f (5 standard errors)", file, x, name, e)
			}
		}
	}
	k, order := Settings{Shards: 100, Seed: 7}.place(rows.Row{File: "rows.txt", Number: 3})
	if k != 79 || order != 9789462365542121562 {
		t.Errorf("a row is placed at %d, %d, want 79, 9789462365542121562 as ever", k, order)
	}
}

// The first model has the visible biases of the first shard and small weights.
func TestStart(t *testing.T) {
	work := t.TempDir()
	o := optionsOf(t, small(t, write(t, pairs(200, 1), 1), work, ""))
	ctx := context.Background()
	if _, err := o.pack(ctx, io.Discard); err != nil {
		t.Fatal(err)
	}
	d := o.work.training(training)
	m, err := Round{Work: d, Settings: o.Settings}.load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if std := mat.Norm(m.rbm.W, 2) / math.Sqrt(columns*5); std < 0.005 || std > 0.02 || m.rbm.B.AtVec(0) == 0 || m.rbm.C.AtVec(0) != 0 || m.sgd.Momentum != 0.5 {
		t.Errorf("the model has weights of size %v, biases %v and %v, momentum %v", std, m.rbm.B, m.rbm.C, m.sgd.Momentum)
	}
	if _, err := os.Stat(filepath.Join(work, "settings")); err == nil {
		t.Error("there are settings before all is packed")
	}
	wrong := Round{Work: d, Settings: o.Settings}
	wrong.Settings.Hidden = 6
	_, err = wrong.load(ctx)
	checkError(t, "another size", err, string(d)+"/rounds/000000-model: model has 12 visible and 5 hidden units, want 12 and 6")
}
