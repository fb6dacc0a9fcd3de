package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// progress shows how far a long computation is: as a bar on a terminal, else by lines.
type progress struct {
	w        io.Writer
	bar      bool
	title    string
	all      int // what there is to do
	first    int // what was done before
	start    time.Time
	drawn    time.Time // when the bar was drawn last
	note     string    // behind the bar
	width    int       // of the bar as it is on the screen
	now      func() time.Time
	reported int // tenths that lines have told of
}

const (
	barWidth = 24
	barEvery = 100 * time.Millisecond

	linesAfter = 5 * time.Second
)

// newProgress shows what is done of all, the first of which were done before.
func (e *env) newProgress(title string, first, all int) *progress {
	return &progress{w: e.stderr, bar: e.terminal, title: title, all: all, first: first, start: time.Now(), now: time.Now, reported: 10 * first / max(1, all)}
}

// reach moves the bar.
func (p *progress) reach(done int) {
	if now := p.now(); p.bar && (now.Sub(p.drawn) >= barEvery || done == p.all) {
		p.drawn = now
		p.draw(done, now)
	}
}

// tenths moves the bar or, without one, prints a line at each tenth of what takes long.
func (p *progress) tenths(done int) {
	p.reach(done)
	if k := 10 * done / max(1, p.all); !p.bar && k > p.reported && p.now().Sub(p.start) >= linesAfter {
		p.reported = k
		fmt.Fprintf(p.w, "%s: %d%%\n", p.title, 10*k)
	}
}

// draw draws the bar over the older one.
func (p *progress) draw(done int, now time.Time) {
	full := barWidth * done / max(1, p.all)
	line := fmt.Sprintf("%s [%s%s] %3d%%", p.title, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*done/max(1, p.all))
	if p.note != "" {
		line += "  " + p.note
	}
	if left, ok := p.left(done, now); ok {
		line += "  " + left.String() + " left"
	}
	n := utf8.RuneCountInString(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-n)))
	p.width = n
}

// left returns how long the rest should take.
func (p *progress) left(done int, now time.Time) (time.Duration, bool) {
	if done <= p.first {
		return 0, false
	}
	each := now.Sub(p.start) / time.Duration(done-p.first)
	return (each * time.Duration(p.all-done)).Round(time.Second), true
}

// printf prints a line, above the bar.
func (p *progress) printf(format string, a ...any) {
	p.clear()
	fmt.Fprintf(p.w, format+"\n", a...)
}

// clear removes the bar.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}
