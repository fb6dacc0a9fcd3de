package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) {
	if os.Getenv("CLITEST_MAIN") == "" {
		beam.Init()
	}
	clitest.Main(m, main)
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeModel writes a random model.
func writeModel(t *testing.T, path string, nv, nh int) *rbm.RBM {
	t.Helper()
	m := rbm.NewRandom(nv, nh, 1, rand.NewPCG(1, 1))
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, b.Bytes())
	return m
}

// writeRows writes random rows to two files of text and two of package bitfile, and
// returns the rows of each.
func writeRows(t *testing.T, dir string, n, nv int) map[string]*rbm.Bits {
	t.Helper()
	all := map[string]*rbm.Bits{}
	for k, name := range []string{"a.txt", "b, c.txt", "a.bits", "d.bits"} {
		v := rbm.NewBits(n+k, nv)
		rnd := rand.New(rand.NewPCG(uint64(k), 0))
		var text bytes.Buffer
		for i := range n + k {
			for j := range nv {
				v.SetBit(i, j, rnd.IntN(2) == 1)
				fmt.Fprint(&text, v.At(i, j))
			}
			fmt.Fprintln(&text)
		}
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, ".txt") {
			writeFile(t, path, text.Bytes())
		} else if err := bitfile.Write(path, rbm.Blocks(v, 1000)); err != nil {
			t.Fatal(err)
		}
		all[path] = v
	}
	return all
}

