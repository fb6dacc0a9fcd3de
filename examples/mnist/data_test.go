package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
)

func TestLoad(t *testing.T) {
	dir := idxtest.WriteData(t, 30, 20)
	all, _, err := idx.Images(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ rows, held, train, watched int }{
		{0, 0, 30, 20},
		{30, 0, 30, 20},
		{12, 0, 12, 20},
		{12, 5, 7, 5},
		{0, 29, 1, 29},
	} {
		d, err := load(options{data: dir, rows: test.rows, held: test.held})
		if err != nil {
			t.Errorf("-rows %d -held %d: %v", test.rows, test.held, err)
			continue
		}
		train, _ := d.train.Dims()
		watched, _ := d.held.Dims()
		judged, _ := d.test.Dims()
		if train != test.train || watched != test.watched || judged != 20 {
			t.Errorf("-rows %d -held %d: %d rows to train on, %d to watch and %d to judge by, want %d, %d and 20", test.rows, test.held, train, watched, judged, test.train, test.watched)
		}
		for i := range idx.Pixels {
			if test.held > 0 && d.held.Bit(0, i) != all.Images.Bit(train, i) {
				t.Fatalf("-rows %d -held %d: the rows held out do not follow those to train on", test.rows, test.held)
			}
		}
	}
	for want, o := range map[string]options{
		"-rows is 31, but there are 30":   {data: dir, rows: 31},
		"-held is 30 of 30 training rows": {data: dir, held: 30},
		"-held is 5 of 5 training rows":   {data: dir, rows: 5, held: 5},
		"neither this file nor":           {data: t.TempDir()},
	} {
		if _, err := load(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load(%+v) = %v, want an error that says %q", o, err, want)
		}
	}
	os.Remove(filepath.Join(dir, idx.TestImages))
	if _, err := load(options{data: dir}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, idx.TestImages)) {
		t.Errorf("without test images load = %v, want an error that names %s", err, idx.TestImages)
	}
}
