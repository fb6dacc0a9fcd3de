package rbm

import (
	"sync"

	"gonum.org/v1/gonum/mat"
)

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

	kept bool // for another call
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// newWorkspace returns a workspace that nobody else uses. Done must follow.
func newWorkspace() *workspace {
	w := workspaces.Get().(*workspace)
	w.kept = false
	w.in.team, w.hiddenRows.team = &w.team, &w.team
	return w
}

// keep lets another call have the workspace at the end of one that read a, unless it is
// large. After a panic nobody has it.
func (w *workspace) keep(a mat.Matrix) {
	n, _ := a.Dims()
	w.kept = min(n, blockOf(a))*max(w.visible.units, w.hidden.units) <= 1<<19
}

// done ends the call.
func (w *workspace) done() {
	w.model.done()
	w.in.view, w.hiddenRows.view = Bits{}, Bits{}
	w.marginal.forget()
	w.joint.h, w.probs.dst, w.probs.layer = nil, nil, nil
	if w.kept {
		workspaces.Put(w)
	}
}
