package rows

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
)

func init() {
	register.DoFn3x1[context.Context, string, func(string), error](&listFn{})
	register.DoFn4x1[context.Context, string, func(Row), func(Bad), error](&readFn{})
	register.Emitter1[string]()
	register.Emitter1[Row]()
	register.Emitter1[Bad]()
}

// Read returns the rows of all files that match a pattern, as [Row], and as [Bad] those
// that cannot be read, or do not have exactly one unit of each group on: each row is in
// one of the two. A pattern that matches no file is an error of the job. [Counts] says
// how many rows there were.
//
// A file is the unit of reading: one file is not read faster by more machines. Of one
// with a damaged chunk the other rows are good. One that has other columns or a damaged
// header, is a damaged .gz, or is a directory is a single Bad. One that cannot be opened
// or read is none: that is an error of the job, and the engine may try again.
//
// Groups are those of a model with so many visible units. Read panics if columns is less
// than 1.
func Read(s beam.Scope, pattern string, columns int, groups ...rbm.Group) (good, bad beam.PCollection) {
	checkColumns(columns)
	s = s.Scope("rows.Read")
	paths := beam.ParDo(s, &listFn{}, beam.Create(s, pattern))
	return beam.ParDo2(s, &readFn{Columns: columns, Groups: groups}, beam.Reshuffle(s, paths))
}

type listFn struct{}

func (listFn) ProcessElement(ctx context.Context, pattern string, emit func(string)) error {
	paths, err := Files(ctx, pattern)
	for _, path := range paths {
		emit(path)
	}
	return err
}

type readFn struct {
	Columns int
	Groups  []rbm.Group
}

const namespace = "rows" // of counters

var (
	goodRows = beam.NewCounter(namespace, "good")
	badRows  = beam.NewCounter(namespace, "bad")
)

// Counts returns how many rows the calls of Read in a job have found. Engines may count
// those of a part of the job that failed and was done again.
func Counts(job beam.PipelineResult) (good, bad int64) {
	ours := func(r beam.MetricResult) bool { return r.Namespace() == namespace }
	for _, c := range job.Metrics().Query(ours).Counters() {
		switch c.Name() {
		case "good":
			good += c.Result()
		case "bad":
			bad += c.Result()
		}
	}
	return good, bad
}

func (fn *readFn) ProcessElement(ctx context.Context, path string, good func(Row), bad func(Bad)) error {
	countBad := func(b Bad) {
		badRows.Inc(ctx, 1)
		bad(b)
	}
	return readFile(ctx, path, fn.Columns, checked(fn.Groups, func(r Row) {
		goodRows.Inc(ctx, 1)
		good(r)
	}, countBad), countBad)
}
