package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// With RBM_TEST_MAIN the test binary is the command.
func TestMain(m *testing.M) {
	if os.Getenv("RBM_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// An interrupt of the system ends the command with its code, and a checkpoint.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	in(t)
	write(t, "rows.csv", pairs(60, 0))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, strings.Fields("train rows.csv -o m.rbm -epochs 1000000 -report 1")...)
	cmd.Env = append(os.Environ(), "RBM_TEST_MAIN=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(stderr)
	last := ""
	for said.Scan() {
		last = said.Text()
		if strings.HasPrefix(last, "epoch 1 ") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.HasPrefix(last, "rbm: interrupted; m.rbm.checkpoint keeps ") {
		t.Errorf("exit code %d, want %d; it says %q", code, exitInterrupted, last)
	}
	if got := must(t, "info", "m.rbm.checkpoint"); !strings.Contains(got, " of 1000000 epochs") {
		t.Errorf("info prints\n%s", got)
	}
}

// invoke runs the command in a folder and returns what it prints.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), args, &env{stdin: strings.NewReader(""), stdout: &out, stderr: &err})
	return code, out.String(), err.String()
}

// must runs a command that has to succeed and returns what it prints.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := invoke(t, args...)
	if code != exitOK {
		t.Fatalf("rbm %v: exit code %d, want 0; it says\n%s", args, code, stderr)
	}
	return stdout
}

// refuse runs a command that has to fail with one line that has all of some words.
func refuse(t *testing.T, want int, words []string, args ...string) {
	t.Helper()
	code, _, stderr := invoke(t, args...)
	if code != want {
		t.Errorf("rbm %v: exit code %d, want %d; it says\n%s", args, code, want, stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "rbm: ") || strings.HasPrefix(last, "rbm: rbm") {
		t.Errorf("rbm %v says %q, want it to begin with rbm: once", args, last)
	}
	if want == exitUsage && len(lines) != 1 {
		t.Errorf("rbm %v says\n%s\nwant one line", args, stderr)
	}
	for _, word := range words {
		if !strings.Contains(last, word) {
			t.Errorf("rbm %v says %q, want %q in it", args, last, word)
		}
	}
}

// in changes to a new folder for the test.
func in(t *testing.T) { t.Chdir(t.TempDir()) }

// write writes a file.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pairs returns a CSV of n rows of columns a to f, of which neighbors mostly agree. A share
// of the values is missing.
func pairs(n int, missing float64) string {
	rnd := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("a,b,c,d,e,f\n")
	for range n {
		var row [6]string
		for i := 0; i < 6; i += 2 {
			on := rnd.IntN(2)
			row[i] = strconv.Itoa(on)
			row[i+1] = strconv.Itoa(on)
			if rnd.IntN(20) == 0 {
				row[i+1] = strconv.Itoa(1 - on)
			}
		}
		for i := range row {
			if rnd.Float64() < missing {
				row[i] = ""
			}
		}
		b.WriteString(strings.Join(row[:], ",") + "\n")
	}
	return b.String()
}

// someModel writes a model of nv×nh units, with groups, and returns it.
func someModel(t *testing.T, name string, nv, nh int, scale float64, groups ...rbm.Group) *rbm.RBM {
	t.Helper()
	src := rand.NewPCG(7, uint64(nv))
	m := rbm.NewRandom(nv, nh, scale, src)
	rnd := rand.New(src)
	for i := range nv {
		m.B.SetVec(i, rnd.NormFloat64())
	}
	for j := range nh {
		m.C.SetVec(j, rnd.NormFloat64())
	}
	m.OneHot = groups
	if err := writeModel(name, m, nil); err != nil {
		t.Fatal(err)
	}
	return m
}

// table returns the numbers of a CSV with a header, behind skip columns of names.
func table(t *testing.T, text string, skip int) (header []string, x [][]float64) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, record := range all[1:] {
		var row []float64
		for _, field := range record[skip:] {
			f, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, f)
		}
		x = append(x, row)
	}
	return all[0][skip:], x
}

