package main

import (
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"gonum.org/v1/gonum/mat"
)

// randomBits returns n images of noise, of which the first and the last are the same.
func randomBits(n int, seed uint64) *rbm.Bits {
	b := rbm.NewBits(n, idx.Pixels)
	r := rand.New(rand.NewPCG(seed, 0))
	for row := range n {
		for i := range idx.Pixels {
			b.SetBit(row, i, r.IntN(3) == 0)
		}
	}
	for i := range idx.Pixels {
		b.SetBit(n-1, i, b.Bit(0, i))
	}
	return b
}

func TestCover(t *testing.T) {
	const right, bottom = idx.Side - 1, idx.Pixels - idx.Side
	for half, corners := range map[string][4]bool{ // at the top left, top right, bottom left, bottom right
		"right":  {true, false, true, false},
		"left":   {false, true, false, true},
		"top":    {false, false, true, true},
		"bottom": {true, true, false, false},
	} {
		observed := cover(half)
		if n, nv := observed.Dims(); n != 1 || nv != idx.Pixels {
			t.Fatalf("cover(%q) is %d×%d, want 1×784", half, n, nv)
		}
		if got := [4]bool{observed.Bit(0, 0), observed.Bit(0, right), observed.Bit(0, bottom), observed.Bit(0, bottom+right)}; got != corners {
			t.Errorf("cover(%q) observes the corners %v, want %v", half, got, corners)
		}
	}
	for _, pair := range [][2]string{{"right", "left"}, {"top", "bottom"}} {
		a, b := cover(pair[0]), cover(pair[1])
		covered := 0
		for i := range idx.Pixels {
			if a.Bit(0, i) == b.Bit(0, i) {
				t.Errorf("pixel %d is in both of %v or in neither", i, pair)
			}
			if a.Bit(0, i) {
				covered++
			}
		}
		if covered != idx.Pixels/2 {
			t.Errorf("the %s half has %d pixels, want %d", pair[1], covered, idx.Pixels/2)
		}
	}
	if len(halves) != 4 {
		t.Errorf("there are the halves %q, want 4", halves)
	}
}

