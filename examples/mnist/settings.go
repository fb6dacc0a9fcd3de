package main

import (
	"fmt"

	"github.com/gorbm/rbm/examples/mnist/keep"
)

// newSettings returns what a training must not change on its way.
func newSettings(o options, d data) keep.Settings {
	n, _ := d.train.Dims()
	return keep.Settings{
		{"-hidden", o.hidden},
		{"-batch", o.batch},
		{"-rate", o.rate},
		{"-schedule", o.schedule},
		{"-sampler", o.sampler},
		{"-k", o.k},
		{"-plain", o.plain},
		{"-decay", o.decay},
		{"-init", o.init},
		{"-flip", o.flip},
		{"-seed", o.seed},
		{"-rows", n + o.held},
		{"-held", o.held},
		{"training images of checksum", fmt.Sprintf("%08x", d.trainCRC)},
		{"test images of checksum", fmt.Sprintf("%08x", d.testCRC)},
	}
}
