package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"google.golang.org/protobuf/proto"
)

// each returns what an engine calls an iterator.
func each[T any](all []T) func(*T) bool {
	return func(x *T) bool {
		if len(all) == 0 {
			return false
		}
		*x, all = all[0], all[1:]
		return true
	}
}

func TestGather(t *testing.T) {
	part := func(i int) Part { return Part{Index: i, Sum: []byte{byte(i), 1}} }
	var whole []Part // group 1 of 3
	for i := range fan {
		whole = append(whole, part(fan+i))
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		got := slices.Concat(whole, whole[:rnd.IntN(fan)])
		rnd.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		parts, err := gather(1, 2*fan+3, each(got))
		if err != nil || !slices.EqualFunc(parts, whole, func(a, b Part) bool { return a.Index == b.Index && bytes.Equal(a.Sum, b.Sum) }) {
			t.Fatalf("gather of %v = %v, %v", got, parts, err)
		}
	}
	other := part(fan + 7)
	other.Sum = []byte{0, 1}
	for _, tt := range []struct {
		group int
		parts []Part
		want  string
	}{
		{1, append(slices.Clone(whole), other), "part 23 came twice, and not the same"},
		{1, slices.Delete(slices.Clone(whole), 3, 4), "part 19 of 35 is missing"},
		{1, whole[:fan-1], "part 31 of 35 is missing"},
		{2, []Part{part(32), part(34)}, "part 33 of 35 is missing"},
		{2, []Part{part(32), part(33), part(34), part(35)}, "part 35 is in group 2, which has 32 to 34"},
		{2, []Part{part(31)}, "part 31 is in group 2, which has 32 to 34"},
		{0, nil, "part 0 of 35 is missing"},
	} {
		_, err := gather(tt.group, 35, each(tt.parts))
		checkError(t, fmt.Sprint(tt.parts), err, tt.want)
	}
	if parts, err := gather(2, 35, each([]Part{part(34), part(32), part(33)})); err != nil || len(parts) != 3 {
		t.Errorf("the last group = %v, %v, want 3 parts", parts, err)
	}
}

func TestGroups(t *testing.T) {
	for _, tt := range [][2]int{{1, 1}, {16, 1}, {17, 2}, {32, 2}, {33, 3}, {257, 17}} {
		if got := groups(tt[0]); got != tt[1] {
			t.Errorf("groups(%d) = %d, want %d", tt[0], got, tt[1])
		}
	}
}

