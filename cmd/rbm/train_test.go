package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/recipe"
)

// train writes the model that a program of package rbm gets.
func TestTrainIsTheTrainer(t *testing.T) {
	for _, tt := range []struct {
		args    string
		missing float64
		set     func(t *rbm.Trainer)
	}{
		{"-sweeps 2", 0, func(t *rbm.Trainer) { t.Sampler.(*rbm.PTT).K = 2 }},
		{"-sampler pcd -sweeps 2", 0, func(t *rbm.Trainer) { t.Sampler = rbm.NewPCD(7, 2, rand.NewPCG(5, 2)) }},
		{"-sampler cd -sweeps 3", 0, func(t *rbm.Trainer) { t.Sampler = rbm.NewCD(3, rand.NewPCG(5, 2)) }},
		{"-sampler pt -levels 4", 0, func(t *rbm.Trainer) {
			pt := rbm.NewPT(7, 1, 4, rand.NewPCG(5, 2))
			pt.Base = t.Model.Clone().B
			t.Sampler = pt
			t.OnReport = func(rbm.Report) error { pt.Adapt(); return nil }
		}},
		{"-plain", 0, func(t *rbm.Trainer) { t.Centering = nil }},
		{"-single", 0, func(t *rbm.Trainer) { t.Single = true }},
		{"-l2 0", 0, func(t *rbm.Trainer) { t.SGD.L2 = 0 }},
		{"-missing-sweeps 3", 0.2, func(t *rbm.Trainer) { t.MissingSweeps = 3 }},
	} {
		t.Run(tt.args, func(t *testing.T) {
			in(t)
			write(t, "rows.csv", pairs(90, tt.missing))
			args := strings.Fields("train rows.csv -o m.rbm -hidden 4 -epochs 60 -batch 20 -rate 0.3 -l2 0.001 -chains 7 -seed 5 -held 0 " + tt.args)
			if out, want := must(t, args...), "m.rbm: 6 visible and 4 hidden units, of epoch 60\n"; out != want {
				t.Errorf("train prints %q, want %q", out, want)
			}
			rows, err := bitio.ReadFile("rows.csv", nil)
			if err != nil {
				t.Fatal(err)
			}
			r := recipe.Recipe{Hidden: 4, Epochs: 60, BatchSize: 20, Chains: 7, Rate: 0.3, L2: 0.001, Seed: 5}
			trainer := r.Trainer(rows.Bits, nil, rows.Observed)
			before := trainer.Model.Clone()
			tt.set(trainer)
			if err := trainer.Train(context.Background(), 60); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open("m.rbm")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got := new(rbm.RBM)
			if _, err := got.ReadFrom(f); err != nil || !same(got, trainer.Model) || same(got, before) {
				t.Errorf("m.rbm is not the model of the Trainer, error %v", err)
			}
			if files, _ := filepath.Glob("*"); strings.Join(files, " ") != "m.rbm m.rbm.json rows.csv" {
				t.Errorf("there are %q", files)
			}
		})
	}
}

// A canceler cancels when what is written to it has a text the given number of times.
type canceler struct {
	bytes.Buffer
	text   string
	times  int
	cancel func()
}

func (c *canceler) Write(p []byte) (int, error) {
	n, err := c.Buffer.Write(p)
	if bytes.Count(c.Bytes(), []byte(c.text)) >= c.times {
		c.cancel()
	}
	return n, err
}

// interrupt runs a command until stderr has a text, and checks that it has stopped.
func interrupt(t *testing.T, terminal bool, text string, times int, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stderr := &canceler{text: text, times: times, cancel: cancel}
	code := run(ctx, args, &env{stdin: strings.NewReader(""), stdout: io.Discard, stderr: stderr, terminal: terminal})
	if code != exitInterrupted || !strings.Contains(stderr.String(), "-resume goes on from there\n") {
		t.Fatalf("rbm %v: exit code %d, want %d; it says\n%s", args, code, exitInterrupted, stderr)
	}
}

