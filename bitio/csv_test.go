package bitio_test

import (
	"strings"
	"testing"

	"github.com/gorbm/rbm/bitio"
)

func TestSkeleton(t *testing.T) {
	in := "\ufeffid;a;b\r\nx;0;1\r\n\"y\";NA;true\r\n"
	table, err := bitio.Read(strings.NewReader(in), "x.csv", &bitio.Options{ID: "id"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := bitio.Write(&b, table, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "id,a,b\nx,0,1\ny,NA,1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
