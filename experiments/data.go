package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/datasets"
)

// A set is a kind of data.
type set struct {
	name string
	what string
	draw func(rnd *rand.Rand) *rbm.Bits
}

// sets are the kinds of data, in the order of the table.
var sets = []set{
	{"digits", "1,797 handwritten digits of 8×8 pixels, on above gray level 7", digits},
	{"strokes", "strokes of a pen, 12×12 pixels", func(rnd *rand.Rand) *rbm.Bits { return strokes(rnd, 2400, 12) }},
	{"likes", "which of 120 items 2,000 users like: six latent factors, and a few popular items", func(rnd *rand.Rand) *rbm.Bits { return likes(rnd, 2000, 120) }},
	{"cold spins", "Ising model of 6×6 spins at temperature 2.1", func(rnd *rand.Rand) *rbm.Bits { return spins(rnd, 3000, 6, 2.1) }},
	{"warm spins", "Ising model of 8×8 spins at temperature 2.7", func(rnd *rand.Rand) *rbm.Bits { return spins(rnd, 3000, 8, 2.7) }},
	{"spikes", "80 neurons in 4,000 bins: a common drive, couplings and refractoriness", func(rnd *rand.Rand) *rbm.Bits { return spikes(rnd, 4000, 80) }},
	{"genotypes", "800 haplotypes of 100 sites: mosaics of a coalescent tree's leaves", func(rnd *rand.Rand) *rbm.Bits { return genotypes(rnd, 800, 100) }},
	{"logs", "which of 60 events 4,000 sessions log: templates, faults and noise", func(rnd *rand.Rand) *rbm.Bits { return logs(rnd, 4000) }},
	{"topics", "which of 150 words 2,500 documents have: a topic model", func(rnd *rand.Rand) *rbm.Bits { return topics(rnd, 2500, 150) }},
	{"comments", "which of 100 words the comments of Go's own packages have", func(rnd *rand.Rand) *rbm.Bits { return comments(rnd, 3000, 100) }},
}

// digits are those of examples/digits.
func digits(*rand.Rand) *rbm.Bits {
	rows, _, err := datasets.Digits(filepath.FromSlash("../examples/digits/digits.csv.gz"), 7) // from the folder of this module
	check(err)
	return rows
}

// strokes are those of a pen that turns now and then.
func strokes(rnd *rand.Rand, n, side int) *rbm.Bits {
	rows := rbm.NewBits(n, side*side)
	for r := range n {
		want := side + rnd.IntN(side)
		x, y := rnd.Float64()*float64(side), rnd.Float64()*float64(side)
		angle := rnd.Float64() * 2 * math.Pi
		for on := 0; on < want; {
			angle += 0.35 * rnd.NormFloat64()
			x, y = x+0.4*math.Cos(angle), y+0.4*math.Sin(angle)
			if x < 1 || y < 1 || x > float64(side)-1 || y > float64(side)-1 {
				x, y = min(max(x, 1), float64(side)-1), min(max(y, 1), float64(side)-1)
				angle += math.Pi / 2
			}
			for _, p := range [][2]int{{int(x), int(y)}, {int(x + 0.5), int(y)}, {int(x), int(y + 0.5)}} {
				if i := side*min(p[1], side-1) + min(p[0], side-1); !rows.Bit(r, i) {
					rows.SetBit(r, i, true)
					on++
				}
			}
		}
	}
	return rows
}

// likes are those of users and items with latent factors; items have the popularity of
// Zipf's law.
func likes(rnd *rand.Rand, n, items int) *rbm.Bits {
	const factors = 6
	taste := make([][factors]float64, items)
	for i := range taste {
		for k := range factors {
			taste[i][k] = rnd.NormFloat64()
		}
	}
	rows := rbm.NewBits(n, items)
	for r := range n {
		var user [factors]float64
		for k := range factors {
			user[k] = rnd.NormFloat64()
		}
		active := 0.7 * rnd.NormFloat64()
		for i := range items {
			x := -1 - 0.6*math.Log(float64(i+1)) + active
			for k := range factors {
				x += 0.6 * user[k] * taste[i][k]
			}
			rows.SetBit(r, i, rnd.Float64() < sigmoid(x))
		}
	}
	return rows
}

