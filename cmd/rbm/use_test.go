package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/internal/cpu"
)

// The figures of a row are those that follow from the energies of all configurations.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		scale  float64
		groups []rbm.Group
	}{
		{1, nil},
		{1, []rbm.Group{{From: 1, To: 4}}},
		{1, []rbm.Group{{From: 0, To: 2}, {From: 2, To: 5}}},
		{10, nil}, // where probabilities round to 0 and 1
		{10, []rbm.Group{{From: 1, To: 4}, {From: 4, To: 5}}},
	} {
		t.Run(fmt.Sprint(tt.scale, tt.groups), func(t *testing.T) {
			in(t)
			m := someModel(t, "m.json", 5, 3, tt.scale, tt.groups...)
			all, logp := allRows(m)
			rows := ""
			for _, v := range all {
				rows += line(v)
			}
			write(t, "rows.csv", rows)
			header, got := table(t, must(t, "score", "m.json", "rows.csv", "-header", "no", "-loglik", "-units"), 1)

			of := make(map[string]float64)
			logZ := 0.0
			for k, v := range all {
				of[line(v)] = logp[k]
			}
			units := freeUnits(m)
			want := []string{"free_energy", "log_likelihood", "pseudo_log_likelihood"}
			for _, u := range units {
				name := strconv.Itoa(u.from)
				for i := u.from + 1; i < u.to; i++ {
					name += "|" + strconv.Itoa(i)
				}
				want = append(want, name)
			}
			if fmt.Sprint(header) != fmt.Sprint(want) {
				t.Fatalf("the columns are %v, want %v", header, want)
			}
			for k, v := range all {
				if k == 0 {
					logZ = -got[k][0] - logp[k] // log p = -F - log Z, with one log Z for all rows
				}
				if !near(-got[k][0]-logp[k], logZ, 1e-12) {
					t.Errorf("row %v: F is %v, want %v", v, got[k][0], -logp[k]-logZ)
				}
				if !near(got[k][1], logp[k], 1e-12) {
					t.Errorf("row %v: log p is %v, want %v", v, got[k][1], logp[k])
				}
				sum := 0.0
				for i, u := range units {
					total := 0.0 // of the rows that agree with v elsewhere
					for k2, v2 := range all {
						agree := true
						for j := range v {
							agree = agree && (v[j] == v2[j] || j >= u.from && j < u.to)
						}
						if agree {
							total += math.Exp(logp[k2])
						}
					}
					want := math.Log(total) - logp[k]
					sum -= want
					if !near(got[k][3+i], want, 1e-12) {
						t.Errorf("row %v: surprise of %v is %v, want %v", v, u, got[k][3+i], want)
					}
				}
				if !near(got[k][2], sum, 1e-12) {
					t.Errorf("row %v: the pseudo-log-likelihood is %v, want %v", v, got[k][2], sum)
				}
			}
		})
	}
}

// Names of rows and columns are kept, and numbers of a .npy are those of the CSV.
func TestScoreNames(t *testing.T) {
	in(t)
	write(t, "rows.csv", "who,a,b,c\nann,0,1,1\n\"bob, jr\",1,1,0\n")
	must(t, strings.Fields("train rows.csv -o m.rbm -id who -hidden 2 -epochs 3")...)
	text := must(t, "score", "m.rbm", "rows.csv", "-units")
	lines := strings.Split(text, "\n")
	if lines[0] != "id,free_energy,pseudo_log_likelihood,a,b,c" || !strings.HasPrefix(lines[1], "ann,") || !strings.HasPrefix(lines[2], `"bob, jr",`) {
		t.Errorf("score prints\n%s", text)
	}
	must(t, "score", "m.rbm", "rows.csv", "-units", "-o", "s.csv")
	if got := string(read(t, "s.csv")); got != text {
		t.Errorf("s.csv has\n%s\nwant\n%s", got, text)
	}
	must(t, "score", "m.rbm", "rows.csv", "-units", "-o", "s.npy")
	_, x := table(t, text, 1)
	b := read(t, "s.npy")
	if want := 8 * len(x) * len(x[0]); len(b) < want {
		t.Fatalf("s.npy has %d bytes, want at least %d", len(b), want)
	}
	b = b[len(b)-8*len(x)*len(x[0]):]
	for r, row := range x {
		for j, want := range row {
			bits := uint64(0)
			for k := 7; k >= 0; k-- {
				bits = bits<<8 | uint64(b[8*(r*len(row)+j)+k])
			}
			if got := math.Float64frombits(bits); got != want {
				t.Errorf("s.npy has %v in row %d, column %d, want %v", got, r, j, want)
			}
		}
	}
}

