package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

var trainCommand = &command{
	name:  "train",
	args:  "ROWS -o MODEL",
	least: 1,
	most:  1,
	short: "train a model on the rows of a file",
	long: `
Train fits a model to the rows of a file, a column for each visible unit, and writes it to MODEL. The name chooses the
format: .npz for NumPy, .json, or else the format of the Go package. MODEL.json, beside it, has the names of the columns
and how to read rows, so that other commands read theirs in the same way.

Some rows are held out. The figure of a report is the log-likelihood, in nats a row, or where this takes too long the
pseudo-log-likelihood, of rows to train on and of those held out; higher is better. The model that is written is the
best of all reports by the rows held out, or else the last.

Missing values are averaged over as the model sees them; the figure of rows to train on then is of rows completed by
the model, and may fall while the other one rises. Ctrl-C saves a checkpoint, and -resume goes on from there to the same
bits as without an interruption.`,
	examples: []string{
		"rbm train rows.csv -o model.rbm",
		"rbm train rows.csv.gz -o model.npz -hidden 500 -epochs 100 -rate 0.02",
		"rbm train rows.csv -o model.rbm -resume",
	},
	setup: setupTrain,
}

// A training is what train works on.
type training struct {
	settings
	out, checkpoint string
	resume, fresh   bool
	data            dataFlags
	flags           *flags

	note    note
	told    bool // of independent columns
	trainer *rbm.Trainer
	saved   time.Time
	every   time.Duration // between checkpoints, at least
}

const mostWeights = 1 << 30 // eight gigabytes, and as much again for the gradient

func setupTrain(f *flags) action {
	t := &training{settings: defaultSettings(), flags: f, every: time.Minute}
	f.group("Output")
	f.text(&t.out, "o", "", "`FILE` of the model")
	f.text(&t.checkpoint, "checkpoint", "", "`FILE` of the checkpoint, which then stays when training is done (default MODEL.checkpoint)")
	f.yes(&t.resume, "resume", "go on from the checkpoint")
	f.yes(&t.fresh, "fresh", "start anew although there is a checkpoint, which is then lost")
	f.group("Classification")
	f.text(&t.data.Label, "label", "", "csv, or libsvm with any name: `COLUMN` of the classes, in any words; rbm classify then tells the class of other rows")
	t.declare(f)
	t.data.declare(f)
	return t.run
}

func (t *training) run(ctx context.Context, e *env, args []string) error {
	if err := t.check(); err != nil {
		return err
	}
	if err := t.prepare(ctx, e, args[0]); err != nil {
		return err
	}
	if err := t.train(ctx, e); err != nil {
		return err
	}
	return t.finish(e)
}

// check looks at the command line and at the files to write.
func (t *training) check() error {
	switch {
	case t.out == "":
		return usagef("train: -o is missing, want a file for the model")
	case t.checkpoint == t.out:
		return usagef("train: -o and -checkpoint are the same file, want two")
	case t.resume && t.fresh:
		return usagef("train: -resume and -fresh exclude each other")
	}
	if err := t.settings.check(); err != nil {
		return err
	}
	if err := checkModelOutput(t.out); err != nil {
		return err
	}
	found := exists(t.checkpointFile())
	if t.resume && !found {
		return fmt.Errorf("%s: there is no checkpoint to go on from", t.checkpointFile())
	}
	if found && !t.resume {
		s, err := loadSaved(t.checkpointFile())
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !t.fresh:
			return fmt.Errorf("%s: %d of %d epochs are done; -resume goes on from there, -fresh starts anew", t.checkpointFile(), s.note.Epoch, s.note.Settings.Epochs)
		}
	}
	return nil
}

func (t *training) checkpointFile() string {
	if t.checkpoint != "" {
		return t.checkpoint
	}
	return t.out + ".checkpoint"
}

