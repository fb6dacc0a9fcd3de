package job

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
)

func TestMain(m *testing.M) {
	Init(false)
	os.Exit(m.Run())
}

// fail returns an error, or panics, as it is told.
func fail(what string) error {
	if after, ok := strings.CutPrefix(what, "panic: "); ok {
		panic(after)
	}
	return errors.New(what)
}

func init() { register.Function1x1(fail) }

func TestRun(t *testing.T) {
	run := func(what string) (beam.PipelineResult, error) {
		p, s := beam.NewPipelineWithRoot()
		col := beam.Create(s, what)
		if what != "" {
			beam.ParDo0(s, fail, col)
		}
		return Run(context.Background(), p)
	}
	if result, err := run(""); err != nil || result == nil {
		t.Errorf("a job that does not fail = %v, %v", result, err)
	}
	for _, what := range []string{"rows.txt: no such file", "panic: the disk is on fire"} {
		if _, err := run(what); err == nil || !strings.HasPrefix(err.Error(), what) || strings.Contains(err.Error(), "\n") {
			t.Errorf("a job that fails with %q = %v", what, err)
		}
	}
	// One that only draws the job.
	defer func(old string) { *runners.Runner = old }(*runners.Runner)
	*runners.Runner = "dot"
	if err := flag.Set("dot_file", filepath.Join(t.TempDir(), "job.dot")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(""); err == nil || !strings.Contains(err.Error(), "-runner dot has no result") {
		t.Errorf("with -runner dot: %v", err)
	}
}

func TestCause(t *testing.T) {
	for text, want := range map[string]string{
		"refused":                     "refused",
		"a\nb":                        "a\nb",
		"job failed:\ncaused by:\nno": "no",
		"x\n\tcaused by:\ny\n\tcaused by:\nDoFn[UID:2, PID:e5, Name: main.f] failed:\n\nno: file\nmore\n": "no: file",
		"x\n\tcaused by:\n": "x\n\tcaused by:\n",
	} {
		if got := cause(errors.New(text)); got.Error() != want {
			t.Errorf("cause of %q is %q, want %q", text, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // the error, if any
	}{
		{"-size 3 -runner x", ""},
		{"-size 3 -async=false", ""},
		{"-async", "-async is set"},
		{"-size many", "invalid value"},
		{"-unknown", "unknown"},
		{"more", `unexpected argument "more"`},
		{"-help", flag.ErrHelp.Error()},
	} {
		f, own := flag.NewFlagSet("test", flag.ContinueOnError), flag.NewFlagSet("test", flag.ContinueOnError)
		f.String("runner", "", "engine")
		f.Bool("async", false, "do not wait")
		size := own.Int("size", 0, "a number")
		var help strings.Builder
		err := Parse(f, own, strings.Fields(tt.args), "It tests.\n", &help)
		if tt.want == "" && (err != nil || *size != 3) || tt.want != "" && !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("Parse(%s) = %v, and size is %d", tt.args, err, *size)
		}
		if got := help.String(); tt.args == "-help" {
			own, beams, ok := strings.Cut(got, "\nFlags of Beam:\n")
			if !ok || !strings.HasPrefix(own, "It tests.\n  -size int\n") || strings.Contains(own, "-runner") || !strings.Contains(beams, "-runner") || strings.Contains(beams, "-size") {
				t.Errorf("Parse(-help) printed\n%s", got)
			}
		} else if got != "" {
			t.Errorf("Parse(%s) printed\n%s", tt.args, got)
		}
	}
}
