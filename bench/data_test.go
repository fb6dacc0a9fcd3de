package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

func TestSyntheticRowsAreTheSameEverywhere(t *testing.T) {
	rows := syntheticRows(200)
	h := sha256.New()
	for r := range 200 {
		if err := binary.Write(h, binary.LittleEndian, rows.RawRow(r)); err != nil {
			t.Fatal(err)
		}
	}
	const want = "5cac0fc6057fa65d"
	if got := hex.EncodeToString(h.Sum(nil))[:16]; got != want {
		t.Errorf("digest of 200 rows = %s, want %s", got, want)
	}
}

func TestSyntheticRowsLookLikeDigits(t *testing.T) {
	const n = 2000
	rows := syntheticRows(n)
	on, alike, border := 0, 0, 0
	for r := range n {
		for i := range visible {
			if !rows.Bit(r, i) {
				continue
			}
			on++
			y, x := i/side, i%side
			if y < 3 || y >= side-3 || x < 3 || x >= side-3 {
				border++
				continue
			}
			if rows.Bit(r, i-1) || rows.Bit(r, i+1) {
				alike++
			}
		}
	}
	if density := float64(on) / (n * visible); density < 0.13 || density > 0.135 {
		t.Errorf("share of ones = %.4f, want 0.1325", density)
	}
	if border > 0 {
		t.Errorf("%d ones in the border of 3 pixels, want 0", border)
	}
	if share := float64(alike) / float64(on); share < 0.9 {
		t.Errorf("share of ones beside another one = %.3f, want at least 0.9", share)
	}
}

func TestFilesForPeers(t *testing.T) {
	folder := t.TempDir()
	data := syntheticRows(3)
	m := startModel(2, data)
	if err := writeRows(folder, data); err != nil {
		t.Fatal(err)
	}
	if err := writeModel(folder, m); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(folder, "rows"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 3*visible {
		t.Fatalf("rows has %d bytes, want %d", len(b), 3*visible)
	}
	for k, x := range b {
		if got, want := float64(x), data.At(k/visible, k%visible); got != want {
			t.Fatalf("row %d, column %d = %v, want %v", k/visible, k%visible, got, want)
		}
	}
	f, err := os.Open(filepath.Join(folder, "model-2"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := make([]float32, 2*visible+visible+2)
	if err := binary.Read(f, binary.LittleEndian, p); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what      string
		got, want float32
	}{
		{"W[0,1]", p[1], float32(m.W.At(0, 1))},
		{"W[1,0]", p[visible], float32(m.W.At(1, 0))},
		{"B[300]", p[2*visible+300], float32(m.B.AtVec(300))},
		{"C[1]", p[3*visible+1], float32(m.C.AtVec(1))},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	if n, err := f.Read(make([]byte, 1)); n > 0 {
		t.Errorf("the model is longer than %d numbers (%v)", len(p), err)
	}
}
