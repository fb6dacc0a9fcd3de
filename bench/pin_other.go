//go:build !linux

package main

import "errors"

// pin returns an error if there are CPUs to pin to: only Linux can.
func pin(cpus []int) ([]int, error) {
	if cpus != nil {
		return nil, errors.New("only on Linux can a process be pinned to CPUs")
	}
	return nil, nil
}