// allRows returns all configurations of n units that fit the groups of m, and their
// log-probabilities, from the energies alone.
func allRows(m *rbm.RBM) (rows [][]int, logp []float64) {
	nv, nh := m.Dims()
	z := 0.0
	for x := range 1 << nv {
		v := make([]int, nv)
		for i := range v {
			v[i] = x >> i & 1
		}
		if !fits(m, v) {
			continue
		}
		p := 0.0
		for y := range 1 << nh {
			energy := 0.0
			for j := range nh {
				if y>>j&1 == 0 {
					continue
				}
				energy -= m.C.AtVec(j)
				for i, on := range v {
					energy -= m.W.At(j, i) * float64(on)
				}
			}
			for i, on := range v {
				energy -= m.B.AtVec(i) * float64(on)
			}
			p += math.Exp(-energy)
		}
		rows, logp = append(rows, v), append(logp, math.Log(p))
		z += p
	}
	for k := range logp {
		logp[k] -= math.Log(z)
	}
	return rows, logp
}

func fits(m *rbm.RBM, v []int) bool {
	for _, g := range m.OneHot {
		on := 0
		for i := g.From; i < g.To; i++ {
			on += v[i]
		}
		if on != 1 {
			return false
		}
	}
	return true
}

// line returns a row as a line of CSV.
func line(v []int) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = strconv.Itoa(x)
	}
	return strings.Join(s, ",") + "\n"
}

func near(x, y, tolerance float64) bool { return math.Abs(x-y) <= tolerance }

