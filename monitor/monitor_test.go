package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorbm/rbm"
)

func someReports() []rbm.Report {
	nan := math.NaN()
	return []rbm.Report{
		{
			Epoch: 1, Step: 10, RowsPerSecond: 1e4, Rate: 0.1, PseudoLogLikelihood: -200.5, HeldOutPseudoLogLikelihood: -201,
			LogLikelihood: nan, HeldOutLogLikelihood: nan, Error: nan, LogProb: nan, FreeEnergyShift: nan,
			FreeEnergyGap: 0.25, WeightRMS: 0.01, HiddenActivity: 0.5, ChainMove: nan,
			Best:     true,
			Warnings: []string{"2 of 16 units, the \"first\" is 3"},
		},
		{
			Epoch: 2, Step: 20, RowsPerSecond: 2e4, Rate: 1. / 3, PseudoLogLikelihood: math.Inf(-1), HeldOutPseudoLogLikelihood: nan,
			FreeEnergyGap: -1e-300, WeightRMS: 2, HiddenActivity: 0.25, ChainMove: 1,
			SwapRates: []float64{0.125, nan, 1},
			Warnings:  []string{"14 of 16 units, the \"first\" is 0", "fell from -1.5e+02 to -3e+02; or\nnot", "other <&>"},
		},
		{Epoch: 3, Step: 30, Warnings: []string{"fell from -15 to -3; or\nnot", "another"}},
	}
}

