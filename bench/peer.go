package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed peers/*.py
var scripts embed.FS

// writeScripts writes the programs of the peers to a folder.
func writeScripts(folder string) error {
	entries, err := scripts.ReadDir("peers")
	if err != nil {
		return err
	}
	for _, e := range entries {
		b, err := scripts.ReadFile("peers/" + e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, e.Name()), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// The peers, by the name that is printed.
var peers = []struct{ name, script, note string }{
	{"NumPy", "peer_numpy.py", ""},
	{"PyTorch", "peer_torch.py", ""},
	{"scikit-learn", "peer_sklearn.py", "its steps are of PCD-1, as much work as CD-1"},
}

// A peer is a process that waits for cases.
type peer struct {
	name  string
	hello hello
	notes []string

	problem string // why it is not measured; then there is no process

	stop   context.CancelFunc
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *bytes.Buffer
}

// A hello is the first line of a peer.
type hello struct {
	Missing string `json:"missing"` // package
	Version string `json:"version"` // of the peer
	Python  string `json:"python"`
	BLAS    []blas `json:"blas"`
}

// An answer is the line of a peer about a case.
type answer struct {
	Rows        float64 `json:"rows"`
	Seconds     float64 `json:"seconds"`
	Unsupported string  `json:"unsupported"`
	Error       string  `json:"error"`
}

// errUnsupported is wrapped where a peer has nothing that does the work of a case.
var errUnsupported = errors.New("unsupported")

// speed returns the speed of an answer.
func (a answer) speed() (float64, error) {
	switch {
	case a.Unsupported != "":
		return 0, fmt.Errorf("%w: %s", errUnsupported, a.Unsupported)
	case a.Error != "":
		return 0, errors.New(a.Error)
	case !(a.Rows > 0 && a.Seconds > 0):
		return 0, fmt.Errorf("%v rows in %v s are no measurement", a.Rows, a.Seconds)
	}
	return a.Rows / a.Seconds, nil
}

const coretype = "OPENBLAS_CORETYPE"

// meet starts a peer and asks whether it is fit to be measured. If its OpenBLAS does not know
// the CPU and the user has not said which kernels to take, it is started again with the right
// ones.
func meet(ctx context.Context, name, script, python, folder string, threads int, p processor) *peer {
	path, err := exec.LookPath(python)
	if err != nil {
		return &peer{name: name, problem: fmt.Sprintf("not installed: no %s", python)}
	}
	var notes, extra []string
	for {
		x := &peer{name: name, notes: notes}
		err := x.start(ctx, path, script, folder, threads, extra)
		if err != nil {
			x.close()
			x.problem = "does not start: " + err.Error()
			return x
		}
		if x.hello.Missing != "" {
			x.close()
			x.problem = fmt.Sprintf("not installed for %s (see -python)", python)
			return x
		}
		problem, want := judgeAll(x.hello.BLAS, p)
		if problem == "" {
			return x
		}
		x.close()
		if want == "" || os.Getenv(coretype) != "" || extra != nil {
			x.problem = "not compared: " + problem
			return x
		}
		extra = []string{coretype + "=" + want}
		notes = []string{"run with " + extra[0] + ", as its OpenBLAS did not know this CPU"}
	}
}

// patience is how long a peer may take for what is not timed.
const patience = 2 * time.Minute

func (x *peer) start(ctx context.Context, python, script, folder string, threads int, env []string) error {
	ctx, x.stop = context.WithCancel(ctx)
	x.cmd = exec.CommandContext(ctx, python, filepath.Join(folder, script))
	n := strconv.Itoa(threads)
	x.cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "BENCH_FOLDER="+folder,
		"BENCH_VISIBLE="+strconv.Itoa(visible), "BENCH_THREADS="+n, "OPENBLAS_NUM_THREADS="+n,
		"OMP_NUM_THREADS="+n, "MKL_NUM_THREADS="+n, "VECLIB_MAXIMUM_THREADS="+n)
	x.cmd.Env = append(x.cmd.Env, env...)
	x.errors = new(bytes.Buffer)
	x.cmd.Stderr = x.errors
	in, err := x.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := x.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := x.cmd.Start(); err != nil {
		return err
	}
	x.in, x.out = in, bufio.NewReader(out)
	return x.read(&x.hello, patience)
}

// read reads a line, for so long at most.
func (x *peer) read(v any, d time.Duration) error {
	timer := time.AfterFunc(d, x.stop)
	defer timer.Stop()
	line, err := x.out.ReadBytes('\n')
	if err != nil {
		x.close()
		return x.died()
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%s says %q: %w", x.name, line, err)
	}
	return nil
}

// died says why a process has ended, by the last line that it wrote.
func (x *peer) died() error {
	lines := strings.Split(strings.TrimSpace(x.errors.String()), "\n")
	return fmt.Errorf("%v: %s", x.cmd.ProcessState, lines[len(lines)-1])
}

// measure returns the speed of the peer.
func (x *peer) measure(c benchCase, d time.Duration) (float64, error) {
	request, err := json.Marshal(struct {
		benchCase
		Seconds float64 `json:"seconds"`
		Rate    float64 `json:"rate"`
	}{c, d.Seconds(), learningRate})
	if err != nil {
		return 0, err
	}
	if _, err := x.in.Write(append(request, '\n')); err != nil {
		x.close()
		return 0, x.died()
	}
	var a answer
	if err := x.read(&a, patience+2*d); err != nil {
		return 0, err
	}
	return a.speed()
}

// close ends the process, if there is one, and waits for its end.
func (x *peer) close() {
	if x.cmd == nil || x.cmd.Process == nil || x.cmd.ProcessState != nil {
		return
	}
	x.in.Close()
	timer := time.AfterFunc(time.Second, x.stop)
	defer timer.Stop()
	x.cmd.Wait()
}

// ended reports whether the process of a peer has ended.
func (x *peer) ended() bool { return x.cmd != nil && x.cmd.ProcessState != nil }
