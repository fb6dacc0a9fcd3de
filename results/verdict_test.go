package main

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// The rows are samples of the model, and log Z is what the library finds.
func TestSample(t *testing.T) {
	for _, groups := range [][]rbm.Group{nil, {{From: 1, To: 4}}} {
		m := random(7, 5, 1, rand.New(rand.NewPCG(1, 1)))
		m.OneHot = groups
		const n = 40000
		rows, logZ := sample(m, n, rand.New(rand.NewPCG(2, 2)))
		var want rbm.Gradient
		if z := m.LogPartitionGradient(&want); math.Abs(logZ-z) > 1e-9 {
			t.Errorf("groups %v: log Z is %v, want %v", groups, logZ, z)
		}
		if err := m.CheckRows(rows); err != nil {
			t.Fatal(err)
		}
		for i := range 7 {
			mean := 0.
			for r := range n {
				mean += rows.At(r, i) / n
			}
			if p := want.B.AtVec(i); math.Abs(mean-p) > 4*math.Sqrt(p*(1-p)/n) {
				t.Errorf("groups %v: the mean of unit %d is %v, want %v", groups, i, mean, p)
			}
		}
	}
}

// The log Z of blocks is the sum of theirs.
func TestBlocks(t *testing.T) {
	j := blocks(2, 10, true, rand.New(rand.NewPCG(1, 1)))
	if want := j.m.LogPartition(); math.Abs(j.logZ-want) > 1e-9 {
		t.Errorf("log Z is %v, want %v", j.logZ, want)
	}
}

func TestVerdict(t *testing.T) {
	var b bytes.Buffer
	args := strings.Fields("verdict -models 1 -seeds 2 -rows 20 -runs 10 -temperatures 5 -only ^six.blocks -cache")
	if err := run(context.Background(), &b, append(args, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, "\n") != 6 || !strings.Contains(got, "| six blocks of spins, of either sign | 2 | ") {
		t.Errorf("it prints\n%s", got)
	}
}

// A value outside a believable interval is a miss, by how far it is outside.
func TestMiss(t *testing.T) {
	var b bytes.Buffer
	believed := rbm.LogLikelihood{Low: -3, High: -2}
	doubted := believed
	doubted.Doubt = "a reason"
	line(&b, "x", []outcome{{believed, -2.5}, {believed, -1}, {believed, -3.25}, {doubted, -2}, {doubted, 0}})
	if want := "| x | 5 | 3 | 2 | 1.00 | 1.00 | 1 |\n"; b.String() != want {
		t.Errorf("the line is %q, want %q", b.String(), want)
	}
}
