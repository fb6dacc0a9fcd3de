// Package stop ends work in its middle, where a context is done before it.
//
// Work that nobody waits for any more should end within a fraction of a second,
// however large it is, and its results are of no use to anyone. So loops that may
// take long look at a Signal every few milliseconds, and the first look at one that
// is given unwinds the stack up to Catch: what comes after it, which would work on
// half a result, does not run.
package stop

import (
	"context"
	"sync/atomic"
)

// A Signal is given once a context is done. The nil Signal never is, nor is the zero
// value before Watch. It may be looked at by several goroutines at the same time.
type Signal struct {
	ctx   context.Context
	given atomic.Bool
}

// On returns a Signal that is given once ctx is done.
func On(ctx context.Context) *Signal {
	s := new(Signal)
	s.Watch(ctx)
	return s
}

// Watch makes s a signal that is given once ctx is done, whatever it was before.
// Nobody may look meanwhile.
func (s *Signal) Watch(ctx context.Context) {
	s.ctx = ctx
	s.given.Store(false)
}

// Forget makes s a signal that is never given. Nobody may look meanwhile.
func (s *Signal) Forget() {
	s.ctx = nil
	s.given.Store(false)
}

// Given reports whether work is to end. If it has once, it always does.
func (s *Signal) Given() bool {
	if s == nil {
		return false
	}
	if !s.given.Load() && s.ctx != nil && s.ctx.Err() != nil {
		s.given.Store(true)
	}
	return s.given.Load()
}

// Seen reports whether Given ever has reported that work is to end: if it has not, no
// work was left out.
func (s *Signal) Seen() bool { return s != nil && s.given.Load() }

// Look panics if the signal is given, up to Catch, which must have called what looks.
func (s *Signal) Look() {
	if s.Given() {
		panic(s)
	}
}

// Catch calls f, and reports whether Look ended it. Other panics go their way.
func (s *Signal) Catch(f func()) (ended bool) {
	defer func() {
		if !s.Seen() {
			return
		}
		switch r := recover(); r {
		case nil:
		case any(s):
			ended = true
		default:
			panic(r)
		}
	}()
	f()
	return false
}