// table returns the records of a CSV file.
func table(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// setup returns the options for a model of nv×nh and rows in a new folder.
func setup(t *testing.T, nv, nh int) (o options, dir string, m *rbm.RBM) {
	t.Helper()
	dir = t.TempDir()
	o = options{
		model: filepath.Join(dir, "model"), input: filepath.Join(dir, "in", "*"), output: filepath.Join(dir, "out", "x"),
		bad: filepath.Join(dir, "bad"), parts: 1, batch: 256,
	}
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	return o, dir, writeModel(t, o.model, nv, nh)
}

// What is written is what the library computes, whatever the batches and parts.
func TestScore(t *testing.T) {
	const n, nv, nh = 100, 70, 5
	for _, tt := range []struct {
		parts, batch int
		features     bool
	}{{1, 256, true}, {1, 1, false}, {3, 7, true}, {10, 50, false}, {2, 103, true}, {1000, 256, false}} {
		t.Run(fmt.Sprintf("parts=%d,batch=%d", tt.parts, tt.batch), func(t *testing.T) {
			o, dir, m := setup(t, nv, nh)
			o.parts, o.batch, o.features = tt.parts, tt.batch, tt.features
			data := writeRows(t, filepath.Join(dir, "in"), n, nv)
			var out strings.Builder
			if err := run(context.Background(), o, &out); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("406 rows scored: %s/out/x-?????-of-%05d.csv\n0 bad rows: %s/bad-?????-of-%05[2]d.csv\n", dir, tt.parts, dir)
			if out.String() != want {
				t.Errorf("it printed %q, want %q", out.String(), want)
			}
			header := []string{"file", "row", "free_energy"}
			if tt.features {
				header = append(header, "h1", "h2", "h3", "h4", "h5")
			}
			seen := map[string]bool{}
			for k := range tt.parts {
				records := table(t, fmt.Sprintf("%s/out/x-%05d-of-%05d.csv", dir, k, tt.parts))
				if !slices.Equal(records[0], header) {
					t.Fatalf("header %q, want %q", records[0], header)
				}
				var places []string
				for _, r := range records[1:] {
					i, err := strconv.Atoi(r[1])
					v := data[r[0]]
					if err != nil || v == nil {
						t.Fatalf("no row %q", r)
					}
					row := v.Slice(i-1, i)
					want := []string{strconv.FormatFloat(m.FreeEnergy(nil, row)[0], 'g', -1, 64)}
					if tt.features {
						for _, p := range m.HiddenProbs(nil, row).RawRowView(0) {
							want = append(want, fmt.Sprint(float32(p)))
						}
					}
					for j, x := range want { // numbers, as there are two ways to write a large exponent
						got, err := strconv.ParseFloat(r[2+j], 64)
						if w, _ := strconv.ParseFloat(x, 64); err != nil || got != w {
							t.Errorf("row %q, want %q in %s", r, x, header[2+j])
						}
					}
					place := fmt.Sprintf("%s %9d", r[0], i)
					if seen[place] {
						t.Errorf("%s twice", place)
					}
					seen[place] = true
					places = append(places, place)
				}
				if !slices.IsSorted(places) {
					t.Errorf("part %d of %d is not sorted", k, tt.parts)
				}
				if tt.parts <= 10 && len(places) < 406/tt.parts/2 {
					t.Errorf("part %d of %d has %d of 406 rows", k, tt.parts, len(places))
				}
			}
			if len(seen) != 406 {
				t.Errorf("%d rows, want 406", len(seen))
			}
			if paths, err := filepath.Glob(dir + "/out/*"); err != nil || len(paths) != tt.parts {
				t.Errorf("%d files, %v, want %d", len(paths), err, tt.parts)
			}
		})
	}
}

// The same rows give the same bytes, in a job or in a loop.
func TestAgain(t *testing.T) {
	o, dir, _ := setup(t, 70, 5)
	writeRows(t, filepath.Join(dir, "in"), 100, 70)
	writeFile(t, filepath.Join(dir, "in", "bad"), []byte("01\nx\n"))
	o.parts, o.features = 3, true
	var first [][]byte
	for try := range 3 {
		o.output, o.bad, o.batch = fmt.Sprintf("%s/out%d/x", dir, try), fmt.Sprintf("%s/out%d/bad", dir, try), 7+50*try
		o.local = try == 2
		if err := run(context.Background(), o, io.Discard); err != nil {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(fmt.Sprintf("%s/out%d/*", dir, try))
		if err != nil || len(paths) != 6 {
			t.Fatalf("files %q, %v", paths, err)
		}
		for i, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if try == 0 {
				first = append(first, data)
			} else if !bytes.Equal(data, first[i]) {
				t.Errorf("%s has changed", path)
			}
		}
	}
}

func TestBadRows(t *testing.T) {
	o, dir, _ := setup(t, 70, 5)
	in := filepath.Join(dir, "in")
	data := writeRows(t, in, 300, 70)
	bits, err := os.ReadFile(filepath.Join(in, "a.bits"))
	if err != nil {
		t.Fatal(err)
	}
	bits[len(bits)-1] ^= 1 // of the second chunk: rows from 257 on
	writeFile(t, filepath.Join(in, "a.bits"), bits)
	writeFile(t, filepath.Join(in, "d.bits"), bits[:100])
	row := strings.Repeat("01", 35)
	writeFile(t, filepath.Join(in, "a.txt"), []byte(row+"\n"+row[:69]+"\n\n"+row[:4]+"2"+row[5:]+"\n"+row))
	var out strings.Builder
	if err := run(context.Background(), o, &out); err != nil {
		t.Fatal(err)
	}
	n, _ := data[filepath.Join(in, "a.bits")].Dims()
	want := [][]string{{"file", "row", "reason"}}
	for i := 257; i <= n; i++ {
		want = append(want, []string{in + "/a.bits", fmt.Sprint(i), "checksum"})
	}
	want = append(want, []string{in + "/a.txt", "2", "has 69 columns, want 70"}, []string{in + "/a.txt", "3", "has 0 columns, want 70"},
		[]string{in + "/a.txt", "4", "column 5 is '2', want 0 or 1"}, []string{in + "/d.bits", "0", "only the first 0 of"})
	bad := table(t, o.bad+"-00000-of-00001.csv")
	if len(bad) != len(want) {
		t.Fatalf("bad rows %q\nwant %q", bad, want)
	}
	for i, r := range bad {
		if r[0] != want[i][0] || r[1] != want[i][1] || !strings.Contains(r[2], want[i][2]) {
			t.Errorf("bad row %q, want %q", r, want[i])
		}
	}
	if scored := table(t, o.output+"-00000-of-00001.csv"); len(scored) != 1+256+2+301 {
		t.Errorf("%d rows are scored", len(scored)-1)
	}
	if want := fmt.Sprintf("559 rows scored: %s-?????-of-00001.csv\n%d bad rows: %s-?????-of-00001.csv\n", o.output, len(want)-1, o.bad); out.String() != want {
		t.Errorf("it printed %q, want %q", out.String(), want)
	}
}

func TestNoRows(t *testing.T) {
	o, dir, _ := setup(t, 3, 2)
	o.parts = 2
	writeFile(t, filepath.Join(dir, "in", "x"), nil)
	var out strings.Builder
	if err := run(context.Background(), o, &out); err != nil || !strings.HasPrefix(out.String(), "0 rows scored") {
		t.Errorf("run = %v, %q", err, out.String())
	}
	for k := range 2 {
		if r := table(t, fmt.Sprintf("%s-%05d-of-00002.csv", o.output, k)); len(r) != 1 {
			t.Errorf("part %d is %q", k, r)
		}
	}
}

func TestErrors(t *testing.T) {
	o, dir, _ := setup(t, 3, 2)
	in := filepath.Join(dir, "in", "x")
	writeFile(t, in, []byte("011\n"))
	other := filepath.Join(dir, "other")
	writeFile(t, other, []byte("no model"))
	for want, change := range map[string]func(o *options){
		"-input: rows: no file matches " + dir + "/none": func(o *options) { o.input = dir + "/none" },
		"-model: files: read " + dir + "/none: open":     func(o *options) { o.model = dir + "/none" },
		"-model: " + other + ": rbm: RBM":                func(o *options) { o.model = other },
	} {
		o := o
		change(&o)
		for _, o.local = range []bool{false, true} {
			if err := run(context.Background(), o, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want it to say %q", err, want)
			}
		}
	}
	// A model that is replaced while the job runs.
	writeModel(t, other, 3, 3)
	o.model = other
	p, s := beam.NewPipelineWithRoot()
	score(s, o, shape{nv: 3, nh: 2})
	want := other + " has changed: it has 3 visible and 3 hidden units, want 3 and 2"
	if err := beamx.Run(context.Background(), p); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want it to say %q", err, want)
	}
	// Rows of other models are bad.
	writeModel(t, other, 4, 3)
	want = "no row can be scored, 1 are bad: " + o.bad + "-?????-of-00001.csv"
	if err := run(context.Background(), o, io.Discard); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if r := table(t, o.bad+"-00000-of-00001.csv"); len(r) != 2 || !slices.Equal(r[1], []string{in, "1", "has 3 columns, want 4"}) {
		t.Errorf("bad rows %q", r)
	}
}

