package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// pin pins this process, and with it those that it starts, to CPUs, and returns them; nil
// means all that the process may use. A change starts the program anew: the mask of a thread
// is that of the threads it starts, and only a new program has one thread.
func pin(cpus []int) ([]int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	allowed, err := affinity()
	if err != nil {
		return nil, err
	}
	if cpus == nil || slices.Equal(cpus, allowed) {
		return allowed, nil
	}
	var set unix.CPUSet
	for _, c := range cpus {
		if !slices.Contains(allowed, c) {
			return nil, fmt.Errorf("this process may use CPUs %s, not %d", formatCPUs(allowed), c)
		}
		set.Set(c)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("pinning to CPUs %s: %w", formatCPUs(cpus), err)
	}
	if now, err := affinity(); err != nil || !slices.Equal(now, cpus) {
		return nil, fmt.Errorf("pinning to CPUs %s has no effect", formatCPUs(cpus))
	}
	return nil, syscall.Exec(exe, os.Args, os.Environ())
}

// affinity returns the CPUs of the calling thread.
func affinity() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("reading the CPUs of the process: %w", err)
	}
	var cpus []int
	for c := range 1024 { // as many as a mask has
		if set.IsSet(c) {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}