// prepare reads the rows and makes the Trainer, or takes up that of the checkpoint.
func (t *training) prepare(ctx context.Context, e *env, path string) error {
	var s *saved
	if t.resume {
		var err error
		if s, err = loadSaved(t.checkpointFile()); err != nil {
			return err
		}
		if t.settings, err = t.resumed(s.note.Settings); err != nil {
			return err
		}
		if t.flags.given("label") && t.data.Label != s.note.Rows.Label {
			return fmt.Errorf("-label is %s, but %q in %s", t.data.Label, s.note.Rows.Label, t.checkpointFile())
		}
		t.data.assume(s.note.Rows)
	}
	r, err := t.data.read(ctx, e, path)
	if err != nil {
		return err
	}
	d, err := t.split(ctx, e, r)
	if err != nil {
		return err
	}
	_, nv := d.train.Dims()
	if nv*max(1, t.Hidden) > mostWeights {
		return fmt.Errorf("%s has %d columns, too many for the memory; is one number of a column wrong?", path, nv)
	}
	if s != nil && nv != s.note.Visible {
		return fmt.Errorf("%s has %d columns, want %d as in %s", path, nv, s.note.Visible, t.checkpointFile())
	}
	t.Classes = len(r.format.Classes)
	if err := t.checkRows(r, d); err != nil {
		return err
	}
	if err := t.fill(ctx, d); err != nil {
		return err
	}
	if t.trainer, err = t.settings.trainer(d); err != nil {
		return err
	}
	t.note = note{Rows: r.format, Visible: nv}
	if s != nil {
		t.note = s.note
		if err := t.trainer.UnmarshalBinary(s.trainer); err != nil {
			return fmt.Errorf("%s: %w", t.checkpointFile(), trim(err))
		}
	}
	t.note.Settings = t.settings
	t.tell(e, r, d)
	return nil
}

