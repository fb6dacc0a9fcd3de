package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
)

func TestLoad(t *testing.T) {
	o := small(t, "")
	train, test, err := idx.Labeled(o.data)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		rows, held, labeled    int
		wantTrain, wantLabeled int
	}{
		{0, 0, 0, 300, 300},
		{300, 0, 300, 300, 300},
		{200, 0, 0, 200, 200},
		{200, 30, 0, 170, 170},
		{0, 299, 1, 1, 1},
		{200, 30, 20, 170, 20},
	} {
		o := o
		o.rows, o.held, o.labeled = test.rows, test.held, test.labeled
		d, err := load(o)
		if err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		if n, _ := d.train.Dims(); n != test.wantTrain || !slices.Equal(d.labels, train.Labels[:test.wantLabeled]) {
			t.Errorf("%+v: %d rows to train on, %d of them labeled", test, n, len(d.labels))
		}
		checkRows(t, idx.Set{Images: d.train.Slice(0, len(d.labels)), Labels: d.labels}, train, 0)
		checkRows(t, d.watched, train, 0)
		if got, want := len(d.watched.Labels), test.wantLabeled; got != want {
			t.Errorf("%+v: %d rows are watched, want %d", test, got, want)
		}
		if (d.held != nil) != (test.held > 0) {
			t.Errorf("%+v: rows held out: %v", test, d.held)
		}
		if d.held != nil {
			checkRows(t, *d.held, train, test.wantTrain)
			if len(d.held.Labels) != test.held {
				t.Errorf("%+v: %d rows are held out", test, len(d.held.Labels))
			}
		}
		if len(d.test.Labels) != 100 || d.trainCRC != train.CRC {
			t.Errorf("%+v: %d test rows, checksum %08x, want 100 and %08x", test, len(d.test.Labels), d.trainCRC, train.CRC)
		}
	}
	if d, err := load(o); err != nil || d.test.CRC != test.CRC {
		t.Errorf("the test rows are not those of the files; error %v", err)
	}

	for want, change := range map[string]func(o *options){
		"-rows is 301, but there are 300": func(o *options) { o.rows = 301 },
		"-held is 300 of 300":             func(o *options) { o.held = 300 },
		"-held is 50 of 50":               func(o *options) { o.rows, o.held = 50, 50 },
		"-labeled is 51 of 50":            func(o *options) { o.rows, o.held, o.labeled = 100, 50, 51 },
	} {
		o := o
		change(&o)
		if _, err := load(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want it to say %q", err, want)
		}
	}
}

// checkRows checks that got are the rows of want from the given one on.
func checkRows(t *testing.T, got, want idx.Set, from int) {
	t.Helper()
	if n, _ := got.Images.Dims(); n != len(got.Labels) {
		t.Errorf("there are %d labels for %d rows", len(got.Labels), n)
	}
	for r, y := range got.Labels {
		if y != want.Labels[from+r] {
			t.Fatalf("the label of row %d is %d, want %d", r, y, want.Labels[from+r])
		}
		for i := range idx.Pixels {
			if got.Gray != nil && got.Gray[r*idx.Pixels+i] != want.Gray[(from+r)*idx.Pixels+i] {
				t.Fatalf("the level of pixel %d of row %d is not that of row %d", i, r, from+r)
			}
			if got.Images.Bit(r, i) != want.Images.Bit(from+r, i) {
				t.Fatalf("pixel %d of row %d is not that of row %d", i, r, from+r)
			}
		}
	}
}

// What digits are judged by is the probability of a pixel that is drawn.
func TestLevels(t *testing.T) {
	l := levels(make([]byte, 3*idx.Pixels))
	l[2*idx.Pixels+5], l[idx.Pixels] = 192, 255
	if r, c := l.Dims(); r != 3 || c != idx.Pixels || l.At(2, 5) != 0.75 || l.At(1, 0) != 255./256 || l.At(0, 0) != 0 || l.T().At(5, 2) != 0.75 {
		t.Errorf("%d×%d levels: %v, %v, %v, %v", r, c, l.At(2, 5), l.At(1, 0), l.At(0, 0), l.T().At(5, 2))
	}
}

// A pixel that is drawn is 1 with its gray level as the probability.
func TestDrawPixels(t *testing.T) {
	const rows, draws = 2, 2000
	d := data{gray: make([]byte, rows*idx.Pixels)}
	for i := range d.gray {
		d.gray[i] = byte(i % 256)
	}
	ones := make([]int, len(d.gray))
	dst := rbm.NewBits(3, idx.Pixels)
	src := rand.NewPCG(1, 0)
	for range draws {
		d.draw(dst, []int{1, 0, 1}, src)
		for i := range idx.Pixels {
			ones[i] += int(dst.At(1, i))
			ones[idx.Pixels+i] += int(dst.At(0, i))
		}
	}
	for i, n := range ones {
		p := float64(d.gray[i]) / 256
		if e := 5 * math.Sqrt(draws*p*(1-p)); math.Abs(float64(n)-draws*p) > e {
			t.Errorf("pixel %d of level %d was on %d of %d times, want %.0f ± %.0f (5 standard errors)", i, d.gray[i], n, draws, draws*p, e)
		}
	}
}
