package main

import (
	"regexp"
	"strings"
	"testing"
)

// What is wrong with a file is said in terms of flags, which are what one has.
func TestWordsOfFlags(t *testing.T) {
	in(t)
	write(t, "rows.csv", pairs(20, 0))
	must(t, "train", "rows.csv", "-o", "m.rbm", "-epochs", "1", "-hidden", "2")
	write(t, "spins.csv", strings.ReplaceAll(pairs(20, 0), "0", "-1"))
	must(t, "train", "spins.csv", "-o", "s.rbm", "-epochs", "1", "-hidden", "2", "-spins")
	write(t, "likes.pairs", "u,a\nu,b\nv,a\n")
	must(t, "train", "likes.pairs", "-o", "p.rbm", "-epochs", "1", "-hidden", "2")
	write(t, "named.csv", "id,a,b\nx,0,1\ny,1,1\n")
	must(t, "train", "named.csv", "-o", "n.rbm", "-epochs", "1", "-hidden", "2", "-id", "id")

	write(t, "names.tsv", "u\ta\nu\tb\nv\ta\n")
	write(t, "headed.pairs", "user,item\nu,a\nu,b\nv,a\n")
	write(t, "new.pairs", "u,a\nu,c\n")
	write(t, "unnamed.csv", "a,b\n0,1\n")
	write(t, "twos.csv", "a,b\n0,2\n")
	write(t, "wrong.csv", "-1,-1\n1,0\n")
	write(t, "holes.csv", "a,b\n1,\n0,1\n")
	write(t, "wide.libsvm", "1 5:1\n0 2000000001:1\n")
	write(t, "many.libsvm", strings.Repeat("2147483000:1\n", 20)) // more than 4 GiB, which nothing takes
	option := regexp.MustCompile(`set [A-Z]|[a-z] (ID|Skip|Header|Array|Spins|Threshold|Columns|Width|Observed)\b|bitio`)
	for _, tt := range []struct {
		args, want string
	}{
		{"train named.csv -o x.rbm", `line 2, column 0 ("id") is "x", want 0 or 1; give -id or -skip if the column has names`},
		{"train names.tsv -o x.rbm", `line 2, column 0 ("u") is "u", want 0 or 1; give -format pairs if lines are a user and an item`},
		{"train spins.csv -o x.rbm", "want 0 or 1; give -spins to read -1 and 1"},
		{"train twos.csv -o x.rbm", "want 0 or 1; give -threshold to read values above it as 1"},
		{"train headed.pairs -o x.rbm", "give -header yes or no to say whether the line has names"},
		{"train wide.libsvm -o x.rbm", "wide.libsvm has 2000000001 columns, too many"},
		{"train many.libsvm -o x.rbm", "which is as much as this command takes"},
		{"train wrong.csv -o x.rbm", "give -spins to read -1 and 1; give -header yes if the line has names"},
		{"train named.csv -o x.rbm -id id -skip id", `column "id" is both -id and to be skipped`},
		{"train named.csv -o x.rbm -skip c", `there is no column "c" for -skip, want one of`},
		{"score s.rbm rows.csv", `want -1 or 1, as -spins is given or was in training`},
		{"score p.rbm headed.pairs", `item "item" is not among the 2 of the model; give -header yes if it is a header`},
		{"score p.rbm headed.pairs -ignore-unknown", `give -header yes or no`},
		{"score p.rbm new.pairs", `item "c" is not among the 2 of the model; give -ignore-unknown to leave it out`},
		{"score n.rbm unnamed.csv", `there is no column "id" for -id (-id "" if there is none), want one of "a", "b"`},
		{"convert holes.csv x.idx", "format idx has no place for missing values; rbm complete fills them"},
		{"convert holes.csv x.bits", "holes.csv: line 2: a value is missing, for which bits has no place"},
	} {
		args := strings.Fields(tt.args)
		refuse(t, exitError, []string{tt.want}, args...)
		if _, _, stderr := invoke(t, args...); option.MatchString(stderr) {
			t.Errorf("rbm %s says %q, with the option %q", tt.args, stderr, option.FindString(stderr))
		}
	}
	// A model of spins draws spins, which it reads again, unless asked for bits.
	must(t, "sample", "s.rbm", "-n", "5", "-o", "drawn.csv")
	must(t, "score", "s.rbm", "drawn.csv")
	must(t, "sample", "s.rbm", "-n", "5", "-o", "bits.csv", "-to-spins=false")
	if got := string(read(t, "bits.csv")); strings.Contains(got, "-1") || !strings.Contains(string(read(t, "drawn.csv")), "-1") {
		t.Errorf("bits.csv has\n%s\nwant 0 and 1", got)
	}
	write(t, "bare.csv", "0,1,1,0,1,1\n")
	const note = "rbm: bare.csv has no names of columns: they are taken in the order of the model"
	if _, _, stderr := invoke(t, "score", "m.rbm", "bare.csv"); !strings.Contains(stderr, note) {
		t.Errorf("score says %q, want %q", stderr, note)
	}
	for _, args := range []string{"bare.csv -header no", "rows.csv"} {
		if _, _, stderr := invoke(t, append([]string{"score", "m.rbm"}, strings.Fields(args)...)...); stderr != "" {
			t.Errorf("score m.rbm %s says %q, want nothing", args, stderr)
		}
	}
	write(t, "bare.txt", "011011\n")
	if got, want := must(t, "score", "m.rbm", "bare.csv", "-header", "no"), must(t, "score", "m.rbm", "bare.txt"); got != want {
		t.Errorf("score prints\n%s\nwant\n%s", got, want)
	}
	must(t, "score", "p.rbm", "headed.pairs", "-header", "yes")
	must(t, "score", "n.rbm", "unnamed.csv", "-id", "")
}
