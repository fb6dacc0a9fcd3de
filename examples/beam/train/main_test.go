package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/examples/internal/output"
	"github.com/gorbm/rbm/examples/mnist/keep"
)

// Environment variables of processes that the tests start.
const (
	killed = "TRAIN_TEST_KILLED" // round and shard at which the process ends,
	grave  = "TRAIN_TEST_GRAVE"  // unless this folder is there already; it is made then
	worker = "TRAIN_TEST_WORKER" // it is a worker, started by an engine
)

const training = "training-of-the-tests" // the folder in that of -work

func TestMain(m *testing.M) {
	newName = func() string { return training }
	if at := os.Getenv(killed); at != "" {
		shardDone = func(r Round, k int) {
			if fmt.Sprint(r.Number, k) == at && os.Mkdir(os.Getenv(grave), 0o777) == nil {
				os.Exit(9)
			}
		}
	}
	if os.Getenv(worker) != "" {
		// What the boot loader in a container of Beam does: --id='ID' --provision_endpoint=ADDRESS.
		_, id, _ := strings.Cut(os.Args[1], "=")
		_, address, _ := strings.Cut(os.Args[2], "=")
		os.Args = []string{os.Args[0], "--worker=true", "--id=" + strings.Trim(id, "'"), "--control_endpoint=" + address, "--logging_endpoint=" + address}
	}
	clitest.Main(m, main)
}

var initBeam = sync.OnceFunc(func() {
	beam.Init()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // jobs that fail are part of the tests
})

const columns = 12

// pairs draws rows in which each other column is mostly that before it.
func pairs(n int, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := rbm.NewBits(n, columns)
	for i := range n {
		for j := 0; j < columns; j += 2 {
			on := rnd.Float64() < 0.3+0.05*float64(j)
			b.SetBit(i, j, on)
			b.SetBit(i, j+1, on != (rnd.IntN(8) == 0))
		}
	}
	return b
}

