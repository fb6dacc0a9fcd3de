// Package rbm implements restricted Boltzmann machines (RBMs) with binary units:
// energies, likelihoods, gradients and samplers, exact where they can be, on all cores of
// a CPU.
//
// From a table in a file to a model of it:
//
//	table, err := bitio.ReadFile("rows.csv", nil)
//	m, err := recipe.Train(ctx, table.Bits) // if no values are missing
//	l, err := m.LogLikelihood(ctx, others, rbm.NewAIS(100, 2000, src))
//	err = npz.Save("model.npz", m)
//
// Package recipe chooses all settings of a [Trainer]. To choose yourself, make one by
// [NewTrainer], with [NewPCD](100, 1, src) as its sampler. Or write the loop:
//
//	m.Gradient(&g, v, s) // of the log-likelihood of minibatch v, by sampler s
//	c.Center(&g)         // optional: the centered gradient, which learns faster
//	sgd.Step(m, &g)
//
// [Sparsity] makes hidden units sparse, and [Frozen] parameters stay as they are. Package
// monitor shows how training goes.
//
// To judge a model, use [RBM.LogLikelihood]. It is exact if one layer is small. Otherwise
// annealed importance sampling ([AIS]) bounds it from both sides, with a verdict:
// Believable, or else a Doubt in words. Where it fails, [PTT.LogZ] may hold, along the
// models that a training has passed through.
//
// To sample from a model, use [Chains] (block Gibbs sampling), or [PT] and [PTT]
// (tempering) where plain chains stay in a mode. Package mcmc tells how many independent
// samples they are worth, and package compare whether they are like the data.
//
// To use a model: [RBM.HiddenProbs] are features. [RBM.FreeEnergy] is large for unusual
// rows, anomalies, and [RBM.UnitProbs] says which of their units are improbable given all
// others. For a server, [RBM.Prepare] copies it for single rows.
//
// Missing values: Trainer.Observed trains on incomplete rows. [Chains.GibbsGiven] and
// [Chains.MeansGiven] complete rows with their observed units clamped, and
// [RBM.LogProbGiven] and [RBM.MeansGiven] are exact for a few missing units.
//
// Groups: RBM.OneHot declares visible units of which exactly one is on, softmax or
// multinomial units, for all methods. [Classifier] has a label among the units.
//
// Large data: [Rows] need not fit in memory; package bitfile has them in a file. On
// several machines, each computes [Phases], which add up to the full gradient.
//
// Files: package checkpoint saves training, to resume it bit for bit. Package npz
// exchanges models with NumPy and scikit-learn. Types with state have AppendBinary, which
// panics if a setting is out of range, and UnmarshalBinary, for a value of any size. Pass
// pointers to encoding/gob.
//
// # Model
//
// An RBM of nv visible units v ∈ {0,1}ⁿᵛ and nh hidden units h ∈ {0,1}ⁿʰ with weights W
// (nh×nv), visible biases b and hidden biases c is the distribution
//
//	E(v,h) = -hᵀWv - bᵀv - cᵀh                p(v,h) = exp(-E(v,h)) / Z
//	F(v)   = -bᵀv - Σⱼ softplus(cⱼ + Wⱼ·v)    p(v) = exp(-F(v)) / Z
//	p(hⱼ=1|v) = σ(cⱼ + Wⱼ·v)                  p(vᵢ=1|h) = σ(bᵢ + (Wᵀh)ᵢ)
//
// (Smolensky, 1986), with energy E, free energy F and partition function Z. Some texts
// call the visible biases a and the hidden ones b.
//
// # Batches
//
// Observations are the rows of a matrix. [Bits] holds them packed and is the fast path;
// any other mat.Matrix of zeros and ones gives the same results, bit for bit. A value
// between 0 and 1, such as a gray level, is the probability of a one and takes the place
// of the bit in the formulas; a Trainer takes [Values].
//
// # Conventions
//
// Destinations come first. A nil or empty dst is allocated; one of the right shape is
// overwritten. It may be the matrix that is read, as in m.HiddenProbs(v, v), but must not
// overlap it otherwise. Energies and log-probabilities are in nats.
//
// Misuse panics, with the sizes given and wanted or the name of the nil argument: sizes
// that do not fit, settings out of range, weights that are negative, not finite or all
// zero, and rows that the model cannot have, with a value outside [0, 1] or without
// exactly one unit of a group on. Nil weights are equal. Data from outside are checked
// with an error by [BitsOf] and [RBM.CheckRows]. A NaN parameter makes every result that
// depends on it NaN.
//
// Methods that only read an RBM may be called concurrently. A Sampler, Chains, AIS,
// Gradient, Centering, Sparsity, SGD or Trainer belongs to one goroutine at a time: a
// call that finds another one at work on it panics and changes nothing.
//
// # Randomness
//
// Each constructor reads its math/rand/v2 Source once, for a seed. A random number is a
// function of the seed and of the chain, sweep and unit it is for. Results depend on
// arguments and seeds alone. They are the same, bit for bit, for every GOMAXPROCS and on
// every processor, and the result for a row does not depend on the other rows of its
// batch.
//
// Kernels in assembly use AVX-512, AVX2 or NEON where the processor has them. To find out
// whether one is to blame for a fault, set RBM_SIMD=off in the environment, for plain Go,
// or RBM_SIMD=avx2, for no AVX-512. The bits are the same. Another value panics at start.
package rbm