// A training that is stopped and resumed, at a report and in the middle of a step, writes
// the same bytes as one that is not.
func TestResume(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		missing    float64
	}{
		{"default", "", 0},
		{"pcd", "-sampler pcd", 0},
		{"cd", "-sampler cd -sweeps 2 -l2 0.01", 0},
		{"pt", "-sampler pt -levels 4", 0},
		{"ptt", "-sampler ptt", 0},
		{"missing", "-missing-sweeps 2", 0.2},
		{"single", "-single -plain -report 3", 0},
		{"valid", "-valid valid.csv", 0},
		{"patience", "-patience 5 -rate 2", 0}, // the best is one of the first
		{"onehot", "-onehot 0:2,3:5", 0},
		{"label", "-label f", 0},
		{"worse", "-report 4 -rate 0.3 -valid worse.csv", 0}, // the best is before the stop
	} {
		t.Run(tt.name, func(t *testing.T) {
			in(t)
			write(t, "rows.csv", pairs(200, tt.missing))
			write(t, "valid.csv", pairs(50, 0))
			write(t, "worse.csv", strings.ReplaceAll(strings.ReplaceAll(pairs(50, 0), "0,0", "0,1"), "1,1", "1,0"))
			if tt.name == "onehot" {
				write(t, "rows.csv", strings.Repeat("0,1,1,0,1,1\n1,0,0,1,0,0\n1,0,1,0,1,1\n", 60))
			}
			args := append(strings.Fields("train rows.csv -hidden 3 -epochs 20 -batch 15 -chains 10"), strings.Fields(tt.args)...)
			if !strings.Contains(tt.args, "-valid") {
				args = append(args, "-held", "0.2")
			}
			whole := must(t, append(args, "-o", "whole.rbm")...)

			if tt.name == "worse" && !strings.Contains(whole, "of epoch 8, ") {
				t.Errorf("train prints %q, want the best report before it is stopped", whole)
			}
			interrupt(t, false, "epoch ", 2, append(args, "-o", "parts.rbm")...)
			if exists("parts.rbm") {
				t.Error("an interrupted training has written a model")
			}
			interrupt(t, true, "[", 1, "train", "rows.csv", "-o", "parts.rbm", "-resume")
			if parts := must(t, "train", "rows.csv", "-resume", "-o", "parts.rbm"); strings.ReplaceAll(parts, "parts", "whole") != whole {
				t.Errorf("train prints %q, want %q", parts, whole)
			}
			if !bytes.Equal(read(t, "parts.rbm"), read(t, "whole.rbm")) {
				t.Error("the models differ")
			}
			if !bytes.Equal(read(t, "parts.rbm.json"), read(t, "whole.rbm.json")) {
				t.Error("the descriptions differ")
			}
			if exists("parts.rbm.checkpoint") {
				t.Error("the checkpoint stays, though training is done")
			}
		})
	}
}

// With -checkpoint the checkpoint stays, and more epochs go on from it as from an interruption.
func TestMoreEpochs(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(100, 0))
	must(t, strings.Fields("train rows.csv -o a.rbm -epochs 4 -hidden 3 -checkpoint c")...)
	interrupt(t, false, "epoch 4 ", 1, strings.Fields("train rows.csv -o b.rbm -epochs 8 -hidden 3 -report 1")...)
	must(t, strings.Fields("train rows.csv -o a.rbm -epochs 8 -checkpoint c -resume")...)
	info := must(t, "info", "c")
	if !strings.Contains(info, "8 of 8 epochs") {
		t.Errorf("info prints\n%s", info)
	}
	_, side, err := readModel("a.rbm")
	if err != nil || side.Training.Epochs != 8 || side.Training.Hidden != 3 {
		t.Errorf("beside the model is %+v, error %v", side, err)
	}
}

// A checkpoint is saved now and then: what a crash leaves goes on to the same bits.
func TestCheckpoints(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(100, 0))
	tr := &training{settings: defaultSettings(), flags: newFlags(), out: "m.rbm"}
	tr.data.flags = tr.flags
	tr.Hidden, tr.Epochs, tr.ReportEpochs = 3, 8, 1
	var left []byte
	stderr := &canceler{text: "epoch 5 ", times: 1, cancel: func() {
		if left == nil {
			left = read(t, "m.rbm.checkpoint")
		}
	}}
	if err := tr.run(context.Background(), &env{stdout: io.Discard, stderr: stderr}, []string{"rows.csv"}); err != nil {
		t.Fatal(err)
	}
	if exists("m.rbm.checkpoint") {
		t.Error("the checkpoint stays, though training is done")
	}
	whole := read(t, "m.rbm")
	write(t, "m.rbm.checkpoint", string(left))
	if info := must(t, "info", "m.rbm.checkpoint"); !strings.Contains(info, "4 of 8 epochs") {
		t.Errorf("info prints\n%s", info)
	}
	must(t, "train", "rows.csv", "-o", "m.rbm", "-resume")
	if !bytes.Equal(read(t, "m.rbm"), whole) {
		t.Error("the models differ")
	}
}

