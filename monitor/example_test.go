package monitor_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/monitor"
)

// Training that writes lines and a table, and shows a bar if it runs on a terminal.
func Example() {
	data := rbm.NewBits(100, 4) // all units of a row agree
	for r := range 100 {
		for i := range 4 {
			data.SetBit(r, i, r%2 == 0)
		}
	}
	m := rbm.NewRandom(4, 2, 0.1, rand.NewPCG(1, 1))
	t := rbm.NewTrainer(m, data, rbm.NewPCD(20, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "history.csv")

	const epochs = 100
	table, err := monitor.CSV(name, t.Steps())
	if err != nil {
		fmt.Println(err)
		return
	}
	bar := monitor.NewBar(os.Stderr, t.Epochs(), epochs)
	t.OnReport = monitor.All(bar.Report, table)
	err = t.Train(context.Background(), epochs)
	bar.Close()
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := os.Open(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	reports, err := monitor.ReadCSV(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(reports), "reports; the log-likelihood rises:", reports[99].LogLikelihood > reports[0].LogLikelihood)
	// Output:
	// 100 reports; the log-likelihood rises: true
}

// A line for each report, as OnReport of a Trainer gets them: these are of a training in which
// nothing is held out, and log Z is not known.
func ExampleLines() {
	nan := math.NaN()
	line := monitor.Lines(os.Stdout)
	for epoch := 1; epoch <= 2; epoch++ {
		err := line(rbm.Report{
			Epoch: epoch, Step: 600 * epoch, RowsPerSecond: 250_000, WeightRMS: 0.1 * float64(epoch),
			PseudoLogLikelihood: -90 / float64(epoch), HeldOutPseudoLogLikelihood: nan, FreeEnergyGap: nan,
			LogLikelihood: nan, HeldOutLogLikelihood: nan, Error: nan, LogProb: nan,
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// epoch     step  pseudo-ll  weights   rows/s
	//     1      600    -90.000   0.1000   250000
	//     2     1200    -45.000   0.2000   250000
}
