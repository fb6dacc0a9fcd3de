package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/mcmc"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

var samplingKind = kind{"sampling", "how well Gibbs sampling, PT and PTT mix, and what it costs", func(f *flag.FlagSet) action {
	o := new(sampling)
	f.StringVar(&o.models, "models", "", "comma-separated `names` of the models; empty: all")
	f.StringVar(&o.train, "train", "ptt", "the `sampler` of the training, ptt or pcd")
	f.Float64Var(&o.least, "least", 0.1, "MinSwapRate of the ladder of PTT, a `rate`")
	f.IntVar(&o.chains, "chains", 100, "`number` of chains, an even one")
	f.Float64Var(&o.scale, "scale", 1, "`factor` of the lengths of training and of sampling")
	f.StringVar(&o.data, "data", "", "`folder` of the four files of MNIST; empty: that of a Go module")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of everything random")
	return o.run
}}

// A sampling compares samplers of trained models.
type sampling struct {
	models, train, data string
	chains              int
	scale, least        float64
	seed                uint64
}

// A subject is a trained model and what its samplers are judged by.
type subject struct {
	name    string
	m       *rbm.RBM
	ladder  []*rbm.RBM  // saved while it was trained, for PTT
	rows    *rbm.Bits   // it was trained on
	labels  []int       // of rows, of which centers are the means
	centers *mat.Dense  // of the clusters: a row belongs to the nearest
	axes    *mat.Dense  // principal directions of rows, a column each
	truth   []float64   // probability of each cluster
	how     string      // how truth was found
	passes  int         // Gibbs sweeps of each chain; the other samplers get as much work
	source  rand.Source // of seeds
}

// A sampler moves chains by k sweeps and returns their states.
type sampler func(k int) *rbm.Bits

// A result says how well a sampler did.
type result struct {
	sampler   string
	replicas  int     // of each chain
	sweeps    int     // after burn-in
	seconds   float64 // of processor time for these
	ess       float64 // the least of all statistics
	rhat      float64 // the largest
	shares    []float64
	statistic string // the one with the largest R̂
}

