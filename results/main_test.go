package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

// A name that there is not is an error that lists those there are.
func TestNames(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}} {
		err := run(context.Background(), io.Discard, args)
		if err == nil {
			t.Fatalf("%q: no error", args)
		}
		for _, k := range kinds() {
			if !strings.Contains(err.Error(), k.name+" ") {
				t.Errorf("%q: %v, want %s among them", args, err, k.name)
			}
		}
	}
	if err := run(context.Background(), io.Discard, []string{"mnist", "more"}); err == nil || !strings.Contains(err.Error(), `"more"`) {
		t.Errorf("an argument too many: %v", err)
	}
}

// A flag that is out of range is an error that names it and its value.
func TestFlags(t *testing.T) {
	for _, args := range []string{
		"mnist -hidden 0", "mnist -rate -1", "mnist -std NaN", "mnist -decay x", "mnist -chains -1", "learning -seeds 0", "learning -ways nothing",
		"ladder -hidden 0", "ladder -hidden 31", "ladder -seeds 0", "patterns -sets nothing", "patterns -ways XOR", "patterns -steps 0",
		"verdict -models 0", "published -temperatures 0", "dna -steps 0", "dna -seeds -1", "mnist -unknown",
	} {
		words := strings.Split(args, " ")
		err := run(context.Background(), io.Discard, words)
		if err == nil || !strings.Contains(err.Error(), words[1]) || !strings.Contains(err.Error(), words[len(words)-1]) {
			t.Errorf("results %s: error %v, want %s and the value in it", args, err, words[1])
		}
	}
}
