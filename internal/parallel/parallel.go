// Package parallel spreads work over goroutines.
//
// The work of a call comes in short jobs with barriers between them, some tens
// of microseconds each. To wake a sleeping thread may take as long as a job
// does, so the goroutines of a call wait for its next job awake, for a while,
// before they block. They do not where they would take the processor from each
// other: where there are more of them than processors.
package parallel

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorbm/rbm/internal/stop"
)

// A Job is work in numbered parts, any of which may run at the same time as any
// other. Parts that run with the same worker number follow one another.
type Job interface {
	Do(worker, part int)
}

// A Team runs the jobs of a call, one at a time, between Start and Stop. The
// zero value is ready for Start. After its first use it allocates nothing.
type Team struct {
	Until *stop.Signal // ends jobs between two of their parts; nil: nothing does

	most int // workers for the call

	job     Job
	workers int           // of the job
	shares  []share       // of the parts, one a worker
	state   atomic.Uint64 // number of the job << 32 | flags | helpers at work
	failed  atomic.Pointer[failure]
	own     failure // stands for a panic on the calling goroutine, which goes its way

	helpers int // goroutines
	ids     atomic.Int64
	awake   time.Duration // how long to look for news before blocking
	help    func()
	alive   atomic.Int64
	gone    sync.WaitGroup

	mu       sync.Mutex
	news     sync.Cond    // of a new job or the end, for sleeping helpers
	sleeping atomic.Int64 // how many they are
	done     chan struct{}
}

// A share is a run of parts. A worker begins with its own, so that in one job
// after the other it finds the same memory in its cache, and then helps with the
// others'.
type share struct {
	next atomic.Int64 // part to be claimed
	end  int64
	_    [48]byte // a cache line to each
}

const (
	open    = 1 << 31 // the job may be joined
	waiting = 1 << 30 // the last helper at work must say so
	quit    = 1 << 29
	atWork  = quit - 1

	// worth is the work of a call, in nanoseconds, for which another goroutine
	// is started: its thread may wake up only after 100 µs.
	worth = 150_000

	// small is the work of a job for which another goroutine is no use.
	small = 10_000

	// awake is how long a goroutine looks for news before it blocks: about as
	// long as it takes to wake up again.
	awake = 100 * time.Microsecond
)

// Start makes ready for a call that takes about work nanoseconds on one
// processor. Stop must follow.
func (t *Team) Start(work int) {
	t.most = 1
	if work >= worth {
		t.most = runtime.GOMAXPROCS(0)
		t.grow(t.most - 1)
	}
}

// Workers returns how many workers a job deserves that has so many parts and
// takes about work nanoseconds on one processor.
func (t *Team) Workers(parts, work int) int {
	return max(1, min(t.most, parts, 1+work/small))
}

// Run does all parts of the job, on the calling goroutine and up to workers-1
// others, as many as Workers allows, and returns when the last is done. Workers
// are numbered from 0. The first part that panics makes Run panic with the same
// value, whatever goroutine it was on, once the parts that run have ended; the
// others are skipped. If Until is given, Run panics as Look does, and parts may have
// been skipped.
func (t *Team) Run(workers, parts int, job Job) {
	if workers <= 1 || parts <= 1 {
		for part := 0; part < parts && !t.Until.Given(); part++ {
			job.Do(0, part)
		}
	} else {
		t.spread(workers, parts, job)
	}
	t.Until.Look()
}

// spread does the parts of the job on several goroutines.
func (t *Team) spread(workers, parts int, job Job) {
	t.job, t.workers = job, workers
	for w := range workers {
		t.shares[w].next.Store(int64(parts * w / workers))
		t.shares[w].end = int64(parts * (w + 1) / workers)
	}
	t.publish(open)
	finished := false
	defer func() { t.end(finished) }()
	t.claim(0)
	finished = true
}

// end waits for the helpers that have joined the job; nobody may any more. Unless
// the caller's parts are finished, one of them panics now.
func (t *Team) end(finished bool) {
	if !finished {
		t.fail(&t.own)
	}
	for {
		s := t.state.Load()
		if t.state.CompareAndSwap(s, s&^open) {
			break
		}
	}
	t.wait()
	t.job = nil
	if first := t.failed.Swap(nil); first != nil && first != &t.own {
		first.panic()
	}
}

// A failure is the panic of a part on a helper's goroutine.
type failure struct {
	value any
	stack []byte
}

