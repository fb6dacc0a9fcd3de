package monitor

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorbm/rbm"
)

// A Bar shows how much is done, and how long the rest will take, below the lines written
// to it. Make one with [NewBar], and call [Bar.Report] at each report. On anything but a
// terminal there is no bar, only the lines. Its methods may be called on several
// goroutines at once.
type Bar struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	now      func() time.Time
	lines    func(rbm.Report) error

	from, to, at int
	start, drawn time.Time
	width        int // of what is drawn
}

const (
	barWidth    = 40
	barInterval = 100 * time.Millisecond
)

// NewBar returns a Bar on w, of epochs or steps: from is the number done before, and to
// is the number of all.
func NewBar(w io.Writer, from, to int) *Bar {
	b := &Bar{w: w, terminal: isTerminal(w), now: time.Now, from: from, to: to, at: from}
	b.start = b.now()
	b.lines = Lines(b)
	return b
}

// isTerminal reports whether w is one, and can move its cursor.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Report writes a line of [Lines], and moves the bar to the epoch of r.
func (b *Bar) Report(r rbm.Report) error {
	b.Reach(r.Epoch)
	return b.lines(r)
}

// Reach moves the bar: n things are done, counting those before.
func (b *Bar) Reach(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = n
	if now := b.now(); now.Sub(b.drawn) >= barInterval {
		b.draw(now)
	}
}

// Write writes whole lines, above the bar.
func (b *Bar) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	n, err := b.w.Write(p)
	b.draw(b.now())
	return n, err
}

// Close removes the bar.
func (b *Bar) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.terminal = false
	return nil
}

// clear removes what is drawn.
func (b *Bar) clear() {
	if b.width > 0 {
		fmt.Fprintf(b.w, "\r%*s\r", b.width, "")
		b.width = 0
	}
}

// draw draws the bar anew.
func (b *Bar) draw(now time.Time) {
	all := b.to - b.from
	if !b.terminal || all <= 0 {
		return
	}
	done := min(max(0, b.at-b.from), all)
	full := int(int64(done) * barWidth / int64(all))
	s := fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), int64(done)*100/int64(all))
	if done > 0 {
		left := now.Sub(b.start).Seconds() / float64(done) * float64(all-done)
		s += " " + duration(left) + " left"
	}
	fmt.Fprintf(b.w, "\r%-*s", b.width, s) // over the one before
	b.width, b.drawn = max(b.width, len(s)), now
}

// duration returns seconds in words.
func duration(seconds float64) string {
	s := int64(seconds + 0.5)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}
