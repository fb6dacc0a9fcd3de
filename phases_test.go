package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func phasesValues(p *rbm.Phases) []float64 {
	return slices.Concat([]float64{p.DataWeight, p.ModelWeight}, gradientValues(&p.Data), gradientValues(&p.Model))
}

// checkRelative fails unless got is want but for tol times the size of want.
func checkRelative(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if d := floats.Distance(got, want, math.Inf(1)); !(d <= tol*floats.Norm(want, math.Inf(1))) {
		t.Errorf("%s: differs by %v from %v", name, d, want)
	}
}

// stacked returns the rows of all, as one matrix.
func stacked(all ...mat.Matrix) *mat.Dense {
	d := mat.DenseCopyOf(all[0])
	for _, a := range all[1:] {
		var both mat.Dense
		both.Stack(d, a)
		d = &both
	}
	return d
}

func TestPhasesAreTheirFormula(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		var p rbm.Phases
		var g rbm.Gradient
		for _, n := range []struct{ data, model int }{{2, 1}, {2, 100}, {100, 2}, {1100, 60}} {
			w, u := randomWeights(n.data, 4), randomWeights(n.model+1, 5)[1:]
			v := randomBits(n.model, nv, 0.6, 3)
			model := naiveStatistics(m, v, u)
			for _, data := range []mat.Matrix{randomBits(n.data, nv, 0.4, 2), randomReals(n.data, nv, 2)} {
				for _, weights := range [][]float64{w, nil} {
					call := fmt.Sprintf("Phases(%d rows of %T, weighted %v, %d rows)", n.data, data, weights != nil, n.model)
					wantWeight := float64(n.data)
					if weights != nil {
						wantWeight = floats.Sum(w)
					}
					m.Phases(&p, data, weights, sample{v, u})
					checkNear(t, call+".DataWeight", p.DataWeight, wantWeight, 1e-12*wantWeight)
					checkNear(t, call+".ModelWeight", p.ModelWeight, floats.Sum(u), 1e-12*floats.Sum(u))
					mean := naiveStatistics(m, data, weights)
					checkGradient(t, call+".Data", &p.Data, scaled(wantWeight, mean), "loop", 1e-12*wantWeight)
					checkGradient(t, call+".Model", &p.Model, scaled(floats.Sum(u), model), "loop", 1e-12*floats.Sum(u))
					p.Gradient(&g)
					checkGradient(t, call+".Gradient", &g, floats.SubTo(mean, mean, model), "loop", 1e-12)
				}
			}
		}
	})
}

// The phases of a sampler's own samples are those of its gradient.
func TestPhasesOfSamplers(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{5, 4}, {25, 4}} { // of the second Exact enumerates the hidden layer
		m, w := randomModel(s.nv, s.nh, 1, 1), randomWeights(70, 4)
		for _, tt := range []struct {
			name    string
			sampler func() rbm.Sampler
			weight  float64 // of the model phase
		}{
			{"CD", func() rbm.Sampler { return rbm.NewCD(2, newSource(2)) }, floats.Sum(w)},
			{"PCD", func() rbm.Sampler { return rbm.NewPCD(33, 2, newSource(2)) }, 33},
			{"PT", func() rbm.Sampler { return newPT(9, 2, []float64{0, 0.5, 1}, newSource(2)) }, 9},
			{"Exact", func() rbm.Sampler { return new(rbm.Exact) }, 1},
		} {
			data := randomBits(70, s.nv, 0.4, 2)
			apart, whole := tt.sampler(), tt.sampler()
			var p rbm.Phases
			var got, want rbm.Gradient
			for range 3 {
				m.Phases(&p, data, w, apart)
				p.Gradient(&got)
				m.WeightedGradient(&want, data, w, whole)
				name := fmt.Sprintf("nv=%d, %s", s.nv, tt.name)
				checkRelative(t, name, gradientValues(&got), gradientValues(&want), 1e-12)
				checkNear(t, name+": ModelWeight", p.ModelWeight, tt.weight, 1e-12*tt.weight)
			}
		}
	}
}

