// Classify trains a restricted Boltzmann machine to tell the digits of MNIST apart,
// says how many it gets wrong, and draws those that it is wrong about.
package main

import (
	"fmt"
	"io"

	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/mnist/keep"
)

const confusionFile = "confusion.png" // in the folder of -out, beside the checkpoint

func main() { cli.Main("classify", parse, run) }

// run trains a classifier and judges it by the test digits.
func run(o options, w io.Writer) error {
	d, err := load(o)
	if err != nil {
		return err
	}
	dir, err := keep.Open(o.out, "classify", confusionFile)
	if err != nil {
		return err
	}
	t := newTraining(o, d)
	t.describe(w)
	if !o.fresh {
		found, err := t.load(dir)
		if err != nil {
			return err
		}
		if found {
			fmt.Fprintln(w, keep.Progress(dir.Path(keep.Checkpoint), t.progress.epochs, o.epochs, "epochs"))
		}
	}
	if err := t.run(dir, w); err != nil {
		return err
	}
	c := t.confusion()
	c.print(w)
	if err := dir.Write(confusionFile, c.draw); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: digits of a row have its label and are taken for that of their column\n", dir.Path(confusionFile))
	return nil
}
