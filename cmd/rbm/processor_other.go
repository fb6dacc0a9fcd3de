//go:build !darwin

package main

import (
	"os"
	"strings"
)

// processor returns the name of the CPU, or "": only Linux on amd64 and Windows tell it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, name, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(name)
		}
	}
	return os.Getenv("PROCESSOR_IDENTIFIER") // of Windows
}