// Shards of different sizes and with different numbers of chains, in two steps between
// which everything but the rows is written and read: the gradient of all rows and all
// chains.
func TestShardsAddUp(t *testing.T) {
	const nv, nh = 9, 5
	m := randomModel(nv, nh, 1, 1)
	type shard struct {
		rows    mat.Matrix
		weights []float64
		state   []byte
	}
	var shards []shard
	var rows []mat.Matrix
	var weights []float64
	for k, n := range []struct{ rows, chains int }{{7, 3}, {1, 20}, {100, 20}, {64, 64}} {
		s := shard{randomBits(n.rows, nv, 0.4, uint64(k)), randomWeights(n.rows+1, uint64(k))[1:], nil}
		s.state = saved(t, rbm.NewPCD(n.chains, 2, newSource(uint64(k))))
		shards = append(shards, s)
		rows = append(rows, s.rows)
		weights = append(weights, s.weights...)
	}
	var kept []*rbm.PCD // never written
	for k, n := range []int{3, 20, 20, 64} {
		kept = append(kept, rbm.NewPCD(n, 2, newSource(uint64(k))))
	}
	for step := range 2 {
		var sum, again, reverse rbm.Phases
		var parts []*rbm.Phases
		var chains []mat.Matrix
		for k := range shards {
			pcd, part, read := new(rbm.PCD), new(rbm.Phases), new(rbm.Phases)
			if err := pcd.UnmarshalBinary(shards[k].state); err != nil {
				t.Fatal(err)
			}
			m.Phases(part, shards[k].rows, shards[k].weights, pcd)
			if err := read.UnmarshalBinary(saved(t, part)); err != nil {
				t.Fatal(err)
			}
			parts = append(parts, read)
			sum.Add(read)
			shards[k].state = saved(t, pcd)
			chains = append(chains, mat.DenseCopyOf(pcd.Chains.Visible()))

			m.Phases(part, shards[k].rows, shards[k].weights, kept[k])
			again.Add(part)
		}
		for _, part := range slices.Backward(parts) {
			reverse.Add(part)
		}
		name := fmt.Sprintf("step %d", step)
		checkSame(t, name+": written and read", phasesValues(&sum), phasesValues(&again))
		var got, want rbm.Gradient
		sum.Gradient(&got)
		m.WeightedGradient(&want, stacked(rows...), weights, sample{stacked(chains...), nil})
		checkRelative(t, name, gradientValues(&got), gradientValues(&want), 1e-12)
		checkGradient(t, name, &got, naiveWeightedGradient(m, stacked(rows...), weights, stacked(chains...), nil), "loop", 1e-12)
		reverse.Gradient(&got)
		checkRelative(t, name+": in the reverse order", gradientValues(&got), gradientValues(&want), 1e-12)
		checkNear(t, name+": DataWeight", sum.DataWeight, floats.Sum(weights), 1e-12*sum.DataWeight)
		checkNear(t, name+": ModelWeight", sum.ModelWeight, 107, 0)
	}
}

// Adding does not change what is added, and the sum of nothing is neutral.
func TestSumOfNothing(t *testing.T) {
	m := randomModel(5, 4, 1, 1)
	var p, sum, read rbm.Phases
	m.Phases(&p, randomBits(7, 5, 0.4, 2), nil, rbm.NewPCD(3, 1, newSource(3)))
	want := phasesValues(&p)
	sum.Add(&rbm.Phases{})
	if sum.Data.W != nil || sum.DataWeight != 0 || sum.ModelWeight != 0 {
		t.Errorf("nothing added to nothing has weights %v and %v", sum.DataWeight, sum.ModelWeight)
	}
	if err := read.UnmarshalBinary(saved(t, &sum)); err != nil || read.Data.W != nil || read.DataWeight != 0 {
		t.Errorf("nothing written and read has weights %v and %v, %v", read.DataWeight, read.ModelWeight, err)
	}
	sum.Add(&p)
	sum.Add(&rbm.Phases{})
	checkSame(t, "sum", phasesValues(&sum), want)
	sum.Add(&sum)
	floats.Scale(2, want)
	checkSame(t, "added to itself", phasesValues(&sum), want)
	floats.Scale(0.5, want)
	checkSame(t, "what was added", phasesValues(&p), want)
}

