package main

import (
	"context"
	"strings"
	"testing"
)

func TestLadder(t *testing.T) {
	var b strings.Builder
	args := strings.Fields("ladder -seeds 1 -visible 6 -hidden 21 -rows 20 -epochs 2 -chains 4 -temperatures 20 -sweeps 80 -each")
	if err := run(context.Background(), &b, args); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"seed 1: log Z ", "| AIS | ", " of 1 | ", "| every second model of the ladder | "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}
