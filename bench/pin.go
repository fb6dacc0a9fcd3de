package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseCPUs returns the sorted numbers of a list such as 0,2-4.
func parseCPUs(list string) ([]int, error) {
	var cpus []int
	for _, part := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseUint(from, 10, 10) // as many as a mask has
		if err != nil {
			return nil, fmt.Errorf("%q is no list of CPUs such as 0,2-4", list)
		}
		b, err := strconv.ParseUint(to, 10, 10)
		if err != nil || b < a {
			return nil, fmt.Errorf("%q is no list of CPUs such as 0,2-4", list)
		}
		for c := a; c <= b; c++ {
			cpus = append(cpus, int(c))
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// formatCPUs returns the list of sorted numbers.
func formatCPUs(cpus []int) string {
	var parts []string
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, strconv.Itoa(cpus[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", cpus[i], cpus[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}