func TestPhasesGradient(t *testing.T) {
	for _, enhanced := range []bool{false, true} {
		m, w := randomModel(9, 5, 1, 1), randomWeights(70, 4)
		apart, whole := rbm.NewPCD(33, 1, newSource(3)), rbm.NewPCD(33, 1, newSource(3))
		a := rbm.Centering{Rate: 0.3, Enhanced: enhanced}
		b := a
		var p rbm.Phases
		var got, want rbm.Gradient
		for step := range 3 {
			data := randomBits(70, 9, 0.4, uint64(step))
			m.Phases(&p, data, w, apart)
			p.Gradient(&got)
			a.Center(&got)
			m.WeightedGradient(&want, data, w, whole)
			b.Center(&want)
			name := fmt.Sprintf("enhanced=%v, step %d", enhanced, step)
			checkRelative(t, name, gradientValues(&got), gradientValues(&want), 1e-12)
			checkRelative(t, name+": V", a.V, b.V, 1e-12)
			checkRelative(t, name+": H", a.H, b.H, 1e-12)
		}
	}
}

// A destination may be one of the sums.
func TestPhasesInPlace(t *testing.T) {
	m := randomModel(5, 4, 1, 1)
	var p rbm.Phases
	compute := func() { m.Phases(&p, randomBits(7, 5, 0.4, 2), nil, sample{randomBits(9, 5, 0.5, 3), nil}) }
	for _, tt := range []struct {
		name string
		of   func(dst *rbm.Gradient)
	}{
		{"Gradient", p.Gradient},
		{"Center", func(dst *rbm.Gradient) {
			p.Gradient(dst)
			new(rbm.Centering).Center(dst)
		}},
	} {
		var want rbm.Gradient
		compute()
		tt.of(&want)
		for _, dst := range []*rbm.Gradient{&p.Data, &p.Model} {
			compute()
			tt.of(dst)
			checkSame(t, tt.name, gradientValues(dst), gradientValues(&want))
		}
	}
}

func TestPhasesOfNaN(t *testing.T) {
	m := randomModel(5, 4, 1, 1)
	m.W.Set(1, 2, math.NaN())
	for _, s := range []rbm.Sampler{rbm.NewCD(1, newSource(1)), new(rbm.Exact)} {
		var p rbm.Phases
		var g rbm.Gradient
		m.Phases(&p, randomBits(7, 5, 0.4, 2), nil, s)
		p.Gradient(&g)
		for i, x := range slices.Concat(gradientValues(&p.Data), gradientValues(&p.Model), gradientValues(&g)) {
			if !math.IsNaN(x) {
				t.Errorf("%T: value %d is %v, want NaN", s, i, x)
			}
		}
	}
}

