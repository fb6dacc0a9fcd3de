package main

import (
	"strings"
	"unicode"
)

// A command is a simple command of a shell: its words, without redirections and the variables before it.
type command struct {
	line  int
	words []string
}

// commandsOf reads commands, as far as pages need it: quotes, comments, continued lines, and what separates commands.
func commandsOf(c code) (commands []command) {
	var words []string
	var word strings.Builder
	inWord, skip := false, false // skip the word after a redirection
	line, first := c.line, c.line
	endWord := func() {
		if w := word.String(); inWord && !skip && (len(words) > 0 || !assigns(w)) {
			if len(words) == 0 {
				first = line
			}
			words = append(words, w)
		}
		if inWord {
			skip = false
		}
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, command{first, words})
		}
		words = nil
	}
	r := []rune(c.text)
	for i := 0; i < len(r); i++ {
		switch {
		case r[i] == '\\' && i+1 < len(r):
			if i++; r[i] == '\n' {
				line++
			} else {
				word.WriteRune(r[i])
				inWord = true
			}
		case r[i] == '\'' || r[i] == '"':
			quote := r[i]
			inWord = true
			for i++; i < len(r) && r[i] != quote; i++ {
				if r[i] == '\\' && quote == '"' && i+1 < len(r) {
					i++
				}
				if r[i] == '\n' {
					line++
				}
				word.WriteRune(r[i])
			}
		case r[i] == '#' && !inWord:
			for i+1 < len(r) && r[i+1] != '\n' {
				i++
			}
		case r[i] == '\n':
			endCommand()
			line++
		case strings.ContainsRune(";&|()", r[i]):
			endCommand()
		case r[i] == '<' || r[i] == '>':
			if strings.Trim(word.String(), "0123456789") == "" { // 2>
				word.Reset()
				inWord = false
			}
			endWord()
			for i+1 < len(r) && strings.ContainsRune("<>&", r[i+1]) {
				i++
			}
			skip = true
		case unicode.IsSpace(r[i]):
			endWord()
		default:
			word.WriteRune(r[i])
			inWord = true
		}
	}
	endCommand()
	return commands
}

// assigns reports whether a word before a command gives a variable its value, as GOMAXPROCS=1 does.
func assigns(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
