// Package parallel spreads work over goroutines.
//
// The work of a call comes in short jobs, of some tens of microseconds each, with a
// barrier behind each job. To wake a sleeping thread may take as long as a job. So the
// goroutines of a call wait for its next job awake, for a while, before they block. They
// block at once if there are more of them than processors, as they would take the
// processor from each other.
//
// Package product defines the words part, share and team.
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

// A Job is work in numbered parts. Any two parts may run at the same time, unless they
// have the same worker number.
type Job interface {
	Do(worker, part int)
}

// A Team runs the jobs of a call, one at a time, between Start and Stop. The zero value is
// ready for Start. After its first use a Team allocates nothing.
type Team struct {
	Until *stop.Signal // ends jobs between two parts; may be nil

	most int // workers for the call

	job     Job
	workers int           // of the job
	shares  []share       // of the parts, one a worker
	state   atomic.Uint64 // number of the job << 32 | flags | helpers at work
	failed  atomic.Pointer[failure]
	own     failure // stands for a panic on the calling goroutine, which unwinds by itself

	helpers int // goroutines
	ids     atomic.Int64
	awake   time.Duration // how long a helper looks for news before it blocks
	help    func()
	alive   atomic.Int64
	gone    sync.WaitGroup

	mu       sync.Mutex
	news     sync.Cond    // of a new job or the end, for sleeping helpers
	sleeping atomic.Int64 // the number of sleeping helpers
	done     chan struct{}
}

// A share is a run of parts. A worker begins with its own share, so that in each job it
// finds the same memory in its cache. Then it helps with the shares of the others.
type share struct {
	next atomic.Int64 // the next part to be claimed
	end  int64
	_    [48]byte // each share has a cache line of its own
}

const (
	open    = 1 << 31 // the job may be joined
	waiting = 1 << 30 // the last helper at work must send on done
	quit    = 1 << 29 // helpers must end
	atWork  = quit - 1

	// worth is the least work of a call, in nanoseconds, for which goroutines are
	// started: their threads may take 100 µs to wake up.
	worth = 150_000

	// small is the least work of a job, in nanoseconds, for each goroutine but the first.
	small = 10_000

	// awake is how long a goroutine looks for news before it blocks: about the time that
	// it takes to wake up again.
	awake = 100 * time.Microsecond
)

// Start prepares for a call that takes about work nanoseconds on one processor. Stop must
// follow.
func (t *Team) Start(work int) {
	t.most = 1
	if work >= worth {
		t.most = runtime.GOMAXPROCS(0)
		t.grow(t.most - 1)
	}
}

// Workers returns the right number of workers for a job with this number of parts, which
// takes about work nanoseconds on one processor.
func (t *Team) Workers(parts, work int) int {
	return max(1, min(t.most, parts, 1+work/small))
}

// Run does all parts of the job, and returns when the last is done. Parts run on the
// calling goroutine, which is worker 0, and on up to workers-1 others. There must not be
// more workers than Workers returned.
//
// If a part panics, on any goroutine, Run panics with the same value: the first one, if
// there are several. It does so when the parts that run have ended, and skips the others.
// If Until is given, Run may skip parts, and panics like Look.
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

// end closes the job to more helpers, and waits for those that have joined it. If finished
// is false, a part on the calling goroutine is panicking.
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

// fail skips the parts that have not begun. If f is the first failure of the job, the job
// panics with it.
func (t *Team) fail(f *failure) {
	for w := range t.workers {
		t.shares[w].next.Store(t.shares[w].end)
	}
	t.failed.CompareAndSwap(nil, f)
}

// panic panics with the value of f, which recover then returns. If nothing recovers it,
// the program ends and prints two panics: the first shows the stack of the helper.
func (f *failure) panic() {
	defer panic(f.value)
	panic(fmt.Sprintf("parallel: panic on a helping goroutine:\n\n%s", f.stack))
}

// Call is Start, Run and Stop for a call of one job, which takes about work nanoseconds on
// one processor.
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

// publish sets the state to the next job, or to the end, and wakes the helpers that sleep.
func (t *Team) publish(flag uint64) {
	number := t.state.Load()>>32 + 1
	t.state.Store(number<<32 | flag)
	if t.sleeping.Load() > 0 {
		t.mu.Lock()
		t.news.Broadcast()
		t.mu.Unlock()
	}
}

// wait waits until no helper is at work.
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

// serve helps with one job after the other, until the end.
func (t *Team) serve(worker int) {
	var last uint64 // the last job that was joined
	for {
		s := t.newer(last)
		if s&quit != 0 {
			return
		}
		if s&open == 0 || !t.state.CompareAndSwap(s, s+1) {
			continue // the job is closed, or another helper was faster
		}
		last = s >> 32
		t.join(worker)
	}
}

// join helps with the job. The helper must have been counted among those at work.
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

// newer waits for an open job other than the last one, or for the end, and returns the
// state.
func (t *Team) newer(last uint64) uint64 {
	isNew := func(s uint64) bool { return s&quit != 0 || s&open != 0 && s>>32 != last }
	if t.await(func() bool { return isNew(t.state.Load()) }) {
		return t.state.Load() // serve checks that it is still open
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

// await looks for news for a while, and reports whether it came. It does not yield: the
// scheduler would run another goroutine for a whole time slice, a hundred times as long
// as this takes.
func (t *Team) await(come func() bool) bool {
	if come() {
		return true
	}
	const looks = 16 // for each look at the clock
	for start := time.Now(); time.Since(start) < t.awake; {
		for range looks {
			if come() {
				return true
			}
		}
	}
	return false
}

// claim does parts of the job that no worker has begun, until there are none.
func (t *Team) claim(worker int) {
	for w := range t.workers {
		s := &t.shares[(worker+w)%t.workers]
		for part := s.next.Add(1) - 1; part < s.end && !t.Until.Given(); part = s.next.Add(1) - 1 {
			t.job.Do(worker, int(part))
		}
	}
}
