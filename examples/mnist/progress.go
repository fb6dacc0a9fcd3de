package main

import (
	"fmt"
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress prints lines and, on a terminal, keeps a bar below them.
type progress struct {
	w     io.Writer   // where lines go, until end
	reach func(n int) // moves the bar
	end   func()      // removes the bar
}

// newProgress starts a bar that runs from a number to another.
func newProgress(w io.Writer, name string, from, to int) progress {
	f, ok := w.(*os.File)
	if !ok || !cwriter.IsTerminal(int(f.Fd())) || from >= to {
		return progress{w, func(int) {}, func() {}}
	}
	all := mpb.New(mpb.WithOutput(f), mpb.WithWidth(60))
	bar := all.AddBar(int64(to-from),
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name(", left "), decor.AverageETA(decor.ET_STYLE_GO)))
	return progress{
		w:     all,
		reach: func(n int) { bar.SetCurrent(int64(n - from)) },
		end: func() {
			bar.Abort(true)
			all.Wait()
		},
	}
}

// printf prints a line above the bar.
func (p progress) printf(form string, args ...any) { fmt.Fprintf(p.w, form+"\n", args...) }