// A bundle that failed leaves nothing behind in the next one.
func TestStartBundle(t *testing.T) {
	o, _, m := setup(t, 3, 2)
	fn := &scoreFn{Model: o.model, Columns: 3, Hidden: 2, Batch: 3, Parts: 1}
	if err := fn.Setup(context.Background()); err != nil {
		t.Fatal(err)
	}
	var lines []string
	emit := func(_ int, line []byte) { lines = append(lines, string(line[10:])) }
	fn.StartBundle(nil)
	fn.ProcessElement(context.Background(), rows.Row{File: "x", Number: 1, Bits: []byte{7}}, emit)
	fn.StartBundle(nil)
	fn.ProcessElement(context.Background(), rows.Row{File: "x", Number: 2, Bits: []byte{2}}, emit)
	fn.FinishBundle(emit)
	v := rbm.NewBits(1, 3)
	v.SetBit(0, 1, true)
	if want := fmt.Sprint(m.FreeEnergy(nil, v)[0]); len(lines) != 1 || lines[0] != want {
		t.Errorf("lines %q, want %q", lines, want)
	}
}

// Each row is scored once, also if the bundle is no multiple of the batch.
func TestEachRowOnce(t *testing.T) {
	o, _, _ := setup(t, 3, 2)
	fn := &scoreFn{Model: o.model, Columns: 3, Hidden: 2, Batch: 3, Parts: 1}
	if err := fn.Setup(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got, want []uint64
	emit := func(_ int, line []byte) { got = append(got, binary.BigEndian.Uint64(line[2:])) }
	fn.StartBundle(nil)
	for number := range 7 {
		fn.ProcessElement(context.Background(), rows.Row{File: "x", Number: int64(number), Bits: []byte{2}}, emit)
		want = append(want, uint64(number))
	}
	fn.FinishBundle(emit)
	if !slices.Equal(got, want) {
		t.Errorf("rows %d are scored, want %d", got, want)
	}
	fn.Columns = 4
	if err := fn.Setup(context.Background()); err == nil || !strings.Contains(err.Error(), "has changed: it has 3 visible and 2 hidden units, want 4 and 2") {
		t.Errorf("error %v, want it to say that the model has changed", err)
	}
}

// No weights are in the job.
func TestJobSize(t *testing.T) {
	size := func(nv, nh int) int {
		p, s := beam.NewPipelineWithRoot()
		score(s, options{model: "model", input: "in", output: "out", bad: "bad", parts: 1, batch: 256}, shape{nv: nv, nh: nh})
		edges, _, err := p.Build()
		if err != nil {
			t.Fatal(err)
		}
		env, err := graphx.CreateEnvironment(context.Background(), "beam:env:external:v1", func(context.Context) string { return "x" })
		if err != nil {
			t.Fatal(err)
		}
		job, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
		if err != nil {
			t.Fatal(err)
		}
		return proto.Size(job)
	}
	small, large := size(4, 3), size(400, 300)
	if large > small+50 { // a few digits
		t.Errorf("the job has %d bytes for a model of 4×3, %d for one of 400×300", small, large)
	}
}

func TestParse(t *testing.T) {
	needed := []string{"-model=m", "-input=i", "-output=o"}
	clitest.CheckParse(t, func(args []string) error {
		o, err := parse(flag.NewFlagSet("score", flag.ContinueOnError), append(needed, args...), io.Discard)
		if err != nil {
			return err
		}
		return o.check()
	}, []string{"", "-parts 99999 -batch 1 -features -v", "-batch 1000000"},
		[]string{"-model=", "-input=", "-output=", "-output o*", "-bad [b", "-bad ./o", "-parts 0", "-parts 100000", "-batch 0", "-batch 1000001", "-nonsense"})
	o, err := parse(flag.NewFlagSet("score", flag.ContinueOnError), needed, io.Discard)
	if err != nil || o.bad != "o-bad" {
		t.Errorf("-bad is %q, %v", o.bad, err)
	}
}

// The program as a process, with a flag of Beam.
func TestProgram(t *testing.T) {
	o, dir, _ := setup(t, 3, 2)
	writeFile(t, filepath.Join(dir, "in", "x"), []byte("011\n010\n"))
	for flags, want := range map[string]string{
		"-runner prism":       `^$`,
		"":                    `^warning: .*Prism takes jobs from anyone; -local needs no server\n$`,
		"-local -runner none": `^$`,
	} {
		cmd := clitest.Command(append(strings.Fields(flags), "-model", o.model, "-input", o.input, "-output", o.output)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if !regexp.MustCompile(`^2 rows scored: .*\n0 bad rows: .*out/x-bad-\?{5}-of-00001.csv\n$`).Match(out) || err != nil || !regexp.MustCompile(want).Match(stderr.Bytes()) {
			t.Errorf("%s: %v, %q, %q, want %s", flags, err, out, stderr.String(), want)
		}
	}
	clitest.CheckExit(t, 2)
	clitest.CheckExit(t, 2, "-nonsense")
	clitest.CheckExit(t, 0, "-help")
}

// A table is not written beside one of other parts.
func TestOtherParts(t *testing.T) {
	o, dir, _ := setup(t, 70, 5)
	writeRows(t, filepath.Join(dir, "in"), 10, 70)
	for _, parts := range []int{3, 3, 2} {
		o.parts = parts
		err := run(context.Background(), o, io.Discard)
		if parts == 3 && err != nil {
			t.Fatal(err)
		}
		if want := "-parts: " + o.output + "-00000-of-00003.csv is of a table of 3 parts, not of 2; remove it"; parts == 2 && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
	if paths, err := filepath.Glob(dir + "/out/*-of-00002.csv"); err != nil || len(paths) > 0 {
		t.Errorf("%q were written, %v", paths, err)
	}
}
