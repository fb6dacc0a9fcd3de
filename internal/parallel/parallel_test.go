package parallel

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gorbm/rbm/internal/stop"
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

// Some jobs end before a helper notices them, and some helpers fall asleep between jobs.
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
			runtime.Gosched() // a helper may be counted as gone and still have to end
		}
	}
}

// bombs is a job of two workers. Both take a part before either continues, so each may
// panic before the job has failed or after it.
type bombs struct {
	team  *Team
	begun atomic.Int32 // parts
	by    [2]func(failed bool)
}

func (b *bombs) Do(worker, _ int) {
	b.begun.Add(1)
	for b.begun.Load() < 2 {
		runtime.Gosched()
	}
	b.by[worker](false)
	for b.team.failed.Load() == nil {
		runtime.Gosched()
	}
	b.by[worker](true)
}

// A panic of any part reaches the caller of Run with its value, the first of
// several, and parts that have not begun are skipped. The team can be used again.
func TestPanic(t *testing.T) {
	quiet := func(bool) {}
	first, second := new(int), new(int)
	now := func(failed bool) {
		if !failed {
			panic(first)
		}
	}
	later := func(failed bool) {
		if failed {
			panic(second)
		}
	}
	exit := func(failed bool) {
		if !failed {
			runtime.Goexit()
		}
	}
	before := runtime.NumGoroutine()
	var team Team
	for _, tt := range []struct {
		name string
		by   [2]func(failed bool)
		want any
	}{
		{"caller", [2]func(bool){now, quiet}, first},
		{"helper", [2]func(bool){quiet, now}, first},
		{"caller first", [2]func(bool){now, later}, first},
		{"helper first", [2]func(bool){later, now}, first},
		{"helper exits", [2]func(bool){quiet, exit}, "parallel: a part has ended its goroutine"},
	} {
		for range 20 {
			func() {
				start(t, &team, 2)
				defer team.Stop()
				job := &bombs{team: &team, by: tt.by}
				defer func() {
					if got := recover(); got != tt.want {
						t.Errorf("%s: panic with %v, want %v", tt.name, got, tt.want)
					}
					if got := job.begun.Load(); got != 2 {
						t.Errorf("%s: %d parts have begun, want one of each worker", tt.name, got)
					}
				}()
				team.Run(2, 100, job)
			}()
			c := newCounter(100, 4)
			start(t, &team, 4)
			team.Run(4, 100, c)
			team.Stop()
			c.check(t, 4)
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 1e6 {
			t.Fatalf("%d goroutines after panics, want %d", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

// If nothing recovers the panic, the program ends, and prints the value and the place.
func TestPanicThatEndsTheProgram(t *testing.T) {
	if os.Getenv("PARALLEL_TEST_PANIC") != "" {
		var team Team
		start(t, &team, 2)
		team.Run(2, 2, &bombs{team: &team, by: [2]func(bool){func(bool) {}, func(bool) { explode() }}})
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestPanicThatEndsTheProgram$")
	cmd.Env = append(os.Environ(), "PARALLEL_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("an emulated program cannot start itself: ", err)
	}
	if err == nil {
		t.Error("the program has not ended with an error")
	}
	for _, want := range []string{"helping goroutine", "parallel.explode(", "panic: bomb"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the program has not ended with %q but with\n%s", want, out)
		}
	}
}

//go:noinline
func explode() { panic("bomb") }

func TestGuard(t *testing.T) {
	take := func(g *Guard, name string) (message any) {
		defer func() { message = recover() }()
		g.Take(name)
		return nil
	}
	var g Guard
	if got := take(&g, "PCD"); got != nil {
		t.Errorf("first use: panic with %v", got)
	}
	const want = "rbm: PT is used by two goroutines at once, or inside a call that uses it: each needs its own"
	for range 2 {
		if got := take(&g, "PT"); got != want {
			t.Errorf("second use: panic with %v, want %v", got, want)
		}
	}
	g.Release()
	if got := take(&g, "PCD"); got != nil {
		t.Errorf("use after the release: panic with %v", got)
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
	// This is not testing.AllocsPerRun, which leaves one processor: then there are no
	// helpers. And a change of GOMAXPROCS drops the caches of the runtime.
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
	// The runtime allocates goroutines until each processor has some to use again. The
	// rest of the process may allocate during one measurement, but not during all.
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

// until is a context that is done from look number last on.
type until struct {
	context.Context
	looks atomic.Int64
	last  int64
}

func (c *until) Err() error {
	if c.looks.Add(1) >= c.last {
		return context.Canceled
	}
	return nil
}

// A job ends between two parts when its signal is given, whatever goroutine sees it first.
// Without the signal all parts are done. The team can be used again.
func TestUntil(t *testing.T) {
	var team Team
	for _, workers := range []int{1, 2, 4} {
		start(t, &team, workers)
		const parts = 20
		for last := range int64(parts + 5) {
			s := stop.On(&until{Context: context.Background(), last: last})
			team.Until = s
			c := newCounter(parts, workers)
			ended := s.Catch(func() { team.Run(workers, parts, c) })
			var done int64
			for part := range c.done {
				done += int64(c.done[part].Load())
			}
			if ended != s.Seen() || !ended && done != parts || ended && done > max(0, last-1) {
				t.Errorf("workers=%d: a signal given at look %d has ended the job: %v, after %d of %d parts", workers, last, ended, done, parts)
			}
			if last <= parts && !ended {
				t.Errorf("workers=%d: a signal given at look %d has not ended the job", workers, last)
			}
		}
		team.Until = nil
		c := newCounter(parts, workers)
		team.Run(workers, parts, c)
		c.check(t, workers)
		team.Stop()
	}
}