// spins are states of the Ising model on a torus.
func spins(rnd *rand.Rand, n, side int, temperature float64) *rbm.Bits {
	s := datasets.NewTorus(side, temperature)
	for i := range s.Up {
		s.Up[i] = rnd.IntN(2) == 0
	}
	for range 1000 {
		s.Flip(rnd)
	}
	rows := rbm.NewBits(n, side*side)
	for r := range n {
		for range 20 {
			s.Flip(rnd)
		}
		s.SetRow(rows, r)
	}
	return rows
}

// spikes are bins of a population of neurons.
func spikes(rnd *rand.Rand, n, neurons int) *rbm.Bits {
	base, gain := make([]float64, neurons), make([][2]float64, neurons)
	couple := make([][]float64, neurons)
	for i := range neurons {
		base[i] = -3.2 + 0.8*rnd.NormFloat64()
		gain[i] = [2]float64{0.3 + 0.9*rnd.Float64(), 0.8 * rnd.NormFloat64()}
		couple[i] = make([]float64, neurons)
		for range 4 {
			couple[i][rnd.IntN(neurons)] = 1.2 * rnd.NormFloat64()
		}
	}
	rows := rbm.NewBits(n, neurons)
	var common [2]float64
	before := make([]float64, neurons)
	for r := range n {
		for k, memory := range [2]float64{0.8, 0.95} {
			common[k] = memory*common[k] + math.Sqrt(1-memory*memory)*rnd.NormFloat64()
		}
		now := make([]float64, neurons)
		for i := range neurons {
			x := base[i] + gain[i][0]*common[0] + gain[i][1]*common[1] - 3*before[i]
			for j, c := range couple[i] {
				x += c * (before[j] + now[j])
			}
			if rnd.Float64() < sigmoid(x) {
				now[i] = 1
				rows.SetBit(r, i, true)
			}
		}
		before = now
	}
	return shuffled(rows, rnd)
}

// genotypes are haplotypes: mosaics, with a few errors, of the leaves of a coalescent tree
// for each stretch of a chromosome.
func genotypes(rnd *rand.Rand, n, sites int) *rbm.Bits {
	const founders, stretch = 40, 20
	type node struct{ leaves []int }
	alleles := rbm.NewBits(founders, sites)
	for from := 0; from < sites; from += stretch {
		var nodes []node
		for f := range founders {
			nodes = append(nodes, node{[]int{f}})
		}
		var branches [][]int // above which a mutation may be, by length
		var lengths []float64
		var total float64
		for k := founders; k > 1; k-- {
			t := rnd.ExpFloat64() / float64(k*(k-1)/2)
			for _, x := range nodes {
				branches, lengths, total = append(branches, x.leaves), append(lengths, t), total+t
			}
			i := rnd.IntN(k)
			j := (i + 1 + rnd.IntN(k-1)) % k
			i, j = min(i, j), max(i, j)
			nodes[i].leaves = append(slices.Clone(nodes[i].leaves), nodes[j].leaves...)
			nodes = slices.Delete(nodes, j, j+1)
		}
		for site := from; site < min(from+stretch, sites); {
			x, b := rnd.Float64()*total, 0
			for b < len(lengths)-1 && x > lengths[b] {
				x -= lengths[b]
				b++
			}
			if k := len(branches[b]); k < 2 || k > founders-2 {
				continue // too rare
			}
			for _, f := range branches[b] {
				alleles.SetBit(f, site, true)
			}
			site++
		}
	}
	rows := rbm.NewBits(n, sites)
	for r := range n {
		f := rnd.IntN(founders)
		for i := range sites {
			if rnd.Float64() < 0.06 {
				f = rnd.IntN(founders)
			}
			rows.SetBit(r, i, alleles.Bit(f, i) != (rnd.Float64() < 0.01))
		}
	}
	return rows
}

