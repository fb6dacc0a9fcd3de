package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// clock returns progress on a screen and a way to let time pass.
func clock(bar bool) (p *progress, out *bytes.Buffer, pass func(d time.Duration)) {
	out = new(bytes.Buffer)
	p = (&env{stderr: out, terminal: bar}).newProgress("work", 0, 200)
	at := p.start
	p.now = func() time.Time { return at }
	return p, out, func(d time.Duration) { at = at.Add(d) }
}

func TestBar(t *testing.T) {
	p, out, pass := clock(true)
	p.reach(0)
	pass(barEvery / 2)
	p.reach(1) // too early to be drawn
	pass(10*time.Second - barEvery/2)
	p.note = "-3.5"
	p.reach(50)
	p.printf("a line of %d", 7)
	pass(time.Millisecond)
	p.reach(200) // the end is always drawn
	p.clear()
	p.clear()
	empty, full := strings.Repeat(" ", barWidth), strings.Repeat("=", barWidth)
	first, second, last := "work ["+empty+"]   0%", "work ["+full[:barWidth/4]+empty[:barWidth*3/4]+"]  25%  -3.5  30s left", "work ["+full+"] 100%  -3.5  0s left"
	blank := func(s string) string { return strings.Repeat(" ", len(s)) }
	want := "\r" + first + "\r" + second + "\r" + blank(second) + "\ra line of 7\n\r" + last + "\r" + blank(last) + "\r"
	if got := out.String(); got != want {
		t.Errorf("the bar is\n%q, want\n%q", got, want)
	}
}

// A shorter bar leaves nothing of a longer one.
func TestBarShrinks(t *testing.T) {
	p, out, pass := clock(true)
	p.note = "a long note"
	p.reach(0)
	pass(time.Second)
	p.note = ""
	p.reach(0)
	lines := strings.Split(out.String(), "\r")
	if a, b := lines[1], lines[2]; len(a) != len(b) || !strings.HasSuffix(b, strings.Repeat(" ", len("  a long note"))) {
		t.Errorf("the bar is %q and then %q", a, b)
	}
}

// Without a terminal there is a line at each tenth, of what takes long.
func TestLines(t *testing.T) {
	p, out, pass := clock(false)
	for done := range 201 {
		p.reach(done)
		p.tenths(done)
		pass(linesAfter / 50)
	}
	if got, want := strings.ReplaceAll(out.String(), "work: ", ""), "20%\n30%\n40%\n50%\n60%\n70%\n80%\n90%\n100%\n"; got != want {
		t.Errorf("the lines are\n%s\nwant\n%s", got, want)
	}
	p, out, _ = clock(false)
	for done := range 201 {
		p.tenths(done)
	}
	if out.Len() > 0 {
		t.Errorf("what is done at once prints\n%s", out)
	}
}
