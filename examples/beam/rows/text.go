package rows

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// readText passes on the rows of a text. An error is one of r.
func readText(r *bufio.Reader, columns int, good func(number int64, bits []byte), bad func(number int64, reason string)) error {
	l := line{columns: columns}
	for number := int64(1); ; number++ {
		l.begin()
		some := false
		var err error
		for { // a line in pieces that fit into the buffer
			var piece []byte
			piece, err = r.ReadSlice('\n')
			some = some || len(piece) > 0
			l.read(piece)
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("row %d: %w", number, err)
		}
		if some {
			if reason := l.end(); reason != "" {
				bad(number, reason)
			} else {
				good(number, l.bits)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// A line is the row that is being read.
type line struct {
	columns int
	bits    []byte
	n       int64  // columns so far
	comma   bool   // since the last digit
	cr      bool   // was the last character
	reason  string // why it is bad
}

func (l *line) begin() {
	*l = line{columns: l.columns, bits: make([]byte, bytesOf(l.columns))}
}

func (l *line) read(piece []byte) {
	for _, c := range piece {
		if l.reason != "" {
			return
		}
		if l.cr && c != '\n' {
			l.fail("is '\\r', want 0 or 1")
			return
		}
		switch c {
		case '0', '1':
			if c == '1' && l.n < int64(l.columns) {
				l.bits[l.n/8] |= 1 << (l.n % 8)
			}
			l.n++
			l.comma = false
		case ',':
			if l.comma || l.n == 0 {
				l.fail("is empty, want 0 or 1")
			}
			l.comma = true
		case '\r':
			l.cr = true
		case ' ', '\t', '\n':
		default:
			if c < 0x80 {
				l.fail(fmt.Sprintf("is %q, want 0 or 1", c))
			} else {
				l.fail(fmt.Sprintf("is byte %#x, want 0 or 1", c))
			}
		}
	}
}

// fail says what the next column is.
func (l *line) fail(what string) { l.reason = fmt.Sprintf("column %d %s", l.n+1, what) }

// end returns why the line is bad, or nothing.
func (l *line) end() string {
	if l.reason == "" && l.comma {
		l.fail("is empty, want 0 or 1")
	}
	if l.reason == "" && l.n != int64(l.columns) {
		l.reason = fmt.Sprintf("has %d columns, want %d", l.n, l.columns)
	}
	return l.reason
}
