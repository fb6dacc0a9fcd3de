package datasets

import (
	"bytes"
	"compress/gzip"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// The mean energy of a pair of neighbors is that of enumeration.
func TestTorus(t *testing.T) {
	const side, temperature, n = 3, 2.5, 20000
	pairs := func(up []bool) (sum float64) {
		for i := range up {
			for _, j := range [2]int{i/side*side + (i+1)%side, (i + side) % (side * side)} {
				if sum--; up[i] == up[j] {
					sum += 2
				}
			}
		}
		return sum
	}
	var z, want float64
	for state := range 1 << (side * side) {
		up := make([]bool, side*side)
		for i := range up {
			up[i] = state>>i&1 == 1
		}
		w := math.Exp(pairs(up) / temperature)
		z, want = z+w, want+w*pairs(up)
	}
	want /= z
	x, rnd := NewTorus(side, temperature), rand.New(rand.NewPCG(1, 1))
	rows := rbm.NewBits(1, side*side)
	var got, squares float64
	for range n {
		for range 5 {
			x.Flip(rnd)
		}
		got += pairs(x.Up) / n
		squares += pairs(x.Up) * pairs(x.Up) / n
		ups := 0
		for i, up := range x.Up {
			if up {
				ups++
			}
			rows.SetBit(0, i, !up)
		}
		if got := x.SetRow(rows, 0); got != ups {
			t.Fatalf("SetRow returns %d, want %d", got, ups)
		}
		for i, up := range x.Up {
			if rows.Bit(0, i) != up {
				t.Fatalf("bit %d is %t, want %t", i, rows.Bit(0, i), up)
			}
		}
	}
	if e := math.Sqrt((squares - got*got) / n); math.Abs(got-want) > 5*e {
		t.Errorf("the mean sum over pairs is %.3f, want %.3f ± %.3f (5 standard errors)", got, want, 5*e)
	}
}

func TestDigits(t *testing.T) {
	path := filepath.FromSlash("../../examples/digits/digits.csv.gz")
	rows, labels, err := Digits(path, 7)
	if err != nil {
		t.Fatal(err)
	}
	if n, nv := rows.Dims(); n != 1797 || nv != Pixels || len(labels) != n {
		t.Fatalf("%d×%d pixels of %d digits, want 1797×%d", n, nv, len(labels), Pixels)
	}
	// The first one is a 0: its top row is 0,0,5,13,9,1,0,0.
	for i, want := range []bool{false, false, false, true, true, false, false, false} {
		if rows.Bit(0, i) != want {
			t.Errorf("pixel %d of the first digit is %t, want %t", i, !want, want)
		}
	}
	if labels[0] != 0 || labels[1] != 1 || labels[1796] != 8 {
		t.Errorf("labels are %v … %d, want 0, 1 … 8", labels[:2], labels[1796])
	}
	lower, _, err := Digits(path, 4)
	if err != nil || !lower.Bit(0, 2) {
		t.Errorf("above level 4, pixel 2 of the first digit is off (error %v)", err)
	}
}

func TestDigitsErrors(t *testing.T) {
	line := strings.Repeat("1,", Pixels) + "3\n"
	for name, tt := range map[string]struct{ text, want string }{
		"short": {line + "1,2\n", "wrong number of fields"},
		"word":  {line + strings.Replace(line, "3", "x", 1), `line 2, field 64: strconv.Atoi: parsing "x"`},
	} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(tt.text))
		z.Close()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Digits(path, 7); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %s and %q in it", name, err, path, tt.want)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain")
	os.WriteFile(plain, []byte(line), 0o600)
	for _, path := range []string{plain, plain + "er"} {
		if _, _, err := Digits(path, 7); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}
