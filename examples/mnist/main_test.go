package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/keep/keeptest"
	"github.com/gorbm/rbm/examples/mnist/sheet"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// small returns the options of a quick run, with files of its own.
func small(t *testing.T) options {
	t.Helper()
	o, err := parse([]string{
		"-data", idxtest.WriteData(t, 300, 60), "-out", filepath.Join(t.TempDir(), "out"),
		"-hidden", "16", "-epochs", "2", "-batch", "32", "-rate", "0.02",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// opened returns a folder for the results of this program.
func opened(t *testing.T) keep.Folder {
	t.Helper()
	dir, err := keep.Open(t.TempDir(), "mnist")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRun(t *testing.T) {
	for _, sampler := range samplers {
		o := small(t)
		o.sampler, o.rows = sampler, 290
		if sampler == "pcd" {
			o.held, o.patience = 50, 5
		}
		var out bytes.Buffer
		if err := run(context.Background(), o, &out); err != nil {
			t.Fatalf("-sampler %s: %v", sampler, err)
		}
		for _, want := range []string{"\n    1 ", "\n    2 ", "log-likelihood of a test row: -", "nats (exact)", "log-likelihood of a training row: -", o.heldName()} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("-sampler %s printed no %q:\n%s", sampler, want, out.String())
			}
		}
		if strings.Contains(out.String(), "\n    3 ") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("-sampler %s: want two lines and no bar:\n%s", sampler, out.String())
		}
		for name, want := range map[string]image.Rectangle{
			filtersFile: sheet.New(across, across).Rect,
			samplesFile: sheet.New(across, across).Rect,
			curvesFile:  {},
		} {
			img, err := png.Decode(bytes.NewReader(idxtest.ReadFile(t, filepath.Join(o.out, name))))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if got := img.Bounds(); got.Empty() || !want.Empty() && got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		if lines := strings.Count(string(idxtest.ReadFile(t, filepath.Join(o.out, historyFile))), "\n"); lines != 3 {
			t.Errorf("%s has %d lines, want the names and 2 epochs", historyFile, lines)
		}
	}
}

// A training that is stopped, in an epoch or between two, and taken up by another
// process ends in the same checkpoint as one that is not.
func TestResume(t *testing.T) {
	for sampler, stops := range map[string][]int{ // of 3·10 steps
		"pcd": {0, 4, 10, 17, 28},
		"cd":  {17},
		"pt":  {17},
		"ptt": {17},
	} {
		t.Run(sampler, func(t *testing.T) {
			o := small(t)
			o.sampler, o.epochs = sampler, 3
			if err := run(context.Background(), o, io.Discard); err != nil {
				t.Fatal(err)
			}
			want := idxtest.ReadFile(t, filepath.Join(o.out, keep.Checkpoint))
			history := idxtest.ReadFile(t, filepath.Join(o.out, historyFile))
			for _, stop := range stops {
				o.out = filepath.Join(t.TempDir(), "out")
				stopAt(t, o, stop)
				path := filepath.Join(o.out, keep.Checkpoint)
				if bytes.Equal(idxtest.ReadFile(t, path), want) {
					t.Fatalf("stopped at step %d: the checkpoint is that of a run straight through", stop)
				}
				var out bytes.Buffer
				if err := run(context.Background(), o, &out); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(out.String(), "going on from "+path) {
					t.Errorf("a run that went on did not say so:\n%s", out.String())
				}
				if !bytes.Equal(idxtest.ReadFile(t, path), want) {
					t.Errorf("stopped at step %d: the last checkpoint differs from that of a run straight through", stop)
				}
				if !bytes.Equal(idxtest.ReadFile(t, filepath.Join(o.out, historyFile)), history) {
					t.Errorf("stopped at step %d: the history differs from that of a run straight through", stop)
				}
			}
		})
	}
}

// stopAt trains up to a step.
func stopAt(t *testing.T, o options, stop int) {
	t.Helper()
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := keep.Open(o.out, "mnist")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first := newTraining(o, d, dir)
	err = first.run(ctx, io.Discard, func(n int) {
		if n == stop {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a run that was stopped at step %d returned %v", stop, err)
	}
	if done := first.trainer.Steps(); done < stop || done > stop+1 {
		t.Errorf("a run that was stopped at step %d did %d", stop, done)
	}
}

type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// At each report there is the checkpoint of the one before, if it is time for one.
func TestInterval(t *testing.T) {
	for interval, want := range map[time.Duration][]int{0: {-1, 1, 2}, time.Hour: {-1, -1, -1}} {
		o := small(t)
		o.epochs = 3
		d, err := load(o)
		if err != nil {
			t.Fatal(err)
		}
		dir := opened(t)
		training := newTraining(o, d, dir)
		training.interval = interval
		var got []int
		w := writerFunc(func([]byte) {
			saved := newTraining(o, d, dir)
			found, err := saved.resume()
			if err != nil {
				t.Fatal(err)
			}
			if !found {
				got = append(got, -1)
			} else {
				got = append(got, saved.trainer.Epochs())
			}
		})
		if err := training.run(context.Background(), w, func(int) {}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("with a checkpoint every %v those at the reports were of epochs %v, want %v", interval, got, want)
		}
	}
}

func TestPatience(t *testing.T) {
	o := small(t)
	o.held, o.patience, o.epochs, o.rate = 50, 2, 500, 1
	var first, second bytes.Buffer
	if err := run(context.Background(), o, &first); err != nil {
		t.Fatal(err)
	}
	const want = "no better model in 2 epochs"
	if lines := strings.Count(first.String(), "\n"); lines > 400 || !strings.Contains(first.String(), want) {
		t.Errorf("%d lines of output, want fewer than there are epochs, and %q:\n%s", lines, want, first.String())
	}
	path := filepath.Join(o.out, keep.Checkpoint)
	saved := idxtest.ReadFile(t, path)
	if err := run(context.Background(), o, &second); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.String(), want) || !bytes.Equal(idxtest.ReadFile(t, path), saved) {
		t.Errorf("a run that had lost patience went on:\n%s", second.String())
	}
}

// Images with a bar each are learned: which rows are likely, and to a lesser degree
// which test rows.
func TestLearns(t *testing.T) {
	o := small(t)
	o.epochs, o.rate = 20, 0.2
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	training := newTraining(o, d, opened(t))
	if err := training.run(context.Background(), io.Discard, func(int) {}); err != nil {
		t.Fatal(err)
	}
	reports, err := training.reports()
	if err != nil {
		t.Fatal(err)
	}
	first, last := reports[0], reports[o.epochs-1]
	if last.PseudoLogLikelihood < first.PseudoLogLikelihood+10 || last.HeldOutPseudoLogLikelihood < first.HeldOutPseudoLogLikelihood+10 {
		t.Errorf("20 epochs took the pseudo-log-likelihood from %.1f to %.1f, of test rows from %.1f to %.1f, want 10 nats more",
			first.PseudoLogLikelihood, last.PseudoLogLikelihood, first.HeldOutPseudoLogLikelihood, last.HeldOutPseudoLogLikelihood)
	}
	if rate := last.Rate; !(0 < rate && rate < o.rate/100) {
		t.Errorf("the last rate is %v, want it near 0", rate)
	}
}

func TestResumeOrNot(t *testing.T) {
	o := small(t)
	if err := run(context.Background(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.out, keep.Checkpoint)
	saved := idxtest.ReadFile(t, path)
	again := func(change func(o *options)) (string, error) {
		o := o
		change(&o)
		var out bytes.Buffer
		err := run(context.Background(), o, &out)
		return out.String(), err
	}

	for want, change := range map[string]func(o *options){
		"-hidden 16, not -hidden 17":    func(o *options) { o.hidden = 17 },
		"-batch 32, not -batch 10":      func(o *options) { o.batch = 10 },
		"-rate 0.02, not -rate 0.01":    func(o *options) { o.rate = 0.01 },
		"-sampler pcd, not -sampler cd": func(o *options) { o.sampler = "cd" },
		"-k 1, not -k 2":                func(o *options) { o.k = 2 },
		"-seed 1, not -seed 2":          func(o *options) { o.seed = 2 },
		"-rows 300, not -rows 200":      func(o *options) { o.rows = 200 },
		"-held 0, not -held 5":          func(o *options) { o.held = 5 },
		"training images of checksum":   func(o *options) { o.data = idxtest.WriteData(t, 300, 61) },
	} {
		if _, err := again(change); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("the error is %v, want it to name %s and say %q", err, path, want)
		}
		if !bytes.Equal(idxtest.ReadFile(t, path), saved) {
			t.Fatal("a run that was refused changed the checkpoint")
		}
	}

	if out, err := again(func(*options) {}); err != nil || !strings.Contains(out, "2 of 2 epochs are done") {
		t.Errorf("a run of which all is done: error %v\n%s", err, out)
	}
	if !bytes.Equal(idxtest.ReadFile(t, path), saved) {
		t.Error("a run of which all is done changed the checkpoint")
	}
	if out, err := again(func(o *options) { o.epochs = 3 }); err != nil || strings.Contains(out, "\n    2 ") || !strings.Contains(out, "\n    3 ") {
		t.Errorf("a run of an epoch more: error %v\n%s", err, out)
	}
	if out, err := again(func(o *options) { o.epochs = 1 }); err != nil || !strings.Contains(out, path+" has 3 epochs, more than the 1 asked for: nothing to train") || strings.Contains(out, "\n    1 ") || strings.Contains(out, "of 1 epochs") {
		t.Errorf("a run of fewer epochs: error %v\n%s", err, out)
	}
	if out, err := again(func(o *options) { o.fresh = true }); err != nil || strings.Contains(out, "going on") {
		t.Errorf("a run with -fresh: error %v\n%s", err, out)
	}
	if !bytes.Equal(idxtest.ReadFile(t, path), saved) {
		t.Error("a run with -fresh ended in another checkpoint than the first one")
	}

	for _, broken := range [][]byte{nil, saved[:len(saved)/2]} {
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := again(func(*options) {}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-fresh") {
			t.Errorf("the error of a broken checkpoint is %v, want it to name %s and -fresh", err, path)
		}
		if _, err := again(func(o *options) { o.fresh = true }); err != nil || !bytes.Equal(idxtest.ReadFile(t, path), saved) {
			t.Errorf("with -fresh a broken checkpoint is not replaced: %v", err)
		}
	}
}

// The folder of another program, or of nobody, stays as it is.
func TestForeignFolder(t *testing.T) {
	keeptest.CheckForeign(t, func(out string, fresh bool) error {
		o := small(t)
		o.out, o.fresh = out, fresh
		return run(context.Background(), o, io.Discard)
	})
}

// An interrupt ends the program with a checkpoint, and with the exit code of a
// program that was interrupted.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no way to send an interrupt")
	}
	o := small(t)
	cmd := clitest.Command("-data", o.data, "-out", o.out, "-hidden", "4", "-epochs", "1000000")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sent := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if !sent && strings.HasPrefix(lines.Text(), "    2 ") {
			sent = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(stderr.String(), "the same command goes on") {
		t.Errorf("exit code %d after an interrupt, want 130: %s", code, stderr.String())
	}
	for _, name := range []string{keep.Checkpoint, historyFile, curvesFile} {
		idxtest.ReadFile(t, filepath.Join(o.out, name))
	}
}

func TestExitCode(t *testing.T) {
	clitest.CheckExit(t, 0, "-help")
	clitest.CheckExit(t, 2, "-k", "0")
	clitest.CheckExit(t, 1, "-data", t.TempDir(), "-out", t.TempDir())
}