// logs are sessions of eight kinds, each of which logs most of its events.
func logs(rnd *rand.Rand, n int) *rbm.Bits {
	const events, kinds, faults = 60, 8, 4
	kind := make([][]float64, kinds)
	for k := range kind {
		kind[k] = make([]float64, events)
		for i := range events {
			kind[k][i] = 0.01
			if rnd.IntN(6) == 0 {
				kind[k][i] = []float64{0.5, 0.9, 0.98}[rnd.IntN(3)]
			}
		}
	}
	fault := make([][]int, faults)
	for k := range fault {
		for range 5 {
			fault[k] = append(fault[k], rnd.IntN(events))
		}
	}
	rows := rbm.NewBits(n, events)
	for r := range n {
		k := int(float64(kinds) * rnd.Float64() * rnd.Float64())
		reach := events
		if rnd.IntN(5) == 0 {
			reach = rnd.IntN(events) // it breaks off
		}
		for i, p := range kind[k] {
			rows.SetBit(r, i, i < 4 && rnd.Float64() < 0.95 || i < reach && rnd.Float64() < p)
		}
		if rnd.IntN(8) == 0 {
			for _, i := range fault[rnd.IntN(faults)] {
				rows.SetBit(r, i, rnd.Float64() < 0.85)
			}
		}
	}
	return rows
}

// topics are documents of a topic model (latent Dirichlet allocation) with words of Zipf's law.
func topics(rnd *rand.Rand, n, words int) *rbm.Bits {
	const kinds = 12
	topic := make([][]float64, kinds)
	for k := range topic {
		topic[k] = make([]float64, words)
		var total float64
		for i := range words {
			p := 1 / float64(i+5)
			if rnd.IntN(8) == 0 {
				p *= 40
			}
			total += p
			topic[k][i] = total
		}
		for i := range words {
			topic[k][i] /= total
		}
	}
	rows := rbm.NewBits(n, words)
	for r := range n {
		first, second := rnd.IntN(kinds), rnd.IntN(kinds)
		share := rnd.Float64()
		for range 6 + rnd.IntN(25) {
			k := first
			if rnd.Float64() < share {
				k = second
			}
			i, _ := slices.BinarySearch(topic[k], rnd.Float64())
			rows.SetBit(r, min(i, words-1), true)
		}
	}
	return rows
}

// comments are those of some of Go's packages, by whether they have each of the most frequent
// words of at least four letters.
func comments(rnd *rand.Rand, n, words int) *rbm.Bits {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	check(err)
	var texts [][]string
	for _, dir := range []string{"net", "go", "encoding", "crypto", "os", "time", "database", "text"} {
		err := filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, c := range file.Comments {
				w := strings.FieldsFunc(strings.ToLower(c.Text()), func(r rune) bool { return r < 'a' || r > 'z' })
				if len(w) >= 15 && !slices.Contains(w, "copyright") {
					texts = append(texts, w)
				}
			}
			return nil
		})
		check(err)
	}
	count := make(map[string]int)
	for _, text := range texts {
		for _, w := range text {
			if len(w) >= 4 {
				count[w]++
			}
		}
	}
	var all []string
	for w := range count {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	number := make(map[string]int)
	for i, w := range all[:words] {
		number[w] = i
	}
	rnd.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	if len(texts) < n {
		check(fmt.Errorf("the sources of Go have %d comments, want %d", len(texts), n))
	}
	rows := rbm.NewBits(n, words)
	for r := range n {
		for _, w := range texts[r] {
			if i, ok := number[w]; ok {
				rows.SetBit(r, i, true)
			}
		}
	}
	return rows
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// shuffled returns the rows in random order.
func shuffled(rows *rbm.Bits, rnd *rand.Rand) *rbm.Bits {
	n, _ := rows.Dims()
	return rows.Gather(nil, rnd.Perm(n))
}
