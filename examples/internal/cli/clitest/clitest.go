// Package clitest lets the tests of a program run it as a process.
package clitest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const variable = "CLITEST_MAIN"

// Main is the TestMain of the program: in the processes of Command it runs main.
func Main(m *testing.M, main func()) {
	if os.Getenv(variable) == "1" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Command returns the program with the given arguments.
func Command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), variable+"=1")
	return cmd
}

// CheckExit runs the program, which must end with a code, and with one line that
// says why if that is not 0.
func CheckExit(t *testing.T, code int, args ...string) {
	t.Helper()
	cmd := Command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%q: exit code %d (%v), want %d", args, got, err, code)
	}
	if lines := strings.Count(stderr.String(), "\n"); lines != min(code, 1) {
		t.Errorf("%q printed %q, want one line if it failed", args, stderr.String())
	}
}

// CheckParse checks that parse accepts some lines of arguments and gives errors for
// others, which name the flag and its value.
func CheckParse(t *testing.T, parse func(args []string) error, good, bad []string) {
	t.Helper()
	for _, line := range good {
		if err := parse(strings.Fields(line)); err != nil {
			t.Errorf("parse(%q) = %v", line, err)
		}
	}
	for _, line := range bad {
		err := parse(strings.Fields(line))
		if err == nil {
			t.Errorf("parse(%q) succeeded, want an error", line)
			continue
		}
		name, value, _ := strings.Cut(strings.Replace(line, "=", " ", 1), " ")
		if !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("parse(%q) = %q, want it to name %s and %s", line, err, name, value)
		}
	}
}
