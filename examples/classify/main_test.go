package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/keep/keeptest"
	"github.com/gorbm/rbm/examples/mnist/sheet"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// small returns the options of a quick run, with files of its own, and with more
// flags.
func small(t *testing.T, flags string) options {
	t.Helper()
	o, err := parse(append([]string{
		"-data", idxtest.WriteData(t, 300, 100), "-out", filepath.Join(t.TempDir(), "out"),
		"-hidden", "12", "-epochs", "2", "-batch", "32", "-rate", "0.1",
	}, strings.Fields(flags)...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mustRun runs the program and returns what it prints.
func mustRun(t *testing.T, o options) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func checkpointOf(t *testing.T, o options) []byte {
	t.Helper()
	return idxtest.ReadFile(t, filepath.Join(o.out, keep.Checkpoint))
}

// opened returns a folder for the results of this program.
func opened(t *testing.T) keep.Folder {
	t.Helper()
	dir, err := keep.Open(t.TempDir(), "classify")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRun(t *testing.T) {
	for flags, want := range map[string]string{
		"-kind generative":                          "generative: 12 hidden units, 300 labeled rows, batches of 32, rate 0.1, momentum 0.9, generative weight 1\n",
		"-kind generative -sampler pcd":             "generative: 12 hidden units, 300 labeled rows,",
		"-kind discriminative":                      "discriminative: 12 hidden units, 300 labeled rows, batches of 32, rate 0.1, momentum 0.9, sparsity 0.002\n",
		"-kind hybrid":                              "momentum 0.9, generative weight 0.01, sparsity 0.003\n",
		"-kind hybrid -plain -threshold":            "hybrid: 12 hidden units",
		"-kind hybrid -sampler pcd -rows 250":       "hybrid: 12 hidden units, 250 labeled rows,",
		"-kind sparse":                              "generative weight 0.01, sparsity 0.002\n",
		"-labeled 100 -unlabeled 0.5":               "100 labeled rows, 200 without a label, batches",
		"-labeled 20 -unlabeled 1 -sampler pcd":     "20 labeled rows, 280 without a label, batches",
		"-kind discriminative -labeled 100":         "100 labeled rows, batches",
		"-held 50 -labeled 100 -unlabeled 0.5":      "100 labeled rows, 150 without a label, 50 held out, batches",
		"-kind discriminative -batch 1000 -held 10": "290 labeled rows, 10 held out, batches of 1000",
	} {
		t.Run(flags, func(t *testing.T) {
			o := small(t, flags)
			out := mustRun(t, o)
			for _, want := range []string{want, "\ntest error: ", " of 100)\n", filepath.Join(o.out, confusionFile)} {
				if !strings.Contains(out, want) {
					t.Errorf("there is no %q in\n%s", want, out)
				}
			}
			if len(epochsOf(t, out)) != 2 || strings.Contains(out, "NaN") || strings.Contains(out, "going on") {
				t.Errorf("want two epochs from the start and no NaN:\n%s", out)
			}
			img, err := png.Decode(bytes.NewReader(idxtest.ReadFile(t, filepath.Join(o.out, confusionFile))))
			if err != nil {
				t.Fatal(err)
			}
			tiles := sheet.New(idx.Classes, idx.Classes).Rect
			if got, want := img.Bounds(), image.Rect(0, 0, leftMargin+tiles.Dx(), topMargin+tiles.Dy()); got != want {
				t.Errorf("%s is %v, want %v", confusionFile, got, want)
			}
		})
	}
}

// cut is what ends a program when it prints a line that begins so.
type cut string

func (c cut) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), string(c)) {
		panic(c)
	}
	return len(b), nil
}

// A run that ends in the midst of its second or third epoch, and is taken up by the
// same command, ends in the same files as one that does not.
func TestResume(t *testing.T) {
	for _, flags := range []string{
		"-kind generative -sampler pcd",
		"-kind hybrid -held 50 -rate 1",
		"-kind sparse -labeled 100 -unlabeled 0.5",
		"-kind discriminative -plain -threshold",
	} {
		t.Run(flags, func(t *testing.T) {
			o := small(t, flags+" -epochs 3")
			mustRun(t, o)
			want, picture := checkpointOf(t, o), idxtest.ReadFile(t, filepath.Join(o.out, confusionFile))
			for done := 1; done < 3; done++ {
				o.out = filepath.Join(t.TempDir(), "out")
				last := cut(fmt.Sprintf("%5d ", done+1))
				func() {
					defer func() {
						if r := recover(); r != last {
							t.Fatalf("run ended with %v, want it cut off at %q", r, last)
						}
					}()
					run(o, last)
				}()
				if bytes.Equal(checkpointOf(t, o), want) {
					t.Fatalf("cut off in epoch %d: the checkpoint is that of a run straight through", done+1)
				}
				out := mustRun(t, o)
				if line := fmt.Sprintf("going on from %s: %d of 3 epochs are done\n", filepath.Join(o.out, keep.Checkpoint), done); !strings.Contains(out, line) {
					t.Errorf("there is no %q in\n%s", line, out)
				}
				if !bytes.Equal(checkpointOf(t, o), want) {
					t.Errorf("cut off in epoch %d: the last checkpoint differs from that of a run straight through", done+1)
				}
				if !bytes.Equal(idxtest.ReadFile(t, filepath.Join(o.out, confusionFile)), picture) {
					t.Errorf("cut off in epoch %d: %s differs from that of a run straight through", done+1, confusionFile)
				}
			}
		})
	}
}

func TestResumeOrNot(t *testing.T) {
	o := small(t, "")
	mustRun(t, o)
	path := filepath.Join(o.out, keep.Checkpoint)
	saved := checkpointOf(t, o)
	again := func(change func(o *options)) (string, error) {
		o := o
		change(&o)
		var out bytes.Buffer
		err := run(o, &out)
		return out.String(), err
	}

	for want, change := range map[string]func(o *options){
		"-kind hybrid, not -kind sparse":        func(o *options) { o.kind = "sparse" },
		"-hidden 12, not -hidden 17":            func(o *options) { o.hidden = 17 },
		"-batch 32, not -batch 10":              func(o *options) { o.batch = 10 },
		"-rate 0.1, not -rate 0.2":              func(o *options) { o.rate = 0.2 },
		"-momentum 0.9, not -momentum 0.5":      func(o *options) { o.momentum = 0.5 },
		"-weight 0.01, not -weight 0.1":         func(o *options) { o.weight = 0.1 },
		"-plain false, not -plain true":         func(o *options) { o.plain = true },
		"-threshold false, not -threshold true": func(o *options) { o.threshold = true },
		"-sparsity 0.003, not -sparsity 0.1":    func(o *options) { o.sparsity = 0.1 },
		"-sampler cd, not -sampler pcd":         func(o *options) { o.sampler = "pcd" },
		"-labeled 0, not -labeled 9":            func(o *options) { o.labeled = 9 },
		"-unlabeled 0, not -unlabeled 1":        func(o *options) { o.unlabeled = 1 },
		"-rows 300, not -rows 200":              func(o *options) { o.rows = 200 },
		"-held 0, not -held 5":                  func(o *options) { o.held = 5 },
		"-seed 1, not -seed 2":                  func(o *options) { o.seed = 2 },
		"made with training images of checksu":  func(o *options) { o.data = idxtest.WriteData(t, 300, 101) },
	} {
		if _, err := again(change); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("the error is %v, want it to name %s and say %q", err, path, want)
		}
		if !bytes.Equal(checkpointOf(t, o), saved) {
			t.Fatal("a run that was refused changed the checkpoint")
		}
	}

	if out, err := again(func(*options) {}); err != nil || !strings.Contains(out, "2 of 2 epochs are done") || !strings.Contains(out, "test error") {
		t.Errorf("a run of which all is done: error %v\n%s", err, out)
	}
	if !bytes.Equal(checkpointOf(t, o), saved) {
		t.Error("a run of which all is done changed the checkpoint")
	}
	if out, err := again(func(o *options) { o.epochs = 3 }); err != nil || !strings.Contains(out, "rows/s\n    3 ") {
		t.Errorf("a run of an epoch more: error %v\n%s", err, out)
	}
	if out, err := again(func(o *options) { o.epochs = 1 }); err != nil || !strings.Contains(out, path+" has 3 epochs, more than the 1 asked for: nothing to train") || strings.Contains(out, "rows/s\n    1 ") || strings.Contains(out, "of 1 epochs") {
		t.Errorf("a run of fewer epochs: error %v\n%s", err, out)
	}
	if out, err := again(func(o *options) { o.fresh = true }); err != nil || strings.Contains(out, "going on") {
		t.Errorf("a run with -fresh: error %v\n%s", err, out)
	}
	if !bytes.Equal(checkpointOf(t, o), saved) {
		t.Error("a run with -fresh ended in another checkpoint than the first one")
	}
	if err := os.WriteFile(path, saved[:len(saved)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := again(func(*options) {}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-fresh") {
		t.Errorf("the error of a broken checkpoint is %v, want it to name %s and -fresh", err, path)
	}
}

// The folder of another program, or of nobody, stays as it is.
func TestForeignFolder(t *testing.T) {
	keeptest.CheckForeign(t, func(out string, fresh bool) error {
		o := small(t, "")
		o.out, o.fresh = out, fresh
		return run(o, io.Discard)
	})
}

// An epoch is a line of the table that a run prints.
type epoch struct{ training, held, logProb float64 }

func epochsOf(t *testing.T, out string) []epoch {
	t.Helper()
	var list []epoch
	for _, line := range strings.Split(out, "\n") {
		f := strings.Fields(strings.ReplaceAll(line, "%", ""))
		if len(f) != 5 || f[0] != strconv.Itoa(len(list)+1) {
			continue
		}
		var e epoch
		for i, x := range []*float64{&e.training, &e.held, &e.logProb} {
			var err error
			if *x, err = strconv.ParseFloat(f[1+i], 64); err != nil && f[1+i] != "-" {
				t.Fatalf("%q: %v", line, err)
			}
		}
		list = append(list, e)
	}
	return list
}

// The first of the epochs that are best by the rows held out is the one to judge,
// also by a run that does nothing more.
func TestHeld(t *testing.T) {
	o := small(t, "-kind discriminative -held 50 -epochs 60 -patience 4 -rate 3 -rows 200")
	first := mustRun(t, o)
	list := epochsOf(t, first)
	best := 0
	for i, e := range list {
		if e.held < list[best].held {
			best = i
		}
	}
	if n := len(list); n != best+1+o.patience || best == 0 || list[best].held == list[n-1].held {
		t.Fatalf("want a best epoch that is neither the first nor like the last, and %d after it:\n%s", o.patience, first)
	}
	saved := checkpointOf(t, o)
	// The test digits are judged by the model of that epoch.
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	kept := newTraining(o, d)
	dir, err := keep.Open(o.out, "classify", confusionFile)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := kept.load(dir); !found || err != nil {
		t.Fatal(found, err)
	}
	c := rbm.Classifier{Model: kept.chosen, Classes: idx.Classes}
	if want := fmt.Sprintf("\ntest error: %.2f %% (", judge(&c, levels(d.test.Gray), d.test).errorRate()); !strings.Contains(first, want) {
		t.Errorf("there is no %q in\n%s", want, first)
	}
	const stop = "no better epoch in 4\n"
	_, result, found := strings.Cut(first, stop)
	if second := mustRun(t, o); !found || !strings.Contains(second, stop+result) || len(epochsOf(t, second)) > 0 {
		t.Errorf("want %q and no epoch, got\n%s", stop+result, second)
	}
	if !bytes.Equal(checkpointOf(t, o), saved) {
		t.Error("a run that had lost patience changed the checkpoint")
	}
	// With -test=false the rows held out are judged.
	o.test = false
	out := mustRun(t, o)
	if want := fmt.Sprintf("\nheld-out error: %.2f %% (", list[best].held); !strings.Contains(out, want) || strings.Contains(out, "test error") {
		t.Errorf("there is no %q, or a test error, in\n%s", want, out)
	}
}

// Where a bar stands is learned, from labels and, in part, from rows without one.
func TestLearns(t *testing.T) {
	for flags, most := range map[string]float64{
		"-kind generative -rate 0.05 -epochs 20 -hidden 40": 70,
		"-kind discriminative":                              45,
		"-kind discriminative -plain":                       45,
		"-kind hybrid -threshold":                           45,
		"-kind hybrid":                                      45,
		"-kind sparse":                                      45,
		"-kind hybrid -labeled 150 -unlabeled 0.001":        60,
	} {
		t.Run(flags, func(t *testing.T) {
			o := small(t, "-hidden 20 -epochs 15 -batch 10 "+flags)
			d, err := load(o)
			if err != nil {
				t.Fatal(err)
			}
			out := mustRun(t, o)
			list := epochsOf(t, out)
			if len(list) != o.epochs {
				t.Fatalf("there are %d epochs, want %d:\n%s", len(list), o.epochs, out)
			}
			var last float64
			if _, err := fmt.Sscanf(out[strings.Index(out, "\ntest error")+1:], "test error: %f", &last); err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			if training := list[o.epochs-1].training; last > most || training > last {
				t.Errorf("the errors are %v %% of training rows and %v %% of test rows, want at most %v %% and fewer of the first", training, last, most)
			}
			// The test digits are judged by the model after the last epoch.
			whole := newTraining(o, d)
			for range o.epochs * whole.epochSteps() {
				if err := whole.step(); err != nil {
					t.Fatal(err)
				}
			}
			if want := judge(&whole.classifier, whole.inputs(d.test), d.test).errorRate(); math.Abs(last-want) > 0.006 {
				t.Errorf("the test error is %v %%, want that after the last epoch, %v %%", last, want)
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	clitest.CheckExit(t, 0, "-help")
	clitest.CheckExit(t, 2, "-kind", "none")
	clitest.CheckExit(t, 1, "-data", t.TempDir(), "-out", t.TempDir())
}
