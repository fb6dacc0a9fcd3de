package main

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// cpuName returns the name of the CPU, or the architecture if it has none.
func cpuName() string {
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := parseCPUInfo(text); name != "" {
			return name
		}
	}
	if runtime.GOOS == "darwin" {
		if name, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
			return strings.TrimSpace(string(name))
		}
	}
	if name := os.Getenv("PROCESSOR_IDENTIFIER"); name != "" { // Windows
		return name
	}
	return runtime.GOARCH
}

// parseCPUInfo returns the first model name of /proc/cpuinfo, or "".
func parseCPUInfo(text []byte) string {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