func (o *sampling) run(ctx context.Context, w io.Writer) error {
	if o.chains < 2 || o.chains%2 != 0 {
		return fmt.Errorf("-chains is %d, want an even number", o.chains)
	}
	if o.train != "ptt" && o.train != "pcd" {
		return fmt.Errorf("-train is %q, want ptt or pcd", o.train)
	}
	if !(o.scale > 0 && o.scale <= 1000) {
		return fmt.Errorf("-scale is %v, want more than 0 and at most 1000", o.scale)
	}
	if !(o.least > 0 && o.least < 1) {
		return fmt.Errorf("-least is %v, want more than 0 and less than 1", o.least)
	}
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| model\t| sampler\t| replicas\t| sweeps/s\t| ESS a sweep\t| ESS/s\t| R̂\t| by R̂ the chains\t| shares off by\t|")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	var notes []string
	for _, name := range strings.Split(o.models, ",") {
		if o.models != "" && !slices.ContainsFunc(subjects, func(k training) bool { return k.name == name }) {
			return fmt.Errorf("-models has %q, which is none of them", name)
		}
	}
	for _, k := range subjects {
		if o.models != "" && !slices.Contains(strings.Split(o.models, ","), k.name) {
			continue
		}
		s, err := o.subject(ctx, k)
		if err != nil {
			return err
		}
		results, err := o.measure(ctx, s)
		if err != nil {
			return err
		}
		for _, r := range results {
			fmt.Fprintf(t, "| %s\t| %s\t| %d\t| %s\t| %s\t| %s\t| %.3f\t| %s\t| %.1f %%\t|\n", s.name, r.sampler, r.replicas,
				figure(float64(r.sweeps)/r.seconds), figure(r.ess/float64(r.sweeps)), figure(r.ess/r.seconds),
				r.rhat, verdict(r.rhat), 100*apart(r.shares, s.truth))
		}
		notes = append(notes, s.note(results))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s", strings.Join(notes, ""))
	return err
}

// figure returns x with two digits.
func figure(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", rounded(x))
	case x >= 10:
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

func rounded(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/unit) * unit
}

// verdict says in words what R̂ says of the chains.
func verdict(rhat float64) string {
	switch {
	case math.IsNaN(rhat):
		return "do not move"
	case rhat < 1.01:
		return "agree"
	case rhat < 1.1:
		return "should run longer"
	}
	return "disagree"
}

// apart returns the total variation distance of two distributions.
func apart(p, q []float64) float64 {
	sum := 0.
	for i := range p {
		sum += math.Abs(p[i]-q[i]) / 2
	}
	return sum
}

func (s *subject) note(results []result) string {
	var b strings.Builder
	nv, nh := s.m.Dims()
	fmt.Fprintf(&b, "%s, %d×%d units: shares of the clusters, in percent\n", s.name, nv, nh)
	line := func(name string, shares []float64) {
		fmt.Fprintf(&b, "  %-24s", name)
		for _, p := range shares {
			fmt.Fprintf(&b, " %5.1f", 100*p)
		}
		b.WriteByte('\n')
	}
	line("rows of the training", s.shares(s.rows))
	line(s.how, s.truth)
	for _, r := range results {
		line(r.sampler, r.shares)
	}
	for _, r := range results {
		fmt.Fprintf(&b, "  %-24s %d sweeps of %.1f s, ESS %.0f, largest R̂ of the %s\n", r.sampler, r.sweeps, r.seconds, r.ess, r.statistic)
	}
	return b.String()
}

// measure runs all samplers. Half of their chains start from the first cluster and the
// others where the sampler begins by itself, so that R̂ sees it if they do not meet.
func (o *sampling) measure(ctx context.Context, s *subject) ([]result, error) {
	biased := s.inCluster(0)
	half := o.chains / 2
	both := func(start func(from *rbm.RBM) sampler) []sampler { return []sampler{start(biased), start(nil)} }
	var results []result
	add := func(name string, replicas, work int, chains []sampler) error {
		sweeps := max(10, s.passes/work)
		r, err := s.judge(ctx, chains, sweeps)
		r.sampler, r.replicas = name, replicas
		results = append(results, r)
		return err
	}
	if err := add("Gibbs", 1, 1, both(func(from *rbm.RBM) sampler { return s.gibbs(half, from) })); err != nil {
		return nil, err
	}
	for _, base := range []*mat.VecDense{nil, s.m.FittedBias(s.rows, nil, nil)} {
		name := "PT"
		if base != nil {
			name = "PT, base of the data"
		}
		betas := s.tune(base)
		n := len(betas)
		if err := add(name, n, n, both(func(from *rbm.RBM) sampler { return s.pt(half, betas, base, from) })); err != nil {
			return nil, err
		}
	}
	n := len(s.ladder) + 1
	err := add("PTT", n, 2*n, both(func(from *rbm.RBM) sampler { return s.ptt(half, from) }))
	return results, err
}

// inCluster returns a model without weights, with the biases of the rows of a cluster.
func (s *subject) inCluster(k int) *rbm.RBM {
	var rows []int
	for r, c := range s.clusters(s.rows) {
		if c == k {
			rows = append(rows, r)
		}
	}
	nv, nh := s.m.Dims()
	m := rbm.New(nv, nh)
	m.FitVisibleBias(s.rows.Gather(nil, rows))
	return m
}

// gibbs starts n chains of Gibbs sampling from a model, or nil for the sampled one.
func (s *subject) gibbs(n int, from *rbm.RBM) sampler {
	c := rbm.NewChains(s.source)
	if from == nil {
		from = s.m
	}
	c.StartRandom(from, n)
	return func(k int) *rbm.Bits {
		c.Gibbs(s.m, k)
		return c.Visible()
	}
}

func (s *subject) pt(n int, betas []float64, base *mat.VecDense, from *rbm.RBM) sampler {
	pt := rbm.NewPT(n, 1, len(betas), s.source)
	copy(pt.Betas, betas)
	pt.Base = base
	if from != nil {
		pt.Sample(from, nil)
	}
	return func(k int) *rbm.Bits {
		pt.K = k
		v, _ := pt.Sample(s.m, nil)
		return v.(*rbm.Bits)
	}
}

func (s *subject) ptt(n int, from *rbm.RBM) sampler {
	ptt := rbm.NewPTT(n, 1, s.ladder, s.source)
	ptt.MinSwapRate = 0
	if from != nil {
		ptt.Sample(from, nil)
	}
	return func(k int) *rbm.Bits {
		ptt.K = k
		v, _ := ptt.Sample(s.m, nil)
		return v.(*rbm.Bits)
	}
}

// tune returns inverse temperatures at which neighbors swap at one rate, of about a half:
// 2Λ+1 of them, where Λ is the sum of the rates at which swaps are rejected (Syed et al.,
// 2022).
func (s *subject) tune(base *mat.VecDense) []float64 {
	levels := 8
	for {
		pt := rbm.NewPT(20, 50, levels, s.source)
		pt.Base = base
		for range 4 {
			pt.Sample(s.m, nil)
			pt.Adapt()
		}
		pt.Sample(s.m, nil)
		rejected := 0.
		for _, rate := range pt.SwapRates() {
			rejected += 1 - rate
		}
		want := int(math.Ceil(2*rejected)) + 1
		if want <= levels+levels/8 || levels >= 128 {
			pt.Adapt()
			return pt.Betas
		}
		levels = want
	}
}

// judge runs chains for so many sweeps, after a fifth as many for burn-in.
func (s *subject) judge(ctx context.Context, chains []sampler, sweeps int) (result, error) {
	const mostDraws = 2000 // of a chain
	draws := min(sweeps, mostDraws)
	k := sweeps / draws
	for _, next := range chains {
		next(max(1, sweeps/5))
	}
	r := result{sweeps: draws * k, shares: make([]float64, s.clusterCount())}
	x := make([]*mat.Dense, len(s.statistics()))
	for t := range draws {
		row := 0
		for _, next := range chains {
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			begin := processorTime()
			v := next(k)
			r.seconds += (processorTime() - begin).Seconds()
			n, _ := v.Dims()
			values := s.values(v)
			for i := range x {
				if x[i] == nil {
					x[i] = mat.NewDense(n*len(chains), draws, nil)
				}
				for c := range n {
					x[i].Set(row+c, t, values[i][c])
				}
			}
			for _, c := range s.clusters(v) {
				r.shares[c] += 1 / float64(n*len(chains)*draws)
			}
			row += n
		}
	}
	r.ess, r.rhat = math.Inf(1), math.Inf(-1)
	for i, name := range s.statistics() {
		d := mcmc.Diagnose(x[i])
		if r.ess = min(r.ess, d.ESS); !(d.SplitRHat <= r.rhat) && !math.IsNaN(r.rhat) {
			r.rhat, r.statistic = d.SplitRHat, name
		}
	}
	return r, nil
}

// statistics names the functions of states by which chains are judged.
func (s *subject) statistics() []string {
	names := []string{"free energy", "number of units on"}
	_, axes := s.axes.Dims()
	for k := range axes {
		names = append(names, fmt.Sprintf("principal component %d", k+1))
	}
	return names
}

// values returns these functions of each row of v.
func (s *subject) values(v *rbm.Bits) [][]float64 {
	nv, axes := s.axes.Dims()
	x := [][]float64{s.m.FreeEnergy(nil, v), sums(v, slices.Repeat([]float64{1}, nv))}
	for k := range axes {
		x = append(x, sums(v, mat.Col(nil, k, s.axes)))
	}
	return x
}

// sums returns, for each row of v, the sum of x over the units that are on.
func sums(v *rbm.Bits, x []float64) []float64 {
	n, _ := v.Dims()
	y := make([]float64, n)
	for r := range n {
		for w, word := range v.RawRow(r) {
			for ; word != 0; word &= word - 1 {
				y[r] += x[64*w+bits.TrailingZeros64(word)]
			}
		}
	}
	return y
}

func (s *subject) clusterCount() int {
	n, _ := s.centers.Dims()
	return n
}

// clusters returns the cluster of each row of v: the k for which its squared distance to
// center k, less the number of units on, Σᵢ cₖᵢ² - 2 Σᵢ cₖᵢvᵢ, is least.
func (s *subject) clusters(v *rbm.Bits) []int {
	n, _ := v.Dims()
	nearest, least := make([]int, n), slices.Repeat([]float64{math.Inf(1)}, n)
	for k := range s.clusterCount() {
		center := s.centers.RawRowView(k)
		square := floats.Dot(center, center)
		for r, product := range sums(v, center) {
			if d := square - 2*product; d < least[r] {
				nearest[r], least[r] = k, d
			}
		}
	}
	return nearest
}

// shares returns the share of the rows of v in each cluster.
func (s *subject) shares(v *rbm.Bits) []float64 {
	n, _ := v.Dims()
	p := make([]float64, s.clusterCount())
	for _, c := range s.clusters(v) {
		p[c] += 1 / float64(n)
	}
	return p
}
