package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

// A loop of one's own, which saves its model, sampler and optimizer. Loaded, they go on as
// if nothing had been in between.
func Example() {
	dir, err := os.MkdirTemp("", "rbm")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rbm.checkpoint")

	data := rbm.NewBits(10, 6)
	for r := range 10 {
		data.SetBit(r, r%6, true)
	}
	var g rbm.Gradient
	train := func(m *rbm.RBM, s rbm.Sampler, o *rbm.SGD, steps int) {
		for range steps {
			m.Gradient(&g, data, s)
			o.Step(m, &g)
		}
	}

	m := rbm.NewRandom(6, 4, 0.01, rand.NewPCG(1, 2))
	pcd := rbm.NewPCD(10, 1, rand.NewPCG(3, 4))
	sgd := rbm.SGD{Rate: 0.1, Momentum: 0.5}
	train(m, pcd, &sgd, 100)
	if err := checkpoint.Save(path, m, pcd, &sgd); err != nil {
		log.Fatal(err)
	}
	train(m, pcd, &sgd, 100)

	var (
		m2   rbm.RBM
		pcd2 rbm.PCD
		sgd2 rbm.SGD
	)
	if err := checkpoint.Load(path, &m2, &pcd2, &sgd2); err != nil {
		log.Fatal(err)
	}
	train(&m2, &pcd2, &sgd2, 100)
	fmt.Println(m2.W.At(3, 5) == m.W.At(3, 5))
	// Output: true
}

// A program with a Trainer that goes on where it was stopped, as often as it is started.
func Example_trainer() {
	dir, err := os.MkdirTemp("", "rbm")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rbm.checkpoint")

	data := rbm.NewBits(10, 6)
	for r := range 10 {
		data.SetBit(r, r%6, true)
	}
	start := func(ctx context.Context, saved func(epoch int)) {
		m := rbm.NewRandom(6, 4, 0.01, rand.NewPCG(1, 2))
		t := rbm.NewTrainer(m, data, rbm.NewPCD(10, 1, rand.NewPCG(3, 4)), rand.NewPCG(5, 6))
		if err := checkpoint.Load(path, t); err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Fatal(err)
		}
		fmt.Println("starting after epoch", t.Epochs())
		t.OnReport = func(r rbm.Report) error {
			if err := checkpoint.Save(path, t); err != nil {
				return err
			}
			saved(r.Epoch)
			return nil
		}
		fmt.Println(t.Train(ctx, 100))
	}

	ctx, cancel := context.WithCancel(context.Background())
	start(ctx, func(epoch int) {
		if epoch == 40 {
			cancel() // as signal.NotifyContext does
		}
	})
	start(context.Background(), func(int) {})
	// Output:
	// starting after epoch 0
	// rbm: after step 40: context canceled
	// starting after epoch 40
	// <nil>
}
