package main

import (
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
)

func TestBarsAndStripes(t *testing.T) {
	data := barsAndStripes(4)
	n, nv := data.Dims()
	if n != 32 || nv != 16 {
		t.Fatalf("barsAndStripes(4) is %d×%d, want 32×16", n, nv)
	}
	count := make(map[uint]int)
	for r := range n {
		var x uint
		for i := range nv {
			if data.Bit(r, i) {
				x |= 1 << i
			}
		}
		count[x]++
	}
	if len(count) != 30 {
		t.Errorf("there are %d pictures, want 30", len(count))
	}
	for x, want := range map[uint]int{0x0000: 2, 0xffff: 2, 0x000f: 1, 0xf00f: 1, 0x1111: 1, 0x9999: 1, 0x0001: 0} {
		if count[x] != want {
			t.Errorf("picture %04x occurs %d times, want %d", x, count[x], want)
		}
	}
}

func TestBound(t *testing.T) {
	for _, test := range []struct {
		side int
		want float64
	}{
		{2, -1.7329}, // eight rows: blank and full twice, four others once
		{3, -2.5993},
		{4, -3.3791},
	} {
		if got := bound(barsAndStripes(test.side)); math.Abs(got-test.want) > 5e-5 {
			t.Errorf("the bound for side %d is %.5f, want %.4f", test.side, got, test.want)
		}
	}
}

func TestExactReachesTheBound(t *testing.T) {
	if testing.Short() {
		t.Skip("a training of this length has the same bits in every build")
	}
	data := barsAndStripes(3)
	l := &learner{
		model:   rbm.NewRandom(9, 12, 0.5, rand.NewPCG(1, 0)),
		sampler: &rbm.Exact{},
		rate:    rbm.Constant(0.3),
	}
	before := l.note(0, data)
	for n := range 3000 {
		l.step(n, data)
	}
	after, limit := l.note(3000, data), bound(data)
	if before >= after || after > limit || after < limit-0.05 {
		t.Errorf("the log-likelihood rose from %.4f to %.4f, want at most 0.05 below %.4f", before, after, limit)
	}
}

func TestParse(t *testing.T) {
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err },
		[]string{"", "-hidden 1 -updates 1 -rate 0.5 -seed 7", "-hidden 64 -rate 10"},
		[]string{
			"-hidden 0", "-hidden 65", "-hidden x", "-updates 0", "-updates -1",
			"-rate 0", "-rate -1", "-rate NaN", "-rate Inf", "-rate 11", "-seed -1", "-unknown", "bars",
		})
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-updates") {
		t.Errorf("parse(-help) = %v and wrote %q", err, help.String())
	}
}

func TestRun(t *testing.T) {
	var first, second strings.Builder
	o := options{hidden: 3, updates: 5, rate: 0.1, seed: 1}
	run(o, &first)
	run(o, &second)
	if first.String() != second.String() {
		t.Error("two runs with the same seed printed different text")
	}
	for _, want := range []string{"CD-1     CD-10     PCD-1        PT       PTT", "\n      0", "\n      5", "bound   -3.3791", "PCD-1  ended"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("run printed\n%swant it to contain %q", first.String(), want)
		}
	}
}
