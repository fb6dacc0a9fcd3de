package main

import (
	"slices"
	"testing"
)

func TestCPULists(t *testing.T) {
	for _, tt := range []struct {
		list string
		cpus []int
		back string
	}{
		{"0", []int{0}, "0"},
		{"0,1", []int{0, 1}, "0-1"},
		{"4,0-2,1", []int{0, 1, 2, 4}, "0-2,4"},
		{"7-7,9", []int{7, 9}, "7,9"},
	} {
		got, err := parseCPUs(tt.list)
		if err != nil || !slices.Equal(got, tt.cpus) {
			t.Errorf("parseCPUs(%q) = %v, %v, want %v", tt.list, got, err, tt.cpus)
		}
		if back := formatCPUs(got); back != tt.back {
			t.Errorf("formatCPUs(%v) = %q, want %q", got, back, tt.back)
		}
	}
	for _, list := range []string{"", "a", "1,", "2-1", "-1", "1-", "1--2", "0-99999"} {
		if got, err := parseCPUs(list); err == nil {
			t.Errorf("parseCPUs(%q) = %v, want an error", list, got)
		}
	}
}
