//go:build !race

// The race detector makes slices.Grow allocate twice.

package checkpoint_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

// Save takes memory for the bytes of the parts once. Load takes it for these, for what the
// parts become, and for trials of all parts but the largest, of a single one for none.
func TestMemory(t *testing.T) {
	const nv, nh = 300, 250
	data := rbm.NewBits(20, nv)
	m, sgd, centering := rbm.NewRandom(nv, nh, 0.1, rand.NewPCG(1, 1)), rbm.SGD{Rate: 0.1, Momentum: 0.5}, new(rbm.Centering)
	pcd, ptt := rbm.NewPCD(2000, 1, rand.NewPCG(2, 2)), rbm.NewPTT(2, 1, []*rbm.RBM{m, m}, rand.NewPCG(3, 3))
	cd, pt := rbm.NewCD(1, rand.NewPCG(2, 2)), newPT(2000, 1, []float64{0, 1}, rand.NewPCG(2, 2))
	var g rbm.Gradient
	var phases rbm.Phases
	for _, s := range []rbm.Sampler{pcd, ptt, cd, pt} {
		m.Gradient(&g, data, s)
		centering.Center(&g)
		sgd.Step(m, &g)
		m.Phases(&phases, data, nil, s)
	}
	tr := rbm.NewTrainer(m.Clone(), data, ptt, rand.NewPCG(4, 4))
	tr.HeldOut, tr.SGD.Momentum = data, 0.5
	if err := tr.Train(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c")
	for _, tt := range []struct {
		name  string
		parts []checkpoint.State
		more  float64 // of the bytes, to load
	}{
		{"model", []checkpoint.State{m}, 0},
		{"SGD", []checkpoint.State{&sgd}, 0},
		{"Phases", []checkpoint.State{&phases}, 0},
		{"PCD", []checkpoint.State{pcd}, 0},
		{"Chains", []checkpoint.State{pcd.Chains}, 0},
		{"PT", []checkpoint.State{pt}, 0.6}, // the row of each level
		{"PTT", []checkpoint.State{ptt}, 0},
		{"Trainer", []checkpoint.State{tr}, 0},
		{"model and SGD", []checkpoint.State{m, &sgd}, 0.5}, // a trial of one
		{"large and small", []checkpoint.State{cd, centering, tr, &phases}, 0.3},
	} {
		var err error
		const slack = 48 << 10 // for what comes for the first time, and for whole pages
		save := allocated(func() { err = checkpoint.Save(path, tt.parts...) })
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size := float64(info.Size())
		load := allocated(func() { err = checkpoint.Load(path, tt.parts...) })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.0f bytes, %.2f times as many to save, %.2f times to load", tt.name, size, save/size, load/size)
		if save > 1.02*size+slack {
			t.Errorf("%s: Save of %.0f bytes takes %.0f", tt.name, size, save)
		}
		if load > (2.02+tt.more)*size+slack {
			t.Errorf("%s: Load of %.0f bytes takes %.0f", tt.name, size, load)
		}
		var b bytes.Buffer
		if err := checkpoint.Write(&b, tt.parts...); err != nil {
			t.Fatal(err)
		}
		// A reader that does not know how many bytes there are.
		read := allocated(func() { err = checkpoint.Read(struct{ io.Reader }{&b}, tt.parts...) })
		if err != nil || read > (4.1+tt.more)*size+slack {
			t.Errorf("%s: Read of %.0f bytes takes %.0f, %v", tt.name, size, read, err)
		}
	}
}
