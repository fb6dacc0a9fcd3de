package cpu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// printKernels makes the test binary a program that prints the kernels in use.
const printKernels = "RBM_TEST_PRINT_KERNELS"

func TestMain(m *testing.M) {
	if os.Getenv(printKernels) != "" {
		fmt.Println(Kernels())
		return
	}
	os.Exit(m.Run())
}

// values are all of RBM_SIMD, with the sets that each leaves of AVX2, AVX-512 and NEON.
func values(avx2, avx512, neon bool) map[string][3]bool {
	return map[string][3]bool{
		"":     {avx2, avx512, neon},
		"avx2": {avx2, false, neon},
		"off":  {},
	}
}

// wrong are values that mean nothing.
var wrong = []string{"OFF", "avx512", "1", "off ", "none"}

func message(value string) string {
	return fmt.Sprintf("rbm: the environment variable RBM_SIMD is %q, want avx2 (no AVX-512), off (plain Go), or nothing", value)
}

func TestChoose(t *testing.T) {
	for _, has := range [][3]bool{{}, {true}, {true, true}, {false, false, true}, {true, true, true}} {
		for value, want := range values(has[0], has[1], has[2]) {
			avx2, avx512, neon := choose(value, has[0], has[1], has[2])
			if got := [3]bool{avx2, avx512, neon}; got != want {
				t.Errorf("choose(%q, %v) = %v, want %v", value, has, got, want)
			}
		}
	}
	for _, value := range wrong {
		func() {
			defer func() {
				if got, want := recover(), message(value); got != want {
					t.Errorf("choose(%q): panic %v, want %v", value, got, want)
				}
			}()
			choose(value, true, true, false)
		}()
	}
}

// A process uses the kernels that RBM_SIMD leaves, and ends at its start if the value means
// nothing.
func TestVariable(t *testing.T) {
	has := values(detect())
	for value, sets := range has {
		want := kernelsOf(sets)
		if got, err := start(t, Variable+"="+value); err != nil || got != want {
			t.Errorf("%s=%s: kernels %q, error %v, want %q", Variable, value, got, err, want)
		}
	}
	want := kernelsOf(has[""])
	if got, err := start(t); err != nil || got != want {
		t.Errorf("without %s: kernels %q, error %v, want %q", Variable, got, err, want)
	}
	for _, value := range wrong {
		want := "panic: " + message(value)
		if got, err := start(t, Variable+"="+value); err == nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s=%s: %q, error %v, want %q", Variable, value, got, err, want)
		}
	}
}

func kernelsOf(sets [3]bool) string {
	avx2, avx512, neon := AVX2, AVX512, NEON
	defer func() { AVX2, AVX512, NEON = avx2, avx512, neon }()
	AVX2, AVX512, NEON = sets[0], sets[1], sets[2]
	return Kernels()
}

// start runs this test binary in another process, without RBM_SIMD unless it is set here,
// and returns what it prints: the kernels in use.
func start(t *testing.T, set ...string) (string, error) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Skip("no other process can be started here: ", err)
	}
	c := exec.Command(path)
	for _, x := range os.Environ() {
		if !strings.HasPrefix(x, Variable+"=") {
			c.Env = append(c.Env, x)
		}
	}
	c.Env = append(append(c.Env, printKernels+"=1"), set...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // as in an emulator, and in a browser
		t.Skip("no other process can be started here: ", err)
	}
	return strings.TrimSpace(string(out)), err
}
