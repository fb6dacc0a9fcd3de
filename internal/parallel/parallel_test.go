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

func newCounter(parts, workers int) *counter {
	return &counter{done: make([]atomic.Int32, parts), busy: make([]atomic.Int32, workers)}
}

func (c *counter) Do(worker, part int) {
	if c.busy[worker].Add(1) != 1 {
		c.bad.Store(true) // two parts at a time with one worker number
	}
	c.done[part].Add(1)
	runtime.Gosched()
	c.busy[worker].Add(-1)
}

func (c *counter) check(t *testing.T, workers int) {
	t.Helper()
	for part := range c.done {
		if n := c.done[part].Load(); n != 1 {
			t.Errorf("workers=%d/parts=%d: part %d ran %d times, want once", workers, len(c.done), part, n)
		}
	}
	if c.bad.Load() {
		t.Errorf("workers=%d/parts=%d: a worker number ran two parts at a time", workers, len(c.done))
	}
}

// start makes a team of n workers ready.
func start(t testing.TB, team *Team, n int) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	team.Start(worth)
	if got := team.Workers(1e6, 1e9); got != n {
		t.Fatalf("Workers = %d, want %d", got, n)
	}
}

func TestRun(t *testing.T) {
	var team Team
	for range 20 {
		for _, workers := range []int{1, 2, 3, 8, 2} {
			start(t, &team, workers)
			for _, parts := range []int{0, 1, 2, 7, 100} {
				for w := 1; w <= workers; w++ {
					c := newCounter(parts, w)
					team.Run(w, parts, c)
					c.check(t, w)
				}
			}
			team.Stop()
		}
	}
}

// Jobs that are shorter than it takes a helper to notice them, and helpers that
// have gone to sleep between jobs.
func TestShortAndRareJobs(t *testing.T) {
	var team Team
	start(t, &team, 4)
	defer team.Stop()
	for i := range 2000 {
		c := newCounter(2, 4)
		team.Run(4, 2, c)
		c.check(t, 4)
		if i%100 == 0 {
			for range 3 * awake {
				runtime.Gosched()
			}
		}
	}
}

func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	var team Team
	for range 100 {
		start(t, &team, 4)
		team.Run(4, 8, newCounter(8, 4))
		team.Stop()
		team.Stop() // does nothing
		for i := 0; runtime.NumGoroutine() > before; i++ {
			if i == 1e6 {
				t.Fatalf("%d goroutines after Stop, want %d", runtime.NumGoroutine(), before)
			}
			runtime.Gosched() // one that has said goodbye may not be gone yet
		}
	}
}

type bomb struct{ *counter }

func (b bomb) Do(worker, part int) {
	b.counter.Do(worker, part)
	if worker == 0 {
		panic("bomb")
	}
}

// A part that panics on the calling goroutine does not leave helpers behind.
func TestPanic(t *testing.T) {
	var team Team
	panics := 0
	for range 20 {
		func() {
			start(t, &team, 4)
			defer team.Stop()
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			team.Run(4, 100, bomb{newCounter(100, 4)})
		}()
		c := newCounter(100, 4)
		start(t, &team, 4)
		team.Run(4, 100, c)
		team.Stop()
		c.check(t, 4)
	}
	if panics == 0 { // the helpers may have done all parts, but not each time
		t.Error("no panic reached the caller")
	}
}

func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, tt := range []struct{ call, parts, work, want int }{
		{worth, 100, 0, 1},
		{worth, 100, small - 1, 1},
		{worth, 100, 1e9, 4},
		{worth, 3, 1e9, 3},
		{worth, 1, 1e9, 1},
		{worth, 0, 1e9, 1},
		{worth - 1, 100, 1e9, 1},
	} {
		var team Team
		team.Start(tt.call)
		if got := team.Workers(tt.parts, tt.work); got != tt.want {
			t.Errorf("Start(%d): Workers(%d, %d) = %d, want %d", tt.call, tt.parts, tt.work, got, tt.want)
		}
		team.Stop()
	}
}

func TestCallAllocatesNothing(t *testing.T) {
	// testing.AllocsPerRun would leave one processor, where there are no
	// helpers, and a change of GOMAXPROCS drops what the runtime has cached.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	var team Team
	c := newCounter(5, 3)
	const calls = 100
	allocations := func() uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			team.Start(worth)
			team.Run(3, 5, c)
			team.Stop()
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	// The runtime makes goroutines until each processor has some to use again,
	// and what else the process does may allocate during one measurement, but
	// not during all.
	var got uint64
	for range 20 {
		if got = allocations(); got < calls {
			return
		}
	}
	t.Errorf("%d allocations in %d calls", got, calls)
}

func BenchmarkRun(b *testing.B) {
	var team Team
	start(b, &team, 2)
	defer team.Stop()
	c := newCounter(2, 2)
	for b.Loop() {
		team.Run(2, 2, c)
	}
}