// resumed returns the settings of a checkpoint, with those of the command line that may change.
func (t *training) resumed(old settings) (settings, error) {
	f, s := newFlags(), old
	s.declare(f)
	for _, g := range f.groups {
		for _, name := range g.names {
			was, is := f.set.Lookup(name).Value, t.flags.set.Lookup(name).Value
			if !t.flags.given(name) || was.String() == is.String() {
				continue
			}
			if name != "epochs" && name != "patience" {
				return s, fmt.Errorf("-%s is %v, but %v in %s; only -epochs and -patience may change", name, is, was, t.checkpointFile())
			}
			if err := was.Set(is.String()); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// split returns the rows to train on and to judge by.
func (t *training) split(ctx context.Context, e *env, r *rows) (*split, error) {
	if t.Valid == "" {
		return splitRows(r, &t.settings)
	}
	data := t.data
	data.rowFormat = r.format
	v, err := data.read(ctx, e, t.Valid)
	if err != nil {
		return nil, err
	}
	if err := v.checkColumns(r.columns, r.width(), r.path); err != nil {
		return nil, err
	}
	if v.observed != nil {
		return nil, fmt.Errorf("%s: %s is missing; rows to judge by must be complete", v.path, v.firstMissing())
	}
	return &split{train: r.bits, observed: r.observed, held: v.bits}, nil
}

// checkRows returns an error unless the rows fit the groups.
func (t *training) checkRows(r *rows, d *split) error {
	groups, err := parseGroups(t.OneHot)
	if err != nil || groups == nil {
		return err
	}
	if last, nx := groups[len(groups)-1], r.width()-t.Classes; last.To > nx {
		return fmt.Errorf("%s has %d columns, fewer than -onehot %s", r.path, nx, t.OneHot)
	}
	if err := checkGroups(groups, r); err != nil || t.Valid == "" {
		return err
	}
	return checkGroups(groups, &rows{path: t.Valid, bits: d.held})
}

// tell says what is trained.
func (t *training) tell(e *env, r *rows, d *split) {
	n, nv := d.train.Dims()
	held := 0
	if d.held != nil {
		held, _ = d.held.Dims()
	}
	missing := ""
	if share := r.missingShare(); share > 0 {
		missing = fmt.Sprintf(", %.2g%% of the values missing", 100*share)
	}
	fmt.Fprintf(e.stderr, "%s: %d rows to train on, %d held out, %d columns%s; %v\n", r.path, n, held, nv, missing, &t.settings)
	if t.resume {
		fmt.Fprintf(e.stderr, "%s: %d of %d epochs are done\n", t.checkpointFile(), t.trainer.Epochs(), t.Epochs)
	}
}

// train trains, shows how it goes and saves checkpoints.
func (t *training) train(ctx context.Context, e *env) error {
	n, _ := t.trainer.Data.Dims()
	epoch := (n-1)/t.Batch + 1
	p := e.newProgress("training", t.trainer.Steps(), t.Epochs*epoch)
	rate := t.trainer.Schedule
	t.trainer.Schedule = func(step int) float64 {
		p.reach(step)
		return rate(step)
	}
	t.saved = time.Now()
	t.trainer.OnReport = func(r rbm.Report) error { return t.report(p, r) }
	err := t.trainer.Train(ctx, t.Epochs)
	p.clear()
	if err == nil || !errors.Is(err, ctx.Err()) {
		return trim(err)
	}
	if saving := t.save(); saving != nil {
		return saving
	}
	return fmt.Errorf("%w; %s keeps %d of %d epochs, and -resume goes on from there", ctx.Err(), t.checkpointFile(), t.trainer.Epochs(), t.Epochs)
}

// report shows a report.
func (t *training) report(p *progress, r rbm.Report) error {
	if r.Best {
		t.note.BestEpoch = r.Epoch
	}
	p.note = figures(r)
	if x := r.IndependentLogLikelihood; !t.told && !math.IsNaN(x) {
		p.printf("independent columns would have a log-likelihood of %.3f", x)
		t.told = true
	}
	if !p.bar {
		p.printf("epoch %d of %d: %s, rate %.3g", r.Epoch, t.Epochs, p.note, r.Rate)
	}
	for _, warning := range r.Warnings {
		if kind := digits.ReplaceAllString(warning, "#"); !slices.Contains(t.note.Warned, kind) {
			t.note.Warned = append(t.note.Warned, kind)
			p.printf("warning: %s", warning)
		}
	}
	if pt, ok := t.trainer.Sampler.(*rbm.PT); ok {
		pt.Adapt()
	}
	if time.Since(t.saved) < t.every {
		return nil
	}
	return t.save()
}

// figures returns what a report says of the model.
func figures(r rbm.Report) (text string) {
	switch {
	case !math.IsNaN(r.Error):
		return fmt.Sprintf("%.2f%% errors, log p(class) %.3f", 100*r.Error, r.LogProb)
	case math.IsNaN(r.PseudoLogLikelihood): // of a classifier
		return "no rows are held out"
	case !math.IsNaN(r.LogLikelihood):
		text = fmt.Sprintf("log-likelihood %.3f", r.LogLikelihood)
		if !math.IsNaN(r.HeldOutLogLikelihood) {
			text += fmt.Sprintf(", held out %.3f", r.HeldOutLogLikelihood)
		}
	default:
		text = fmt.Sprintf("pseudo-log-likelihood %.3f", r.PseudoLogLikelihood)
		if !math.IsNaN(r.HeldOutPseudoLogLikelihood) {
			text += fmt.Sprintf(", held out %.3f", r.HeldOutPseudoLogLikelihood)
		}
	}
	return text
}

// Warnings that differ in their numbers only are the same one.
var digits = regexp.MustCompile(`[-+]?\d[-+.\de]*`)

// save writes the checkpoint.
func (t *training) save() error {
	t.saved = time.Now()
	t.note.Step, t.note.Epoch = t.trainer.Steps(), t.trainer.Epochs()
	return checkpoint.Save(t.checkpointFile(), &saved{note: t.note, write: t.trainer})
}

// finish writes the model, and keeps or removes the checkpoint.
func (t *training) finish(e *env) error {
	m, of := t.trainer.Model, fmt.Sprintf("of epoch %d", t.trainer.Epochs())
	if best := t.trainer.Best(); best != nil {
		m, of = best, fmt.Sprintf("of epoch %d, the best of %d", t.note.BestEpoch, t.trainer.Epochs())
	}
	if t.checkpoint != "" {
		if err := t.save(); err != nil {
			return err
		}
	}
	if err := writeModel(t.out, m, &sidecar{Rows: t.note.Rows, Training: &t.settings}); err != nil {
		return err
	}
	if t.checkpoint == "" {
		if err := os.Remove(t.checkpointFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	nv, nh := m.Dims()
	fmt.Fprintf(e.stdout, "%s: %d visible and %d hidden units, %s\n", t.out, nv, nh, of)
	return nil
}
