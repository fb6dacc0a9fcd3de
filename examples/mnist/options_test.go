package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, args := range []string{
		"",
		"-data d -out o -fresh -hidden 1 -epochs 1 -batch 1 -rate 0.5 -sampler cd -k 3 -seed 7 -rows 9 -held 4 -patience 2 -ais 10",
		"-hidden 10000 -rate 10 -batch 10000 -sampler ptt",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err != nil {
			t.Errorf("parse(%q) = %v", args, err)
		}
	}
	for _, args := range []string{
		"-out=", "-hidden 0", "-hidden -1", "-hidden 10001", "-hidden x", "-epochs 0", "-epochs 1000001",
		"-batch 0", "-batch 10001", "-rate 0", "-rate -1", "-rate NaN", "-rate Inf", "-rate 11",
		"-sampler gibbs", "-sampler PCD", "-k 0", "-seed -1", "-rows -1", "-held -1",
		"-patience -1", "-patience 3", "-ais 9", "-fresh=2", "-unknown", "digits.png",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if err == nil {
			t.Errorf("parse(%q) succeeded, want an error", args)
			continue
		}
		name, value, _ := strings.Cut(strings.Replace(args, "=", " ", 1), " ")
		if !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("parse(%q) = %q, want it to name %s and %s", args, err, name, value)
		}
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{
		"-data", "-out", "-fresh", "-hidden", "-epochs", "-batch", "-rate", "-sampler", "-k", "-seed", "-rows", "-held", "-patience", "-ais",
		"pcd, cd, pt, ptt", "GoMNIST", "goes on",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help does not mention %q", want)
		}
	}
}
