package bitio_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gorbm/rbm/bitio"
)

// BenchmarkStream reads rows of 784 columns.
func BenchmarkStream(b *testing.B) {
	const n, cols = 1000, 784
	for _, tt := range []struct{ name, in string }{
		{"a.csv", strings.Repeat(strings.Repeat("0,1,", cols/2-1)+"0,1\n", n)},
		{"a.txt", strings.Repeat(strings.Repeat("01", cols/2)+"\n", n)},
		{"a.npy", npy("|u1", false, fmt.Sprintf("(%d, %d)", n, cols), strings.Repeat("0001", n*cols/2))},
		{"f4.npy", npy("<f4", false, fmt.Sprintf("(%d, %d)", n, cols), strings.Repeat("000000000000803f", n*cols/2))},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.SetBytes(int64(len(tt.in)))
			for range b.N {
				for _, err := range bitio.Stream(strings.NewReader(tt.in), tt.name, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