func TestFeatures(t *testing.T) {
	in(t)
	m := someModel(t, "m.npz", 5, 3, 1)
	write(t, "rows.txt", "01101\n11111\n00000\n")
	header, got := table(t, must(t, "features", "m.npz", "rows.txt"), 1)
	if strings.Join(header, " ") != "hidden_0 hidden_1 hidden_2" {
		t.Errorf("the columns are %q", header)
	}
	rows, err := bitio.ReadFile("rows.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for r := range 3 {
		for j := range 3 {
			x := m.C.AtVec(j)
			for i := range 5 {
				x += m.W.At(j, i) * rows.Bits.At(r, i)
			}
			if want := 1 / (1 + math.Exp(-x)); !near(got[r][j], want, 1e-14) {
				t.Errorf("feature %d of row %d is %v, want %v", j, r, got[r][j], want)
			}
		}
	}
}

func TestLogLikelihood(t *testing.T) {
	in(t)
	m := someModel(t, "m.rbm", 5, 3, 1)
	all, logp := allRows(m)
	write(t, "rows.csv", line(all[3])+line(all[17])+line(all[3]))
	want := (2*logp[3] + logp[17]) / 3
	if out := must(t, "loglik", "m.rbm", "rows.csv"); out != fmt.Sprintf("rows.csv: 3 rows: %.2f nats (exact)\n", want) {
		t.Errorf("loglik prints %q, want %.2f", out, want)
	}
	var got struct {
		Rows       int
		Mean       float64
		Exact      bool
		Believable bool
		Doubt      string
	}
	if err := json.Unmarshal([]byte(must(t, "loglik", "m.rbm", "rows.csv", "-json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Rows != 3 || !near(got.Mean, want, 1e-12) || !got.Exact || !got.Believable || got.Doubt != "" {
		t.Errorf("loglik -json prints %+v, want a mean of %v", got, want)
	}
}

// An estimate that is not believable has an exit code of its own, in score too, which
// writes the scores.
func TestNotBelievable(t *testing.T) {
	in(t)
	someModel(t, "m.rbm", 25, 22, 1)
	write(t, "rows.txt", "0101010101010101010101010\n1111111111111111111111111\n")
	args := strings.Fields("loglik m.rbm rows.txt -runs 3 -temperatures 2")
	code, out, _ := invoke(t, args...)
	if code != exitNotBelievable || !strings.Contains(out, "not believable") {
		t.Errorf("loglik: exit code %d, want %d; it prints %q", code, exitNotBelievable, out)
	}
	code, out, _ = invoke(t, append(args, "-json")...)
	if code != exitNotBelievable || !strings.Contains(out, `"believable": false`) || strings.Contains(out, `"doubt": ""`) {
		t.Errorf("loglik -json: exit code %d, want %d; it prints %q", code, exitNotBelievable, out)
	}
	code, out, stderr := invoke(t, strings.Fields("score m.rbm rows.txt -loglik -runs 3 -temperatures 2")...)
	if code != exitNotBelievable || strings.Count(out, "\n") != 3 || !strings.Contains(stderr, "not believable") {
		t.Errorf("score: exit code %d, want %d; it prints %q and says %q", code, exitNotBelievable, out, stderr)
	}
	someModel(t, "easy.rbm", 25, 22, 0.1)
	must(t, strings.Fields("sample easy.rbm -n 60 -burn 50 -o easy.csv")...)
	if out := must(t, strings.Fields("loglik easy.rbm easy.csv -runs 50 -temperatures 300")...); !strings.Contains(out, "; believable") {
		t.Errorf("loglik prints %q", out)
	}
}

// With the ladder of the training, of which the checkpoint is left, log Z is the library's, and believable where that of few
// runs is not.
func TestLadder(t *testing.T) {
	in(t)
	rnd := rand.New(rand.NewPCG(1, 1))
	text, wide, grouped := "", "", ""
	for r := range 200 { // two opposite clusters
		for i := range 24 {
			text += strconv.Itoa((r + i + min(1, rnd.IntN(10))) % 2)
		}
		text += "\n"
		wide += strings.Repeat(strconv.Itoa(rnd.IntN(2)), 25) + "\n"
		grouped += []string{"01", "10"}[rnd.IntN(2)] + strings.Repeat(strconv.Itoa(rnd.IntN(2)), 22) + "\n"
	}
	write(t, "rows.txt", text)
	write(t, "wide.txt", wide)
	write(t, "grouped.txt", grouped)
	train := func(args string) { t.Helper(); must(t, append([]string{"train"}, strings.Fields(args)...)...) }
	train("rows.txt -o m.rbm -checkpoint c -sampler ptt -chains 20 -hidden 22 -epochs 60 -rate 0.05")

	m, _, err := readModel("m.rbm")
	if err != nil {
		t.Fatal(err)
	}
	s, err := loadSaved("c")
	if err != nil {
		t.Fatal(err)
	}
	var data dataFlags
	data.declare(newFlags())
	r, err := data.read(t.Context(), &env{}, "rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	d, err := splitRows(r, &s.note.Settings)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := s.note.Settings.trainer(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := trainer.UnmarshalBinary(s.trainer); err != nil {
		t.Fatal(err)
	}
	ais := rbm.NewAIS(9, 1000, rand.NewPCG(1, 0))
	ais.Ladder = trainer.Sampler.(*rbm.PTT)
	l, err := m.LogLikelihood(t.Context(), r.bits, ais)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Believable() || !l.Ladder.Believable() {
		t.Fatalf("the library says %v, want the ladder believed", l)
	}
	few := strings.Fields("m.rbm rows.txt -runs 9 -temperatures 1000")
	out := must(t, append([]string{"loglik", "-ladder", "c"}, few...)...)
	if want := fmt.Sprintf("rows.txt: 200 rows: %v\n", l); out != want || !strings.Contains(out, "ladder of ") {
		t.Errorf("loglik prints %q, want %q", out, want)
	}
	header, x := table(t, must(t, append([]string{"score", "-loglik", "-ladder", "c"}, few...)...), 1)
	if !near(x[0][0]+x[0][1], -l.LogZ, 1e-12) {
		t.Errorf("score prints %v of %v, want a log Z of %v", x[0], header, l.LogZ)
	}
	if code, out, _ := invoke(t, append([]string{"loglik"}, few...)...); code != exitNotBelievable {
		t.Errorf("without the ladder: exit code %d, want %d; it prints %q", code, exitNotBelievable, out)
	}

	train("rows.txt -o p.rbm -checkpoint pcd -sampler pcd -hidden 2 -epochs 1")
	train("rows.txt -o p.rbm -checkpoint few -sampler ptt -chains 3 -hidden 2 -epochs 1")
	train("wide.txt -o p.rbm -checkpoint wide -sampler ptt -hidden 2 -epochs 1")
	train("grouped.txt -o p.rbm -checkpoint groups -sampler ptt -hidden 2 -epochs 1 -onehot 0:2")
	someModel(t, "small.rbm", 24, 2, 1) // of which log Z is exact
	for _, tt := range []struct {
		ladder string
		words  []string
	}{
		{"pcd", []string{"has no ladder", "sampler is pcd"}},
		{"few", []string{"3 chains", "at least 4"}},
		{"wide", []string{"25 columns", "want 24"}},
		{"groups", []string{"[[0, 2)]", "[]"}},
		{"none", []string{"none"}},
		{"rows.txt", []string{"rows.txt"}},
		{"m.rbm", []string{`-ladder: m.rbm: data is of kind "RBM"`}}, // with the file named once
	} {
		for _, model := range []string{"m.rbm", "small.rbm"} {
			refuse(t, exitError, append(tt.words, "-ladder", tt.ladder), "loglik", model, "rows.txt", "-ladder", tt.ladder)
		}
	}
}

// A checkpoint that lies about its sampler has no ladder.
func TestNoLadder(t *testing.T) {
	s := &saved{note: note{Settings: settings{Sampler: "ptt"}}}
	for _, b := range [][]byte{nil, []byte("abc"), []byte(frame), []byte(frame + "abcdef")} {
		s.trainer = b
		if _, err := s.ladder(); err == nil {
			t.Errorf("%q has a ladder", b)
		}
	}
}

// A .npz may hold the model and the rows.
func TestOneFile(t *testing.T) {
	path := os.Getenv("RBM_SM2008")
	if path == "" {
		t.Skip("RBM_SM2008 is not set: it names an .npz of the model of Salakhutdinov & Murray (2008), W, b and c, and of their 10,000 test rows, x, which are not ours to ship")
	}
	code, out, stderr := invoke(t, "loglik", path, "-array", "x", "-temperatures", "5000", "-json")
	if code != exitOK {
		t.Fatalf("exit code %d; it says\n%s", code, stderr)
	}
	var got struct {
		Rows            int
		Mean, Low, High float64
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	const published = -86.34
	t.Logf("%s", out)
	if got.Rows != 10000 || got.Low > published || got.High < published || !near(got.Mean, published, 0.5) {
		t.Errorf("the log-likelihood is %+v, want %v", got, published)
	}
}

// both writes a .npz of the arrays of two.
func both(t *testing.T, name string, parts ...string) {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, part := range parts {
		r, err := zip.OpenReader(part)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, f := range r.File {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, name, b.String())
}

func TestModelAndRows(t *testing.T) {
	in(t)
	m := someModel(t, "m.npz", 5, 3, 1)
	write(t, "rows.txt", "01101\n11111\n00000\n")
	must(t, "convert", "rows.txt", "rows.npz")
	both(t, "both.npz", "m.npz", "rows.npz")
	want := strings.ReplaceAll(must(t, "loglik", "m.npz", "rows.txt"), "rows.txt", "both.npz")
	if got := must(t, "loglik", "both.npz", "-array", "arr_0"); got != want {
		t.Errorf("loglik prints %q, want %q", got, want)
	}
	refuse(t, exitError, []string{"both.npz", "-array"}, "loglik", "both.npz", "both.npz")
	must(t, "convert", "both.npz", "x.rbm")
	if got, _, err := readModel("x.rbm"); err != nil || !same(got, m) {
		t.Errorf("x.rbm is another model, error %v", err)
	}
	must(t, "convert", "both.npz", "x.txt", "-array", "arr_0")
	must(t, "convert", "rows.txt", "y.txt")
	if !bytes.Equal(read(t, "x.txt"), read(t, "y.txt")) {
		t.Errorf("x.txt has\n%s", read(t, "x.txt"))
	}
}

// A classifier tells the classes of rows with and without labels, with the probabilities
// that follow from the energies.
func TestClassify(t *testing.T) {
	in(t)
	text := "a,b,c,kind\n" + strings.Repeat("0,1,1,cat\n1,0,0,dog\n1,1,0,dog\n0,0,1,cat\n0,0,0,\n", 24)
	write(t, "rows.csv", text)
	must(t, strings.Fields("train rows.csv -o m.rbm -label kind -hidden 3 -epochs 60")...)
	m, side, err := readModel("m.rbm")
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(side.Rows.Columns, side.Rows.Classes, m.OneHot) != "[a b c] [cat dog] [[3, 5)]" {
		t.Errorf("m.rbm.json is %+v, and the groups are %v", side.Rows, m.OneHot)
	}

	write(t, "new.csv", "c,b,a\n1,1,0\n0,0,1\n")
	out := must(t, "classify", "m.rbm", "new.csv")
	lines := strings.Split(out, "\n")
	if lines[0] != "id,class,cat,dog" || !strings.HasPrefix(lines[1], "0,cat,0.") || !strings.HasPrefix(lines[2], "1,dog,0.") {
		t.Errorf("classify prints\n%s", out)
	}
	all, logp := allRows(m)
	_, got := table(t, out, 2)
	for r, x := range [][]int{{0, 1, 1}, {1, 0, 0}} {
		var p [2]float64
		for k, v := range all {
			if fmt.Sprint(v[:3]) == fmt.Sprint(x) {
				p[v[4]] = math.Exp(logp[k])
			}
		}
		for class := range 2 {
			if want := p[class] / (p[0] + p[1]); !near(got[r][class], want, 1e-12) {
				t.Errorf("row %v is of class %d with probability %v, want %v", x, class, got[r][class], want)
			}
		}
	}

	write(t, "test.csv", "kind,a,b,c\ncat,0,1,1\ncat,1,0,0\ndog,1,1,0\n")
	code, tested, stderr := invoke(t, "classify", "m.rbm", "test.csv", "-test")
	if code != exitOK || !strings.Contains(stderr, "1 of 3 rows are classified wrongly, 33.33%") {
		t.Errorf("classify -test: exit code %d; it says %q", code, stderr)
	}
	_, p := table(t, tested, 2)
	sum := math.Log(p[0][0]) + math.Log(p[1][0]) + math.Log(p[2][1])
	if want := fmt.Sprintf("log p(class) is %.4f nats", sum/3); !strings.Contains(stderr, want) {
		t.Errorf("classify -test says %q, want %q", stderr, want)
	}
	if untested := must(t, "classify", "m.rbm", "test.csv"); untested != tested {
		t.Error("with labels in the file, but not asked for, classes differ")
	}
	must(t, strings.Fields("classify m.rbm test.csv -o c.csv")...)
	if string(read(t, "c.csv")) != tested {
		t.Errorf("c.csv has\n%s\nwant\n%s", read(t, "c.csv"), tested)
	}
	must(t, strings.Fields("classify m.rbm test.csv -o c.npy")...)

	// The other commands see a unit for each class, and complete finds the class.
	if header, _ := table(t, must(t, "score", "m.rbm", "test.csv", "-units"), 1); strings.Join(header[2:], " ") != "a b c kind=cat|kind=dog" {
		t.Errorf("the columns of score are %q", header)
	}
	write(t, "unknown.csv", "kind,a,b,c\n?,0,1,1\n")
	header, filled := table(t, must(t, "complete", "m.rbm", "unknown.csv"), 0)
	if strings.Join(header, " ") != "a b c kind=cat kind=dog" || !near(filled[0][3], got[0][0], 1e-12) {
		t.Errorf("complete prints %q and %v, want a class of probability %v", header, filled, got[0][0])
	}

	refuse(t, exitError, []string{"unknown.csv", "is missing"}, "classify", "m.rbm", "unknown.csv", "-test")
	write(t, "wrong.csv", "kind,a,b,c\ncow,0,1,1\n")
	refuse(t, exitError, []string{"wrong.csv", "row 0", `"cow"`, "cat"}, "classify", "m.rbm", "wrong.csv", "-test")
	refuse(t, exitError, []string{"new.csv", `"kind"`}, "classify", "m.rbm", "new.csv", "-test")
	refuse(t, exitUsage, []string{"-id"}, "train", "rows.csv", "-o", "x.rbm", "-label", "kind", "-id", "a")
	write(t, "one.csv", "kind,a\ncat,0\ncat,1\n?,1\n")
	refuse(t, exitError, []string{"one.csv", `["cat"]`, "two"}, "train", "one.csv", "-o", "x.rbm", "-label", "kind")
	someModel(t, "plain.rbm", 3, 2, 1)
	refuse(t, exitError, []string{"plain.rbm", "no classes"}, "classify", "plain.rbm", "new.csv")
}

// Samples have the means and the pairs of the distribution, within five standard errors.
func TestSample(t *testing.T) {
	for _, args := range []string{"", "-sampler pt -levels 3", "-chains 40 -thin 20"} {
		in(t)
		m := someModel(t, "m.rbm", 5, 3, 0.7, rbm.Group{From: 0, To: 2})
		all, logp := allRows(m)
		const n = 2000
		fields := append(strings.Fields(args), "-n", strconv.Itoa(n), "-burn", "30")
		if !strings.Contains(args, "-chains") {
			fields = append(fields, "-chains", strconv.Itoa(n))
		}
		must(t, append([]string{"sample", "m.rbm", "-o", "s.npy"}, fields...)...)
		s, err := bitio.ReadFile("s.npy", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r, c := s.Bits.Dims(); r != n || c != 5 {
			t.Fatalf("there are %d×%d samples, want %d×5", r, c, n)
		}
		count := make(map[string]float64)
		for r := range n {
			v := make([]int, 5)
			for i := range v {
				if s.Bits.Bit(r, i) {
					v[i] = 1
				}
			}
			count[line(v)]++
		}
		total := 0.0
		for k, v := range all {
			p := math.Exp(logp[k])
			if got := count[line(v)] / n; !near(got, p, 5*math.Sqrt(p*(1-p)/n)) {
				t.Errorf("%q: a share of %v is %v, want %v", args, got, v, p)
			}
			total += count[line(v)]
		}
		if total != n {
			t.Errorf("%q: %v samples do not fit the group", args, n-total)
		}
	}
}

// A sample depends on the seed, and on no other thing. The second rows of chains are those
// of a longer burn-in.
func TestSampleSeed(t *testing.T) {
	in(t)
	someModel(t, "m.rbm", 20, 3, 0.7)
	for _, sampler := range []string{"gibbs", "pt"} {
		args := strings.Fields("sample m.rbm -n 7 -chains 3 -burn 15 -thin 25 -sampler " + sampler)
		one := must(t, args...)
		if two := must(t, append(args, "-seed", "2")...); two == one {
			t.Errorf("%s: seeds 1 and 2 give the same samples", sampler)
		}
		lines := strings.Split(strings.TrimSuffix(one, "\n"), "\n")
		if len(lines) != 7 || lines[0] == lines[3] {
			t.Errorf("%s: samples are\n%s", sampler, one)
		}
		want := strings.Join(lines[3:6], "\n") + "\n"
		if got := must(t, strings.Fields("sample m.rbm -n 3 -chains 3 -burn 40 -sampler "+sampler)...); got != want {
			t.Errorf("%s: after 40 sweeps the samples are\n%s\nwant\n%s", sampler, got, want)
		}
	}
}

// rowsWithHoles returns rows and, as text, the same ones with some values missing.
func rowsWithHoles(m *rbm.RBM) (v [][]int, known [][]bool, text string) {
	all, _ := allRows(m)
	for k, row := range all {
		mask := make([]bool, len(row))
		fields := make([]string, len(row))
		for i := range row {
			mask[i] = (k*7+i*3)%5 < 3
			fields[i] = "?"
			if mask[i] {
				fields[i] = strconv.Itoa(row[i])
			}
		}
		v, known = append(v, row), append(known, mask)
		text += strings.Join(fields, ",") + "\n"
	}
	return v, known, text
}

// conditional returns the rows that agree with known values, their probabilities given
// these, and the means.
func conditional(m *rbm.RBM, v []int, known []bool) (rows [][]int, p []float64, means []float64) {
	all, logp := allRows(m)
	total := 0.0
	means = make([]float64, len(v))
	for k, row := range all {
		agree := true
		for i := range v {
			agree = agree && (!known[i] || row[i] == v[i])
		}
		if agree {
			rows, p = append(rows, row), append(p, math.Exp(logp[k]))
			total += p[len(p)-1]
		}
	}
	for k, row := range rows {
		p[k] /= total
		for i, x := range row {
			means[i] += p[k] * float64(x)
		}
	}
	return rows, p, means
}

func TestCompleteMeans(t *testing.T) {
	for _, groups := range [][]rbm.Group{nil, {{From: 1, To: 4}}} {
		in(t)
		m := someModel(t, "m.rbm", 5, 3, 0.7, groups...)
		v, known, text := rowsWithHoles(m)
		write(t, "rows.csv", text)
		for _, tt := range []struct {
			args      string
			tolerance float64
		}{{"", 1e-12}, {"-exact 2 -burn 0 -sweeps 1", 1e-12}, {"-exact 0 -burn 20 -sweeps 1500", 0.08}, {"-exact 1 -burn 25 -sweeps 1503", 0.08}} {
			args := append([]string{"complete", "m.rbm", "rows.csv", "-header", "no", "-o", "f.csv"}, strings.Fields(tt.args)...)
			must(t, args...)
			_, got := table(t, "0,1,2,3,4\n"+string(read(t, "f.csv")), 0)
			if len(got) != len(v) {
				t.Fatalf("there are %d rows, want %d", len(got), len(v))
			}
			for r := range v {
				_, _, want := conditional(m, v[r], known[r])
				for i, x := range got[r] {
					if tolerance := tt.tolerance; !near(x, want[i], tolerance) || known[r][i] && x != float64(v[r][i]) {
						t.Errorf("%v %q: row %d, column %d is %v, want %v", groups, tt.args, r, i, x, want[i])
					}
				}
			}
		}
	}
}

// Means by chains are those of package rbm, over all sweeps at once.
func TestCompleteIsChains(t *testing.T) {
	in(t)
	m := someModel(t, "m.rbm", 5, 3, 0.7)
	_, _, text := rowsWithHoles(m)
	write(t, "rows.csv", text)
	out := must(t, strings.Fields("complete m.rbm rows.csv -header no -exact 0 -burn 13 -sweeps 25 -seed 4")...)
	_, got := table(t, "0,1,2,3,4\n"+out, 0)
	r, err := bitio.ReadFile("rows.csv", &bitio.Options{Header: bitio.NoHeader})
	if err != nil {
		t.Fatal(err)
	}
	c := rbm.NewChains(rand.NewPCG(4, 0))
	c.StartGiven(m, r.Bits, r.Observed)
	c.GibbsGiven(m, 13, r.Observed)
	want := c.MeansGiven(nil, m, 25, r.Observed)
	for i, row := range got {
		for j, x := range row {
			if !near(x, want.At(i, j), 1e-14) {
				t.Errorf("row %d, column %d is %v, want %v", i, j, x, want.At(i, j))
			}
		}
	}
}

// Draws of one row many times have the conditional distribution, within five standard errors.
func TestCompleteDraws(t *testing.T) {
	in(t)
	m := someModel(t, "m.rbm", 5, 3, 0.7)
	v, known := []int{1, 0, 0, 1, 0}, []bool{true, false, false, true, false}
	const n = 1500
	write(t, "rows.csv", "a,b,c,d,e\n"+strings.Repeat("1,,,1,\n", n))
	rows, p, _ := conditional(m, v, known)
	for _, args := range []string{"", "-exact 0 -burn 15"} {
		out := must(t, append(strings.Fields("complete m.rbm rows.csv -draw"), strings.Fields(args)...)...)
		if !strings.HasPrefix(out, "a,b,c,d,e\n") || strings.Count(out, "\n") != n+1 {
			t.Fatalf("complete prints %d lines that begin with %.40q", strings.Count(out, "\n"), out)
		}
		total := 0
		for k, row := range rows {
			count := strings.Count(out, "\n"+strings.TrimSpace(line(row))) // the end of a line is the beginning of the next
			total += count
			if got := float64(count) / n; !near(got, p[k], 5*math.Sqrt(p[k]*(1-p[k])/n)) {
				t.Errorf("%q: a share of %v is %v, want %v", args, got, row, p[k])
			}
		}
		if total != n {
			t.Errorf("%q: %d rows do not keep what is known", args, n-total)
		}
	}
}

func TestChoose(t *testing.T) {
	weights := []float64{0, 0.25, 0, 0.75, 0}
	for u, want := range map[float64]int{0: 1, 0.2499: 1, 0.25: 3, 0.9999: 3, 1: 3} {
		if got := choose(u, weights); got != want {
			t.Errorf("choose(%v) = %d, want %d", u, got, want)
		}
	}
}

func TestCompleteGroups(t *testing.T) {
	in(t)
	someModel(t, "m.rbm", 4, 2, 1, rbm.Group{From: 1, To: 4})
	for _, rows := range []string{"0,1,1,?\n", "0,0,0,0\n", "0,1,0,1\n"} {
		write(t, "rows.csv", "1,1,0,0\n"+rows)
		refuse(t, exitError, []string{"rows.csv", "row 1", "group"}, "complete", "m.rbm", "rows.csv", "-header", "no")
	}
	write(t, "rows.csv", "0,0,0,?\n0,?,1,?\n")
	if got, want := must(t, "complete", "m.rbm", "rows.csv", "-header", "no"), "0,0,0,1\n0,0,1,0\n"; got != want {
		t.Errorf("complete prints %q, want %q", got, want)
	}
}

func TestConvertRows(t *testing.T) {
	in(t)
	text := "who,a,b,c\nx,0,1,1\ny,1,1,0\nz,0,0,0\n"
	write(t, "rows.csv", text)
	for _, format := range []string{"txt", "npy", "npz", "idx", "indices", "libsvm", "bits", "tsv", "txt.gz"} {
		name := "rows." + format
		must(t, "convert", "rows.csv", name, "-skip", "who")
		must(t, "convert", name, "back.csv", "-width", "3")
		want := "0,1,1\n1,1,0\n0,0,0\n"
		if format == "tsv" {
			want = "a,b,c\n" + want
		}
		if got := string(read(t, "back.csv")); got != want {
			t.Errorf("by %s the rows become\n%s\nwant\n%s", name, got, want)
		}
	}
	f, err := bitfile.Open("rows.bits")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, c := f.Dims(); n != 3 || c != 3 {
		t.Errorf("rows.bits has %d×%d rows", n, c)
	}

	must(t, strings.Fields("convert rows.csv spins.csv -id who -to-spins -to-sep ;")...)
	if got, want := string(read(t, "spins.csv")), "id;a;b;c\nx;-1;1;1\ny;1;1;-1\nz;-1;-1;-1\n"; got != want {
		t.Errorf("spins.csv has\n%s\nwant\n%s", got, want)
	}
	must(t, strings.Fields("convert spins.csv rows2.csv -id id -spins")...)
	if got, want := string(read(t, "rows2.csv")), strings.Replace(text, "who", "id", 1); got != want {
		t.Errorf("rows2.csv has\n%s\nwant\n%s", got, want)
	}
	_, _, stderr := invoke(t, strings.Fields("convert rows.csv x.npy -id who")...)
	if !strings.Contains(stderr, "names of the columns are left out") {
		t.Errorf("convert says %q", stderr)
	}
	write(t, "holes.csv", "a,b\n0,?\n")
	refuse(t, exitError, []string{"holes.csv", "missing"}, "convert", "holes.csv", "y.bits")
	refuse(t, exitError, []string{"y.npy"}, "convert", "holes.csv", "y.npy", "-to", "nonsense")
	refuse(t, exitError, []string{"none.csv"}, "convert", "none.csv", "y.bits")
	if files, _ := filepath.Glob("y.*"); len(files) > 0 {
		t.Errorf("conversions that failed have left %q", files)
	}
}

func TestConvertModel(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(40, 0))
	must(t, strings.Fields("train rows.csv -o m.rbm -hidden 3 -epochs 2")...)
	m, side, err := readModel("m.rbm")
	if err != nil {
		t.Fatal(err)
	}
	from := "m.rbm"
	for _, to := range []string{"a.npz", "a.json", "b.rbm"} {
		must(t, "convert", from, to)
		got, s, err := readModel(to)
		if err != nil || !same(got, m) || s == nil || fmt.Sprint(s.Rows) != fmt.Sprint(side.Rows) || *s.Training != *side.Training {
			t.Errorf("%s is not the model of %s, or does not say how to read its rows; error %v", to, from, err)
		}
		from = to
	}
	if string(read(t, "b.rbm")) != string(read(t, "m.rbm")) {
		t.Error("b.rbm and m.rbm differ")
	}
	refuse(t, exitError, []string{"rows.csv", "no model"}, "convert", "m.rbm", "rows.csv")
	interrupt(t, false, "epoch ", 1, strings.Fields("train rows.csv -o c.rbm -epochs 9")...)
	refuse(t, exitError, []string{"c.rbm.checkpoint", "-resume"}, "convert", "c.rbm.checkpoint", "c.npz")
	refuse(t, exitError, []string{"c.rbm.checkpoint", "-resume"}, "score", "c.rbm.checkpoint", "rows.csv")

	// An .npz of rows is no model.
	must(t, "convert", "rows.csv", "rows.npz")
	must(t, "convert", "rows.npz", "rows.txt")
	if got := string(read(t, "rows.txt")); strings.Count(got, "\n") != 40 {
		t.Errorf("rows.txt has\n%s", got)
	}
}

func TestInfo(t *testing.T) {
	in(t)
	write(t, "rows.csv", "a,b,c\n0,1,\n1,1,0\n")
	for file, want := range map[string][]string{
		"":         {"rbm:     ", "Go:      go", "system:  " + runtime.GOOS, "kernels: " + cpu.Kernels(), "cores:   "},
		"rows.csv": {"rows:          2", "columns:       3", "ones:          60%", "missing:       16.67%, in 1 rows", "1 columns are always 1, 1 always 0", "a, b, c"},
	} {
		got := must(t, strings.Fields("info "+file)...)
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("info %s prints\n%s\nwant %q", file, got, text)
			}
		}
	}
	cpu.Each(func(string) {
		t.Setenv(cpu.Variable, "off")
		want := "kernels: " + cpu.Kernels() + ", with RBM_SIMD=off\n"
		if got := must(t, "info"); !strings.HasSuffix(got, want) {
			t.Errorf("info prints\n%s\nwant %q", got, want)
		}
	})
	if flags, _ := os.ReadFile("/proc/cpuinfo"); bytes.Contains(flags, []byte("\nmodel name")) && !strings.Contains(must(t, "info"), "\nCPU:     ") {
		t.Errorf("info prints\n%s\nwant the CPU", must(t, "info"))
	}
	someModel(t, "m.npz", 4, 2, 1, rbm.Group{From: 1, To: 4})
	got := must(t, "info", "m.npz")
	for _, text := range []string{"a model", "visible units: 4", "hidden units:  2", "[[1, 4)]", "root mean square", "no m.npz.json"} {
		if !strings.Contains(got, text) {
			t.Errorf("info m.npz prints\n%s\nwant %q", got, text)
		}
	}
	write(t, "more.csv", pairs(40, 0))
	interrupt(t, false, "epoch ", 2, strings.Fields("train more.csv -o c.rbm -epochs 9 -hidden 3 -report 2")...)
	got = must(t, "info", "c.rbm.checkpoint")
	for _, text := range []string{"a checkpoint", "visible units: 6", "4 of 9 epochs", "3 hidden units", "a, b, c, d, e, f"} {
		if !strings.Contains(got, text) {
			t.Errorf("info c.rbm.checkpoint prints\n%s\nwant %q", got, text)
		}
	}
}

// "-" is the standard input.
func TestStandardInput(t *testing.T) {
	in(t)
	m := someModel(t, "m.rbm", 3, 2, 1)
	var out, stderr strings.Builder
	code := run(t.Context(), []string{"score", "m.rbm", "-"}, &env{stdin: strings.NewReader("0,1,1\n"), stdout: &out, stderr: &stderr})
	if code != exitOK {
		t.Fatal(stderr.String())
	}
	v := rbm.NewBits(1, 3)
	v.SetBit(0, 1, true)
	v.SetBit(0, 2, true)
	_, got := table(t, out.String(), 1)
	if want := m.FreeEnergy(nil, v)[0]; got[0][0] != want {
		t.Errorf("the free energy is %v, want %v", got[0][0], want)
	}
}

// What complete writes is read again in the way of the rows that the model was trained on: the
// column of names keeps its name.
func TestCompletedRowsAreScored(t *testing.T) {
	in(t)
	write(t, "rows.csv", "who,a,b\nAnn,1,0\nBob,0,1\nCid,1,0\nDee,0,1\n")
	must(t, "train", "rows.csv", "-id", "who", "-hidden", "2", "-epochs", "2", "-o", "m.rbm")
	write(t, "holes.csv", "who,a,b\nEve,1,\nFay,,\n")
	refuse(t, exitError, []string{`"Eve"`, "is missing", "rbm complete -draw"}, "score", "m.rbm", "holes.csv")
	must(t, "complete", "m.rbm", "holes.csv", "-draw", "-o", "filled.csv")
	if header, _, _ := strings.Cut(string(read(t, "filled.csv")), "\n"); header != "who,a,b" {
		t.Errorf("complete -draw writes the header %q, want %q", header, "who,a,b")
	}
	if got := must(t, "score", "m.rbm", "filled.csv"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "\nEve,") {
		t.Errorf("score prints %q, want a header, Eve and Fay", got)
	}
	if got := must(t, "complete", "m.rbm", "holes.csv"); !strings.HasPrefix(got, "who,a,b\nEve,1,0.") {
		t.Errorf("complete prints %q, want probabilities behind who", got)
	}
}
