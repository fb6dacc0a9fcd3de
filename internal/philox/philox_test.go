package philox

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/twin"
)

// each runs a test with each set of kernels.
func each(t *testing.T, test func(t *testing.T)) {
	cpu.Each(func(name string) { t.Run(name, test) })
}

var _ rand.Source = (*Source)(nil)

// The known answers are from the file kat_vectors of the authors' library, Random123.
func TestBlock(t *testing.T) {
	for _, tt := range []struct {
		key  uint64
		c    [4]uint32
		want [4]uint32
	}{
		{0, [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			math.MaxUint64,
			[4]uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			0x299f31d0a4093822,
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		var got [4]uint32
		got[0], got[1], got[2], got[3] = Block(tt.key, tt.c[0], tt.c[1], tt.c[2], tt.c[3])
		if got != tt.want {
			t.Errorf("Block(%x, %x) = %x, want %x", tt.key, tt.c, got, tt.want)
		}
	}
}

// Fill takes each number from the counter that its comment names, so that no
// two places share one.
func TestFill(t *testing.T) { each(t, testFill) }

func testFill(t *testing.T) {
	p := Place{Row: 7, Sweep: 5<<32 | 6, Phase: 3}
	for _, n := range []int{1, 5, 16, 17, 64} {
		var u [64]uint32
		Fill(&u, n, 99, p, 2)
		for i := range n {
			var r [4]uint32
			r[0], r[1], r[2], r[3] = Block(99, uint32(2*16+i%16), 7, 6, 5<<8|3)
			if u[i] != r[i/16] {
				t.Errorf("Fill(n=%d): u[%d] = %x, want %x", n, i, u[i], r[i/16])
			}
		}
	}
}

func TestSource(t *testing.T) {
	s := NewSource(42)
	for n := range uint32(5) {
		r0, r1, _, _ := Block(42, n, 0, 0, 0)
		if got, want := s.Uint64(), uint64(r1)<<32|uint64(r0); got != want {
			t.Errorf("number %d = %x, want %x", n, got, want)
		}
	}
}

func TestIntN(t *testing.T) {
	const n, draws = 6, 60000
	s := NewSource(1)
	var count [n]float64
	for range draws {
		count[s.IntN(n)]++
	}
	mean := float64(draws) / n
	sigma := math.Sqrt(mean * (1 - 1.0/n))
	for i, c := range count {
		if math.Abs(c-mean) > 4*sigma {
			t.Errorf("%d was drawn %v times, want %v ± %.0f", i, c, mean, sigma)
		}
	}
}

func TestSourceCountsOn(t *testing.T) {
	s := &Source{key: 42, n: 1<<32 + 5}
	r0, r1, _, _ := Block(42, 5, 1, 0, 0)
	if got, want := s.Uint64(), uint64(r1)<<32|uint64(r0); got != want {
		t.Errorf("number 2³²+5 = %x, want %x", got, want)
	}
}

func BenchmarkTwin(b *testing.B) {
	b.Run("Fill", func(b *testing.B) {
		var u [64]uint32
		twin.Run(b, func() { Fill(&u, len(u), 1, Place{Row: 2, Sweep: 3}, 4) })
	})
}