// fail skips the parts that have not begun, and makes f the reason why the job
// panics, if it is the first.
func (t *Team) fail(f *failure) {
	for w := range t.workers {
		t.shares[w].next.Store(t.shares[w].end)
	}
	t.failed.CompareAndSwap(nil, f)
}

// panic panics with the value, which is what recover returns. Where nobody does,
// the program ends with both panics, and the first shows where it was.
func (f *failure) panic() {
	defer panic(f.value)
	panic(fmt.Sprintf("parallel: panic on a helping goroutine:\n\n%s", f.stack))
}

// Call is Start, Run and Stop for a call of one job, which takes about work
// nanoseconds on one processor.
func (t *Team) Call(work, parts int, job Job) {
	t.Start(work)
	defer t.Stop()
	t.Run(t.Workers(parts, work), parts, job)
}

// Stop ends the goroutines of the team.
func (t *Team) Stop() {
	if t.helpers == 0 {
		return
	}
	t.publish(quit)
	t.await(func() bool { return t.alive.Load() == 0 })
	t.gone.Wait()
	t.helpers = 0
}

// grow starts n helpers.
func (t *Team) grow(n int) {
	if t.help == nil {
		t.news.L = &t.mu
		t.done = make(chan struct{}, 1)
		t.help = func() {
			defer t.gone.Done()
			defer t.alive.Add(-1)
			t.serve(int(t.ids.Add(1)))
		}
	}
	if len(t.shares) <= n {
		t.shares = make([]share, n+1)
	}
	t.awake = awake
	if n >= runtime.NumCPU() {
		t.awake = 0
	}
	t.ids.Store(0)
	t.state.Store(t.state.Load() &^ quit)
	t.helpers = n
	t.gone.Add(n)
	t.alive.Add(int64(n))
	for range n {
		go t.help()
	}
}

// publish sets the state to that of the next job, or to the end.
func (t *Team) publish(flag uint64) {
	number := t.state.Load()>>32 + 1
	t.state.Store(number<<32 | flag)
	if t.sleeping.Load() > 0 {
		t.mu.Lock()
		t.news.Broadcast()
		t.mu.Unlock()
	}
}

// wait returns when no helper is at work.
func (t *Team) wait() {
	if t.await(func() bool { return t.state.Load()&atWork == 0 }) {
		return
	}
	for {
		s := t.state.Load()
		if s&atWork == 0 {
			return
		}
		if t.state.CompareAndSwap(s, s|waiting) {
			<-t.done
			return
		}
	}
}

// serve is a helper's life.
func (t *Team) serve(worker int) {
	var last uint64 // job that was seen
	for {
		s := t.newer(last)
		if s&quit != 0 {
			return
		}
		if s&open == 0 || !t.state.CompareAndSwap(s, s+1) {
			continue // too late for it, or another one was faster
		}
		last = s >> 32
		t.join(worker)
	}
}

// join helps with the job, as one of those at work.
func (t *Team) join(worker int) {
	finished := false
	defer func() {
		if !finished {
			t.fail(&failure{cmp.Or(recover(), any("parallel: a part has ended its goroutine")), debug.Stack()})
		}
		if s := t.state.Add(^uint64(0)); s&atWork == 0 && s&waiting != 0 {
			t.done <- struct{}{}
		}
	}()
	if worker < t.workers {
		t.claim(worker)
	}
	finished = true
}

// newer returns the state once it is that of a job after the last one, and open,
// or the end.
func (t *Team) newer(last uint64) uint64 {
	isNew := func(s uint64) bool { return s&quit != 0 || s&open != 0 && s>>32 != last }
	if t.await(func() bool { return isNew(t.state.Load()) }) {
		return t.state.Load() // serve looks whether it is open still
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sleeping.Add(1)
	defer t.sleeping.Add(-1)
	for {
		if s := t.state.Load(); isNew(s) {
			return s
		}
		t.news.Wait()
	}
}

// await looks for news for a while, and reports whether it came. It does not
// yield: the scheduler would give what else there is to run a whole time slice,
// a hundred times as long as this lasts.
func (t *Team) await(come func() bool) bool {
	if come() {
		return true
	}
	const looks = 16 // to one at the clock
	for start := time.Now(); time.Since(start) < t.awake; {
		for range looks {
			if come() {
				return true
			}
		}
	}
	return false
}

func (t *Team) claim(worker int) {
	for w := range t.workers {
		s := &t.shares[(worker+w)%t.workers]
		for part := s.next.Add(1) - 1; part < s.end && !t.Until.Given(); part = s.next.Add(1) - 1 {
			t.job.Do(worker, int(part))
		}
	}
}
