package bitio

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
)

// A pair is a line of pairs.
type pair struct {
	user, item string
	x          value
}

// pairs reads the lines of pairs.
type pairs struct {
	o      *Options
	p      *parser
	line   func() int // of the record that was read last
	record func() ([]string, error)

	start  []string // the first record, if it is to be read again
	doubt  bool     // it may be a header, as the rest of the file will tell
	number int      // the line of the pair that was read last
	first  int      // the line of the first record
	fields int      // of a record
	keep   []int    // those of user, item and, if there are three, value
	header []string // or nil
}

func (in *input) newPairs() (*pairs, error) {
	p := &pairs{o: in.o, p: newParser(in.o)}
	if comma := in.comma(); comma == ' ' {
		l := &lines{r: in.Reader}
		p.line = func() int { return l.number }
		p.record = func() ([]string, error) {
			for {
				line, err := l.next()
				if err != nil {
					return nil, err
				}
				if fields := bytes.Fields(line); len(fields) > 0 {
					s := make([]string, len(fields))
					for i, field := range fields {
						s[i] = string(field)
					}
					return s, nil
				}
			}
		}
	} else {
		r := newRecords(in.Reader, comma)
		p.line = func() int { return r.line }
		p.record = r.next
	}
	fields, err := p.record()
	if err == io.EOF {
		return nil, errNoRows
	}
	if err != nil {
		return nil, err
	}
	p.first = p.line()
	if err := p.layout(trimmed(fields)); err != nil {
		return nil, fmt.Errorf("line %d: %w", p.first, err)
	}
	return p, nil
}

// layout finds the fields, and whether the first record is a header.
func (p *pairs) layout(first []string) error {
	p.fields = len(first)
	header := p.o.Header == WithHeader || p.o.Header == GuessHeader && slices.ContainsFunc(p.o.Skip, isName)
	if header {
		p.header = first
	}
	left := make([]bool, p.fields)
	for _, s := range p.o.Skip {
		i, err := findColumn(p.header, p.fields, "Skip", s)
		if err != nil {
			return err
		}
		left[i] = true
	}
	for i := range first {
		if !left[i] {
			p.keep = append(p.keep, i)
		}
	}
	switch len(p.keep) {
	case 2:
		user, item := first[p.keep[0]], first[p.keep[1]]
		p.doubt = p.o.Header == GuessHeader && !header && !(isNumber(user) && isNumber(item)) && !slices.Contains(p.o.Columns, item)
	case 3:
		header = header || p.o.Header == GuessHeader && !p.p.like(first[p.keep[2]])
	default:
		return fmt.Errorf("there are %d fields, want a user, an item and optionally a value: leave others out with Skip", len(p.keep))
	}
	if !header {
		p.start = first
	}
	return nil
}

// next reads the next pair.
func (p *pairs) next() (pair, error) {
	var fields []string
	if p.start != nil {
		fields, p.number, p.start = p.start, p.first, nil
	} else {
		var err error
		if fields, err = p.record(); err != nil {
			return pair{}, err
		}
		p.number = p.line()
	}
	if len(fields) != p.fields {
		return pair{}, fmt.Errorf("line %d %w", p.number, ragged("fields", len(fields), p.fields, fmt.Sprintf("line %d", p.first)))
	}
	x := pair{strings.TrimSpace(fields[p.keep[0]]), strings.TrimSpace(fields[p.keep[1]]), one}
	for i, name := range []string{x.user, x.item} {
		if name == "" {
			return pair{}, fmt.Errorf("line %d, column %d is empty, want the name of %s", p.number, p.keep[i], []string{"a user", "an item"}[i])
		}
	}
	if len(p.keep) == 3 {
		var bad string
		if x.x, bad = p.p.field(fields[p.keep[2]]); bad != "" {
			return pair{}, fmt.Errorf("line %d, column %d %s", p.number, p.keep[2], bad)
		}
	}
	return x, nil
}

// twice is the error of a pair that has two values.
func (p *pairs) twice(line int, user, item string) error {
	return fmt.Errorf("line %d: user %.40q and item %.40q have another value than in an older line", line, user, item)
}

func (p *pairs) unknown(item string) error {
	return fmt.Errorf("line %d: item %.40q is not among the %d Columns; set IgnoreUnknown to leave it out", p.number, item, len(p.o.Columns))
}

