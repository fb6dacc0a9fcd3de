package rows

import (
	"fmt"
	"io"
	"slices"
)

// A stream is what can only be read from its beginning to its end, for readers that go
// back a little now and then: it keeps the last bytes.
type stream struct {
	r    io.Reader
	last []byte
	end  int64 // how many bytes have been read
	keep int   // how many of these to keep, at least
}

// newStream returns a stream of a bitfile for readBits, which goes back in the block of
// rows that it reads, and to the beginning of a chunk.
func newStream(r io.Reader, columns int) *stream {
	return &stream{r: r, keep: 2*max(readBytes, bytesOf(columns)) + 1<<14}
}

// ReadAt reads the bytes from an offset on.
func (s *stream) ReadAt(b []byte, offset int64) (int, error) {
	first := s.end - int64(len(s.last))
	if offset < first {
		return 0, fmt.Errorf("byte %d is gone: of %d that were read the last %d are kept", offset, s.end, len(s.last))
	}
	var err error
	if more := offset + int64(len(b)) - s.end; more > 0 {
		if drop := min(int64(len(s.last)-s.keep), offset-first); drop > 0 {
			s.last = slices.Delete(s.last, 0, int(drop))
			first += drop
		}
		have := len(s.last)
		s.last = slices.Grow(s.last, int(more))[:have+int(more)]
		var n int
		n, err = io.ReadFull(s.r, s.last[have:])
		s.last = s.last[:have+n]
		s.end += int64(n)
	}
	return copy(b, s.last[min(offset-first, int64(len(s.last))):]), err
}
