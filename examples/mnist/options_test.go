package main

import (
	"errors"
	"flag"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
)

func TestParse(t *testing.T) {
	good := []string{
		"",
		"-data d -out o -fresh -hidden 1 -epochs 1 -batch 1 -rate 0.5 -sampler cd -k 3 -seed 7 -rows 9 -held 4 -patience 2 -ais 10",
		"-hidden 10000 -rate 10 -batch 10000 -sampler ptt",
		"-schedule cosine -plain -decay 1 -init 0 -flip", "-schedule inverse", "-schedule constant -init 10",
	}
	bad := []string{
		"-out=", "-hidden 0", "-hidden -1", "-hidden 10001", "-hidden x", "-epochs 0", "-epochs 1000001",
		"-batch 0", "-batch 10001", "-rate 0", "-rate -1", "-rate NaN", "-rate Inf", "-rate 11",
		"-sampler gibbs", "-sampler PCD", "-k 0", "-seed -1", "-rows -1", "-held -1",
		"-schedule exp", "-decay -0.1", "-decay 1.1", "-decay NaN", "-init -1", "-init 11", "-init NaN",
		"-patience -1", "-patience 3", "-ais 9", "-fresh=2", "-unknown", "digits.png",
	}
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err }, good, bad)
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{
		"-data", "-out", "-fresh", "-hidden", "-epochs", "-batch", "-rate", "-schedule", "-plain", "-decay", "-init", "-flip", "-sampler", "-k", "-seed", "-rows", "-held", "-patience", "-ais",
		"pcd, cd, pt, ptt", "GoMNIST", "goes on",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help does not mention %q", want)
		}
	}
}

func TestSchedules(t *testing.T) {
	for name, want := range map[string][3]float64{ // after 0, 50 and 100 of 100 steps
		"linear":   {0.2, 0.1, 0},
		"cosine":   {0.2, 0.1, 0},
		"inverse":  {0.2, 0.2 / 6, 0.2 / 11},
		"constant": {0.2, 0.2, 0.2},
	} {
		rate := options{rate: 0.2, schedule: name}.rateOver(100)
		for i, want := range want {
			if got := rate(50 * i); math.Abs(got-want) > 1e-15 {
				t.Errorf("%s: the rate after %d steps is %v, want %v", name, 50*i, got, want)
			}
		}
	}
}
