package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gorbm/rbm/checkpoint"
)

// settings are what a training must not change on its way: flags and data. As the
// first part of a checkpoint they say in words why it does not fit.
type settings []setting

type setting struct{ name, value string }

var _ checkpoint.State = settings(nil)

func newSettings(o options, d data) settings {
	n, _ := d.train.Dims()
	return settings{
		{"-hidden", strconv.Itoa(o.hidden)},
		{"-batch", strconv.Itoa(o.batch)},
		{"-rate", fmt.Sprint(o.rate)},
		{"-schedule", o.schedule},
		{"-sampler", o.sampler},
		{"-k", strconv.Itoa(o.k)},
		{"-plain", fmt.Sprint(o.plain)},
		{"-decay", fmt.Sprint(o.decay)},
		{"-init", fmt.Sprint(o.init)},
		{"-flip", fmt.Sprint(o.flip)},
		{"-seed", strconv.FormatUint(o.seed, 10)},
		{"-rows", strconv.Itoa(n + o.held)},
		{"-held", strconv.Itoa(o.held)},
		{"training images of checksum", fmt.Sprintf("%08x", d.trainCRC)},
		{"test images of checksum", fmt.Sprintf("%08x", d.testCRC)},
	}
}

// AppendBinary appends a line for each setting.
func (s settings) AppendBinary(b []byte) ([]byte, error) {
	for _, x := range s {
		b = fmt.Appendf(b, "%s %s\n", x.name, x.value)
	}
	return b, nil
}

// A misfit says how a checkpoint was made.
type misfit string

func (m misfit) Error() string { return "was made with " + string(m) }

// UnmarshalBinary returns an error, a misfit where it can, unless data are these
// settings.
func (s settings) UnmarshalBinary(data []byte) error {
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) != len(s) {
		return fmt.Errorf("there are %d settings, want %d", len(lines), len(s))
	}
	for i, x := range s {
		if want := x.name + " " + x.value; lines[i] != want {
			return misfit(lines[i] + ", not " + want)
		}
	}
	return nil
}
