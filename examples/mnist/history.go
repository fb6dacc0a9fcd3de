package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

// history are the reports of a training so far, without their speed: it is the
// same history, to the bit, after a stop. It is a part of the checkpoint, and the
// same lines go to a file to be read by others.
type history []rbm.Report

var _ checkpoint.State = (*history)(nil)

// columns are the numbers of a report that stand between its epoch and its lists.
var columns = []struct {
	name string
	of   func(r *rbm.Report) *float64
}{
	{"rate", func(r *rbm.Report) *float64 { return &r.Rate }},
	{"pseudo_log_likelihood", func(r *rbm.Report) *float64 { return &r.PseudoLogLikelihood }},
	{"held_out_pseudo_log_likelihood", func(r *rbm.Report) *float64 { return &r.HeldOutPseudoLogLikelihood }},
	{"free_energy_gap", func(r *rbm.Report) *float64 { return &r.FreeEnergyGap }},
	{"weight_rms", func(r *rbm.Report) *float64 { return &r.WeightRMS }},
	{"hidden_activity", func(r *rbm.Report) *float64 { return &r.HiddenActivity }},
	{"chain_move", func(r *rbm.Report) *float64 { return &r.ChainMove }},
}

const warningSeparator = "; "

// add adds a report, and returns those of its warnings that no earlier one has,
// with whatever numbers.
func (h *history) add(r rbm.Report) (news []string) {
	for _, warning := range r.Warnings {
		same := func(other string) bool { return kind(other) == kind(warning) }
		if !slices.ContainsFunc(*h, func(r rbm.Report) bool { return slices.ContainsFunc(r.Warnings, same) }) {
			news = append(news, warning)
		}
	}
	r.RowsPerSecond = 0
	r.SwapRates, r.Warnings = slices.Clone(r.SwapRates), slices.Clone(r.Warnings)
	*h = append(*h, r)
	return news
}

var number = regexp.MustCompile(`[-+]?\d[-+.\de]*`)

// kind is a warning without its numbers.
func kind(warning string) string { return number.ReplaceAllString(warning, "#") }

// AppendBinary appends a table of comma-separated values with a line of names.
func (h *history) AppendBinary(b []byte) ([]byte, error) {
	out := bytes.NewBuffer(b)
	w := csv.NewWriter(out)
	w.Write(names())
	for _, r := range *h {
		record := []string{strconv.Itoa(r.Epoch), strconv.Itoa(r.Step)}
		for _, c := range columns {
			record = append(record, format(*c.of(&r)))
		}
		swaps := make([]string, len(r.SwapRates))
		for i, rate := range r.SwapRates {
			swaps[i] = format(rate)
		}
		w.Write(append(record, strings.Join(swaps, " "), strings.Join(r.Warnings, warningSeparator)))
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func names() []string {
	names := []string{"epoch", "step"}
	for _, c := range columns {
		names = append(names, c.name)
	}
	return append(names, "swap_rates", "warnings")
}

func format(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// UnmarshalBinary sets h to the reports that AppendBinary wrote.
func (h *history) UnmarshalBinary(data []byte) error {
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if len(records) == 0 || !slices.Equal(records[0], names()) {
		return errors.New("history: the columns are not those of this program")
	}
	var reports history
	for i, record := range records[1:] {
		r, err := parseReport(record)
		if err != nil {
			return fmt.Errorf("history: line %d: %w", i+2, err)
		}
		reports = append(reports, r)
	}
	*h = reports
	return nil
}

func parseReport(record []string) (r rbm.Report, err error) {
	if r.Epoch, err = strconv.Atoi(record[0]); err != nil {
		return r, fmt.Errorf("epoch: %w", err)
	}
	if r.Step, err = strconv.Atoi(record[1]); err != nil {
		return r, fmt.Errorf("step: %w", err)
	}
	for i, c := range columns {
		if *c.of(&r), err = strconv.ParseFloat(record[2+i], 64); err != nil {
			return r, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	rest := record[2+len(columns):]
	for _, field := range strings.Fields(rest[0]) {
		rate, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return r, fmt.Errorf("swap_rates: %w", err)
		}
		r.SwapRates = append(r.SwapRates, rate)
	}
	if rest[1] != "" {
		r.Warnings = strings.Split(rest[1], warningSeparator)
	}
	return r, nil
}
