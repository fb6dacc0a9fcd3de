package main

import (
	"math"
	"os"
	"testing"
	"time"
)

func TestParseBusy(t *testing.T) {
	const text = `cpu  100 100 100 100 100 100 100 100 0 0
cpu0 1 2 3 1000 500 4 5 6 7 8
cpu1 10 20 30 1000 500 40 50 60 70 80
cpu10 1 1 1 1 1 1 1 1 1 1
intr 12345 1 2 3 4 5 6 7 8 9
`
	for _, tt := range []struct {
		cpus []int
		want time.Duration // negative for an error
	}{
		{[]int{0}, 21 * tick},
		{[]int{0, 1}, 231 * tick},
		{[]int{1, 10}, 216 * tick},
		{[]int{0, 2}, -1},
		{nil, -1},
	} {
		got, err := parseBusy(text, tt.cpus)
		if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
			t.Errorf("parseBusy of %v = %v, %v, want %v", tt.cpus, got, err, tt.want)
		}
	}
}

func TestParseProcessTime(t *testing.T) {
	got, err := parseProcessTime("42 (a (b) c) S 1 42 42 0 -1 4194560 500 0 0 0 7 5 1 2 20 0 1 0 100 1000 100\n")
	if want := 12 * tick; err != nil || got != want {
		t.Errorf("time = %v, %v, want %v", got, err, want)
	}
	for _, text := range []string{"", "42 (a) S 1", "42 a S 1 42 42 0 -1 4194560 500 0 0 0 7 5 1 2"} {
		if got, err := parseProcessTime(text); err == nil {
			t.Errorf("parseProcessTime(%q) = %v, want an error", text, got)
		}
	}
}

// The work of this process is not the work of others, and no work is more than all.
func TestLoad(t *testing.T) {
	cpus, err := pin(nil)
	if err != nil || cpus == nil {
		t.Skip("no CPUs are known here")
	}
	l := startLoad(cpus, []int{os.Getpid()})
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
	}
	if got := l.share(); !math.IsNaN(got) && (got < 0 || got > 1.5) {
		t.Errorf("others have had %v of the CPUs, want 0 to 1", got)
	}
	if got := startLoad(nil, nil).share(); !math.IsNaN(got) {
		t.Errorf("share of no CPUs = %v, want NaN", got)
	}
}
