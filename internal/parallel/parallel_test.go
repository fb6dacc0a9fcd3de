package parallel

import (
	"runtime"
	"sync/atomic"
	"testing"
)

type counter struct {
	done []atomic.Int32 // by part
	busy []atomic.Int32 // by worker
	bad  atomic.Bool
}

func (c *counter) Do(worker, part int) {
	if c.busy[worker].Add(1) != 1 {
		c.bad.Store(true) // two parts at a time with one worker number
	}
	c.done[part].Add(1)
	runtime.Gosched()
	c.busy[worker].Add(-1)
}

func TestRun(t *testing.T) {
	var team Team
	for _, workers := range []int{1, 2, 3, 8} {
		for _, parts := range []int{0, 1, 2, 7, 100} {
			c := counter{done: make([]atomic.Int32, parts), busy: make([]atomic.Int32, workers)}
			team.Run(workers, parts, &c)
			for part := range c.done {
				if n := c.done[part].Load(); n != 1 {
					t.Errorf("workers=%d/parts=%d: part %d ran %d times, want once", workers, parts, part, n)
				}
			}
			if c.bad.Load() {
				t.Errorf("workers=%d/parts=%d: a worker number ran two parts at a time", workers, parts)
			}
		}
	}
}

func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, tt := range []struct{ parts, work, want int }{
		{100, 0, 1},
		{100, small - 1, 1},
		{100, 1e9, 4},
		{3, 1e9, 3},
		{1, 1e9, 1},
		{0, 1e9, 1},
	} {
		if got := Workers(tt.parts, tt.work); got != tt.want {
			t.Errorf("Workers(%d, %d) = %d, want %d", tt.parts, tt.work, got, tt.want)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	var team Team
	c := counter{done: make([]atomic.Int32, 2), busy: make([]atomic.Int32, 2)}
	b.ReportAllocs()
	for b.Loop() {
		team.Run(2, 2, &c)
	}
}
