package main

import (
	"runtime"
	"slices"
	"testing"
)

func TestPin(t *testing.T) {
	all, err := pin(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != runtime.NumCPU() {
		t.Errorf("the process may use CPUs %v, want %d of them", all, runtime.NumCPU())
	}
	if same, err := pin(all); err != nil || !slices.Equal(same, all) {
		t.Errorf("pin(%v) = %v, %v", all, same, err)
	}
	if got, err := pin([]int{1023}); err == nil && !slices.Contains(all, 1023) {
		t.Errorf("pin to a CPU that is not there = %v, want an error", got)
	}
}