// same reports whether two reports are the same but for their speed, where NaN is NaN.
func same(a, b rbm.Report) bool {
	a.RowsPerSecond, b.RowsPerSecond = 0, 0
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func TestLines(t *testing.T) {
	var b strings.Builder
	lines := Lines(&b)
	for _, r := range someReports() {
		if err := lines(r); err != nil {
			t.Fatal(err)
		}
	}
	const want = `epoch     step  pseudo-ll  held out      gap  weights   rows/s
    1       10   -200.500  -201.000    0.250   0.0100    10000 *
      warning: 2 of 16 units, the "first" is 3
    2       20       -Inf       NaN   -0.000   2.0000    20000
      warning: fell from -1.5e+02 to -3e+02; or
not
      warning: other <&>
    3       30      0.000     0.000    0.000   0.0000        0
      warning: another
`
	if got := b.String(); got != want {
		t.Errorf("the lines are\n%s, want\n%s", got, want)
	}
	closed := errors.New("closed")
	if err := Lines(failing{closed})(rbm.Report{}); !errors.Is(err, closed) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestAll(t *testing.T) {
	var got []string
	stop := errors.New("stop")
	f := func(name string, err error) func(rbm.Report) error {
		return func(r rbm.Report) error {
			got = append(got, fmt.Sprint(name, r.Epoch))
			return err
		}
	}
	if err := All(f("a", nil), f("b", stop), f("c", nil))(rbm.Report{Epoch: 7}); err != stop || fmt.Sprint(got) != "[a7 b7]" {
		t.Errorf("calls %v, error %v", got, err)
	}
	if err := All()(rbm.Report{}); err != nil {
		t.Error(err)
	}
}

// screen is what a terminal of one line shows after s, line by line.
func screen(s string) []string {
	lines := [][]rune{nil}
	at := 0
	for _, c := range s {
		last := len(lines) - 1
		switch {
		case c == '\n':
			lines, at = append(lines, nil), 0
		case c == '\r':
			at = 0
		case at < len(lines[last]):
			lines[last][at] = c
			at++
		default:
			lines[last] = append(lines[last], c)
			at++
		}
	}
	var shown []string
	for _, l := range lines {
		shown = append(shown, strings.TrimRight(string(l), " "))
	}
	return shown
}

func TestBar(t *testing.T) {
	var b strings.Builder
	now := time.Unix(1000, 0)
	bar := NewBar(&b, 10, 50)
	bar.terminal, bar.now, bar.start = true, func() time.Time { return now }, now
	show := func(want ...string) {
		t.Helper()
		if got := screen(b.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the screen shows %q, want %q", got, want)
		}
	}
	empty := "[" + strings.Repeat(" ", 40) + "]   0%"
	quarter := "[" + strings.Repeat("=", 10) + strings.Repeat(" ", 30) + "]  25%"
	bar.Reach(10)
	show(empty)
	now = now.Add(2 * time.Minute)
	bar.Reach(20)
	show(quarter + " 6m00s left")
	bar.Reach(21) // too early to draw again
	show(quarter + " 6m00s left")
	fmt.Fprintln(bar, "hello")
	show("hello", "["+strings.Repeat("=", 11)+strings.Repeat(" ", 29)+"]  27% 5m16s left")
	now = now.Add(time.Hour)
	bar.Reach(60) // more than all
	show("hello", "["+strings.Repeat("=", 40)+"] 100% 0s left")
	r := someReports()[2]
	r.Epoch, r.Warnings = 49, nil
	if err := bar.Report(r); err != nil {
		t.Fatal(err)
	}
	bar.Close()
	lines := screen(b.String())
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "epoch") || !strings.HasPrefix(lines[2], "   49       30 ") || lines[3] != "" {
		t.Errorf("after Close the screen shows %q", lines)
	}
	b.Reset()
	bar.Reach(11)
	show("")

	for _, to := range []int{10, 50} { // nothing to do, or no terminal
		b.Reset()
		bar := NewBar(&b, 10, to)
		bar.terminal = to == 10
		bar.Reach(20)
		fmt.Fprintln(bar, "hello")
		if bar.Close(); b.String() != "hello\n" {
			t.Errorf("to %d: %q is written", to, b.String())
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) {
		t.Error("a file is said to be a terminal")
	}
}

func TestDuration(t *testing.T) {
	for s, want := range map[float64]string{0: "0s", 59.4: "59s", 59.6: "1m00s", 3599: "59m59s", 3600: "1h00m", 360059: "100h00m"} {
		if got := duration(s); got != want {
			t.Errorf("%v seconds are %s, want %s", s, got, want)
		}
	}
}

func TestCSV(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.csv")
	write := func(step int, reports ...rbm.Report) []byte {
		t.Helper()
		f, err := CSV(name, step)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			if err := f(r); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	all := someReports()
	want := write(0, all...)
	got, err := ReadCSV(bytes.NewReader(want))
	if err != nil || len(got) != 3 {
		t.Fatalf("%d reports, error %v", len(got), err)
	}
	for i, r := range got {
		if !same(r, all[i]) || !math.IsNaN(r.RowsPerSecond) {
			t.Errorf("report %d is %+v, want %+v without its speed", i, r, all[i])
		}
	}
	// From wherever training goes on, the table ends the same.
	for step, from := range map[int]int{0: 0, 9: 0, 10: 1, 19: 1, 20: 2, 30: 3, 99: 3} {
		if b := write(step, all[from:]...); !bytes.Equal(b, want) {
			t.Errorf("going on from step %d the table is\n%s, want\n%s", step, b, want)
		}
	}
	for n := range want { // a line that was cut off is written again
		kept, first := bytes.Count(want[:n], []byte("\n"))-1, 0
		if kept > 0 {
			first = kept
		}
		os.WriteFile(name, want[:n], 0o600)
		if b := write(99, all[min(first, 3):]...); !bytes.Equal(b, want) {
			t.Fatalf("after the first %d bytes the table is\n%s, want\n%s", n, b, want)
		}
	}
	os.WriteFile(name, []byte("something else"), 0o600)
	if _, err := CSV(name, 0); err == nil || !strings.Contains(err.Error(), "names of the columns") {
		t.Errorf("of another file: error %v", err)
	}
	os.Remove(name)
	f, err := CSV(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(name)
	if err := f(all[0]); err == nil || !strings.Contains(err.Error(), "report of step 10") || !strings.Contains(err.Error(), name) {
		t.Errorf("without the file: error %v", err)
	}
	if _, err := CSV(t.TempDir(), 0); err == nil {
		t.Error("a folder is taken for a table")
	}
}

// Every figure of a report is in the table, but its speed.
func TestCSVOfFields(t *testing.T) {
	typ := reflect.TypeFor[rbm.Report]()
	for i := range typ.NumField() {
		var r rbm.Report
		switch f := reflect.ValueOf(&r).Elem().Field(i); f.Kind() {
		case reflect.Int:
			f.SetInt(7)
		case reflect.Float64:
			f.SetFloat(7)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		default:
			t.Fatalf("%s is of a type that this test does not know", typ.Field(i).Name)
		}
		back, err := ReadCSV(bytes.NewReader(append(line(names()), line(fields(&r))...)))
		if err != nil || len(back) != 1 || !same(back[0], r) {
			t.Errorf("%s: %+v became %+v, error %v", typ.Field(i).Name, r, back, err)
		}
	}
}

func TestReadCSVErrors(t *testing.T) {
	table := line(names())
	for _, r := range someReports() {
		table = append(table, line(fields(&r))...)
	}
	good := string(table)
	for what, tt := range map[string]struct{ old, new, want string }{
		"nothing":     {good, "", "names of the columns"},
		"other names": {"weight_rms", "norm", `the columns are ["epoch"`},
		"epoch":       {"\n2,", "\nx,", `line 3, column epoch: strconv.Atoi: parsing "x"`},
		"step":        {"\n3,30,", "\n3,3.5,", `line 4, column step: strconv.Atoi: parsing "3.5"`},
		"number":      {",-200.5,", ",-200.5.5,", `line 2, column pseudo_log_likelihood: strconv.ParseFloat: parsing "-200.5.5"`},
		"best":        {",true,", ",yes,", `line 2, column best: strconv.ParseBool: parsing "yes"`},
		"swap rate":   {"0.125 ", "0.125x ", `line 3, column swap_rates: strconv.ParseFloat: parsing "0.125x"`},
		"warnings":    {`"[""another`, `"{""another`, ""},
		"fields":      {"\n3,", "\n", "wrong number of fields"},
	} {
		if what == "warnings" {
			tt.old, tt.new, tt.want = `,"[""fell from -15`, `,"{""fell from -15`, "line 4, column warnings: "
		}
		bad := strings.Replace(good, tt.old, tt.new, 1)
		if bad == good {
			t.Fatalf("%s: nothing is wrong", what)
		}
		if _, err := ReadCSV(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want it to say %q", what, err, tt.want)
		}
		name := filepath.Join(t.TempDir(), "t.csv")
		os.WriteFile(name, []byte(bad), 0o600)
		if _, err := CSV(name, 0); what != "nothing" && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s: error %v, want it to name the file", what, err)
		}
		if b, _ := os.ReadFile(name); what != "nothing" && string(b) != bad {
			t.Errorf("%s: an error changed the file", what)
		}
	}
}

// A training that stops and goes on ends with the table of one that does not.
func TestTrainerMonitored(t *testing.T) {
	data := rbm.NewBits(40, 6)
	rnd := rand.New(rand.NewPCG(1, 1))
	for r := range 40 {
		for i := range 6 {
			data.SetBit(r, i, rnd.IntN(3) == 0)
		}
	}
	start := func() *rbm.Trainer {
		tr := rbm.NewTrainer(rbm.NewRandom(6, 4, 0.1, rand.NewPCG(2, 2)), data, rbm.NewPCD(10, 1, rand.NewPCG(3, 3)), rand.NewPCG(4, 4))
		tr.BatchSize, tr.HeldOut = 10, data.Slice(0, 20)
		return tr
	}
	run := func(tr *rbm.Trainer, name string, epochs int) []byte {
		table, err := CSV(name, tr.Steps())
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		bar := NewBar(&out, tr.Epochs(), epochs)
		tr.OnReport = All(bar.Report, table)
		if err := tr.Train(context.Background(), epochs); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "epoch") || strings.Contains(out.String(), "\r") {
			t.Errorf("lines\n%s", out.String())
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir := t.TempDir()
	want := run(start(), filepath.Join(dir, "whole.csv"), 6)
	first, name := start(), filepath.Join(dir, "half.csv")
	run(first, name, 2)
	saved, err := first.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	run(first, name, 4) // of which nothing is kept
	second := start()
	if err := second.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	if got := run(second, name, 6); !bytes.Equal(got, want) {
		t.Errorf("the table is\n%s, want\n%s", got, want)
	}
}
