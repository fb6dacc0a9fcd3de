package checkpoint_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
	"github.com/gorbm/rbm/internal/wire"
)

var update = flag.Bool("update", false, "write testdata")

// counter is a part of a type that is not in package rbm.
type counter int64

func (c *counter) AppendBinary(b []byte) ([]byte, error) {
	if *c < 0 {
		return nil, errors.New("less than 0")
	}
	return binary.LittleEndian.AppendUint64(b, uint64(*c)), nil
}

func (c *counter) UnmarshalBinary(data []byte) error {
	if len(data) != 8 {
		return fmt.Errorf("counter has %d bytes, want 8", len(data))
	}
	*c = counter(binary.LittleEndian.Uint64(data))
	return nil
}

// A training is what a checkpoint holds.
type training struct {
	data      *rbm.Bits
	model     *rbm.RBM
	samplers  []rbm.Sampler // that take turns
	sgd       rbm.SGD
	centering rbm.Centering
	steps     counter
	g         rbm.Gradient
}

func newTraining(nv, nh int) *training {
	rnd := rand.New(rand.NewPCG(1, 2))
	o := &training{
		data:  rbm.NewBits(12, nv),
		model: rbm.NewRandom(nv, nh, 0.5, rnd),
		samplers: []rbm.Sampler{
			rbm.NewCD(1, rnd),
			rbm.NewPCD(3, 2, rnd),
			newPT(2, 1, []float64{0, 0.5, 1}, rnd),
		},
		sgd:       rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 0.01},
		centering: rbm.Centering{Rate: 0.25, Enhanced: true},
	}
	for r := range 12 {
		for i := range nv {
			o.data.SetBit(r, i, rnd.IntN(3) == 0)
		}
	}
	return o
}

func (o *training) parts() []checkpoint.State {
	return []checkpoint.State{o.model, o.samplers[0].(*rbm.CD), o.samplers[1].(*rbm.PCD), o.samplers[2].(*rbm.PT),
		&o.sgd, &o.centering, &o.steps}
}

func (o *training) run(steps int) {
	for range steps {
		n := int(o.steps)
		batch := o.data.Slice(n%3*4, n%3*4+4)
		o.model.Gradient(&o.g, batch, o.samplers[n%len(o.samplers)])
		o.centering.Center(&o.g)
		o.sgd.Step(o.model, &o.g)
		o.steps++
	}
}

func (o *training) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := checkpoint.Write(&b, o.parts()...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func checkError(t *testing.T, name string, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	for _, w := range append(want, "checkpoint: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q lacks %q", name, err, w)
		}
	}
}