func TestResumeRefused(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(100, 0))
	write(t, "other.csv", pairs(101, 0))
	write(t, "narrow.csv", "a,b\n0,1\n1,1\n")
	args := strings.Fields("train rows.csv -o m.rbm -hidden 3 -epochs 9")
	refuse(t, exitError, []string{"m.rbm.checkpoint", "no checkpoint"}, append(args, "-resume")...)
	interrupt(t, false, "epoch 2 ", 1, args...)
	before := read(t, "m.rbm.checkpoint")

	refuse(t, exitError, []string{"m.rbm.checkpoint", "2 of 9 epochs", "-resume", "-fresh"}, args...)
	refuse(t, exitError, []string{"m.rbm.checkpoint", "Data"}, "train", "other.csv", "-o", "m.rbm", "-resume")
	refuse(t, exitError, []string{"narrow.csv", `"c"`}, "train", "narrow.csv", "-o", "m.rbm", "-resume")
	for flag, value := range map[string]string{
		"hidden": "4", "onehot": "0:2", "rate": "0.7", "batch": "7", "l2": "0.5", "single": "true", "plain": "true", "missing-sweeps": "2", "seed": "2",
		"sampler": "cd", "chains": "3", "sweeps": "2", "levels": "3", "held": "0.5", "valid": "other.csv", "report": "3",
	} {
		if flag == "valid" {
			continue // with -held as it is kept
		}
		refuse(t, exitError, []string{"-" + flag + " is " + value, "may change"}, "train", "rows.csv", "-o", "m.rbm", "-resume", "-"+flag+"="+value)
	}
	if !bytes.Equal(read(t, "m.rbm.checkpoint"), before) {
		t.Error("what was refused has changed the checkpoint")
	}
	must(t, append(args, "-resume", "-patience", "3")...)

	write(t, "m.rbm.checkpoint", string(before[:len(before)-1]))
	refuse(t, exitError, []string{"m.rbm.checkpoint"}, append(args, "-resume")...)
	refuse(t, exitError, []string{"m.rbm.checkpoint"}, args...)
	write(t, "m.rbm.checkpoint", string(before))
	must(t, append(args, "-fresh")...)
}

