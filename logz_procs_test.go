package rbm

import (
	"context"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
)

// The modes that LogLikelihood finds and log Z along a ladder are the same, bit for bit, for any
// GOMAXPROCS. The test must not be parallel.
func TestLogZOnAnyProcessors(t *testing.T) {
	ctx := context.Background()
	far, centers := farModes(70, 70, 1)
	rows := centers.Slice(1, 2).Gather(nil, make([]int, 30))
	models := trajectory(70, 70, 0.5, rand.New(rand.NewPCG(5, 5)))
	of := func() (LogLikelihood, LadderLogZ) {
		l, err := far.LogLikelihood(ctx, rows, NewAIS(70, 40, rand.NewPCG(1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		z, err := NewPTT(20, 1, models[:3], rand.NewPCG(1, 1)).LogZ(ctx, models[3], rows, 40)
		if err != nil {
			t.Fatal(err)
		}
		return l, z
	}
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	l, z := of()
	if len(l.Modes.LogWeights) == 0 || z.StdErr == 0 {
		t.Fatalf("no modes are found, or no error: %+v, %v", l.Modes, z)
	}
	for _, n := range []int{2, 3, 8} {
		runtime.GOMAXPROCS(n)
		if again, climbed := of(); !reflect.DeepEqual(again, l) || !reflect.DeepEqual(climbed, z) {
			t.Errorf("with GOMAXPROCS = %d: %v, modes %+v, and %v; want %v, modes %+v, and %v", n, again, again.Modes, climbed, l, l.Modes, z)
		}
	}
}
