package monitor_test

import (
	"context"
	"fmt"
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

// Lines of a training, one for each report.
func ExampleLines() {
	data := rbm.NewBits(20, 4) // all units of a row agree
	for r := range 20 {
		for i := range 4 {
			data.SetBit(r, i, r%2 == 0)
		}
	}
	src := rand.NewPCG(1, 1)
	t := rbm.NewTrainer(rbm.NewRandom(4, 2, 0.1, src), data, rbm.NewPCD(20, 1, src), src)
	t.ReportEvery = 100
	t.OnReport = monitor.Lines(os.Stdout)
	if err := t.Train(context.Background(), 300); err != nil {
		fmt.Println(err)
	}
	// Output:
}
