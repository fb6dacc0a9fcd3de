// Package twin times kernels beside the plain Go that defines them, for benchmarks.
package twin

import (
	"testing"
	"time"

	"github.com/gorbm/rbm/internal/cpu"
)

// Run reports how many times as fast as plain Go work is with each set of kernels
// that this processor has, in a metric "AVX2-x-Go" or "AVX512-x-Go". A figure below
// 1 is a kernel that is worse than none. Without kernels it only runs the work.
//
// The sets take turns, and the shortest of the times of each one counts: other
// programs make some longer, and none shorter.
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
