package rows

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm/examples/beam/files"
)

func init() {
	register.Function1x2(emptyPart)
	register.DoFn3x1[context.Context, int, func(*[]byte) bool, error](&writeFn{})
	register.DoFn1x2[Bad, int, []byte](&badLineFn{})
	register.Iter1[[]byte]()
}

// A Table is some CSV files, PREFIX-00003-of-00008.csv, that say something of rows: with
// the columns file, row and others. Each part has the rows that a hash of their place
// deals it, sorted by file and row, and is in memory as a whole when it is written.
type Table struct {
	Prefix  string
	Parts   int
	Columns []string // behind file and row
}

// Line returns what is to be written of a row, and in which part. The cells of the
// other columns are CSV already.
func (t Table) Line(file string, number int64, cells []byte) (part int, line []byte) {
	// The place comes first, so that lines sort by file and row.
	line = append(append(make([]byte, 0, len(file)+9+len(cells)), file...), 0)
	line = binary.BigEndian.AppendUint64(line, uint64(number))
	h := fnv.New64a()
	h.Write(line)
	return int(h.Sum64() % uint64(t.Parts)), append(line, cells...)
}

// place returns how many bytes of a line say which row it is of.
func place(line []byte) int { return bytes.IndexByte(line, 0) + 9 }

// Write writes the table of lines, which are pairs that Line has made. A part without
// rows is written too.
func (t Table) Write(s beam.Scope, lines beam.PCollection) {
	s = s.Scope("rows.Table.Write")
	parts := make([]int, t.Parts)
	for k := range parts {
		parts[k] = k
	}
	all := beam.Flatten(s, lines, beam.ParDo(s, emptyPart, beam.CreateList(s, parts)))
	beam.ParDo0(s, &writeFn{Table: t}, beam.GroupByKey(s, all))
}

func emptyPart(k int) (int, []byte) { return k, nil }

type writeFn struct{ Table Table }

func (fn *writeFn) ProcessElement(ctx context.Context, k int, next func(*[]byte) bool) error {
	var lines [][]byte
	for line := []byte(nil); next(&line); {
		if len(line) > 0 {
			lines = append(lines, line)
		}
	}
	return fn.Table.write(ctx, k, lines)
}

// write writes a part of the table.
func (t Table) write(ctx context.Context, k int, lines [][]byte) error {
	slices.SortFunc(lines, bytes.Compare)
	lines = slices.CompactFunc(lines, bytes.Equal) // an engine may deliver one more often
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Write(append([]string{"file", "row"}, t.Columns...))
	w.Flush()
	var before []byte
	for _, line := range lines {
		at := place(line)
		file, number := string(line[:at-9]), strconv.FormatUint(binary.BigEndian.Uint64(line[at-8:]), 10)
		if bytes.Equal(before, line[:at]) {
			return fmt.Errorf("%s: row %s came twice, and not the same", file, number)
		}
		before = line[:at]
		w.Write([]string{file, number})
		w.Flush()
		out.Truncate(out.Len() - 1) // its end of line
		out.WriteByte(',')
		out.Write(line[at:])
		out.WriteByte('\n')
	}
	return files.Write(ctx, t.path(fmt.Sprintf("%05d", k)), out.Bytes())
}

// Lines are those of a table, for a program that writes it without a pipeline.
type Lines struct {
	table Table
	parts [][][]byte
}

// NewLines returns no lines yet.
func (t Table) NewLines() *Lines { return &Lines{t, make([][][]byte, t.Parts)} }

// Add adds a line that the Table has made, with its part.
func (l *Lines) Add(part int, line []byte) { l.parts[part] = append(l.parts[part], line) }

// AddBad adds the line of a row that could not be read. The table is one of [BadTable].
func (l *Lines) AddBad(b Bad) { l.Add(l.table.badLine(b)) }

// Write writes the same files as Table.Write.
func (l *Lines) Write(ctx context.Context) error {
	for k, lines := range l.parts {
		if err := l.table.write(ctx, k, lines); err != nil {
			return err
		}
	}
	return nil
}

// Pattern returns one that all files of the table match, and others with as many parts.
func (t Table) Pattern() string { return t.path("?????") }

func (t Table) path(k string) string { return fmt.Sprintf("%s-%s-of-%05d.csv", t.Prefix, k, t.Parts) }

// Check returns an error if there are files of a table with the same prefix and other
// parts, which would be taken for parts of this one.
func (t Table) Check(ctx context.Context) error {
	paths, err := files.List(ctx, t.Prefix+"-?????-of-?????.csv")
	if err != nil {
		return err
	}
	for _, path := range paths {
		var k, parts int
		end := path[len(path)-len("-00000-of-00000.csv"):]
		if _, err := fmt.Sscanf(end, "-%05d-of-%05d.csv", &k, &parts); err == nil && parts != t.Parts {
			return fmt.Errorf("%s is of a table of %d parts, not of %d", path, parts, t.Parts)
		}
	}
	return nil
}

// BadTable returns the table of rows of type [Bad], with the column reason.
func BadTable(prefix string, parts int) Table { return Table{prefix, parts, []string{"reason"}} }

// WriteBad writes rows of type [Bad] to a table that [BadTable] has returned.
func WriteBad(s beam.Scope, bad beam.PCollection, t Table) {
	t.Write(s, beam.ParDo(s, &badLineFn{Table: t}, bad))
}

type badLineFn struct{ Table Table }

func (fn *badLineFn) ProcessElement(b Bad) (int, []byte) { return fn.Table.badLine(b) }

// badLine returns the line of a row, and in which part it is.
func (t Table) badLine(b Bad) (part int, line []byte) {
	var cell bytes.Buffer
	w := csv.NewWriter(&cell)
	w.Write([]string{b.Reason})
	w.Flush()
	return t.Line(b.File, b.Number, bytes.TrimSuffix(cell.Bytes(), []byte("\n")))
}