// The rows held out are those without missing values, once each, and the others are trained on.
func TestSplit(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(60, 0.1))
	d := &dataFlags{flags: newFlags()}
	r, err := d.read(context.Background(), nil, "rows.csv")
	if err != nil {
		t.Fatal(err)
	}
	count := func(b, observed *rbm.Bits, rows map[string]int) {
		n, c := b.Dims()
		for i := range n {
			key := ""
			for j := range c {
				key += fmt.Sprint(b.Bit(i, j), observed == nil || observed.Bit(i, j))
			}
			rows[key]++
		}
	}
	all := make(map[string]int)
	count(r.bits, r.observed, all)
	for _, share := range []float64{0.1, 0.25} {
		s, err := splitRows(r, &settings{Held: share, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := s.held.Dims(); n != int(60*share) {
			t.Errorf("%d rows are held out, want %v", n, 60*share)
		}
		parts := make(map[string]int)
		count(s.held, nil, parts)
		count(s.train, s.observed, parts)
		if fmt.Sprint(parts) != fmt.Sprint(all) {
			t.Errorf("share %v: the parts have other rows than the whole", share)
		}
		again, _ := splitRows(r, &settings{Held: share, Seed: 3})
		other, _ := splitRows(r, &settings{Held: share, Seed: 4})
		if !equal(again.held, s.held) || equal(other.held, s.held) {
			t.Errorf("share %v: the rows held out do not depend on the seed alone", share)
		}
	}
	if s, err := splitRows(r, &settings{Held: 0}); err != nil || s.held != nil || s.train != r.bits || s.observed != r.observed {
		t.Errorf("with -held 0 the split is %+v, error %v", s, err)
	}
	refuse(t, exitError, []string{"rows.csv", "rows have no missing values", "-held"}, "train", "rows.csv", "-o", "m.rbm", "-held", "0.9")
	refuse(t, exitError, []string{"holes", "is missing", "complete"}, "train", "rows.csv", "-o", "m.rbm", "-valid", holes(t))
	refuse(t, exitError, []string{"narrow.csv", `"c"`}, "train", "rows.csv", "-o", "m.rbm", "-valid", narrow(t))
}

func holes(t *testing.T) string {
	write(t, "holes.csv", pairs(20, 0.3))
	return "holes.csv"
}

func narrow(t *testing.T) string {
	write(t, "narrow.csv", "a,b\n0,1\n")
	return "narrow.csv"
}

func equal(a, b *rbm.Bits) bool {
	n, c := a.Dims()
	if r, k := b.Dims(); r != n || k != c {
		return false
	}
	for i := range n {
		for j := range c {
			if a.Bit(i, j) != b.Bit(i, j) {
				return false
			}
		}
	}
	return true
}

// The model that is written is the best by the rows held out.
func TestBest(t *testing.T) {
	t.Run("patience", func(t *testing.T) { testBest(t, 3) })
	t.Run("all epochs", func(t *testing.T) { testBest(t, 0) })
}

func testBest(t *testing.T, patience int) {
	in(t)
	write(t, "rows.csv", pairs(40, 0))
	write(t, "valid.csv", strings.ReplaceAll(pairs(40, 0), "0,0", "0,1")) // which soon get worse
	code, stdout, stderr := invoke(t, strings.Fields("train rows.csv -o m.rbm -valid valid.csv -hidden 4 -epochs 100 -report 1 -rate 0.5 -patience "+strconv.Itoa(patience))...)
	if code != exitOK {
		t.Fatal(stderr)
	}
	best, at, last := -1e300, 0, 0
	for _, match := range regexp.MustCompile(`epoch (\d+) of .* held out (\S+),`).FindAllStringSubmatch(stderr, -1) {
		var score float64
		fmt.Sscan(match[1], &last)
		fmt.Sscan(match[2], &score)
		if score > best {
			best, at = score, last
		}
	}
	if at == 100 || last != 100 && last != at+patience {
		t.Errorf("the best report is that of epoch %d, and the last %d, want %d more, or 100", at, last, patience)
	}
	if want := fmt.Sprintf("of epoch %d, the best of %d\n", at, last); !strings.HasSuffix(stdout, want) {
		t.Errorf("train prints %q, want %q", stdout, want)
	}
	m, _, err := readModel("m.rbm")
	if err != nil {
		t.Fatal(err)
	}
	v, err := bitio.ReadFile("valid.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	score := -m.LogPartition()
	for _, f := range m.FreeEnergy(nil, v.Bits) {
		score -= f / 40
	}
	if !near(score, best, 6e-4) {
		t.Errorf("the model has a log-likelihood of %v, want %v", score, best)
	}
}

// A warning is shown once, whatever its numbers, also over a stop.
func TestWarnings(t *testing.T) {
	in(t)
	text := strings.ReplaceAll(strings.ReplaceAll(pairs(60, 0), "\n", ",1\n"), "f,1", "f,g") // a constant column
	write(t, "rows.csv", text)
	args := strings.Fields("train rows.csv -o m.rbm -hidden 40 -epochs 40 -report 1 -rate 5 -batch 5 -plain")
	_, _, stderr := invoke(t, args...)
	seen := make(map[string]bool)
	for _, line := range strings.Split(stderr, "\n") {
		if text, ok := strings.CutPrefix(line, "warning: "); ok {
			kind := digits.ReplaceAllString(text, "#")
			if seen[kind] {
				t.Errorf("it says twice %q", text)
			}
			seen[kind] = true
		}
	}
	if len(seen) < 2 {
		t.Errorf("there are the warnings %v, want one of the rate and another one", seen)
	}

	var out bytes.Buffer
	p := (&env{stderr: &out}).newProgress("", 0, 1)
	tr := &training{trainer: new(rbm.Trainer), saved: time.Now(), every: time.Hour}
	for _, rate := range []string{"0.5", "1e-3", "-2"} {
		if err := tr.report(p, rbm.Report{Warnings: []string{"the rate is " + rate, "other"}}); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]int{"warning: ": 2, "warning: the rate is 0.5\n": 1, "warning: other\n": 1} {
		if got := strings.Count(out.String(), text); got != want {
			t.Errorf("there is %d times %q, want %d:\n%s", got, text, want, &out)
		}
	}
}

func TestDiverged(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(60, 0))
	refuse(t, exitError, []string{"rate"}, strings.Fields("train rows.csv -o m.rbm -rate 10 -l2 1 -epochs 3000 -batch 1 -report 3000")...)
	if exists("m.rbm") || exists("m.rbm.checkpoint") {
		t.Error("a model that has diverged was written")
	}
}

// Beside a model is how to read rows for it, which other commands do.
func TestSidecar(t *testing.T) {
	in(t)
	rows := strings.ReplaceAll(strings.ReplaceAll(pairs(60, 0), "0", "-1"), ",", ";")
	rows = "x;" + strings.ReplaceAll(strings.TrimSuffix(rows, "\n"), "\n", "\n9;") + "\n"
	write(t, "rows.csv", rows)
	must(t, strings.Fields("train rows.csv -o m.rbm -spins -skip x -sep ; -hidden 3 -epochs 2 -held 0")...)
	var s sidecar
	if err := json.Unmarshal(read(t, "m.rbm.json"), &s); err != nil {
		t.Fatal(err)
	}
	if s.Model != checksum(read(t, "m.rbm")) || fmt.Sprint(s.Rows.Columns) != "[a b c d e f]" || !s.Rows.Spins || s.Rows.Skip != "x" || s.Training.Hidden != 3 {
		t.Errorf("m.rbm.json is %+v", s)
	}
	whole := must(t, "score", "m.rbm", "rows.csv")

	// Columns in another order, and without those left out, are found by their names.
	shuffled := ""
	for _, line := range strings.Split(strings.TrimSuffix(rows, "\n"), "\n") {
		x := strings.Split(line, ";")
		shuffled += strings.Join([]string{x[6], x[1], x[3], x[2], x[5], x[4]}, ";") + "\n"
	}
	write(t, "shuffled.csv", shuffled)
	if got := must(t, "score", "m.rbm", "shuffled.csv"); got != whole {
		t.Error("columns in another order have other scores")
	}
	write(t, "short.csv", "a;b;c;d;e\n1;1;1;1;1\n")
	refuse(t, exitError, []string{"short.csv", `"f"`}, "score", "m.rbm", "short.csv")
	write(t, "long.csv", "a;b;c;d;e;f;g\n1;1;1;1;1;1;1\n")
	must(t, strings.Fields("score m.rbm long.csv")...) // as there are columns left out
	write(t, "headless.csv", "1;1;1;1;1;-1\n")
	must(t, strings.Fields("score m.rbm headless.csv")...)
	write(t, "zeros.csv", "a;b;c;d;e;f\n1;1;1;1;1;0\n")
	refuse(t, exitError, []string{"zeros.csv", `"f"`}, "score", "m.rbm", "zeros.csv")
	must(t, strings.Fields("score m.rbm zeros.csv -spins=false")...)

	// Another model in its place is found out.
	m := someModel(t, "other.rbm", 6, 3, 1)
	if err := os.Rename("other.rbm", "m.rbm"); err != nil {
		t.Fatal(err)
	}
	refuse(t, exitError, []string{"m.rbm.json", "another model"}, "score", "m.rbm", "rows.csv")
	if err := writeModel("m.rbm", m, nil); err != nil || exists("m.rbm.json") {
		t.Errorf("the description of an older model stays, error %v", err)
	}
}

// Without other options, an unknown column is an error.
func TestUnknownColumn(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(60, 0))
	must(t, strings.Fields("train rows.csv -o m.rbm -hidden 3 -epochs 2 -held 0")...)
	write(t, "long.csv", "a,b,c,d,e,f,g\n1,1,1,1,1,1,1\n")
	refuse(t, exitError, []string{"long.csv", `"g"`}, "score", "m.rbm", "long.csv")
	must(t, "score", "m.rbm", "long.csv", "-ignore-unknown")
	must(t, "score", "m.rbm", "long.csv", "-skip", "g")
}