func TestColumnMeans(t *testing.T) {
	a := randomBits(13, 1)
	means := columnMeans(a)
	if r, c := means.Dims(); r != 1 || c != idx.Pixels {
		t.Fatalf("the means are %d×%d, want 1×784", r, c)
	}
	for i := range idx.Pixels {
		on := 0.5
		for r := range 13 {
			on += a.At(r, i)
		}
		if got, want := means.At(0, i), on/14; math.Abs(got-want) > 1e-12 {
			t.Fatalf("the mean of pixel %d is %v, want %v", i, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	digits := randomBits(7, 2)
	for _, half := range halves {
		for _, n := range []int{1, 4, neighbors, 60} {
			train, observed := randomBits(n, 3), cover(half)
			got := nearest(train, digits, observed)
			if r, c := got.Dims(); r != 7 || c != idx.Pixels {
				t.Fatalf("%s of %d rows: the means are %d×%d, want 7×784", half, n, r, c)
			}
			for r := range 7 {
				distance := make([]int, n)
				rows := make([]int, n)
				for k := range n {
					rows[k] = k
					for i := range idx.Pixels {
						if observed.Bit(0, i) && train.Bit(k, i) != digits.Bit(r, i) {
							distance[k]++
						}
					}
				}
				slices.SortStableFunc(rows, func(a, b int) int { return distance[a] - distance[b] })
				want := columnMeans(train.Gather(nil, rows[:min(n, neighbors)]))
				for i := range idx.Pixels {
					if math.Abs(got.At(r, i)-want.At(0, i)) > 1e-12 {
						t.Fatalf("%s of %d rows: pixel %d of digit %d is %v, want %v", half, n, i, r, got.At(r, i), want.At(0, i))
					}
				}
			}
		}
	}
}

func TestPack(t *testing.T) {
	a := randomBits(3, 4)
	for _, half := range halves {
		observed := cover(half)
		rows := pack(a, observed)
		if len(rows) != 3 {
			t.Fatalf("there are %d rows, want 3", len(rows))
		}
		for r, words := range rows {
			for i := range 64 * len(words) {
				want := i < idx.Pixels && observed.Bit(0, i) && a.Bit(r, i)
				if got := words[i/64]>>(i%64)&1 == 1; got != want {
					t.Fatalf("%s: bit %d of row %d is %t, want %t", half, i, r, got, want)
				}
			}
		}
	}
}

func TestJudge(t *testing.T) {
	observed := cover("bottom")
	const first = idx.Pixels / 2 // of the covered pixels
	digits := rbm.NewBits(2, idx.Pixels)
	digits.SetBit(0, first, true)
	digits.SetBit(1, first, true)
	digits.SetBit(1, first+1, true)
	digits.SetBit(1, 0, true) // observed: of no account

	means := mat.NewDense(2, idx.Pixels, nil) // all are off, for sure, but:
	means.Set(0, first, 0.25)                 // wrong
	means.Set(0, first+1, 0.25)
	means.Set(1, first, 0.75)
	means.Set(1, first+1, 0.5) // undecided is wrong
	means.Set(0, 0, 1)
	wrong, loss := judge(means, digits, observed)
	if want := 2.0 / idx.Pixels; math.Abs(wrong-want) > 1e-15 {
		t.Errorf("%v of the pixels are wrong, want %v", wrong, want)
	}
	if want := -math.Log(0.25*0.75*0.75*0.5) / idx.Pixels; math.Abs(loss-want) > 1e-15 {
		t.Errorf("the loss is %v, want %v", loss, want)
	}

	one := means.Slice(0, 1, 0, idx.Pixels).(*mat.Dense) // the same for both
	one.Set(0, first+1, 0.75)
	wrong, loss = judge(one, digits, observed)
	if want := 3.0 / idx.Pixels; math.Abs(wrong-want) > 1e-15 {
		t.Errorf("of one prediction %v of the pixels are wrong, want %v", wrong, want)
	}
	if want := -math.Log(0.25*0.25*0.25*0.75) / idx.Pixels; math.Abs(loss-want) > 1e-15 {
		t.Errorf("of one prediction the loss is %v, want %v", loss, want)
	}
}

// twins returns a model with a hidden unit for each pixel of the left half, which
// makes the one to the right of the middle like it: p(same) = 1/(1 + odds).
func twins() (m *rbm.RBM, odds float64) {
	m = rbm.New(idx.Pixels, idx.Pixels/2)
	for j := range idx.Pixels / 2 {
		left := j/(idx.Side/2)*idx.Side + j%(idx.Side/2)
		for _, i := range []int{left, left + idx.Side/2} {
			m.W.Set(j, i, 8)
			m.B.SetVec(i, -2)
		}
		m.C.SetVec(j, -12)
	}
	softplus := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	both, one, none := softplus(4)-4, softplus(-4)-2, softplus(-12)
	// Both and none are about as probable, so that one mean serves for either.
	return m, (math.Exp(one-both) + math.Exp(one-none)) / 2
}

// twinBits returns n images of noise whose right half is like the left one.
func twinBits(n int, seed uint64) *rbm.Bits {
	b := randomBits(n, seed)
	for r := range n {
		for i := range idx.Pixels {
			if i%idx.Side >= idx.Side/2 {
				b.SetBit(r, i, b.Bit(r, i-idx.Side/2))
			}
		}
	}
	return b
}

// The means of a model that knows how the halves hang together are those that are so.
func TestCompleteKnown(t *testing.T) {
	m, odds := twins()
	want := 1 / (1 + odds)
	const n = 8
	digits := twinBits(n, 5)
	for _, half := range []string{"right", "left"} {
		observed := cover(half)
		o := options{sweeps: 40, seed: 1}
		means := complete(m, digits, observed, o)
		sum := 0.0
		for r := range n {
			for i := range idx.Pixels {
				p := means.At(r, i)
				if observed.Bit(0, i) {
					if p != digits.At(r, i) {
						t.Fatalf("the observed pixel %d of digit %d is %v", i, r, p)
					}
					continue
				}
				if !digits.Bit(r, i) {
					p = 1 - p
				}
				sum += p / (n * idx.Pixels / 2)
			}
		}
		if math.Abs(sum-want) > 0.01 {
			t.Errorf("%s: a covered pixel has the right value with a probability of %.4f, want %.4f", half, sum, want)
		}
		wrong, loss := judge(means, digits, observed)
		_, naive := judge(columnMeans(digits), digits, observed)
		if wrong > 0.01 || loss > naive/2 {
			t.Errorf("%s: %.4f of the pixels are wrong and the loss is %.3f, want 0 and less than half of %.3f", half, wrong, loss, naive)
		}
		c := rbm.NewChains(rand.NewPCG(o.seed, 1))
		c.StartGiven(m, digits, observed)
		for range o.sweeps {
			c.GibbsGiven(m, 1, observed)
		}
		if !mat.Equal(means, c.MeansGiven(nil, m, 4*o.sweeps, observed)) {
			t.Errorf("%s: the means are not those of the sweeps after the first %d", half, o.sweeps)
		}
		o.seed = 2
		if mat.Equal(means, complete(m, digits, observed, o)) {
			t.Errorf("%s: another seed gives the same means", half)
		}
	}
}

// Where the bar of an image stands is learned: its lower half tells of the upper one.
func TestLearns(t *testing.T) {
	o := small(t, "-hidden 100 -epochs 30 -sweeps 20 -cover top")
	o.data = idxtest.WriteData(t, 3000, 60)
	train, test, err := idx.Images(o.data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model(o, train, opened(t), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	observed := cover(o.cover)
	wrong, loss := judge(complete(m, test.Images, observed, o), test.Images, observed)
	naiveWrong, naive := judge(columnMeans(train.Images), test.Images, observed)
	if wrong > 0.7*naiveWrong || loss > 0.8*naive {
		t.Errorf("%.4f of the pixels are wrong and the loss is %.4f, want clearly less than the %.4f and %.4f of the column means", wrong, loss, naiveWrong, naive)
	}
}