func TestPhasesMisuse(t *testing.T) {
	m, other := randomModel(5, 4, 1, 1), randomModel(4, 5, 1, 1)
	cd := rbm.NewCD(1, newSource(1))
	v := randomBits(7, 5, 0.4, 2)
	computed := func() *rbm.Phases {
		p := new(rbm.Phases)
		m.Phases(p, v, nil, cd)
		return p
	}
	with := func(set func(p *rbm.Phases)) *rbm.Phases {
		p := computed()
		set(p)
		return p
	}
	small := new(rbm.Phases)
	other.Phases(small, randomBits(7, 4, 0.4, 2), nil, cd)
	var g rbm.Gradient
	small.Gradient(&g)
	empty := "phases are empty, want some that have been computed"
	for _, tt := range []struct {
		name string
		call func()
		want string
	}{
		{"nil", func() { m.Phases(nil, v, nil, cd) }, "phases are nil"},
		{"dst", func() { m.Phases(small, v, nil, cd) }, "gradient has W of 5×4, want 4×5"},
		{"v", func() { m.Phases(new(rbm.Phases), randomBits(7, 4, 0.4, 2), nil, cd) }, "v is 7×4, want n×5"},
		{"weights", func() { m.Phases(new(rbm.Phases), v, make([]float64, 7), cd) }, "data weights have sum 0"},
		{"Gradient of nothing", func() { new(rbm.Phases).Gradient(&g) }, empty},
		{"Gradient to nil", func() { computed().Gradient(nil) }, "gradient is nil"},
		{"Gradient dst", func() { computed().Gradient(&g) }, "gradient has W of 5×4, want 4×5"},
		{"Gradient, no data weight", func() { with(func(p *rbm.Phases) { p.DataWeight = 0 }).Gradient(new(rbm.Gradient)) }, "data weight of phases is 0, want a positive finite number"},
		{"Gradient, no model weight", func() { with(func(p *rbm.Phases) { p.ModelWeight = -1 }).Gradient(new(rbm.Gradient)) }, "model weight of phases is -1, want a positive finite number"},
		{"Gradient, infinite weight", func() { with(func(p *rbm.Phases) { p.ModelWeight = math.Inf(1) }).Gradient(new(rbm.Gradient)) }, "model weight of phases is +Inf"},
		{"Gradient of different parts", func() { with(func(p *rbm.Phases) { p.Model.W = small.Model.W }).Gradient(new(rbm.Gradient)) }, "model phase has W of 5×4, want 4×5"},
		{"Add nil", func() { new(rbm.Phases).Add(nil) }, "phases are nil"},
		{"Add another size", func() { computed().Add(small) }, "gradient has W of 4×5, want 5×4"},
		{"Add a part", func() { new(rbm.Phases).Add(with(func(p *rbm.Phases) { p.Data.W = nil })) }, empty},
		{"Add a data weight alone", func() { new(rbm.Phases).Add(&rbm.Phases{DataWeight: 1}) }, empty},
		{"Add a model weight alone", func() { new(rbm.Phases).Add(&rbm.Phases{ModelWeight: 1}) }, empty},
		{"Add a model phase alone", func() {
			new(rbm.Phases).Add(with(func(p *rbm.Phases) { p.Data, p.DataWeight, p.ModelWeight = rbm.Gradient{}, 0, 0 }))
		}, empty},
		{"Add a data phase of different parts", func() { new(rbm.Phases).Add(with(func(p *rbm.Phases) { p.Data.W = small.Data.W })) }, "data phase has W of 5×4, want 4×5"},
		{"Add without weight", func() { new(rbm.Phases).Add(with(func(p *rbm.Phases) { p.DataWeight = 0 })) }, "data weight of phases is 0"},
		{"AppendBinary", func() { with(func(p *rbm.Phases) { p.Data.B = nil }).AppendBinary(nil) }, empty},
		{"Center nothing", func() { new(rbm.Centering).Center(new(rbm.Gradient)) }, "gradient is empty"},
		{"Center, offsets", func() {
			var g rbm.Gradient
			computed().Gradient(&g)
			(&rbm.Centering{V: make([]float64, 4)}).Center(&g)
		}, "V of centering has length 4, want 5"},
		{"Center, rate", func() {
			var g rbm.Gradient
			computed().Gradient(&g)
			(&rbm.Centering{Rate: 2}).Center(&g)
		}, "rate of centering is 2"},
	} {
		wantPanic(t, tt.name, tt.call, tt.want)
	}
}
