//go:build slow

package rbm_test

import "testing"

// So does every byte: whatever a decoder does wrong at one value of one byte is found.
func TestStateOfEveryByte(t *testing.T) {
	testBytes(t, func(byte) []byte {
		all := make([]byte, 256)
		for b := range all {
			all[b] = byte(b)
		}
		return all
	})
}