func TestHelp(t *testing.T) {
	if help := must(t, "-h"); !strings.Contains(help, "130 interrupted") || help != must(t, "help") || help != must(t, "--help") {
		t.Errorf("rbm -h, help and --help differ, or have no exit codes:\n%s", help)
	}
	for _, c := range commands() {
		text := must(t, c.name, "-h")
		if text != must(t, "help", c.name) {
			t.Errorf("rbm %s -h and rbm help %[1]s differ", c.name)
		}
		if len(c.examples) != 3 {
			t.Errorf("%s has %d examples, want 3", c.name, len(c.examples))
		}
		f := newFlags()
		c.setup(f)
		for _, g := range f.groups {
			for _, name := range g.names {
				if !strings.Contains(text, "\n  -"+name+" ") {
					t.Errorf("rbm %s -h does not have -%s", c.name, name)
				}
			}
		}
		for _, example := range c.examples {
			f := newFlags()
			c.setup(f)
			words := strings.Fields(example)
			rest, err := f.parse(words[2:])
			if err != nil || words[1] != c.name || len(rest) < c.least || len(rest) > c.most {
				t.Errorf("%s: arguments %q, error %v", example, rest, err)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(20, 0))
	someModel(t, "m.rbm", 6, 2, 1)
	for _, tt := range []struct {
		args  string
		words []string
	}{
		{"", []string{"which command", "rbm -h"}},
		{"help me", []string{`"me"`}},
		{"trian rows.csv", []string{`"trian"`, "rbm -h"}},
		{"train", []string{"usage: rbm train ROWS -o MODEL", "rbm train -h"}},
		{"train rows.csv", []string{"-o is missing"}},
		{"train rows.csv -o", []string{"needs an argument: -o"}},
		{"train rows.csv more.csv -o x.rbm", []string{`"more.csv"`}},
		{"train rows.csv -o x.rbm -hiden 3", []string{"no flag -hiden", "rbm train -h"}},
		{"train rows.csv -o x.rbm -hidden 0", []string{"-hidden", `"0"`, "from 1 to"}},
		{"train rows.csv -o x.rbm -hidden many", []string{"-hidden", `"many"`}},
		{"train rows.csv -o x.rbm -rate NaN", []string{"-rate", `"NaN"`, "to 10"}},
		{"train rows.csv -o x.rbm -l2 -1", []string{"-l2", `"-1"`}},
		{"train rows.csv -o x.rbm -seed -1", []string{"-seed", `"-1"`}},
		{"train rows.csv -o x.rbm -sampler gibbs", []string{"-sampler", `"gibbs"`, "pcd, cd, pt or ptt"}},
		{"train rows.csv -o x.rbm -onehot 3:3", []string{"-onehot", `"3:3"`, "FROM:TO"}},
		{"train rows.csv -o x.rbm -onehot 0:3,2:4", []string{"-onehot"}},
		{"train rows.csv -o x.rbm -onehot a:b", []string{"-onehot"}},
		{"train rows.csv -o x.rbm -checkpoint x.rbm", []string{"-o and -checkpoint"}},
		{"train rows.csv -o x.rbm -resume -fresh", []string{"-resume and -fresh"}},
		{"train rows.csv -o x.rbm -held 0.1 -valid v.csv", []string{"-held and -valid"}},
		{"train rows.csv -o x.rbm -sampler pt -chains 100000 -levels 1000", []string{"100000 chains at 1000 temperatures"}},
		{"train rows.csv -o x.rbm -header maybe", []string{"-header", `"maybe"`, "yes or no"}},
		{"train rows.csv -o x.rbm -sep ab", []string{"-sep", `"ab"`}},
		{"train rows.csv -o x.rbm -threshold x", []string{"-threshold", `"x"`}},
		{"score m.rbm", []string{"usage: rbm score MODEL ROWS"}},
		{"score m.rbm rows.csv -o scores.bits", []string{"scores.bits", ".npy"}},
		{"loglik m.rbm", []string{"-array"}},
		{"sample m.rbm -n 0", []string{"-n", `"0"`}},
		{"sample m.rbm -n 1000000 -chains 1000000 -sampler pt", []string{"1000000 chains at 20"}},
		{"complete m.rbm rows.csv -exact 17", []string{"-exact", "to 16"}},
		{"complete m.rbm rows.csv -o filled.bits", []string{"filled.bits", ".npy"}},
		{"convert rows.csv", []string{"usage: rbm convert IN OUT"}},
	} {
		refuse(t, exitUsage, tt.words, strings.Fields(tt.args)...)
	}
	if exists("x.rbm") {
		t.Error("a command that was refused has written a file")
	}
}

// Flags may stand anywhere before "--".
func TestParse(t *testing.T) {
	for _, tt := range []struct{ args, rest string }{
		{"a -n 3 b", "a b"},
		{"-n 3 a b", "a b"},
		{"a b -n=3", "a b"},
		{"-n 3 -- a -n", "a -n"},
		{"a -n 3 - b", "a - b"},
		{"a -n 3 -- -b -- c", "a -b -- c"},
	} {
		f := newFlags()
		f.group("")
		n := 0
		f.whole(&n, "n", 1, 1, 9, "")
		rest, err := f.parse(strings.Fields(tt.args))
		if got := strings.Join(rest, " "); err != nil || got != tt.rest || n != 3 || !f.given("n") {
			t.Errorf("%s: arguments %q, want %q; n is %d, error %v", tt.args, got, tt.rest, n, err)
		}
	}
}

// Missing and malformed files are an error of one line, whichever command reads them.
func TestFiles(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(20, 0))
	write(t, "holes.csv", pairs(20, 0.2))
	write(t, "bad.csv", "a,b,c,d,e,f\n0,1,0,1,0,1\n0,1,0,7,0,1\n")
	write(t, "narrow.csv", "a,b\n0,1\n")
	write(t, "text.rbm", "hello\n")
	write(t, "empty.rbm", "")
	write(t, "bad.json", `{"W":[[1,2]],"B":[1],"C":[0]}`)
	m := someModel(t, "m.rbm", 6, 2, 1)
	b := read(t, "m.rbm")
	write(t, "cut.rbm", string(b[:len(b)-1]))
	b[100] ^= 1
	write(t, "changed.rbm", string(b))
	someModel(t, "groups.json", 6, 2, 1, rbm.Group{From: 0, To: 3})
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"score", "loglik", "features", "complete"} {
		for _, tt := range []struct {
			model, rows string
			words       []string
		}{
			{"none.rbm", "rows.csv", []string{"none.rbm"}},
			{"folder", "rows.csv", []string{"folder"}},
			{"text.rbm", "rows.csv", []string{"text.rbm", "no model"}},
			{"empty.rbm", "rows.csv", []string{"empty.rbm", "no model"}},
			{"bad.json", "rows.csv", []string{"bad.json"}},
			{"cut.rbm", "rows.csv", []string{"cut.rbm"}},
			{"changed.rbm", "rows.csv", []string{"changed.rbm", "checksum"}},
			{"m.rbm", "none.csv", []string{"none.csv"}},
			{"m.rbm", "bad.csv", []string{"bad.csv", "line 3", `"d"`, "7"}},
			{"m.rbm", "narrow.csv", []string{"narrow.csv", "2 columns", "6"}},
			{"groups.json", "rows.csv", []string{"rows.csv", "row", "group"}},
		} {
			refuse(t, exitError, tt.words, command, tt.model, tt.rows)
		}
		if command != "complete" {
			refuse(t, exitError, []string{"holes.csv", "is missing", "rbm complete"}, command, "m.rbm", "holes.csv")
		}
		if command != "loglik" {
			refuse(t, exitError, []string{"rows.csv", "this file is read"}, command, "m.rbm", "rows.csv", "-o", "./rows.csv")
			refuse(t, exitError, []string{"no folder"}, command, "m.rbm", "rows.csv", "-o", "nowhere/x.csv")
		}
	}
	refuse(t, exitError, []string{"bad.csv", "line 3"}, "train", "bad.csv", "-o", "x.rbm")
	refuse(t, exitError, []string{"rows.csv", "6 columns", "5:7"}, "train", "rows.csv", "-o", "x.rbm", "-onehot", "5:7")
	refuse(t, exitError, []string{"rows.csv", "row 0", "[0, 3)"}, "train", "rows.csv", "-o", "x.rbm", "-onehot", "0:3")
	refuse(t, exitError, []string{"rows.csv", "no model"}, "train", "rows.csv", "-o", "rows.csv")
	refuse(t, exitError, []string{"no folder"}, "train", "rows.csv", "-o", "nowhere/x.rbm")
	refuse(t, exitError, []string{"directory"}, "train", "rows.csv", "-o", "folder")
	refuse(t, exitError, []string{"none.rbm"}, "sample", "none.rbm")
	refuse(t, exitError, []string{"none"}, "info", "none")
	refuse(t, exitError, []string{"none"}, "convert", "none", "x.csv")
	refuse(t, exitError, []string{"rows.csv", "this file is read"}, "convert", "rows.csv", "rows.csv")

	write(t, "x.rbm.json", `{"dependencies":{}}`)
	refuse(t, exitError, []string{"x.rbm.json", "does not describe a model"}, "train", "rows.csv", "-o", "x.rbm")
	if exists("x.rbm") {
		t.Error("a command that failed has written a file")
	}
	if got, _, err := readModel("m.rbm"); err != nil || !same(got, m) {
		t.Errorf("m.rbm has changed, error %v", err)
	}
}

