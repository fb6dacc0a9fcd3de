package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

// A name that there is not is an error that lists those there are.
func TestNames(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}} {
		err := run(context.Background(), io.Discard, args)
		if err == nil {
			t.Fatalf("%q: no error", args)
		}
		for _, k := range kinds() {
			if !strings.Contains(err.Error(), k.name+" ") {
				t.Errorf("%q: %v, want %s among them", args, err, k.name)
			}
		}
	}
	if err := run(context.Background(), io.Discard, []string{"mnist", "more"}); err == nil || !strings.Contains(err.Error(), `"more"`) {
		t.Errorf("an argument too many: %v", err)
	}
}