// write writes rows to text files, and returns a pattern.
func write(t testing.TB, b *rbm.Bits, parts int) string {
	t.Helper()
	dir := t.TempDir()
	n, c := b.Dims()
	text := make([][]byte, parts)
	for i := range n {
		k := i * parts / n
		for j := range c {
			text[k] = append(text[k], '0'+byte(b.At(i, j)))
		}
		text[k] = append(text[k], '\n')
	}
	for k, x := range text {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.txt", k)), x, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir + "/*.txt"
}

// small returns the flags of a quick run, and more.
func small(t testing.TB, input, work, flags string) []string {
	t.Helper()
	initBeam()
	return append([]string{
		"-input", input, "-work", work, "-columns", fmt.Sprint(columns), "-hidden", "5", "-rounds", "3", "-shards", "3",
		"-batch", "20", "-chains", "10", "-rate", "0.3", "-momentum", "0.5",
	}, strings.Fields(flags)...)
}

func optionsOf(t testing.TB, args []string) options {
	t.Helper()
	o, err := parse(flag.NewFlagSet("train", flag.ContinueOnError), args, io.Discard)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func smallRun(t testing.TB, input, work, flags string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(context.Background(), optionsOf(t, small(t, input, work, flags)), &out)
	return out.String(), err
}

func mustRun(t testing.TB, input, work, flags string) string {
	t.Helper()
	out, err := smallRun(t, input, work, flags)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tree returns the files under a folder.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	if err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkSame checks that two folders hold the same.
func checkSame(t testing.TB, name string, got, want map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: nothing was written", name)
	}
	for path, w := range want {
		if g, ok := got[path]; !ok {
			t.Errorf("%s: %s is missing", name, path)
		} else if g != w {
			t.Errorf("%s: %s differs", name, path)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s: %s is not wanted", name, path)
		}
	}
}

func checkError(t testing.TB, name string, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %v, want it to say %q", name, err, w)
		}
	}
}

// once calls f at the first of the calls of shardDone for a round and shard.
func once(t testing.TB, round, shard int, f func()) (called *bool) {
	called = new(bool)
	var mu sync.Mutex
	shardDone = func(r Round, k int) {
		mu.Lock()
		first := r.Number == round && k == shard && !*called
		*called = *called || first
		mu.Unlock()
		if first {
			f()
		}
	}
	t.Cleanup(func() { shardDone = func(Round, int) {} })
	return called
}

// A pipeline makes what a loop makes: every file, to the last bit, also with two levels
// of merging.
func TestBeamAndLocal(t *testing.T) {
	input := write(t, pairs(300, 1), 4)
	for _, mode := range []string{step, epoch} {
		for _, shards := range []int{1, 3, 17} {
			t.Run(fmt.Sprintf("%s/%d", mode, shards), func(t *testing.T) {
				flags := fmt.Sprintf("-mode %s -shards %d -rounds 4", mode, shards)
				a, b := t.TempDir(), t.TempDir()
				out := mustRun(t, input, a, flags)
				if !strings.Contains(out, "300 rows in ") || strings.Count(out, "\nround ") != 4 {
					t.Errorf("it printed\n%s", out)
				}
				mustRun(t, input, b, flags+" -local")
				got, want := tree(t, a), tree(t, b)
				checkSame(t, "Beam", got, want)
				if n := 2 + 2*shards + 2*(1+shards); len(want) != n { // of the last two rounds
					t.Errorf("there are %d files, want %d", len(want), n)
				}
			})
		}
	}
}

// With one shard all is as in a loop of the library, bit for bit.
func TestOneShard(t *testing.T) {
	input := write(t, pairs(90, 1), 1)
	for _, mode := range []string{step, epoch} {
		for _, constant := range []bool{false, true} {
			flags := fmt.Sprintf("-mode %s -shards 1 -rounds 7 -local -constant=%t -k 2 -seed 5", mode, constant)
			dir := t.TempDir()
			mustRun(t, input, dir, flags)

			data, done, err := openRows(context.Background(), filepath.Join(dir, training, "shards/00000-of-00001.bits"))
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			all := rbm.NewBits(90, columns)
			if err := data.ReadRows(all, 0); err != nil {
				t.Fatal(err)
			}
			m := rbm.NewRandom(columns, 5, 0.01, rand.NewPCG(5, 1<<32))
			m.FitVisibleBias(all)
			sampler := rbm.NewPCD(10, 2, rand.NewPCG(5, 0))
			sgd := rbm.SGD{Momentum: 0.5}
			var centering rbm.Centering
			var g rbm.Gradient
			steps := 7
			if mode == epoch {
				steps = 7 * 5 // of 20, 20, 20, 20 and 10 rows
			}
			for i := range steps {
				sgd.Rate = 0.3
				if !constant {
					sgd.Rate = rbm.Linear(0.3, 0, steps)(i)
				}
				if mode == epoch {
					k := i % 5 * 20
					m.Gradient(&g, all.Slice(k, min(90, k+20)), sampler)
					centering.Center(&g)
				} else {
					rows := make([]int, 20)
					for r := range rows {
						rows[r] = (i*20 + r) % 90
					}
					weights := slices.Repeat([]float64{90.0 / 20}, 20)
					var p rbm.Phases
					m.Phases(&p, all.Gather(nil, rows), weights, sampler)
					p.Gradient(&g)
					centering.Center(&g)
				}
				sgd.Step(m, &g)
			}
			want, err := m.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if got := tree(t, dir)["model"]; got != string(want) {
				t.Errorf("%s: the model differs", flags)
			}
		}
	}
}

// With many shards, too, all is as in loops of the library, bit for bit: their parts are
// added in the order of their numbers, in groups.
func TestManyShards(t *testing.T) {
	const shards, rounds = 18, 4
	input := write(t, pairs(300, 1), 2)
	for mode, batch := range map[string]int{step: 20, epoch: 5} {
		dir := t.TempDir()
		mustRun(t, input, dir, fmt.Sprintf("-mode %s -batch %d -shards %d -rounds %d -local -seed 5", mode, batch, shards, rounds))
		var all [shards]*rbm.Bits
		var own [shards]shard
		for k := range shards {
			data, done, err := openRows(context.Background(), dir+fmt.Sprintf("/%s/shards/%05d-of-%05d.bits", training, k, shards))
			if err != nil {
				t.Fatal(err)
			}
			all[k] = rbm.NewBits(data.Dims())
			if err := errors.Join(data.ReadRows(all[k], 0), done()); err != nil {
				t.Fatal(err)
			}
			own[k].sampler = rbm.NewPCD(10, 1, rand.NewPCG(5, uint64(k)))
			own[k].sgd.Momentum = 0.5
		}
		m := rbm.NewRandom(columns, 5, 0.01, rand.NewPCG(5, 1<<32))
		m.FitVisibleBias(all[0])
		sgd := rbm.SGD{Momentum: 0.5}
		var centering rbm.Centering
		var g rbm.Gradient
		for round := range rounds {
			var phases [2]rbm.Phases // of 16 shards and 2
			var means [2]mean
			for k, data := range all {
				n, _ := data.Dims()
				s := &own[k]
				if mode == step {
					b := min(n, batch)
					rows := make([]int, b)
					for r := range rows {
						rows[r] = (round*b + r) % n
					}
					var p rbm.Phases
					m.Phases(&p, data.Gather(nil, rows), slices.Repeat([]float64{float64(n) / float64(b)}, b), s.sampler)
					phases[k/16].Add(&p)
					continue
				}
				x := m.Clone()
				steps := (n + batch - 1) / batch
				for i := range steps {
					x.Gradient(&g, data.Slice(i*batch, min(n, (i+1)*batch)), s.sampler)
					s.centering.Center(&g)
					s.sgd.Rate = rbm.Linear(0.3, 0, rounds*steps)(round*steps + i)
					s.sgd.Step(x, &g)
				}
				means[k/16].Add(&mean{float64(n), *x})
			}
			if mode == epoch {
				means[0].Add(&means[1])
				m = &means[0].model
				continue
			}
			phases[0].Add(&phases[1])
			phases[0].Gradient(&g)
			centering.Center(&g)
			sgd.Rate = rbm.Linear(0.3, 0, rounds)(round)
			sgd.Step(m, &g)
		}
		want, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if tree(t, dir)["model"] != string(want) {
			t.Errorf("%s: the model differs", mode)
		}
	}
}

// What fails, or is repeated, changes nothing in what is made.
func TestFailures(t *testing.T) {
	ctx := context.Background()
	input := write(t, pairs(200, 1), 3)
	for _, mode := range []string{step, epoch} {
		t.Run(mode, func(t *testing.T) {
			flags := "-mode " + mode
			dir := t.TempDir()
			mustRun(t, input, dir, flags)
			want := tree(t, dir)

			t.Run("panic", func(t *testing.T) {
				for _, at := range [][2]int{{0, 0}, {1, 2}} {
					called := once(t, at[0], at[1], func() { panic("the disk is on fire") })
					dir := t.TempDir()
					out := mustRun(t, input, dir, flags)
					if line := fmt.Sprintf("round %d, attempt 1 of 3: ", at[0]+1); !*called || !strings.Contains(out, line) || !strings.Contains(out, "the disk is on fire") {
						t.Errorf("it panicked: %t, and printed\n%s", *called, out)
					}
					checkSame(t, "tried again", tree(t, dir), want)
				}
			})

			t.Run("stuck", func(t *testing.T) {
				stuck := make(chan struct{})
				called := once(t, 1, 2, func() {
					<-stuck
					panic("it is too late")
				})
				dir := t.TempDir()
				o := optionsOf(t, small(t, input, dir, flags))
				name, err := o.pack(ctx, io.Discard)
				if err == nil {
					err = o.Settings.save(ctx, o.work, name)
				}
				r := Round{o.work.training(name), o.Settings, 0}
				if err == nil {
					err = o.round(ctx, r, io.Discard)
				}
				var out strings.Builder
				if r.Number++; err == nil {
					o.timeout, o.attempts = time.Second, 1000
					err = o.round(ctx, r, &out)
				}
				close(stuck)
				if err != nil {
					t.Fatal(err)
				}
				line := "round 2, attempt 1 of 1000: the job takes longer than 1s\n"
				if !*called || !strings.HasPrefix(out.String(), line) {
					t.Errorf("it was stuck: %t, and printed\n%s", *called, out.String())
				}
				mustRun(t, input, dir, flags)
				checkSame(t, "tried again", tree(t, dir), want)
			})

			t.Run("interrupted", func(t *testing.T) {
				for round := range 3 {
					called := once(t, round, 1, func() { panic("that is all") })
					dir := t.TempDir()
					_, err := smallRun(t, input, dir, flags+" -attempts 1")
					if !*called {
						t.Errorf("round %d did not end", round)
					}
					checkError(t, "run", err, fmt.Sprintf("round %d, attempt 1 of 1: ", round+1), "that is all")
					out := mustRun(t, input, dir, flags)
					if line := fmt.Sprintf("going on from %s/%s: %d of 3 rounds are done\n", dir, training, round); !strings.Contains(out, line) || strings.Count(out, "\nround ") != 3-round {
						t.Errorf("it printed\n%s, want %q", out, line)
					}
					checkSame(t, "continued", tree(t, dir), want)
				}
			})

			t.Run("killed", func(t *testing.T) {
				dir := t.TempDir()
				cmd := clitest.Command(small(t, input, dir, flags)...)
				cmd.Env = append(cmd.Env, killed+"=1 1", grave+"="+t.TempDir()+"/grave")
				out, err := cmd.CombinedOutput()
				if cmd.ProcessState.ExitCode() != 9 {
					t.Fatalf("it ended with %v, want it killed:\n%s", err, out)
				}
				clitest.CheckExit(t, 0, small(t, input, dir, flags+" -runner prism")...) // named, and so without a warning
				got := tree(t, dir)
				for path := range got {
					if strings.Contains(path, ".tmp-") { // of a shard that was being written
						delete(got, path)
					}
				}
				checkSame(t, "killed and continued", got, want)
			})

			t.Run("twice", func(t *testing.T) {
				dir := t.TempDir()
				o := optionsOf(t, small(t, input, dir, flags))
				if _, err := o.pack(ctx, io.Discard); err != nil {
					t.Fatal(err)
				}
				d := o.work.training(training)
				for number := range 3 {
					r := Round{d, o.Settings, number}
					if _, err := beam.Run(ctx, "prism", r.pipeline([]int{1, 0, 2, 1, 1})); err != nil {
						t.Fatal(err)
					}
				}
				if got := tree(t, string(d))["rounds/000003-model"]; got != want[training+"/rounds/000003-model"] {
					t.Error("the model differs where a shard comes more than once")
				}
				_, err := beam.Run(ctx, "prism", Round{d, o.Settings, 0}.pipeline([]int{0, 2}))
				checkError(t, "without a shard", err, "part 1 of 3 is missing")
			})
		})
	}
}

// workers returns the -environment_config of workers that are processes, with more
// variables.
func workers(t testing.TB, variables map[string]string) string {
	t.Helper()
	cmd := clitest.Command()
	env := map[string]string{worker: "1"}
	maps.Copy(env, variables)
	for _, v := range cmd.Env[len(os.Environ()):] { // which make it the program
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	b, err := json.Marshal(map[string]any{"command": cmd.Path, "env": env})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Workers may be processes of their own, and the engine may lose one: the round is made
// again, by another worker, and each shard counts once.
func TestWorkerProcess(t *testing.T) {
	input := write(t, pairs(200, 1), 3)
	for _, mode := range []string{step, epoch} {
		t.Run(mode, func(t *testing.T) {
			want := t.TempDir()
			mustRun(t, input, want, "-local -mode "+mode)
			dir, died := t.TempDir(), t.TempDir()+"/grave"
			environment := workers(t, map[string]string{killed: "1 1", grave: died})
			binary := strings.Replace(input, "*", "0", 1) // any file: it would be copied to other machines
			cmd := clitest.Command(small(t, input, dir, "-mode "+mode)...)
			// Prism sometimes does not notice that a worker has died.
			cmd.Args = append(cmd.Args, "-timeout", "30s", "-environment_type", "PROCESS", "-environment_config", environment, "-worker_binary", binary)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			if _, err := os.Stat(died); err != nil {
				t.Error("no worker died")
			}
			if strings.Count(string(out), "round 2, attempt 1 of 3: ") != 1 || strings.Contains(string(out), "attempt 2") {
				t.Errorf("it printed\n%s", out)
			}
			got := tree(t, dir)
			for path := range got {
				if strings.Contains(path, ".tmp-") { // of a shard that was being written
					delete(got, path)
				}
			}
			checkSame(t, mode, got, tree(t, want))
		})
	}
}

// The last job may be followed by more rounds, if the rate does not depend on them.
func TestMoreRounds(t *testing.T) {
	input := write(t, pairs(200, 1), 3)
	for _, mode := range []string{step, epoch} {
		flags := "-local -constant -mode " + mode
		a, b := t.TempDir(), t.TempDir()
		mustRun(t, input, a, flags+" -rounds 5")
		var out string
		for _, rounds := range []string{"2", "2", "5", "4"} {
			out = mustRun(t, input, b, flags+" -rounds "+rounds)
		}
		checkSame(t, mode, tree(t, b), tree(t, a))
		if want := filepath.Join(b, training) + " has 5 rounds, more than the 4 asked for: nothing to train"; !strings.HasPrefix(out, want) || strings.Contains(out, "\nround ") {
			t.Errorf("it printed\n%s\nwant %q", out, want)
		}
	}
}

// Any file system of Beam does.
func TestFileSystem(t *testing.T) {
	ctx := context.Background()
	input := write(t, pairs(200, 1), 3)
	for _, mode := range []string{step, epoch} {
		dir := t.TempDir()
		mustRun(t, input, dir, "-mode "+mode)
		work := "memfs://" + mode + "/folder/"
		mustRun(t, input, work, "-mode "+mode)
		got := make(map[string]string)
		for _, pattern := range []string{"*", training + "/*", training + "/shards/*", training + "/rounds/*"} {
			paths, err := files.List(ctx, work+pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				b, err := files.Read(ctx, path)
				if err != nil {
					t.Fatal(err)
				}
				got[strings.TrimPrefix(path, work)] = string(b)
			}
		}
		checkSame(t, mode, got, tree(t, dir))
	}
}

func TestSettings(t *testing.T) {
	input := write(t, pairs(200, 1), 3)
	dir := t.TempDir()
	mustRun(t, input, dir, "")
	want := tree(t, dir)
	for flags, said := range map[string]string{
		"-groups 0:2":     `-groups "", not -groups 0:2`,
		"-columns 11":     "-columns 12, not -columns 11",
		"-mode step":      "-mode epoch, not -mode step",
		"-shards 2":       "-shards 3, not -shards 2",
		"-hidden 6":       "-hidden 5, not -hidden 6",
		"-batch 21":       "-batch 20, not -batch 21",
		"-chains 11":      "-chains 10, not -chains 11",
		"-k 2":            "-k 1, not -k 2",
		"-rate 0.25":      "-rate 0.3, not -rate 0.25",
		"-constant":       "-constant false, not -constant true",
		"-rounds 4":       "-rounds 3, not -rounds 4",
		"-momentum 0":     "-momentum 0.5, not -momentum 0",
		"-seed 2":         "-seed 1, not -seed 2",
		"-input elsewere": "-input " + input + ", not -input elsewere",
	} {
		_, err := smallRun(t, input, dir, flags)
		checkError(t, flags, err, dir+"/settings has "+said)
	}
	checkSame(t, "refused", tree(t, dir), want)
	out := mustRun(t, input, dir, "-local -attempts 1 -ais 10 -test "+input)
	if !strings.Contains(out, "3 of 3 rounds are done") || strings.Contains(out, "\nround ") || !strings.Contains(out, "log-likelihood of 200 rows: -") || !strings.Contains(out, "(exact)") {
		t.Errorf("it printed\n%s", out)
	}
	checkSame(t, "complete", tree(t, dir), want)

	if err := os.WriteFile(dir+"/settings", []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := smallRun(t, input, dir, "")
	checkError(t, "damaged settings", err, dir+"/settings: ")
	for name, text := range map[string]string{
		"unknown":  strings.Replace(want["settings"], "{", `{"centering":3,`, 1),
		"trailing": want["settings"] + "{}",
	} {
		if err := os.WriteFile(dir+"/settings", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := smallRun(t, input, dir, "")
		checkError(t, name, err, dir+"/settings: ")
	}
	for _, mark := range []string{"", "made by github.com/gorbm/rbm/examples/mnist"} {
		text := strings.Replace(want["settings"], program.Mark(), mark, 1)
		if err := os.WriteFile(dir+"/settings", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err = smallRun(t, input, dir, "")
		checkError(t, "of another program", err, fmt.Sprintf("%s/settings: mark is %q", dir, mark))
	}
	for _, name := range []string{"", "..", "training-/../x", "training-*"} {
		text := strings.Replace(want["settings"], training, name, 1)
		if err := os.WriteFile(dir+"/settings", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err = smallRun(t, input, dir, "")
		checkError(t, "the name of another folder", err, fmt.Sprintf("%s/settings: training is %q", dir, name))
	}
}

// A file that is damaged is an error that names it.
func TestDamage(t *testing.T) {
	input := write(t, pairs(200, 1), 3)
	for _, flags := range []string{"-mode step", "-mode epoch -local"} {
		for _, path := range []string{"rounds/000002-model", "rounds/000002-shard-00001", "shards/00002-of-00003.bits", "missing rounds/000002-shard-00002", "missing shards/00001-of-00003.bits"} {
			work := t.TempDir()
			mustRun(t, input, work, flags)
			dir := filepath.Join(work, training)
			if err := os.Remove(dir + "/rounds/000003-model"); err != nil {
				t.Fatal(err)
			}
			path, missing := strings.CutPrefix(path, "missing ")
			path = dir + "/" + path
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 4
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
			if missing {
				err = os.Remove(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = smallRun(t, input, work, flags+" -attempts 1")
			checkError(t, flags, err, path)
		}
	}
}

func TestExit(t *testing.T) {
	input := write(t, pairs(20, 1), 1)
	clitest.CheckExit(t, 2, small(t, input, "", "")...)
	clitest.CheckExit(t, 2, "-unknown")
	clitest.CheckExit(t, 0, "-help")
	clitest.CheckExit(t, 1, small(t, input, t.TempDir(), "-shards 1 -local -rounds 1 -test "+t.TempDir()+"/nothing")...)
}

// A folder may be spelled in any way.
func TestWork(t *testing.T) {
	input := write(t, pairs(60, 1), 1)
	for _, work := range []string{"./a", "a//", ".", "a/../b"} {
		for _, flags := range []string{"-rounds 2 -mode step", "-rounds 2 -local"} {
			t.Chdir(t.TempDir())
			_, err := smallRun(t, input, work, flags+" -attempts 1")
			out, again := smallRun(t, input, work, flags+" -attempts 1")
			if err != nil || again != nil || !strings.Contains(out, "2 of 2 rounds are done") {
				t.Errorf("-work %s %s: %v, and then %v:\n%s", work, flags, err, again, out)
			}
		}
	}
}

// Files of others are left alone, whatever their names are, and be they those of the
// input.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	for path, text := range tree(t, filepath.Dir(write(t, pairs(60, 1), 1))) {
		want["shards/"+path] = text
	}
	for _, path := range []string{"shards/00000-of-00003.bits.old", "rounds/000000-model", "rounds/1-notes", "training-x/rounds/000001-model", "bad.csv"} {
		want[path] = "x"
	}
	for path, text := range want {
		path = filepath.Join(dir, path)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	out := mustRun(t, dir+"/shards/*.txt", dir, "-local")
	if strings.Count(out, "\nround ") != 3 {
		t.Errorf("it printed\n%s", out)
	}
	got := tree(t, dir)
	for path := range got {
		if path == "settings" || path == "model" || strings.HasPrefix(path, training) {
			delete(got, path)
		}
	}
	checkSame(t, "others", got, want)
}

// The folder of another program, or one in which something would be replaced, stays as
// it is.
func TestForeignFolder(t *testing.T) {
	input := write(t, pairs(60, 1), 1)
	dir := t.TempDir()
	d, err := keep.Open(dir, "mnist")
	if err == nil {
		err = d.Save(keep.Settings{{"-hidden", 3}}, rbm.New(2, 3))
	}
	if err != nil {
		t.Fatal(err)
	}
	model := t.TempDir()
	if err := os.WriteFile(model+"/model", []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		dir:   dir + "/checkpoint was made by examples/mnist, whose folder this is",
		model: model + "/model exists without settings: not overwritten",
	} {
		before := tree(t, dir)
		_, err := smallRun(t, input, dir, "-local")
		checkError(t, "the folder of another program", err, want)
		checkSame(t, "the folder of another program", tree(t, dir), before)
	}
	memfs.Write("memfs://foreign/checkpoint", []byte(output.Program("classify").Mark()))
	_, err = smallRun(t, input, "memfs://foreign", "-local")
	checkError(t, "a remote folder", err, "memfs://foreign/checkpoint was made by examples/classify")
	work := t.TempDir()
	mustRun(t, input, work, "-local -rounds 1")
	if _, err := keep.Open(work, "mnist"); err == nil || !strings.Contains(err.Error(), "settings was made by examples/beam/train") {
		t.Errorf("another program opens the folder of this one with error %v", err)
	}
}

// With -local no engine of Beam is asked for anything: for one that it does not know,
// Beam ends the process.
func TestLocalAlone(t *testing.T) {
	defer func(old string) { *runners.Runner = old }(*runners.Runner)
	*runners.Runner = "none"
	input := write(t, pairs(60, 1), 1)
	mustRun(t, input, t.TempDir(), "-local")
}

// What is missing in the folder of a training is an error.
func TestMissingRounds(t *testing.T) {
	ctx := context.Background()
	input := write(t, pairs(60, 1), 1)
	dir := t.TempDir()
	mustRun(t, input, dir, "-local")
	o := optionsOf(t, small(t, input, dir, "-local"))
	d := o.work.training(training)
	if err := o.attempt(ctx, Round{d, o.Settings, 2}); err != nil { // it is there already
		t.Errorf("a round once more: %v", err)
	}
	if last, err := d.last(ctx); last != 3 || err != nil {
		t.Errorf("the last round is %d, %v, want 3", last, err)
	}
	wrong := Round{Work: d, Settings: o.Settings, Number: 3}
	wrong.Settings.Columns = 11
	_, err := wrong.load(ctx)
	checkError(t, "another size", err, "model has 12 visible and 5 hidden units, want 11 and 5")
	for _, name := range []string{"000002-model", "000003-model"} {
		if err := os.Remove(filepath.Join(string(d), "rounds", name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = smallRun(t, input, dir, "")
	checkError(t, "without a round", err, string(d)+" has no round that is complete")
}

// A job that ends well has not always made the round.
func TestNoRound(t *testing.T) {
	ctx := context.Background()
	o := optionsOf(t, small(t, write(t, pairs(60, 1), 1), t.TempDir(), ""))
	if _, err := o.pack(ctx, io.Discard); err != nil {
		t.Fatal(err)
	}
	r := Round{o.work.training(training), o.Settings, 0}
	checkError(t, "before", r.check(ctx), "the job has ended without "+string(r.Work)+"/rounds/000001-model")
	if err := o.attempt(ctx, r); err != nil {
		t.Error(err)
	}
	if err := r.check(ctx); err != nil {
		t.Error(err)
	}
}

// Two trainings in one folder of -work, with different settings, have no part in each
// other: each ends with the model of its own settings, and one goes on later.
func TestTwoTrainings(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	defer func() {
		if left, err := filepath.Glob(tmp + "/train-*"); err != nil || len(left) > 0 {
			t.Errorf("%q is left behind, %v", left, err)
		}
	}()
	input := write(t, pairs(200, 1), 3)
	want := map[string]string{}
	for _, seed := range []string{"1", "2"} {
		dir := t.TempDir()
		mustRun(t, input, dir, "-local -seed "+seed)
		want[seed] = tree(t, dir)["model"]
	}
	if want["1"] == want["2"] {
		t.Fatal("two seeds make the same model")
	}
	defer func() { newName = func() string { return training } }()
	var dir string
	var names []string
	model := map[string]string{}
	other := func(seed string) {
		mustRun(t, input, dir, "-local -seed "+seed)
		model[seed] = tree(t, dir)["model"]
	}
	for _, during := range []string{"packing", "round"} {
		dir, names = t.TempDir(), nil
		begun := false
		first := func() {
			if !begun {
				begun = true
				other("2")
			}
		}
		newName = func() string {
			if during == "packing" {
				first()
			}
			names = append(names, fmt.Sprintf("training-%d", len(names)))
			return names[len(names)-1]
		}
		if during == "round" {
			once(t, 1, 1, func() {
				// It has settings now, of a training that the other one is not.
				if err := os.Remove(filepath.Join(dir, "settings")); err != nil {
					t.Error(err)
				}
				first()
			})
		}
		other("1")
		for seed, m := range want {
			if model[seed] != m {
				t.Errorf("another training begins while the first one is at %s: the model of -seed %s differs", during, seed)
			}
		}
		if len(names) != 2 {
			t.Errorf("there are %d trainings, want 2", len(names))
		}
	}
}

// A shard of rows with other columns is an error that names it.
func TestColumnsOfShard(t *testing.T) {
	input := write(t, pairs(60, 1), 1)
	dir := t.TempDir()
	mustRun(t, input, dir, "-constant")
	path := filepath.Join(dir, training, "shards/00001-of-00003.bits")
	if err := bitfile.Write(path, rbm.Blocks(rbm.NewBits(5, columns+1), 5)); err != nil {
		t.Fatal(err)
	}
	_, err := smallRun(t, input, dir, "-constant -rounds 4 -local -attempts 1")
	checkError(t, "other columns", err, path+": rows have 13 columns, want 12")
}
