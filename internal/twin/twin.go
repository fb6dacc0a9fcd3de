// Package twin compares the speed of kernels with the plain Go that defines them, for
// benchmarks.
package twin

import (
	"testing"
	"time"

	"github.com/gorbm/rbm/internal/cpu"
)

// Run compares the speed of work with each set of kernels and with plain Go. It reports
// how many times as fast as plain Go the sets are, in the metrics "AVX2-x-Go",
// "AVX512-x-Go" and "NEON-x-Go". A figure below 1 means that a kernel is worse than none.
// On a processor without these sets it only runs the work.
//
// The sets take turns, and the shortest time of each counts: other programs make times
// longer, but never shorter.
func Run(b *testing.B, work func()) {
	const long = 50 * time.Microsecond // against the resolution of the clock
	best := make(map[string]time.Duration)
	times := make(map[string]int)
	cpu.Each(func(name string) {
		for n := 1; ; n *= 2 {
			if times[name] = n; measure(work, n) >= long {
				return
			}
		}
	})
	each := func(name string, d time.Duration) time.Duration { return d / time.Duration(times[name]) }
	for b.Loop() {
		cpu.Each(func(name string) {
			d := measure(work, times[name])
			if before, ok := best[name]; !ok || each(name, d) < before {
				best[name] = each(name, d)
			}
		})
	}
	for name, d := range best {
		if name != "Go" {
			b.ReportMetric(float64(best["Go"])/float64(d), name+"-x-Go")
		}
	}
}

func measure(work func(), n int) time.Duration {
	start := time.Now()
	for range n {
		work()
	}
	return time.Since(start)
}
