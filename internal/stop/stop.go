// Package stop ends work early when a context is done.
//
// Work whose result is no longer wanted should end within a fraction of a second, however
// large it is. So loops that may take long look at a Signal every few milliseconds. The
// first look at a signal that is given unwinds the stack up to Catch, and code that would
// work on half a result does not run.
package stop

import (
	"context"
	"sync/atomic"
)

// A Signal is given once a context is done. A nil Signal is never given, and neither is
// the zero value before Watch. Several goroutines may look at a Signal at the same time.
type Signal struct {
	ctx   context.Context
	given atomic.Bool
}

// On returns a Signal that is given once ctx is done. It is for tests.
func On(ctx context.Context) *Signal {
	s := new(Signal)
	s.Watch(ctx)
	return s
}

// Watch makes s a signal that is given once ctx is done, even if it was given before. No
// goroutine may look at it during the call.
func (s *Signal) Watch(ctx context.Context) {
	s.ctx = ctx
	s.given.Store(false)
}

// Forget makes s a signal that is never given. No goroutine may look at it during the call.
func (s *Signal) Forget() {
	s.ctx = nil
	s.given.Store(false)
}

// Given reports whether the signal is given: work should end. Once it is, it stays given.
func (s *Signal) Given() bool {
	if s == nil {
		return false
	}
	if !s.given.Load() && s.ctx != nil && s.ctx.Err() != nil {
		s.given.Store(true)
	}
	return s.given.Load()
}

// Seen reports whether Given has ever returned true. If not, no work was left out.
func (s *Signal) Seen() bool { return s != nil && s.given.Load() }

// Look panics if the signal is given. The caller must run inside Catch, which recovers.
func (s *Signal) Look() {
	if s.Given() {
		panic(s)
	}
}

// Catch calls f, and reports whether Look ended it. It does not recover other panics.
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
