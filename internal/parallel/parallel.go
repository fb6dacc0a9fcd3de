// Package parallel spreads work over goroutines.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Job is work in numbered parts, any of which may run at the same time as any
// other. Parts that run with the same worker number follow one another.
type Job interface {
	Do(worker, part int)
}

// A Team runs jobs, one at a time. The zero value is ready. After its first
// job it allocates nothing.
type Team struct {
	job     Job
	parts   int64
	next    atomic.Int64 // part to be claimed
	workers atomic.Int64 // numbers given out
	wait    sync.WaitGroup
	help    func()
}

// small is the work, in nanoseconds, below which waking a goroutine costs more
// than it saves.
const small = 20_000

// Workers returns how many workers a job deserves that has so many parts and
// takes about work nanoseconds on one processor.
func Workers(parts, work int) int {
	return max(1, min(runtime.GOMAXPROCS(0), parts, 1+work/small))
}

// Run does all parts of the job, on the calling goroutine and workers-1 others,
// and returns when the last is done. The parts are claimed one by one in their
// order; workers are numbered from 0.
func (t *Team) Run(workers, parts int, job Job) {
	if workers <= 1 || parts <= 1 {
		for part := range parts {
			job.Do(0, part)
		}
		return
	}
	if t.help == nil {
		t.help = func() {
			t.claim()
			t.wait.Done()
		}
	}
	t.job, t.parts = job, int64(parts)
	t.next.Store(0)
	t.workers.Store(0)
	t.wait.Add(workers - 1)
	for range workers - 1 {
		go t.help()
	}
	t.claim()
	t.wait.Wait()
	t.job = nil
}

func (t *Team) claim() {
	worker := int(t.workers.Add(1)) - 1
	for part := t.next.Add(1) - 1; part < t.parts; part = t.next.Add(1) - 1 {
		t.job.Do(worker, int(part))
	}
}
