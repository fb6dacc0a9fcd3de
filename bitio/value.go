package bitio

import (
	"fmt"
	"strconv"
	"strings"
)

// A value is what an entry of a table may be.
type value uint8

const (
	zero value = iota
	one
	missing
)

var usualMissing = []string{"", "NA", "N/A", "?", "nan", "NaN", "null"}

// A parser turns fields and numbers into values.
type parser struct {
	spins     bool
	threshold *float64
	missing   map[string]bool
	simple    bool // 1 is one, and 0 is zero unless spins are wanted
}

func newParser(o *Options) *parser {
	p := &parser{spins: o.Spins, threshold: o.Threshold, missing: make(map[string]bool)}
	list := o.Missing
	if list == nil {
		list = usualMissing
	}
	for _, s := range list {
		p.missing[strings.TrimSpace(s)] = true
	}
	p.simple = p.threshold == nil && !p.missing["0"] && !p.missing["1"]
	return p
}

// field returns the value of a field, or says why it is none.
func (p *parser) field(s string) (value, string) {
	if p.simple && len(s) == 1 {
		switch {
		case s[0] == '1':
			return one, ""
		case s[0] == '0' && !p.spins:
			return zero, ""
		}
	}
	s = strings.TrimSpace(s)
	if p.missing[s] {
		return missing, ""
	}
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err == nil || isRange(err):
		if v, ok := p.number(x); ok {
			return v, ""
		}
		return 0, fmt.Sprintf("is %.40q, %s", s, p.want(x))
	case p.threshold != nil || p.spins:
	case strings.EqualFold(s, "true"):
		return one, ""
	case strings.EqualFold(s, "false"):
		return zero, ""
	}
	return 0, fmt.Sprintf("is %.40q, %s", s, p.want(0))
}

// like reports whether s could be a value, be it one that is not wanted.
func (p *parser) like(s string) bool { _, bad := p.field(s); return bad == "" || isNumber(s) }

func isNumber(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }

// isRange reports whether a number is an infinity because it is too large.
func isRange(err error) bool { return strings.HasSuffix(err.Error(), strconv.ErrRange.Error()) }

// number returns the value of a number. NaN has none.
func (p *parser) number(x float64) (value, bool) {
	switch {
	case x != x:
		return 0, false
	case p.threshold != nil:
		if x > *p.threshold {
			return one, true
		}
		return zero, true
	case x == 1:
		return one, true
	case p.spins && x == -1 || !p.spins && x == 0:
		return zero, true
	}
	return 0, false
}

// want says which values there are, where x is none.
func (p *parser) want(x float64) string {
	switch {
	case p.threshold != nil:
		return "want a number"
	case p.spins:
		return "want -1 or 1, as Spins is set"
	case x == -1:
		return "want 0 or 1; set Spins to read -1 and 1"
	case x != 0 && x == x:
		return "want 0 or 1; set Threshold to read values above it as 1"
	}
	return "want 0 or 1"
}
