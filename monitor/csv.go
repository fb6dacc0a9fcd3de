package monitor

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/atomicfile"
)

// columns are the numbers of a report, after its epoch and step.
var columns = []struct {
	name string
	of   func(r *rbm.Report) *float64
}{
	{"rate", func(r *rbm.Report) *float64 { return &r.Rate }},
	{"log_likelihood", func(r *rbm.Report) *float64 { return &r.LogLikelihood }},
	{"held_out_log_likelihood", func(r *rbm.Report) *float64 { return &r.HeldOutLogLikelihood }},
	{"pseudo_log_likelihood", func(r *rbm.Report) *float64 { return &r.PseudoLogLikelihood }},
	{"held_out_pseudo_log_likelihood", func(r *rbm.Report) *float64 { return &r.HeldOutPseudoLogLikelihood }},
	{"independent_log_likelihood", func(r *rbm.Report) *float64 { return &r.IndependentLogLikelihood }},
	{"error", func(r *rbm.Report) *float64 { return &r.Error }},
	{"log_prob", func(r *rbm.Report) *float64 { return &r.LogProb }},
	{"free_energy_gap", func(r *rbm.Report) *float64 { return &r.FreeEnergyGap }},
	{"free_energy_shift", func(r *rbm.Report) *float64 { return &r.FreeEnergyShift }},
	{"weight_rms", func(r *rbm.Report) *float64 { return &r.WeightRMS }},
	{"hidden_activity", func(r *rbm.Report) *float64 { return &r.HiddenActivity }},
	{"chain_move", func(r *rbm.Report) *float64 { return &r.ChainMove }},
}

func names() []string {
	names := []string{"epoch", "step"}
	for _, c := range columns {
		names = append(names, c.name)
	}
	return append(names, "best", "swap_rates", "warnings")
}

// CSV returns a function that appends a line for each report to the file of a name: all
// but the speed, so that training that was stopped and continued ends with the same
// bytes. Of a file that is there it keeps the reports up to a step, mostly
// rbm.Trainer.Steps after a checkpoint was read, and drops those behind. ReadCSV reads
// the file. It is an error if the file is no such table.
func CSV(name string, step int) (func(rbm.Report) error, error) {
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	var kept []rbm.Report
	if !bytes.HasPrefix(line(names()), old) {
		old = old[:bytes.LastIndexByte(old, '\n')+1] // without a line that was cut off
		if kept, err = ReadCSV(bytes.NewReader(old)); err != nil {
			return nil, fmt.Errorf("%w, in %s", err, name)
		}
	}
	kept = slices.DeleteFunc(kept, func(r rbm.Report) bool { return r.Step > step })
	table := line(names())
	for _, r := range kept {
		table = append(table, line(fields(&r))...)
	}
	if err := atomicfile.Replace(name, table); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	return func(r rbm.Report) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.Write(line(fields(&r)))
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return fmt.Errorf("monitor: report of step %d: %w", r.Step, err)
		}
		return nil
	}, nil
}

// line returns the record as a line.
func line(record []string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(record)
	w.Flush()
	return b.Bytes()
}

// fields returns the record of a report.
func fields(r *rbm.Report) []string {
	record := []string{strconv.Itoa(r.Epoch), strconv.Itoa(r.Step)}
	for _, c := range columns {
		record = append(record, format(*c.of(r)))
	}
	swaps := make([]string, len(r.SwapRates))
	for i, rate := range r.SwapRates {
		swaps[i] = format(rate)
	}
	warnings := ""
	if len(r.Warnings) > 0 {
		b, _ := json.Marshal(r.Warnings)
		warnings = string(b)
	}
	return append(record, strconv.FormatBool(r.Best), strings.Join(swaps, " "), warnings)
}

func format(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// ReadCSV returns the reports of a table that [CSV] wrote; RowsPerSecond is NaN. An error
// names the line, the column and the value.
func ReadCSV(r io.Reader) ([]rbm.Report, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	first, err := in.Read()
	if err == nil && !slices.Equal(first, names()) {
		err = fmt.Errorf("the columns are %q, want %q", first, names())
	}
	if err == io.EOF {
		err = errors.New("there is no line with the names of the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	var reports []rbm.Report
	for {
		record, err := in.Read()
		if err == io.EOF {
			return reports, nil
		}
		if err != nil {
			return nil, fmt.Errorf("monitor: %w", err)
		}
		report, column, err := parse(record)
		if err != nil {
			at, _ := in.FieldPos(0)
			return nil, fmt.Errorf("monitor: line %d, column %s: %w", at, names()[column], err)
		}
		reports = append(reports, report)
	}
}

// parse returns the report of a record, or the first column that is wrong.
func parse(record []string) (r rbm.Report, column int, err error) {
	r.RowsPerSecond = math.NaN()
	for _, n := range []*int{&r.Epoch, &r.Step} {
		if *n, err = strconv.Atoi(record[column]); err != nil {
			return r, column, err
		}
		column++
	}
	for _, c := range columns {
		if *c.of(&r), err = strconv.ParseFloat(record[column], 64); err != nil {
			return r, column, err
		}
		column++
	}
	if r.Best, err = strconv.ParseBool(record[column]); err != nil {
		return r, column, err
	}
	column++
	for _, field := range strings.Fields(record[column]) {
		rate, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return r, column, err
		}
		r.SwapRates = append(r.SwapRates, rate)
	}
	column++
	if text := record[column]; text != "" {
		if err := json.Unmarshal([]byte(text), &r.Warnings); err != nil {
			return r, column, fmt.Errorf("%q: %w", text, err)
		}
	}
	return r, column, nil
}
