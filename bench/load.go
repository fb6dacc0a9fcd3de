package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of time in /proc, on all Linux systems that Go runs on.
const tick = 10 * time.Millisecond

// A load measures the work of others on the CPUs.
type load struct {
	cpus  []int
	pids  []int // of our own
	start time.Time
	other time.Duration // before start
}

// startLoad starts to measure the work on CPUs of other processes than those given.
func startLoad(cpus, pids []int) load {
	l := load{cpus: cpus, pids: pids}
	l.other, l.start = l.now(), time.Now()
	return l
}

// share returns the share of the time of the CPUs that others have had since the start, or
// NaN where it is not known.
func (l load) share() float64 {
	now, elapsed := l.now(), time.Since(l.start)
	if now < 0 || l.other < 0 {
		return math.NaN()
	}
	return max(0, (now-l.other).Seconds()/(elapsed.Seconds()*float64(len(l.cpus))))
}

// now returns the time that others have had so far, or a negative number if it is not known.
// Its start is arbitrary.
func (l load) now() time.Duration {
	const unknown = -1
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return unknown
	}
	total, err := parseBusy(string(text), l.cpus)
	if err != nil {
		return unknown
	}
	for _, pid := range l.pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return unknown
		}
		own, err := parseProcessTime(string(text))
		if err != nil {
			return unknown
		}
		total -= own
	}
	return max(total, 0)
}

// parseBusy returns the time that CPUs have not been idle, by /proc/stat. What a hypervisor
// gave to others counts.
func parseBusy(text string, cpus []int) (time.Duration, error) {
	found, ticks := 0, 0
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") {
			continue
		}
		n, err := strconv.Atoi(f[0][len("cpu"):])
		if err != nil || !slices.Contains(cpus, n) { // the first line is of all
			continue
		}
		found++
		for k, s := range f[1:9] {
			const idle, waiting = 3, 4
			if k == idle || k == waiting {
				continue
			}
			x, err := strconv.Atoi(s)
			if err != nil {
				return 0, err
			}
			ticks += x
		}
	}
	if found == 0 || found != len(cpus) {
		return 0, fmt.Errorf("/proc/stat has %d of %d CPUs", found, len(cpus))
	}
	return time.Duration(ticks) * tick, nil
}

// parseProcessTime returns the time that a process has had, by its /proc/PID/stat.
func parseProcessTime(text string) (time.Duration, error) {
	_, text, ok := strings.Cut(text[max(strings.LastIndexByte(text, ')'), 0):], ")") // of its name
	f := strings.Fields(text)
	const user, system = 11, 12
	if !ok || len(f) <= system {
		return 0, fmt.Errorf("%q has no times", text)
	}
	u, err := strconv.Atoi(f[user])
	if err != nil {
		return 0, err
	}
	s, err := strconv.Atoi(f[system])
	if err != nil {
		return 0, err
	}
	return time.Duration(u+s) * tick, nil
}
