package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
)

// BenchmarkScore is what scoring 50,000 rows of 784 columns by 500 hidden units costs with
// Beam on Prism, tables on disk at the end (by=prism), and by the library alone, from
// the same files, with the free energies in memory at the end (by=library).
func BenchmarkScore(b *testing.B) {
	const nv, nh, n = 784, 500, 50_000
	slog.SetDefault(slog.New(slog.DiscardHandler))
	dir := b.TempDir()
	m := rbm.NewRandom(nv, nh, 0.1, rand.NewPCG(1, 0))
	data, err := m.MarshalBinary()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "model"), data, 0o666)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, files := range []int{1, 2, 4, 8} {
		folder := filepath.Join(dir, fmt.Sprint(files))
		if err := os.Mkdir(folder, 0o777); err != nil {
			b.Fatal(err)
		}
		c := rbm.NewChains(rand.NewPCG(2, 0))
		c.StartRandom(m, n)
		for k := range files {
			path := filepath.Join(folder, fmt.Sprintf("%d.bits", k))
			if err := bitfile.Write(path, rbm.Blocks(c.Visible().Slice(k*n/files, (k+1)*n/files), n)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("files=%d/by=prism", files), func(b *testing.B) {
			o := options{model: filepath.Join(dir, "model"), input: folder + "/*.bits", output: folder + "/out", bad: folder + "/bad", parts: files, batch: 256}
			for b.Loop() {
				p, s := beam.NewPipelineWithRoot()
				score(s, o, shapeOf(m))
				if err := beamx.Run(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
		b.Run(fmt.Sprintf("files=%d/by=library", files), func(b *testing.B) {
			for b.Loop() {
				for k := range files {
					f, err := bitfile.Open(filepath.Join(folder, fmt.Sprintf("%d.bits", k)))
					if err != nil {
						b.Fatal(err)
					}
					for block, err := range rbm.Blocks(f, 4096) {
						if err != nil {
							b.Fatal(err)
						}
						m.FreeEnergy(nil, block)
					}
					f.Close()
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
