// Bench compares the speed of package rbm with the speed of its peers, NumPy, PyTorch and
// scikit-learn, on the machine it runs on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/gorbm/rbm"
)

func main() {
	o, err := parse(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fail(2, err)
	}
	cpus, err := pin(o.cpus)
	if err != nil && o.cpus != nil {
		fail(1, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, cpus, os.Stdout); err != nil {
		stop()
		fail(1, err)
	}
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(code)
}

// run runs all cases on CPUs that the process has been pinned to, if any.
func run(ctx context.Context, o options, cpus []int, w io.Writer) error {
	pinned := "not pinned to CPUs: the turns may be on different ones"
	if cpus != nil {
		pinned = "pinned to CPUs " + formatCPUs(cpus)
		if len(cpus) == 1 {
			pinned = fmt.Sprintf("pinned to CPU %d", cpus[0])
		}
	}
	if o.threads == 0 {
		o.threads = max(len(cpus), 1)
		if cpus == nil {
			o.threads = runtime.NumCPU()
		}
	}
	runtime.GOMAXPROCS(o.threads)
	cpu := cpuName()
	machine := fmt.Sprintf("%s, %s, threads: %d", cpu, pinned, o.threads)
	fmt.Fprintf(w, "%s\n%s %s/%s, GOMAXPROCS %d\n", machine, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))

	folder, err := os.MkdirTemp("", "rbm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := writeScripts(folder); err != nil {
		return err
	}
	data := syntheticRows(rowsAll)
	if err := writeRows(folder, data); err != nil {
		return err
	}
	models := map[int]*rbm.RBM{} // by hidden units
	for _, c := range o.chosen() {
		if models[c.Hidden] != nil {
			continue
		}
		models[c.Hidden] = startModel(c.Hidden, data)
		if err := writeModel(folder, models[c.Hidden]); err != nil {
			return err
		}
	}

	var met []*peer
	for _, p := range peers {
		x := meet(ctx, p.name, p.script, o.python, folder, o.threads, thisProcessor(runtime.GOARCH, cpu))
		defer x.close()
		if p.note != "" {
			x.notes = append(x.notes, p.note)
		}
		met = append(met, x)
		fmt.Fprintln(w, x.describe())
	}

	var all []outcome
	for _, c := range o.chosen() {
		l := startLoad(cpus, processes(met))
		out, err := play(ctx, o, c, models[c.Hidden], data, met)
		if err != nil {
			return err
		}
		out.other = l.share()
		out.print(w)
		all = append(all, out)
	}
	if o.markdown {
		fmt.Fprintln(w)
		markdown(w, all)
		fmt.Fprintf(w, "\n%s\n", caption(o, machine, met, all, os.Args[1:]))
	}
	return nil
}

// processes returns the numbers of this process and of those of the peers.
func processes(met []*peer) []int {
	pids := []int{os.Getpid()}
	for _, x := range met {
		if x.problem == "" {
			pids = append(pids, x.cmd.Process.Pid)
		}
	}
	return pids
}

// describe returns what there is to say about a peer before it is measured.
func (x *peer) describe() string {
	if x.problem != "" {
		return x.name + ": " + x.problem
	}
	s := fmt.Sprintf("%s, float32, Python %s", x.hello.Version, x.hello.Python)
	for _, b := range x.hello.BLAS {
		s += ", " + b.String()
		if b.Threads > 0 {
			s += fmt.Sprintf(", threads: %d", b.Threads)
		}
	}
	for _, note := range x.notes {
		s += "; " + note
	}
	return s
}

// settle is how long a turn waits: the threads of the turn before look for work for a while.
const settle = 100 * time.Millisecond

// play lets all take their turns at a case. A peer that fails takes no more turns at it.
func play(ctx context.Context, o options, c benchCase, m *rbm.RBM, data *rbm.Bits, met []*peer) (outcome, error) {
	out := outcome{c: c}
	var ours []variant
	for _, v := range variants {
		if v.kind == c.Kind {
			ours = append(ours, v)
			out.ours = append(out.ours, series{name: v.name})
		}
	}
	for _, x := range met {
		out.peers = append(out.peers, series{name: x.name, note: x.problem})
	}
	for range o.rounds {
		for k, v := range ours {
			if err := wait(ctx); err != nil {
				return out, err
			}
			work := v.start(c, m.Clone(), data)
			runtime.GC()
			x, err := speed(work, o.time)
			if err != nil {
				return out, fmt.Errorf("%v, %s: %w", c, v.name, err)
			}
			out.ours[k].speeds = append(out.ours[k].speeds, x)
		}
		for k, x := range met {
			s := &out.peers[k]
			if s.note != "" {
				continue
			}
			if err := wait(ctx); err != nil {
				return out, err
			}
			speed, err := x.measure(c, o.time)
			switch {
			case ctx.Err() != nil:
				return out, ctx.Err()
			case errors.Is(err, errUnsupported):
				s.note = err.Error()
			case err != nil:
				s.note, s.speeds = "failed: "+err.Error(), nil
			default:
				s.speeds = append(s.speeds, speed)
			}
			if x.ended() {
				x.problem = s.note
			}
		}
	}
	return out, nil
}

func wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settle):
		return nil
	}
}

// caption returns the lines under the table: how it was measured, and the command.
func caption(o options, machine string, met []*peer, all []outcome, args []string) string {
	s := fmt.Sprintf("Medians of rounds (%d, in turns of %v); in parentheses the least and the largest ratio of a round. %s; %s",
		o.rounds, o.time, machine, goVersion())
	for _, x := range met {
		if x.problem == "" {
			s += "; " + x.describe()
		}
	}
	most := 0.
	for _, o := range all {
		most = max(most, o.other) // NaN if one is
	}
	if !math.IsNaN(most) {
		s += fmt.Sprintf(". Other work took at most %.0f %% of the CPUs", 100*most)
	}
	return s + ".\n\n```sh\n" + command(args) + "\n```"
}

// command returns what to type to run this program with arguments.
func command(args []string) string {
	words := []string{"go", "run", "-C", "bench", "."}
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\*?[]()|&;<>$`!#~{}") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// goVersion returns the version as a reader has it: Go 1.26.1.
func goVersion() string { return "Go " + strings.TrimPrefix(runtime.Version(), "go") }
