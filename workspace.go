package rbm

import "sync"

// A workspace is the memory of a call that reads a model. Calls hand it on, as it takes
// longer to allocate than a few rows take to compute.
type workspace struct {
	model
	in         batch
	hiddenRows batch // of Energy
	pass       pass
	marginal   marginal
	joint      joint
	probs      probs

	whole bool // the call has come to its end
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// newWorkspace returns a workspace that nobody else uses. Done must follow.
func newWorkspace() *workspace {
	w := workspaces.Get().(*workspace)
	w.whole = false
	w.in.team, w.hiddenRows.team = &w.team, &w.team
	return w
}

// done ends the call. What a panic has left is nothing for another call.
func (w *workspace) done() {
	w.model.done()
	w.in.view, w.hiddenRows.view = Bits{}, Bits{}
	w.marginal.forget()
	w.joint.h, w.probs.dst = nil, nil
	if w.whole {
		workspaces.Put(w)
	}
}
