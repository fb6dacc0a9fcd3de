package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		line string
		want float64 // 0 for an error
		err  string
	}{
		{`{"rows": 300, "seconds": 1.5}`, 200, ""},
		{`{"rows": 300, "seconds": 0}`, 0, "no measurement"},
		{`{}`, 0, "no measurement"},
		{`{"unsupported": "PCD alone"}`, 0, "unsupported: PCD alone"},
		{`{"error": "MemoryError: "}`, 0, "MemoryError"},
	} {
		var a answer
		if err := json.Unmarshal([]byte(tt.line), &a); err != nil {
			t.Fatal(err)
		}
		got, err := a.speed()
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, %v, want %v, %q", tt.line, got, err, tt.want, tt.err)
		}
		if errors.Is(err, errUnsupported) != strings.Contains(tt.err, "unsupported") {
			t.Errorf("%s: %v is taken for unsupported, or is not", tt.line, err)
		}
	}
}

// A shell takes the place of Python, and a script of it the place of a peer.
func meetFake(t *testing.T, script string, p processor) *peer {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "peer"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	x := meet(context.Background(), "Fake", "peer", "sh", folder, 2, p)
	t.Cleanup(x.close)
	return x
}

var zen = processor{arch: "amd64", amd: true, avx: true, avx2: true}

func TestPeer(t *testing.T) {
	t.Setenv(coretype, "")
	x := meetFake(t, `echo '{"version": "Fake 1", "python": "3", "blas": [{"name": "OpenBLAS 0.3", "core": "Zen", "threads": 2}]}'
read line
case $line in
*'"kind":"step","hidden":64,"n":100,"k":1,"seconds":0.001,'*) echo '{"rows": 10, "seconds": 2}';;
*) echo '{"error": "another case"}';;
esac
read line
echo '{"unsupported": "that"}'
read line
echo last words >&2
exit 3
`, zen)
	if x.problem != "" {
		t.Fatal(x.problem)
	}
	if got, want := x.describe(), "Fake 1, float32, Python 3, OpenBLAS 0.3, Zen kernels, threads: 2"; got != want {
		t.Errorf("description = %q, want %q", got, want)
	}
	c := benchCase{step, 64, 100, 1}
	if got, err := x.measure(c, time.Millisecond); err != nil || got != 5 {
		t.Errorf("speed = %v, %v, want 5", got, err)
	}
	if _, err := x.measure(c, time.Millisecond); !errors.Is(err, errUnsupported) {
		t.Errorf("error = %v, want %v", err, errUnsupported)
	}
	if x.ended() {
		t.Error("the peer has ended early")
	}
	if _, err := x.measure(c, time.Millisecond); err == nil || !strings.Contains(err.Error(), "exit status 3: last words") {
		t.Errorf("error = %v, want the status and the last words", err)
	}
	if !x.ended() {
		t.Error("the peer has not ended")
	}
}

// An OpenBLAS that does not know the CPU is told which kernels to take, unless the user has.
func TestPeerWithGenericKernels(t *testing.T) {
	const script = `echo '{"version": "Fake 1", "blas": [{"name": "OpenBLAS 0.3", "core": "'${OPENBLAS_CORETYPE:-Prescott}'"}]}'; read line`
	t.Setenv(coretype, "")
	x := meetFake(t, script, zen)
	if x.problem != "" || !strings.Contains(x.describe(), "Zen kernels; run with OPENBLAS_CORETYPE=Zen") {
		t.Errorf("%s, want Zen kernels", x.describe())
	}
	t.Setenv(coretype, "Nehalem")
	x = meetFake(t, script, zen)
	if !strings.Contains(x.problem, "set OPENBLAS_CORETYPE=Zen") || !x.ended() {
		t.Errorf("problem = %q, ended = %v, want to set OPENBLAS_CORETYPE, and an end", x.problem, x.ended())
	}
	t.Setenv(coretype, "")
	x = meetFake(t, strings.Replace(script, "'${OPENBLAS_CORETYPE:-Prescott}'", "Prescott", 1), zen)
	if !strings.Contains(x.problem, "set OPENBLAS_CORETYPE=Zen") {
		t.Errorf("problem = %q, want to set OPENBLAS_CORETYPE", x.problem)
	}
}

