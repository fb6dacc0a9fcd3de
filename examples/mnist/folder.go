package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files in the folder of -out.
const (
	checkpointFile = "checkpoint"
	historyFile    = "history.csv"
	curvesFile     = "curves.png"
	filtersFile    = "filters.png"
	samplesFile    = "samples.png"
)

// A folder is where results go.
type folder string

// openFolder makes the folder if it is missing, and finds out whether it can be
// written to before hours of training are lost. It refuses one that has other files
// and no checkpoint, but for what a first one that was cut off leaves behind: they
// would be someone else's.
func openFolder(name string) (folder, error) {
	if err := os.MkdirAll(name, 0o777); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	probe, err := os.CreateTemp(name, checkpointFile+".tmp-")
	if err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	dir := folder(name)
	_, err = os.Stat(dir.path(checkpointFile))
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), checkpointFile+".tmp-") {
			return "", fmt.Errorf("-out is %s, which has files (%s) and no checkpoint; want a new folder, an empty one, or one of this program", name, e.Name())
		}
	}
	return dir, nil
}

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

// write writes a file, once what write makes of it is complete.
func (d folder) write(name string, write func(w io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", d.path(name), err)
	}
	return os.WriteFile(d.path(name), b.Bytes(), 0o666)
}