// unknownHead is the error of the first line, if its item is unknown and the line may be a
// header.
func (p *pairs) unknownHead(item string) error {
	return fmt.Errorf("line %d: item %.40q is not among the %d Columns; set Header if it is one", p.first, item, len(p.o.Columns))
}

// A numbering has the numbers of names.
type numbering struct {
	of    map[string]int
	names []string
}

func newNumbering(names []string) *numbering {
	n := &numbering{make(map[string]int), slices.Clone(names)}
	for i, name := range names {
		n.of[name] = i
	}
	return n
}

// number returns the number of a name, which may be new.
func (n *numbering) number(name string) int {
	i, ok := n.of[name]
	if !ok {
		name = strings.Clone(name)
		i = len(n.names)
		n.of[name] = i
		n.names = append(n.names, name)
	}
	return i
}

// A knownPair is a pair by the numbers of its names.
type knownPair struct {
	user, item int32 // item is -1 if it is left out
	line       int32 // that it is on, or the largest one
	x          value
}

// all reads all pairs, without a header.
func (p *pairs) all() (list []knownPair, users, items *numbering, err error) {
	users, items = newNumbering(nil), newNumbering(p.o.Columns)
	var head pair                  // the first one
	var wrong error                // what is wrong with it, unless it is a header
	again := false                 // its user or its item is on another line
	numbers := [2]bool{true, true} // all other users, and items, are
	for {
		x, err := p.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, nil, err
		}
		first := len(list) == 0
		if first {
			head = pair{strings.Clone(x.user), strings.Clone(x.item), x.x}
		} else if p.doubt {
			again = again || x.user == head.user || x.item == head.item
			numbers[0], numbers[1] = numbers[0] && isNumber(x.user), numbers[1] && isNumber(x.item)
		}
		k := knownPair{int32(users.number(x.user)), -1, int32(min(p.number, maxIndex)), x.x}
		if _, ok := items.of[x.item]; ok || p.o.Columns == nil {
			k.item = int32(items.number(x.item))
		} else if !p.o.IgnoreUnknown {
			if !first || !p.doubt {
				return nil, nil, nil, p.unknown(x.item)
			}
			wrong = p.unknown(x.item)
		}
		if max(len(users.names), len(items.names)) > maxIndex {
			return nil, nil, nil, fmt.Errorf("line %d: there are more than %d users or items", p.number, maxIndex)
		}
		list = append(list, k)
	}
	if p.doubt && len(list) > 1 && (numbers[0] && !isNumber(head.user) || numbers[1] && !isNumber(head.item)) {
		list, users, items = p.renumber(list[1:], users, items)
		return list, users, items, nil
	}
	switch {
	case !p.doubt || again || len(list) == 1:
	case wrong != nil:
		wrong = p.unknownHead(head.item)
	case aloneFirst(list, len(users.names), len(items.names)):
		wrong = fmt.Errorf("line %d: user %.40q and item %.40q are on no other line: set Header to say whether the line has names", p.first, head.user, head.item)
	}
	return list, users, items, wrong
}

// aloneFirst reports whether the first pair, whose user and item are in no other one, is
// the only such pair.
func aloneFirst(list []knownPair, users, items int) bool {
	byUser, byItem := make([]int32, users), make([]int32, items+1) // the last one of items that are left out
	for _, x := range list {
		byUser[x.user]++
		byItem[(int(x.item)+items+1)%(items+1)]++
	}
	byItem[items] = 1 // which may be any
	for _, x := range list[1:] {
		if byUser[x.user] == 1 && byItem[(int(x.item)+items+1)%(items+1)] == 1 {
			return false
		}
	}
	return true
}

// renumber numbers the pairs again, without users and items that no longer are there.
func (p *pairs) renumber(list []knownPair, users, items *numbering) ([]knownPair, *numbering, *numbering) {
	u, i := newNumbering(nil), newNumbering(p.o.Columns)
	for k := range list {
		x := &list[k]
		x.user = int32(u.number(users.names[x.user]))
		if x.item >= 0 {
			x.item = int32(i.number(items.names[x.item]))
		}
	}
	return list, u, i
}