// again runs the test of this name in another process.
func again(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	switch runtime.GOOS {
	case "js", "wasip1", "ios":
		t.Skip("there are no other processes on " + runtime.GOOS)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+test+"$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

const pathVariable = "RBM_TEST_CHECKPOINT"

func TestAnotherProcessGoesOn(t *testing.T) {
	if path := os.Getenv(pathVariable); path != "" {
		o := newTraining(70, 9)
		o.run(4) // which must not matter
		if err := checkpoint.Load(path, o.parts()...); err != nil {
			t.Fatal(err)
		}
		o.run(20)
		if err := checkpoint.Save(path, o.parts()...); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, before := range []int{0, 1, 2, 3, 10} {
		path := filepath.Join(t.TempDir(), "c")
		o := newTraining(70, 9)
		o.run(before)
		if err := checkpoint.Save(path, o.parts()...); err != nil {
			t.Fatal(err)
		}
		o.run(20)
		cmd := again(t, "TestAnotherProcessGoesOn", pathVariable+"="+path, "GOMAXPROCS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, o.bytes(t)) {
			t.Errorf("after %d steps another process goes on in another way", before)
		}
	}
}

// A program that is killed at any time, again and again, has trained in the end as if it
// had not been.
func TestKilledProcesses(t *testing.T) {
	const nv, nh = 300, 150
	if path := os.Getenv(pathVariable); path != "" {
		o := newTraining(nv, nh)
		if err := checkpoint.Load(path, o.parts()...); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for first := true; ; first = false {
			o.run(1)
			if err := checkpoint.Save(path, o.parts()...); err != nil {
				t.Fatal(err)
			}
			if first {
				fmt.Println("saved")
			}
		}
	}
	path := filepath.Join(t.TempDir(), "c")
	reference, got := newTraining(nv, nh), newTraining(nv, nh)
	kill(t, "TestKilledProcesses", path, func() {
		before := got.steps
		if err := checkpoint.Load(path, got.parts()...); err != nil {
			t.Fatal(err)
		}
		if got.steps <= before {
			t.Fatalf("%d steps after %d", got.steps, before)
		}
		reference.run(int(got.steps - reference.steps))
		if !bytes.Equal(got.bytes(t), reference.bytes(t)) {
			t.Fatalf("what was saved after %d steps is not what a program has that goes on", got.steps)
		}
	})
	t.Logf("%d steps", got.steps)
}

// So has a Trainer that its reports save, in the middle of epochs.
func TestKilledTrainers(t *testing.T) {
	start := func(report func(tr *rbm.Trainer, r rbm.Report) error) *rbm.Trainer {
		o := newTraining(300, 150)
		tr := rbm.NewTrainer(o.model, o.data.Slice(0, 8), rbm.NewPCD(5, 1, rand.NewPCG(5, 6)), rand.NewPCG(7, 8))
		tr.HeldOut = o.data.Slice(8, 12)
		tr.BatchSize, tr.ReportEvery = 3, 1
		tr.SGD.Momentum = 0.5
		tr.Schedule = rbm.Inverse(0.1, 10)
		tr.OnReport = func(r rbm.Report) error { return report(tr, r) }
		return tr
	}
	if path := os.Getenv(pathVariable); path != "" {
		first := true
		tr := start(func(tr *rbm.Trainer, _ rbm.Report) error {
			err := checkpoint.Save(path, tr)
			if err == nil && first {
				fmt.Println("saved")
			}
			first = false
			return err
		})
		if err := checkpoint.Load(path, tr); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		t.Fatal(tr.Train(context.Background(), math.MaxInt))
	}
	path := filepath.Join(t.TempDir(), "c")
	saved, last := 0, errors.New("the last step that was saved")
	reference := start(func(_ *rbm.Trainer, r rbm.Report) error {
		if r.Step == saved {
			return last
		}
		return nil
	})
	got := start(nil)
	kill(t, "TestKilledTrainers", path, func() {
		before := got.Steps()
		if err := checkpoint.Load(path, got); err != nil {
			t.Fatal(err)
		}
		if saved = got.Steps(); saved <= before {
			t.Fatalf("%d steps after %d", saved, before)
		}
		if err := reference.Train(context.Background(), math.MaxInt); !errors.Is(err, last) {
			t.Fatal(err)
		}
		var x, y bytes.Buffer
		if err := errors.Join(checkpoint.Write(&x, got), checkpoint.Write(&y, reference)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.Bytes(), y.Bytes()) {
			t.Fatalf("what was saved after %d steps is not what a program has that goes on", saved)
		}
	})
	t.Logf("%d steps", saved)
}

// kill runs the test of this name in one process after the other, kills each at any time
// after it has saved, and then calls check.
func kill(t *testing.T, test, path string, check func()) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("there is no SIGKILL on " + runtime.GOOS)
	}
	kills := 40
	if testing.Short() {
		kills = 5
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	left := 0
	for range kills {
		cmd := again(t, test, pathVariable+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		line := make([]byte, len("saved"))
		if _, err := io.ReadFull(out, line); err != nil || string(line) != "saved" {
			rest, _ := io.ReadAll(out)
			t.Fatalf("%v: %s%s", err, line, rest)
		}
		time.Sleep(time.Duration(rnd.IntN(25_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		check()
		n := len(files(t, filepath.Dir(path))) - 1
		if n > 3 {
			t.Fatalf("there are %d temporary files, want at most 3", n)
		}
		left = max(left, n)
	}
	t.Logf("%d kills, up to %d temporary files", kills, left)
}

// files returns the names of the files in a directory.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	o := newTraining(5, 4)
	if err := checkpoint.Load(path, o.parts()...); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of no file: %v", err)
	}
	if err := checkpoint.Save(path, o.parts()...); err != nil {
		t.Fatal(err)
	}
	first := o.bytes(t)
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if runtime.GOOS == "windows" {
		old.Close() // it would be in the way
	}
	o.run(3)
	if err := checkpoint.Save(path, o.parts()...); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, o.bytes(t)) {
		t.Errorf("Save does not write what Write does, %v", err)
	}
	if runtime.GOOS != "windows" {
		if got, err := io.ReadAll(old); err != nil || !bytes.Equal(got, first) {
			t.Errorf("the older file was written to, %v", err)
		}
	}
	if got := files(t, dir); !slices.Equal(got, []string{"c"}) {
		t.Errorf("files %q, want only c", got)
	}

	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Mode() != want.Mode() {
		t.Errorf("mode is %v, want %v", got.Mode(), want.Mode())
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return
	}
	if err := errors.Join(os.Chmod(path, 0o600), checkpoint.Save(path, o.parts()...)); err != nil {
		t.Fatal(err)
	}
	if got, err = os.Stat(path); err != nil || got.Mode() != 0o600 {
		t.Errorf("mode of a private file is %v after Save, %v", got.Mode(), err)
	}
}

// A name without a directory is one in the current directory.
func TestSaveHere(t *testing.T) {
	t.Chdir(t.TempDir())
	for k := range 5 {
		if err := os.WriteFile(fmt.Sprintf("c.tmp-%016x", k), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	one, two := counter(1), counter(2)
	for _, path := range []string{"c", "./c", "c"} {
		if err := checkpoint.Save(path, &one); err != nil {
			t.Fatal(err)
		}
		two = 2
		if err := checkpoint.Load(path, &two); err != nil || two != 1 {
			t.Errorf("%s: got %d, %v", path, two, err)
		}
	}
	if got := files(t, "."); len(got) != 3 || got[0] != "c" {
		t.Errorf("files %q, want c and two temporary ones", got)
	}
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	good, bad := counter(1), counter(-1)
	if err := checkpoint.Save(path, &good); err != nil {
		t.Fatal(err)
	}
	checkError(t, "part", checkpoint.Save(path, &good, &bad), "part 1 of 2, a *checkpoint_test.counter: less than 0")
	checkError(t, "part", checkpoint.Write(io.Discard, &bad), "part 0 of 1")
	checkError(t, "writer", checkpoint.Write(writerOf{errors.New("full")}, &good), "full")
	checkError(t, "no directory", checkpoint.Save(filepath.Join(dir, "missing", "c"), &good), "missing")
	checkError(t, "file for a directory", checkpoint.Save(filepath.Join(path, "c"), &good), "c")
	taken := filepath.Join(dir, "d")
	if err := os.MkdirAll(filepath.Join(taken, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	checkError(t, "directory", checkpoint.Save(taken, &good), taken+" is a directory, want the name of a file")
	checkError(t, "empty path", checkpoint.Save("", &good))
	if got := files(t, dir); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("files %q, want c and d", got)
	}
	var got counter
	if err := checkpoint.Load(path, &got); err != nil || got != good {
		t.Errorf("Load = %d, %v, want %d", got, err, good)
	}
}

type writerOf struct{ err error }

func (w writerOf) Write([]byte) (int, error) { return 0, w.err }

// Of the files that killed programs have left, the latest two stay, and no other file is removed.
func TestSaveRemovesStaleFiles(t *testing.T) {
	dir := t.TempDir()
	var want []string
	write := func(name string, age time.Duration, stays bool) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		if stays {
			want = append(want, name)
		}
	}
	write("c.tmp-0000000000000000", 3*time.Hour, false)
	write("c.tmp-0000000000000001", 1*time.Hour, true)
	write("c.tmp-0123456789abcdef", 4*time.Hour, false)
	write("c.tmp-ffffffffffffffff", 2*time.Hour, true)
	for _, name := range []string{"b.tmp-0000000000000000", "c.tmp-", "c.tmp-00000000000000000", "c.tmp-000000000000000", "c.tmp-000000000000000g",
		"c.tmp-+00000000000000f", "cc.tmp-0000000000000000", "0000000000000000", "c0000000000000000"} {
		write(name, 9*time.Hour, true)
	}
	if err := os.Mkdir(filepath.Join(dir, "c.tmp-1111111111111111"), 0o755); err != nil {
		t.Fatal(err)
	}
	want = append(want, "c", "c.tmp-1111111111111111")
	one := counter(1)
	if err := checkpoint.Save(filepath.Join(dir, "c"), &one); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// Three may save to the same path at the same time.
func TestSaveAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	errs := make(chan error)
	for k := range 3 {
		go func() {
			var err error
			for n := range 20 {
				x, y := counter(100*k+n), counter(100*k+n)
				err = errors.Join(err, checkpoint.Save(path, &x, &y), checkpoint.Load(path, &x, &y))
				if x != y {
					err = errors.Join(err, fmt.Errorf("%d and %d in one file", x, y))
				}
			}
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil && runtime.GOOS != "windows" { // which has no reading while a file is replaced
			t.Error(err)
		}
	}
	if got := files(t, dir); !slices.Equal(got, []string{"c"}) {
		t.Errorf("files %q, want only c", got)
	}
}

// Read takes no more than is its own, however the bytes come.
func TestRead(t *testing.T) {
	o := newTraining(5, 4)
	one := o.bytes(t)
	o.run(4)
	two := o.bytes(t)
	for _, r := range []io.Reader{
		bytes.NewReader(slices.Concat(one, two)),
		iotest.OneByteReader(bytes.NewReader(slices.Concat(one, two))),
		iotest.DataErrReader(bytes.NewReader(slices.Concat(one, two))),
	} {
		got := newTraining(3, 7)
		for _, want := range [][]byte{one, two} {
			if err := checkpoint.Read(r, got.parts()...); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.bytes(t), want) {
				t.Error("Read is not what was written")
			}
		}
		if err := checkpoint.Read(r, got.parts()...); !errors.Is(err, io.EOF) {
			t.Errorf("error %v, want EOF", err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(one[:100]), iotest.ErrReader(errors.New("broken")))
	checkError(t, "reader", checkpoint.Read(broken, o.parts()...), "broken")

	// No parts are a checkpoint too, and more than one step of reading.
	var b bytes.Buffer
	large := rbm.NewRandom(600, 500, 1, rand.NewPCG(1, 2))
	if err := errors.Join(checkpoint.Write(&b), checkpoint.Write(&b, large)); err != nil {
		t.Fatal(err)
	}
	var m rbm.RBM
	if err := errors.Join(checkpoint.Read(&b), checkpoint.Read(iotest.HalfReader(&b), &m)); err != nil {
		t.Fatal(err)
	}
	x, _ := m.AppendBinary(nil)
	y, _ := large.AppendBinary(nil)
	if !bytes.Equal(x, y) {
		t.Error("a large model differs")
	}
}

// checkRefused fails unless Read and Load of data fail and leave the parts as they are.
func checkRefused(t *testing.T, name string, data []byte, parts []checkpoint.State, want ...string) {
	t.Helper()
	var before, after bytes.Buffer
	if err := checkpoint.Write(&before, parts...); err != nil {
		t.Fatal(err)
	}
	checkError(t, "Read, "+name, checkpoint.Read(bytes.NewReader(data), parts...), want...)
	if err := checkpoint.Write(&after, parts...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("%s: parts have changed", name)
	}
}

func TestDamagedCheckpoints(t *testing.T) {
	o := newTraining(3, 2)
	o.run(4)
	whole := o.bytes(t)
	parts := newTraining(2, 3).parts()
	for n := range whole {
		if n > 0 {
			checkRefused(t, fmt.Sprintf("first %d bytes", n), whole[:n], parts, "unexpected EOF")
		}
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := slices.Clone(whole)
			bad[n] ^= flip
			checkRefused(t, fmt.Sprintf("byte %d changed", n), bad, parts)
		}
	}
	later := slices.Clone(whole)
	later[9] = 1
	checkRefused(t, "later version", later, parts, "version 257", "known is only 1")
	model, _ := o.model.AppendBinary(nil)
	checkRefused(t, "model", model, parts, `data is of kind "RBM"`)
	checkRefused(t, "text", []byte("no checkpoint, but something long enough to be read"), parts, `data begins with "no check"`)

	checkRefused(t, "short text", []byte("text"), parts, `data begins with "text"`)

	path := filepath.Join(t.TempDir(), "c")
	for name, data := range map[string][]byte{"file is empty": nil, "bytes follow the checkpoint": append(slices.Clone(whole), 0), "unexpected EOF": whole[:60]} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		checkError(t, name, checkpoint.Load(path, parts...), name, path)
	}
}

// Any byte in the place of any other, with the checksum of that, gives an error or the
// parts that it stands for.
func TestEveryByte(t *testing.T) {
	x, y := counter(1), counter(2)
	var b bytes.Buffer
	if err := checkpoint.Write(&b, &x, &y); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	end := len(data) - 4
	for at, was := range data[:end] {
		for b := range 256 {
			data[at] = byte(b)
			binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)))
			var again bytes.Buffer
			if err := checkpoint.Read(bytes.NewReader(data), &x, &y); err != nil {
				continue
			}
			if err := checkpoint.Write(&again, &x, &y); x >= 0 && y >= 0 && (err != nil || !bytes.Equal(again.Bytes(), data)) {
				t.Errorf("byte %d is %d, was %d: the parts are written as %x, %v", at, b, was, again.Bytes(), err)
			}
		}
		data[at] = was
	}
}

// No part changes if one of them cannot be read, whichever it is.
func TestOtherParts(t *testing.T) {
	o := newTraining(3, 2)
	o.run(4)
	whole, all := o.bytes(t), o.parts()
	parts := newTraining(2, 3).parts()
	checkRefused(t, "fewer", whole, parts[:6], "data has 7 parts, want 6")
	checkRefused(t, "more", whole, append(slices.Clone(parts), new(counter)), "data has 7 parts, want 8")
	for i := range 6 {
		for j := i + 1; j < 7; j++ {
			swapped := slices.Clone(parts)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			first := swapped[i]
			if j == 6 { // the counter takes what it gets, if it comes to that
				first = swapped[6]
			}
			checkRefused(t, fmt.Sprintf("%d and %d", i, j), whole, swapped, fmt.Sprintf("of 7, a %T: ", first), fmt.Sprintf("rbm: %s: data ", name(first)))
		}
	}
	for i := range all {
		var b bytes.Buffer
		bad := slices.Clone(all)
		bad[i] = raw("no such part")
		if err := checkpoint.Write(&b, bad...); err != nil {
			t.Fatal(err)
		}
		checkRefused(t, fmt.Sprintf("part %d", i), b.Bytes(), parts, fmt.Sprintf("part %d of 7, a %T: ", i, parts[i]))
	}
	for name, f := range map[string]func(){
		"Write": func() { checkpoint.Write(io.Discard, o.model, nil) },
		"Read":  func() { checkpoint.Read(bytes.NewReader(whole), o.model, nil, nil, nil, nil, nil, nil) },
		"Save":  func() { checkpoint.Save(filepath.Join(t.TempDir(), "c"), o.model, (*rbm.SGD)(nil)) },
		"Read of a typed nil": func() {
			checkpoint.Read(bytes.NewReader(whole), o.model, (*rbm.CD)(nil), all[2], all[3], all[4], all[5], all[6])
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != "checkpoint: part 1 is nil" {
					t.Errorf("%s: panic %v", name, got)
				}
			}()
			f()
		}()
	}
}

// So it is with a Trainer, which knows its rows and its sampler.
func TestOtherTrainers(t *testing.T) {
	samplers := []rbm.Sampler{rbm.NewCD(1, rand.NewPCG(1, 1)), rbm.NewPCD(3, 1, rand.NewPCG(1, 1)),
		newPT(3, 1, []float64{0, 1}, rand.NewPCG(1, 1)), rbm.NewPTT(3, 1, nil, rand.NewPCG(1, 1)), new(rbm.Exact)}
	for i, s := range samplers {
		o := newTraining(4, 3)
		one, two := rbm.NewTrainer(o.model, o.data, s, rand.NewPCG(1, 1)), rbm.NewTrainer(o.model.Clone(), o.data, new(rbm.Exact), rand.NewPCG(1, 1))
		one.HeldOut, two.Weights = o.data.Slice(0, 3), slices.Repeat([]float64{0.5}, 12)
		steps := counter(5)
		var b bytes.Buffer
		if err := errors.Join(one.Step(), two.Step(), checkpoint.Write(&b, &steps, one, two)); err != nil {
			t.Fatal(err)
		}
		whole := b.Bytes()
		if err := errors.Join(one.Step(), two.Step()); err != nil {
			t.Fatal(err)
		}
		steps++
		parts := []checkpoint.State{&steps, one, two}
		other := *o.data.Gather(nil, []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0})
		for k, tr := range []*rbm.Trainer{one, two} {
			tr.Data = &other
			checkRefused(t, fmt.Sprintf("%T: other rows", s), whole, parts, fmt.Sprintf("part %d of 3, a *rbm.Trainer: rbm: Trainer: Data has checksum", 1+k))
			tr.Data = o.data
		}
		one.Sampler = samplers[(i+1)%len(samplers)]
		checkRefused(t, fmt.Sprintf("%T: other sampler", s), whole, parts, "part 1 of 3, a *rbm.Trainer: rbm: Trainer: ")
		one.Sampler = s
		if err := checkpoint.Read(bytes.NewReader(whole), parts...); err != nil || steps != 5 || one.Steps() != 1 || two.Steps() != 1 {
			t.Errorf("%T: %v, %d, %d and %d steps", s, err, steps, one.Steps(), two.Steps())
		}
		var again bytes.Buffer
		if err := checkpoint.Write(&again, parts...); err != nil || !bytes.Equal(again.Bytes(), whole) {
			t.Errorf("%T: the parts differ, %v", s, err)
		}
	}
}

