package stop

import (
	"context"
	"testing"
)

func TestSignal(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := On(ctx)
	for range 2 {
		s.Look()
		if s.Given() || s.Seen() {
			t.Fatal("the signal is given before the context is done")
		}
	}
	cancel()
	if s.Seen() {
		t.Error("the signal is seen before anyone has looked")
	}
	if !s.Given() || !s.Seen() {
		t.Error("the signal is not given")
	}
	s.Watch(context.Background())
	if s.Given() || s.Seen() {
		t.Error("the signal of another context is given")
	}
	s.Watch(ctx)
	if !s.Given() {
		t.Error("the signal of the first context is not given")
	}
	s.Forget()
	for _, none := range []*Signal{nil, new(Signal), s} {
		none.Look()
		if none.Given() || none.Seen() {
			t.Error("the signal of no context is given")
		}
	}
}

// moody is a context that is done at one look only. No proper context is like that.
type moody struct {
	context.Context
	looks int
}

func (c *moody) Err() error {
	if c.looks++; c.looks == 2 {
		return context.Canceled
	}
	return nil
}

func TestSignalStaysGiven(t *testing.T) {
	s := On(&moody{Context: context.Background()})
	if s.Given() || !s.Given() || !s.Given() {
		t.Error("the signal is not given from the second look on")
	}
}

func TestCatch(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := On(ctx)
	ran := false
	if s.Catch(func() { s.Look(); ran = true }) || !ran {
		t.Error("work is ended before the context is done")
	}
	if s.Catch(func() { cancel() }) {
		t.Error("work that has not looked is said to be ended")
	}
	ran = false
	if !s.Catch(func() { s.Look(); ran = true }) || ran {
		t.Error("work is not ended by Look")
	}
	if s.Catch(func() { s.Given() }) {
		t.Error("work that ends on its own is said to be ended by Look")
	}
	var none *Signal
	if none.Catch(func() { none.Look() }) {
		t.Error("the nil signal ends work")
	}
}

func TestCatchLeavesOtherPanics(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, s := range []*Signal{nil, On(context.Background()), On(done)} {
		func() {
			defer func() {
				if got := recover(); got != "other" {
					t.Errorf("panic %v, want other", got)
				}
			}()
			s.Catch(func() {
				s.Given()
				panic("other")
			})
		}()
	}
	outer, inner := On(done), On(done)
	if !outer.Catch(func() { inner.Catch(outer.Look) }) {
		t.Error("the inner Catch has caught what is not its own")
	}
}
