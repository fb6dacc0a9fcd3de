package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-time", "5ms", "-cpus", "1,0", "-threads", "3", "-python", "py", "-only", "n=100$", "-markdown"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 2 || o.time != 5*time.Millisecond || !slices.Equal(o.cpus, []int{0, 1}) || o.threads != 3 || o.python != "py" || !o.markdown {
		t.Errorf("options are %+v", o)
	}
	if got := len(o.chosen()); got != 5 {
		t.Errorf("%d cases match n=100$, want 5", got)
	}
	if o, err := parse(nil, io.Discard); err != nil || len(o.chosen()) != len(cases) || o.rounds != 5 || o.time != time.Second || o.cpus != nil {
		t.Errorf("without flags: %+v, %v", o, err)
	}
	for _, args := range [][]string{
		{"-rounds", "0"}, {"-time", "0s"}, {"-time", "1"}, {"-threads", "-1"}, {"-cpus", "x"}, {"-only", "("}, {"-only", "nothing"}, {"more"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-rounds") {
		t.Errorf("-h: %v, %q", err, help.String())
	}
}

// A whole run, without a peer.
func TestRun(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-time", "1ms", "-threads", "1", "-python", "no-such-python", "-only", "784x64 ", "-markdown"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), o, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"not pinned", "NumPy: not installed", "PyTorch: not installed", "scikit-learn: not installed",
		"784x64 CD-1 n=100", "Trainer.Train", "| 784×64 CD-1 n=100, `Gradient+SGD.Step` | ", "go run -C bench . ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "times as fast") {
		t.Errorf("a ratio without a peer:\n%s", out.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, o, nil, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("run, canceled: %v, want %v", err, context.Canceled)
	}
}

func TestTables(t *testing.T) {
	all := []outcome{
		{benchCase{step, 500, 100, 10}, []series{{"A", []float64{600, 400}, ""}}, []series{{"NumPy", []float64{200, 200}, ""}, {"PyTorch", nil, "not installed"}, {"scikit-learn", nil, "unsupported"}}, 0.25},
		{benchCase{gibbs, 500, 100, 0}, []series{{"B", []float64{1000, 1000}, ""}}, []series{{"NumPy", nil, "failed"}, {"PyTorch", nil, "not installed"}, {"scikit-learn", []float64{100, 50}, ""}}, 0.01},
	}
	var md bytes.Buffer
	markdown(&md, all)
	const want = `| rows/s | rbm | NumPy | ratio | scikit-learn | ratio |
|---|---|---|---|---|---|
| 784×500 CD-10 n=100, ` + "`A`" + ` | 500 | 200 | 2.50 (2.00–3.00) | – | – |
| 784×500 Gibbs n=100, chain sweeps/s, ` + "`B`" + ` | 1,000 | – | – | 75 | 15.0 (10.0–20.0) |
`
	if md.String() != want {
		t.Errorf("the table is\n%swant\n%s", md.String(), want)
	}
	var text bytes.Buffer
	all[0].print(&text)
	for _, want := range []string{"A                                 400        500        600  rows/s\n", "2.00       2.50       3.00  times as fast as NumPy\n", "PyTorch                    not installed\n", "Other work took 25 % of the CPUs"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, text.String())
		}
	}
	text.Reset()
	all[1].print(&text)
	if strings.Contains(text.String(), "Other work") {
		t.Errorf("the output speaks of a hundredth of other work:\n%s", text.String())
	}
	o := options{rounds: 2, time: time.Second}
	if got, want := caption(o, "CPU", []*peer{{problem: "none"}}, all, nil), "Other work took at most 25 % of the CPUs.\n\n```sh\ngo run -C bench .\n```"; !strings.HasSuffix(got, want) {
		t.Errorf("the caption is %s, want it to end with %s", got, want)
	}
	if got, want := command([]string{"-only", "n=100$", "-rounds", "2"}), "go run -C bench . -only 'n=100$' -rounds 2"; got != want {
		t.Errorf("the command is %s, want %s", got, want)
	}
}

func TestParseCPUInfo(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nmodel name\t: Fast CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: Other\n": "Fast CPU @ 2 GHz",
		"processor\t: 0\nCPU part\t: 0xd0c\n":                                                   "",
	} {
		if got := parseCPUInfo([]byte(text)); got != want {
			t.Errorf("the name of %q = %q, want %q", text, got, want)
		}
	}
	if cpuName() == "" {
		t.Error("this CPU has no name")
	}
}