// same reports whether models have the same bits.
func same(a, b *rbm.RBM) bool {
	x, _ := a.MarshalBinary()
	y, _ := b.MarshalBinary()
	return bytes.Equal(x, y)
}

// A canceled context ends every command with its own exit code.
func TestInterrupted(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(20, 0))
	write(t, "holes.csv", pairs(20, 0.5))
	someModel(t, "m.rbm", 6, 2, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range []string{
		"train rows.csv -o x.rbm", "score m.rbm rows.csv -units", "loglik m.rbm rows.csv", "sample m.rbm",
		"complete m.rbm holes.csv", "complete m.rbm holes.csv -exact 0 -draw", "features m.rbm rows.csv", "convert rows.csv x.csv", "info rows.csv",
	} {
		var out, err bytes.Buffer
		code := run(ctx, strings.Fields(args), &env{stdin: strings.NewReader(""), stdout: &out, stderr: &err})
		if code != exitInterrupted || out.Len() > 0 || err.String() != "rbm: interrupted\n" {
			t.Errorf("rbm %s: exit code %d, want %d; it prints %q and says %q", args, code, exitInterrupted, &out, &err)
		}
	}
	if files, _ := filepath.Glob("x.*"); len(files) > 0 {
		t.Errorf("there are %q", files)
	}
}

func TestWrap(t *testing.T) {
	if got, want := strings.Join(wrap("one twö  three four", 7), "|"), "one twö|three|four"; got != want {
		t.Errorf("wrap returns %q, want %q", got, want)
	}
}