func TestPeerThatIsNotThere(t *testing.T) {
	t.Setenv(coretype, "")
	for _, tt := range []struct{ script, want string }{
		{`echo '{"missing": "fake"}'`, "not installed"},
		{"echo no such thing >&2; exit 1", "does not start: exit status 1: no such thing"},
		{"echo hello; read line", "does not start"},
		{`echo '{"version": "Fake 1"}'; read line`, "cannot be found out"},
	} {
		x := meetFake(t, tt.script, zen)
		if !strings.Contains(x.problem, tt.want) || !x.ended() {
			t.Errorf("%s: problem = %q, ended = %v, want %q and an end", tt.script, x.problem, x.ended(), tt.want)
		}
	}
}

// Each peer that is installed learns what this library learns, and has its free energies.
func TestPeersDoTheSame(t *testing.T) {
	const steps, n = 100, 1000
	data := syntheticRows(n)
	c := benchCase{step, 8, n, 1}
	m := startModel(c.Hidden, data)
	want := difference(trained(t, variants[0], c, m, data, steps), m)
	folder := t.TempDir()
	for _, err := range []error{writeScripts(folder), writeRows(folder, data), writeModel(folder, m)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			module := strings.TrimSuffix(p.script, ".py")
			code := fmt.Sprintf(`
import json, sys
sys.path.insert(0, %q)
import %s as peer
case = dict(kind="step", hidden=8, n=%d, k=1, rate=%v)
work = peer.start(case)
for _ in range(%d):
    work()
energy = peer.start(dict(case, kind="free energy"))
energy()
chains = peer.start(dict(case, kind="gibbs"))()
print(json.dumps(dict(w=work.result.ravel().tolist(), f=energy.result.tolist(), chains=chains)), file=sys.stderr)
`, folder, module, n, learningRate, steps)
			got := runPython(t, code, folder)
			if got.Chains != n {
				t.Errorf("a sweep of %d chains, want %d", got.Chains, n)
			}
			for r, f := range m.FreeEnergy(nil, data) {
				if math.Abs(got.F[r]-f) > 1e-3 {
					t.Fatalf("free energy of row %d = %v, want %v", r, got.F[r], f)
				}
			}
			learned := make([]float64, len(got.W))
			for k := range got.W {
				learned[k] = got.W[k] - m.W.At(k/visible, k%visible)
			}
			if cos, size := compare(learned, want); cos < 0.9 || math.Abs(size-1) > 0.05 {
				t.Errorf("it learns in direction %.3f, length %.3f of this library, want 1 and 1", cos, size)
			}
		})
	}
}

type pythonResult struct {
	W, F   []float64
	Chains int
}

// runPython runs code in the first Python that has what it imports.
func runPython(t *testing.T, code, folder string) pythonResult {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "").Run() != nil {
			continue // none, or what stands for one on Windows
		}
		cmd := exec.Command(python, "-B", "-c", code)
		cmd.Env = append(os.Environ(), "BENCH_FOLDER="+folder, fmt.Sprintf("BENCH_VISIBLE=%d", visible), "BENCH_THREADS=1", "OPENBLAS_NUM_THREADS=1")
		out, err := cmd.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		text := lines[len(lines)-1] // after warnings, if any
		if strings.HasPrefix(text, `{"missing"`) {
			continue
		}
		var r pythonResult
		if err != nil || json.Unmarshal([]byte(text), &r) != nil {
			t.Fatalf("%s: %v\n%s", python, err, out)
		}
		return r
	}
	t.Skip("not installed")
	panic("not reached")
}
