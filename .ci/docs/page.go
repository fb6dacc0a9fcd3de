package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A page is what a file of Markdown has that can be wrong.
type page struct {
	path    string // from the root of the tree, with slashes
	links   []link
	anchors map[string]bool
	blocks  []block
	inline  []code // code between backquotes
	faults  []fault
}

// A link is where a link or a picture leads.
type link struct {
	line int
	to   string
}

// A block is code between fences, of a language.
type block struct {
	language string
	code
}

// A code is text and the line of its beginning.
type code struct {
	line int
	text string
}

// A fault is what is wrong at a line of a page.
type fault struct {
	path string
	line int
	text string
}

func (f fault) String() string { return f.path + ":" + strconv.Itoa(f.line) + ": " + f.text }

var (
	fence      = regexp.MustCompile("^[ \t]*(```+|~~~+)[ \t]*([^` ]*)([^`]*)$")
	heading    = regexp.MustCompile(`^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)
	underline  = regexp.MustCompile(`^ {0,3}(?:=+|-+)[ \t]*$`)
	named      = regexp.MustCompile(`<[^>]*\b(?:id|name)="([^"]*)"`)
	backquoted = regexp.MustCompile("(?s)(`+)(.+?)(`+)")

	// Links: [text](to "title") and pictures, [text]: to, <https://…>, src="…", and bare addresses.
	inParentheses = regexp.MustCompile(`\]\([ \t]*(?:<([^>]*)>|((?:[^\s()]|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?[ \t]*\)`)
	definition    = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:[ \t]*<?([^\s>]+)>?`)
	attribute     = regexp.MustCompile(`\b(?:src|href)="([^"]*)"`)
	bare          = regexp.MustCompile(`\bhttps?://[^\s<>()"'` + "`" + `\]]*[^\s<>()"'` + "`" + `\].,;:!?]`)
	linked        = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// read takes a page apart.
func read(path, text string) *page {
	p := &page{path: path, anchors: map[string]bool{}}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var open string // the fence of the block at hand
	var body []string
	prose := make([]string, len(lines)) // the lines outside of blocks
	for i, line := range lines {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == "" && m != nil:
			open, body = m[1], nil
			p.blocks = append(p.blocks, block{strings.ToLower(m[2]), code{i + 2, ""}})
		case open != "" && m != nil && strings.HasPrefix(m[1], open) && m[2] == "" && strings.TrimSpace(m[3]) == "":
			p.blocks[len(p.blocks)-1].text = strings.Join(append(body, ""), "\n")
			open = ""
		case open != "":
			body = append(body, line)
		case strings.HasPrefix(line, "    ") && (i == 0 || strings.TrimSpace(prose[i-1]) == ""):
			// code by its indentation
		default:
			prose[i] = line
		}
	}
	if open != "" {
		last := &p.blocks[len(p.blocks)-1]
		p.faults = append(p.faults, fault{path, last.line - 1, "the block of code has no end"})
		last.text = strings.Join(body, "\n")
	}
	p.readInline(prose)
	p.readHeadings(prose)
	p.readLinks(prose)
	return p
}

// readInline finds code between backquotes, which may have line breaks but no empty line.
func (p *page) readInline(prose []string) {
	line := 1
	for _, paragraph := range strings.SplitAfter(strings.Join(prose, "\n"), "\n\n") {
		for _, m := range backquoted.FindAllStringSubmatchIndex(paragraph, -1) {
			if text := paragraph[m[4]:m[5]]; m[3]-m[2] == m[7]-m[6] {
				p.inline = append(p.inline, code{line + strings.Count(paragraph[:m[0]], "\n"), strings.ReplaceAll(text, "\n", " ")})
			}
		}
		line += strings.Count(paragraph, "\n")
	}
}

// readHeadings finds the anchors of a page: GitHub's of its headings, and those that are given.
func (p *page) readHeadings(prose []string) {
	for i, line := range prose {
		if m := heading.FindStringSubmatch(line); m != nil {
			p.addAnchor(m[1])
		} else if i > 0 && underline.MatchString(line) && strings.TrimSpace(prose[i-1]) != "" {
			p.addAnchor(strings.TrimSpace(prose[i-1]))
		}
		for _, m := range named.FindAllStringSubmatch(withoutCode(line), -1) {
			p.anchors[m[1]] = true
		}
	}
}

// addAnchor adds the anchor of a heading. If another heading has it, a number is appended.
func (p *page) addAnchor(text string) {
	first := anchorOf(text)
	name := first
	for n := 1; p.anchors[name]; n++ {
		name = first + "-" + strconv.Itoa(n)
	}
	p.anchors[name] = true
}

// anchorOf returns GitHub's anchor of a heading: what is shown, in lower case, without punctuation, and a hyphen for each
// space.
func anchorOf(text string) string {
	text = linked.ReplaceAllString(text, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(text))
}

// readLinks finds what the lines outside of code link to.
func (p *page) readLinks(prose []string) {
	for i, line := range prose {
		line = withoutCode(line)
		add := func(to string) { p.links = append(p.links, link{i + 1, to}) }
		for _, m := range inParentheses.FindAllStringSubmatch(line, -1) {
			add(m[1] + m[2])
		}
		line = inParentheses.ReplaceAllString(line, "]")
		if m := definition.FindStringSubmatch(line); m != nil {
			add(m[1])
			line = ""
		}
		for _, m := range attribute.FindAllStringSubmatch(line, -1) {
			add(m[1])
		}
		line = attribute.ReplaceAllString(line, "")
		for _, m := range bare.FindAllString(line, -1) {
			add(m)
		}
	}
}

// withoutCode blanks code between backquotes that ends in its line.
func withoutCode(line string) string {
	return backquoted.ReplaceAllStringFunc(line, func(s string) string { return strings.Repeat(" ", len(s)) })
}