// table reads all pairs.
func (p *pairs) table() (*Table, error) {
	list, users, items, err := p.all()
	if err != nil {
		return nil, err
	}
	anyMissing := slices.ContainsFunc(list, func(x knownPair) bool { return x.x == missing })
	n, c := len(users.names), len(items.names)
	if n == 0 || c == 0 {
		return nil, errNoRows
	}
	if err := checkBytes(n, c, 3, p.o); err != nil {
		return nil, err
	}
	column := make([]int, c) // of items, in the order of appearance
	for i := range column {
		column[i] = i
	}
	names := items.names
	if p.o.Columns == nil {
		names = sorted(items.names)
		for j, name := range names {
			column[items.of[name]] = j
		}
	}
	t := &Table{Bits: rbm.NewBits(n, c), Columns: names, Rows: users.names}
	seen := rbm.NewBits(n, c)
	var unknown *rbm.Bits
	if anyMissing {
		unknown = rbm.NewBits(n, c)
	}
	for _, e := range list {
		if e.item < 0 {
			continue
		}
		u, j := int(e.user), column[e.item]
		old := zero
		switch {
		case t.Bits.Bit(u, j):
			old = one
		case anyMissing && unknown.Bit(u, j):
			old = missing
		}
		if seen.Bit(u, j) && old != e.x {
			return nil, p.twice(int(e.line), users.names[u], names[j])
		}
		seen.SetBit(u, j, true)
		switch e.x {
		case one:
			t.Bits.SetBit(u, j, true)
		case missing:
			unknown.SetBit(u, j, true)
		}
	}
	switch {
	case p.o.AbsentMissing:
		t.Observed = seen
		if anyMissing {
			for r := range n {
				row, not := seen.RawRow(r), unknown.RawRow(r)
				for w := range row {
					row[w] &^= not[w]
				}
			}
		}
	case anyMissing:
		t.Observed = unknown
		invert(unknown)
	}
	return t, nil
}

// sorted returns names in the order of columns.
func sorted(names []string) []string {
	number := make(map[string]uint64)
	for _, name := range names {
		x, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return names
		}
		number[name] = x
	}
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(number[a], number[b]), cmp.Compare(a, b))
	})
	return names
}

func (in *input) openPairs(stream bool) (*source, error) {
	if stream && in.o.Columns == nil {
		return nil, fmt.Errorf("which items there are is not known before the end: a stream of pairs wants Columns")
	}
	p, err := in.newPairs()
	if err != nil {
		return nil, err
	}
	if stream {
		if p.doubt {
			return nil, p.unknownHead(p.start[p.keep[1]])
		}
		return p.stream(), nil
	}
	t, err := p.table()
	if err != nil {
		return nil, err
	}
	return &source{table: t}, nil
}

// stream returns rows of users whose pairs are together.
func (p *pairs) stream() *source {
	items := newNumbering(p.o.Columns)
	seen := make(map[string]bool) // users
	s := &source{cols: len(items.names)}
	have := newRow(s.cols) // v has a one for each pair of the user
	var pending *pair      // the first of the next user
	user := ""
	s.where = func() string { return fmt.Sprintf("user %.40q", user) }
	add := func(row *row, x *pair) error {
		j, ok := items.of[x.item]
		if !ok {
			if p.o.IgnoreUnknown {
				return nil
			}
			return p.unknown(x.item)
		}
		w, bit := j/wordBits, uint64(1)<<(j%wordBits)
		old := zero
		switch {
		case row.v[w]&bit != 0:
			old = one
		case row.missing[w]&bit != 0:
			old = missing
		}
		if have.v[w]&bit != 0 && old != x.x {
			return p.twice(p.number, x.user, x.item)
		}
		have.v[w] |= bit
		row.set(j, x.x)
		return nil
	}
	var end error
	s.next = func(row *row) error {
		if end != nil {
			return end
		}
		have.reset()
		if pending == nil {
			x, err := p.next()
			if err != nil {
				return err
			}
			pending = &x
		}
		user = strings.Clone(pending.user)
		if seen[user] {
			return fmt.Errorf("line %d: user %.40q was there before: a stream wants the pairs of a user together", p.number, user)
		}
		seen[user] = true
		for x := *pending; ; {
			if err := add(row, &x); err != nil {
				return err
			}
			var err error
			x, err = p.next()
			if err == io.EOF {
				end = io.EOF
				break
			}
			if err != nil {
				return err
			}
			if x.user != user {
				x.user, x.item = strings.Clone(x.user), strings.Clone(x.item)
				pending = &x
				break
			}
		}
		if p.o.AbsentMissing {
			for j := range s.cols {
				if have.v[j/wordBits]>>(j%wordBits)&1 == 0 {
					row.set(j, missing)
				}
			}
		}
		return nil
	}
	return s
}