// The part of a group goes to the group of groups that it belongs to.
func TestMergeKeys(t *testing.T) {
	b, err := (&mean{1, *rbm.New(2, 2)}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[int]int{0: 0, 15: 0, 16: 1, 33: 2} {
		var parts []Part
		for i := range fan {
			parts = append(parts, Part{group*fan + i, b})
		}
		f := &mergeFn{Mode: epoch, Parts: 40 * fan}
		if err := f.ProcessElement(group, each(parts), func(key int, p Part) {
			if key != want || p.Index != group {
				t.Errorf("group %d makes part %d with key %d, want key %d", group, p.Index, key, want)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPartCoder(t *testing.T) {
	for _, p := range []Part{{0, nil}, {1, []byte{5}}, {1 << 20, []byte("many bytes")}, {math.MaxInt, nil}} {
		got, err := decodePart(encodePart(p))
		if err != nil || got.Index != p.Index || !bytes.Equal(got.Sum, p.Sum) {
			t.Errorf("decoded %v, %v, want %v", got, err, p)
		}
	}
	for _, b := range []string{"", "\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		_, err := decodePart([]byte(b))
		checkError(t, fmt.Sprintf("%q", b), err, "part has no index")
	}
}

func TestMean(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	models := make([]*rbm.RBM, 5)
	weights := []float64{7, 1, 100, 33, 12}
	var parts []Part
	want := rbm.New(3, 4)
	for i := range models {
		models[i] = rbm.NewRandom(3, 4, 1, rnd)
		models[i].B.SetVec(2, rnd.NormFloat64())
		models[i].C.SetVec(1, rnd.NormFloat64())
		w := weights[i] / 153
		scaled := models[i].Clone()
		scaled.W.Scale(w, scaled.W)
		want.W.Add(want.W, scaled.W)
		want.B.AddScaledVec(want.B, w, scaled.B)
		want.C.AddScaledVec(want.C, w, scaled.C)
		b, err := (&mean{weights[i], *models[i]}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, Part{i, b})
	}
	b, err := merge(epoch, parts)
	if err != nil {
		t.Fatal(err)
	}
	var got mean
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if m := got.model; got.weight != 153 || !mat.EqualApprox(m.W, want.W, 1e-15) || !mat.EqualApprox(m.B, want.B, 1e-15) || !mat.EqualApprox(m.C, want.C, 1e-15) {
		t.Errorf("the mean has weight %v and is %v, want 153 and %v", got.weight, m, *want)
	}
	// Of models that are the same it is the same, to the last bit.
	same := []Part{parts[0], parts[0], parts[0]}
	if b, err = merge(epoch, same); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b[8:], parts[0].Sum[8:]) {
		t.Error("the mean of equal models is not that model")
	}

	for _, mode := range []string{step, epoch} {
		_, err = merge(mode, []Part{{3, []byte("no model, nor phases")}})
		checkError(t, mode, err, "part 3: ")
	}
	checkError(t, "short", new(mean).UnmarshalBinary([]byte{1}), "mean has 1 bytes")
	for _, weight := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		b, err := (&mean{weight, *rbm.New(2, 2)}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		checkError(t, "weight", new(mean).UnmarshalBinary(b), fmt.Sprintf("weight of a mean is %v", weight))
	}
}

// Over as many rounds as it takes, the batches of shards of different sizes have all
// rows the same number of times, or with the same weight.
func TestStepCountsRowsAlike(t *testing.T) {
	all := pairs(46, 3)
	m := rbm.NewRandom(columns, 4, 0.5, rand.NewPCG(1, 1))
	var sum rbm.Phases
	const rounds = 60
	for _, rows := range []*rbm.Bits{all.Slice(0, 30), all.Slice(30, 42), all.Slice(42, 46)} {
		s := &shard{sampler: rbm.NewPCD(3, 1, rand.NewPCG(1, 1))}
		for number := range rounds {
			p, err := s.step(Round{Settings: Settings{Batch: 8}, Number: number}, m, rows)
			if err != nil {
				t.Fatal(err)
			}
			sum.Add(p.(*rbm.Phases))
		}
	}
	var want rbm.Phases
	m.Phases(&want, all, nil, rbm.NewPCD(3, 1, rand.NewPCG(1, 1)))
	if got := sum.DataWeight; math.Abs(got-46*rounds) > 1e-9 {
		t.Errorf("the data weigh %v, want %d", got, 46*rounds)
	}
	if got := sum.ModelWeight; got != 3*3*rounds {
		t.Errorf("the samples weigh %v, want %d", got, 3*3*rounds)
	}
	want.Data.W.Scale(rounds, want.Data.W)
	want.Data.B.ScaleVec(rounds, want.Data.B)
	want.Data.C.ScaleVec(rounds, want.Data.C)
	if !mat.EqualApprox(sum.Data.W, want.Data.W, 1e-9) || !mat.EqualApprox(sum.Data.B, want.Data.B, 1e-9) || !mat.EqualApprox(sum.Data.C, want.Data.C, 1e-9) {
		t.Error("the data phase is not that of all rows")
	}
}

// In mode epoch a shard counts as much as it has rows.
func TestEpochWeight(t *testing.T) {
	s := &shard{sampler: rbm.NewPCD(3, 1, rand.NewPCG(1, 1))}
	r := Round{Settings: Settings{Mode: epoch, Batch: 8, Rate: 0.1, Constant: true}}
	x, err := s.epoch(r, rbm.New(columns, 4), pairs(46, 3))
	if err != nil {
		t.Fatal(err)
	}
	if got := x.(*mean).weight; got != 46 {
		t.Errorf("the shard has weight %v, want 46", got)
	}
}

// A job has paths and settings, and no weights.
func TestJobSize(t *testing.T) {
	initBeam()
	size := func(p *beam.Pipeline) int {
		edges, _, err := p.Build()
		if err != nil {
			t.Fatal(err)
		}
		env, err := graphx.CreateEnvironment(context.Background(), "beam:env:external:v1", func(context.Context) string { return "localhost:1" })
		if err != nil {
			t.Fatal(err)
		}
		job, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
		if err != nil {
			t.Fatal(err)
		}
		return proto.Size(job)
	}
	settings := Settings{Input: "rows*", Mode: step, Shards: 3, Batch: 100, Chains: 100, K: 1, Rate: 0.1, Rounds: 100, Seed: 1}
	sizes := func(columns, hidden int) [2]int {
		s := settings
		s.Columns, s.Hidden = columns, hidden
		return [2]int{size(Round{"work", s, 5}.pipeline([]int{0, 1, 2})), size(packing("work", s))}
	}
	small, large := sizes(4, 3), sizes(4000, 3000)
	for i, name := range []string{"a round", "packing"} {
		if small[i] == 0 || large[i] > small[i]+100 { // by the digits of the settings
			t.Errorf("the job of %s has %d bytes for 4000×3000 units, %d for 4×3", name, large[i], small[i])
		}
	}
}

// Shards draw different chains from the same model.
func TestChainsOfShards(t *testing.T) {
	r := Round{Settings: Settings{Mode: step, Columns: columns, Hidden: 5, Batch: 20, Chains: 10, K: 1, Seed: 1}}
	var states []*mat.Dense
	for k := range 3 {
		s, err := r.loadShard(context.Background(), k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.step(r, rbm.New(columns, 5), pairs(20, 1)); err != nil {
			t.Fatal(err)
		}
		state := mat.DenseCopyOf(s.sampler.Chains.Visible())
		for i, other := range states {
			if mat.Equal(state, other) {
				t.Errorf("the chains of shards %d and %d are the same", i, k)
			}
		}
		states = append(states, state)
	}
}
