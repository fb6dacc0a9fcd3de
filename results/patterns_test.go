package main

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

func TestPatterns(t *testing.T) {
	got := output(t, "patterns", "-steps", "3", "-seeds", "2", "-samplers", "CD,PT", "-sets", "XOR,bars")
	for _, want := range []string{"| XOR", "| bars and stripes", "recipe", "NewTrainer", "few rows", "PTT", " of 2"} {
		if !strings.Contains(got, want) {
			t.Errorf("it prints\n%s\nwant %q in it", got, want)
		}
	}
	if strings.Contains(got, "PCD") || strings.Contains(got, "parity") {
		t.Errorf("it prints\n%s\nwant CD and PT, and XOR and bars alone", got)
	}
	for _, args := range [][]string{{"-steps", "0"}, {"-seeds", "0"}} {
		if err := run(context.Background(), new(bytes.Buffer), append([]string{"patterns"}, args...)); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestPatternRows(t *testing.T) {
	rows := func(b *rbm.Bits) map[string]int {
		all := make(map[string]int)
		n, nv := b.Dims()
		for r := range n {
			s := make([]byte, nv)
			for i := range s {
				s[i] = '0'
				if b.Bit(r, i) {
					s[i] = '1'
				}
			}
			all[string(s)]++
		}
		return all
	}

	bars := rows(barsAndStripes())
	if len(bars) != 30 || bars[strings.Repeat("0", 16)] != 2 || bars[strings.Repeat("1", 16)] != 2 {
		t.Errorf("bars and stripes are %v", bars)
	}
	for s := range bars {
		horizontal, vertical := true, true
		for k := range s {
			horizontal = horizontal && s[k] == s[k/4*4]
			vertical = vertical && s[k] == s[k%4]
		}
		if !horizontal && !vertical {
			t.Errorf("%s is no bars and no stripes", s)
		}
	}

	xor := rows(evenParity(3))
	for _, s := range []string{"000", "011", "101", "110"} {
		if len(xor) != 4 || xor[s] != 1 {
			t.Errorf("XOR is %v, want one row %s of four", xor, s)
		}
	}
	parity := rows(evenParity(8))
	if len(parity) != 128 {
		t.Errorf("parity has %d rows, want 128", len(parity))
	}
	for s := range parity {
		if strings.Count(s, "1")%2 != 0 {
			t.Errorf("%s is odd", s)
		}
	}

	for _, c := range []struct {
		rows *rbm.Bits
		want float64
	}{
		{barsAndStripes(), math.Log(32) - 4*math.Ln2/32}, // two rows of 2/32
		{evenParity(3), math.Log(4)},
		{evenParity(8), math.Log(128)},
	} {
		if got := entropy(c.rows); !(math.Abs(got-c.want) < 1e-12) {
			t.Errorf("the entropy is %v, want %v", got, c.want)
		}
	}
}