// types returns the names of the types in the package of a directory that have UnmarshalBinary.
func types(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "UnmarshalBinary" {
				names = append(names, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// all returns a part of each type of package rbm with all the state there can be, which is
// another one for another seed.
func all(t *testing.T, seed uint64) map[string]checkpoint.State {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	data := newTraining(5, 2).data
	m, g := rbm.NewRandom(5, 2+int(seed%3), 0.5, rnd), new(rbm.Gradient)
	cd, pcd, exact := rbm.NewCD(1, rnd), rbm.NewPCD(2, 1, rnd), rbm.NewPCD(3, 1, rnd)
	pt, ptt := newPT(2, 1, []float64{0, 1}, rnd), rbm.NewPTT(2, 1, nil, rnd)
	sgd, centering, phases := &rbm.SGD{Rate: 0.1, Momentum: 0.5}, new(rbm.Centering), new(rbm.Phases)
	sparsity := &rbm.Sparsity{Target: 0.1, Cost: 0.5}
	for _, s := range []rbm.Sampler{cd, pcd, pt, ptt, exact} {
		m.Gradient(g, data, s)
		sparsity.Penalize(g)
		centering.Center(g)
		sgd.Step(m, g)
		m.Phases(phases, data, nil, s)
	}
	tr := rbm.NewTrainer(m.Clone(), data, rbm.NewPCD(3, 1, rnd), rnd)
	tr.SGD.Momentum, tr.HeldOut = 0.5, data.Slice(0, 3)
	tr.Sparsity, tr.Frozen = &rbm.Sparsity{Target: 0.1, Cost: 0.5}, &rbm.Frozen{B: make([]bool, 5)}
	if err := tr.Train(context.Background(), int(seed)); err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]checkpoint.State)
	for _, p := range []checkpoint.State{m, phases, sgd, centering, sparsity, tr.Frozen, cd, pcd, pt, ptt, exact.Chains, tr} {
		parts[name(p)] = p
	}
	return parts
}

// Of any two types, and a model larger than both, none changes if one of them cannot be read.
func TestAllOrNothing(t *testing.T) {
	if want, got := types(t, ".."), slices.Sorted(maps.Keys(all(t, 1))); !slices.Equal(got, want) {
		t.Fatalf("this test knows %q, the package has %q", got, want)
	}
	large, model := rbm.NewRandom(30, 20, 1, rand.NewPCG(1, 1)), rbm.New(5, 3)
	from, to := all(t, 1), all(t, 2)       // that are written
	one, two := all(t, 3), all(t, 4)       // that do not change
	changed, other := all(t, 5), all(t, 6) // that do
	for x, px := range from {
		for y, py := range to {
			if x == y {
				continue
			}
			var good bytes.Buffer
			if err := checkpoint.Write(&good, px, large, py); err != nil {
				t.Fatal(err)
			}
			checkRefused(t, x+", model, "+x, good.Bytes(), []checkpoint.State{one[x], model, two[x]}, "part 2 of 3")
			checkRefused(t, y+", model, "+y, good.Bytes(), []checkpoint.State{one[y], model, two[y]}, "part 0 of 3")
			if x != "RBM" {
				checkRefused(t, x+", "+x+", "+y, good.Bytes(), []checkpoint.State{one[x], two[x], two[y]}, "part 1 of 3")
			}
			parts := []checkpoint.State{changed[x], new(rbm.RBM), other[y]}
			if err := checkpoint.Read(bytes.NewReader(good.Bytes()), parts...); err != nil {
				t.Errorf("%s, model, %s: %v", x, y, err)
			}
			var again bytes.Buffer
			if err := checkpoint.Write(&again, parts...); err != nil || !bytes.Equal(again.Bytes(), good.Bytes()) {
				t.Errorf("%s, model, %s: the parts differ, %v", x, y, err)
			}
		}
	}
}

// wrapper is a part of a type of a user that embeds one of the package.
type wrapper struct{ *rbm.PCD }

// Parts of other types are set back as well, and so is a Trainer with a Sampler of such a type.
func TestAllOrNothingOfOtherTypes(t *testing.T) {
	parts := func(seed uint64) []checkpoint.State {
		p := all(t, seed)
		c := counter(seed)
		tr := p["Trainer"].(*rbm.Trainer)
		tr.Sampler = wrapper{tr.Sampler.(*rbm.PCD)}
		return []checkpoint.State{wrapper{p["PCD"].(*rbm.PCD)}, &c, tr, p["RBM"]}
	}
	n := 0
	for x := range 4 {
		for y := range 4 {
			for z := range 4 {
				from, to := parts(1), parts(2)
				one, other := []checkpoint.State{from[x], from[y]}, []checkpoint.State{to[x], to[z]}
				if x == y || x == z {
					continue
				}
				var b bytes.Buffer
				if err := checkpoint.Write(&b, one...); err != nil {
					t.Fatal(err)
				}
				if y != z {
					n++
					checkRefused(t, fmt.Sprintf("%T, %T to %T", one[0], one[1], other[1]), b.Bytes(), other, "part 1 of 2")
					slices.Reverse(other)
					checkRefused(t, fmt.Sprintf("%T, %T to %T, %T", one[0], one[1], other[0], other[1]), b.Bytes(), other, "of 2, a ")
				} else if err := checkpoint.Read(bytes.NewReader(b.Bytes()), other...); err != nil {
					t.Errorf("%T, %T: %v", one[0], one[1], err)
				}
			}
		}
	}
	if n != 24 {
		t.Errorf("%d cases", n)
	}
}

// A part that is not ready for AppendBinary cannot be set back, and so comes behind the
// others that may fail.
func TestPartsThatAreNotReady(t *testing.T) {
	p := all(t, 1)
	one := counter(1)
	var b bytes.Buffer
	if err := checkpoint.Write(&b, p["PCD"], &one, p["RBM"]); err != nil {
		t.Fatal(err)
	}
	fresh, two, m := wrapper{new(rbm.PCD)}, counter(2), new(rbm.RBM)
	if err := checkpoint.Read(bytes.NewReader(b.Bytes()), fresh, &two, m); err != nil || fresh.K != 1 || two != 1 || m.W == nil {
		t.Errorf("K is %d, counter %d, model %v, error %v", fresh.K, two, m, err)
	}
	fresh, two = wrapper{new(rbm.PCD)}, 2
	// The counter takes what it gets only if that has 8 bytes.
	checkError(t, "counter", checkpoint.Read(bytes.NewReader(b.Bytes()), fresh, &two, new(rbm.SGD)), "part 2 of 3, a *rbm.SGD")
	if fresh.K != 0 || two != 2 {
		t.Errorf("K is %d, counter %d after an error of another part", fresh.K, two)
	}
	b.Reset()
	if err := checkpoint.Write(&b, p["PCD"], p["SGD"], p["RBM"]); err != nil {
		t.Fatal(err)
	}
	checkError(t, "counter", checkpoint.Read(&b, fresh, &two, m), "part 1 of 3, a *checkpoint_test.counter: counter has ")
	if fresh.K != 0 || two != 2 {
		t.Errorf("K is %d, counter %d after an error of the counter", fresh.K, two)
	}
	// Of two of them the first stays as it was read: nothing else is tried.
	b.Reset()
	if err := checkpoint.Write(&b, p["PCD"], p["SGD"]); err != nil {
		t.Fatal(err)
	}
	const want = `checkpoint: part 1 of 2, a checkpoint_test.wrapper: rbm: PCD: data is of kind "SGD"`
	if err := checkpoint.Read(&b, fresh, wrapper{new(rbm.PCD)}); err == nil || err.Error() != want || fresh.K != 1 {
		t.Errorf("K is %d, error %v, want 1 and %s", fresh.K, err, want)
	}
}

// name returns the name of the type of a part.
func name(part checkpoint.State) string { return reflect.TypeOf(part).Elem().Name() }

// raw is a part with any bytes.
type raw string

func (s raw) AppendBinary(b []byte) ([]byte, error) { return append(b, s...), nil }
func (raw) UnmarshalBinary([]byte) error            { return errors.New("raw") }

// A checkpoint that claims to be large takes no memory before the bytes are there.
func TestClaimsOfSize(t *testing.T) {
	o := newTraining(3, 2)
	whole := o.bytes(t)
	payload := whole[32 : len(whole)-4]
	var claims [][]byte
	for _, x := range []uint64{1 << 40, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		size := slices.Clone(whole)
		binary.LittleEndian.PutUint64(size[24:], x)
		claims = append(claims, size)
		for _, at := range []int{0, 8} { // number of parts, size of the first
			bad := slices.Clone(payload)
			binary.LittleEndian.PutUint64(bad[at:], x)
			claims = append(claims, frame(bad))
		}
	}
	for i, data := range claims {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		err := checkpoint.Read(bytes.NewReader(data), o.parts()...)
		runtime.ReadMemStats(&m1)
		want := ""
		if i%3 == 0 && i/3 >= 2 { // sizes of 2⁶³-1 and more
			want = "fits into memory"
		}
		checkError(t, fmt.Sprintf("claim %d", i), err, want)
		if n := m1.TotalAlloc - m0.TotalAlloc; n > 4<<20 {
			t.Errorf("claim %d takes %d bytes", i, n)
		}
	}
}

// allocated returns how many bytes f takes.
func allocated(f func()) float64 {
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	f()
	runtime.ReadMemStats(&m1)
	return float64(m1.TotalAlloc - m0.TotalAlloc)
}

func frame(payload []byte) []byte {
	b, err := wire.AppendFrame(nil, "checkpoint", func(b []byte) ([]byte, error) { return append(b, payload...), nil })
	if err != nil {
		panic(err)
	}
	return b
}

// The file is from the first version. It must always be readable, and is written the same
// way as long as the version is the same.
func TestGolden(t *testing.T) {
	const path = "testdata/v1.checkpoint"
	o := newTraining(3, 2)
	o.run(7)
	if *update {
		if err := checkpoint.Save(path, o.parts()...); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(o.bytes(t), want) {
		t.Errorf("a training writes %x, want %x", o.bytes(t), want)
	}
	got := newTraining(5, 4)
	if err := checkpoint.Load(path, got.parts()...); err != nil {
		t.Fatal(err)
	}
	got.data = o.data
	got.g = rbm.Gradient{}
	o.run(20)
	got.run(20)
	if !bytes.Equal(got.bytes(t), o.bytes(t)) {
		t.Error("the training of the file goes on in another way")
	}
}

func FuzzRead(f *testing.F) {
	o := newTraining(3, 2)
	f.Add(false, o.bytes(f))
	o.run(3)
	whole := o.bytes(f)
	f.Add(false, whole)
	f.Add(true, whole[32:len(whole)-4])
	f.Add(true, make([]byte, 8))
	f.Fuzz(func(t *testing.T, framed bool, data []byte) {
		if framed {
			data = frame(data)
		}
		got := newTraining(2, 1)
		before := got.bytes(t)
		r := bytes.NewReader(data)
		err := checkpoint.Read(r, got.parts()...)
		want := data[:len(data)-r.Len()]
		if err != nil {
			want = before
		}
		if !bytes.Equal(got.bytes(t), want) {
			t.Fatalf("%x is written as %x, error %v", data, got.bytes(t), err)
		}
	})
}

// newPT returns parallel tempering at the given inverse temperatures.
func newPT(n, k int, betas []float64, src rand.Source) *rbm.PT {
	pt := rbm.NewPT(n, k, len(betas), src)
	pt.Betas = betas
	return pt
}
