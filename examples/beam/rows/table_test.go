package rows

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The order in which an engine delivers lines does not matter, nor how many times it
// does.
func TestTableSorts(t *testing.T) {
	places := []Row{{File: "a", Number: 2}, {File: "a", Number: 256}, {File: "a", Number: 70000}, {File: "a,b", Number: 1}, {File: "b", Number: 1}}
	want := "file,row,energy\na,2,-0.5\na,256,-0.5\na,70000,-0.5\n\"a,b\",1,-0.5\nb,1,-0.5\n"
	table := Table{filepath.Join(t.TempDir(), "x"), 1, []string{"energy"}}
	write := func(lines [][]byte) error {
		return (&writeFn{Table: table}).ProcessElement(context.Background(), 0, func(line *[]byte) bool {
			if len(lines) == 0 {
				return false
			}
			*line, lines = lines[0], lines[1:]
			return true
		})
	}
	line := func(r Row, cells string) []byte {
		part, line := table.Line(r.File, r.Number, []byte(cells))
		if part != 0 {
			t.Fatalf("part %d of 1", part)
		}
		return line
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		lines := [][]byte{nil}
		for _, r := range places {
			lines = append(lines, line(r, "-0.5"))
		}
		lines = append(lines, bytes.Clone(lines[1+rnd.IntN(5)]))
		rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if err := write(lines); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(table.Prefix + "-00000-of-00001.csv"); err != nil || string(got) != want {
			t.Fatalf("the part is %q, %v, want %q", got, err, want)
		}
	}
	err := write([][]byte{line(places[1], "-0.5"), line(places[0], "-0.5"), line(places[1], "-0.25")})
	if err == nil || !strings.Contains(err.Error(), "a: row 256 came twice, and not the same") {
		t.Errorf("two lines of a row: %v", err)
	}
}

// Parts have as many rows as chance gives them, and a row has the same one always.
func TestTableParts(t *testing.T) {
	const n, parts = 10_000, 7
	var counts [parts]int
	for i := range n {
		k, line := Table{Parts: parts}.Line("rows.txt", int64(i+1), []byte("1,2"))
		counts[k]++
		if again, _ := (Table{Parts: parts}).Line("rows.txt", int64(i+1), []byte("3")); again != k {
			t.Fatalf("row %d is in the parts %d and %d", i+1, k, again)
		}
		if string(line[place(line):]) != "1,2" {
			t.Fatalf("the cells of %q are %q", line, line[place(line):])
		}
	}
	if least, most := slices.Min(counts[:]), slices.Max(counts[:]); least < 1250 || most > 1610 { // 5 standard errors
		t.Errorf("parts have %v rows", counts)
	}
}

func TestTableCheck(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for _, name := range []string{"x-00000-of-00003.csv", "x-00002-of-00003.csv", "x-bad-00000-of-00002.csv", "x-00000-of-0000a.csv", "y-00000-of-00004.csv"} {
		write(t, filepath.Join(dir, name), nil)
	}
	if err := BadTable(dir+"/x", 3).Check(ctx); err != nil {
		t.Error(err)
	}
	for _, parts := range []int{2, 4} {
		want := fmt.Sprintf("%s/x-00000-of-00003.csv is of a table of 3 parts, not of %d", dir, parts)
		if err := BadTable(dir+"/x", parts).Check(ctx); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
