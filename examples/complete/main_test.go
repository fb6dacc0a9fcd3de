package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/keep/keeptest"
	"github.com/gorbm/rbm/examples/mnist/sheet"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// small returns the options of a quick run, with files of its own, and with more
// flags.
func small(t *testing.T, flags string) options {
	t.Helper()
	o, err := parse(append([]string{
		"-data", idxtest.WriteData(t, 300, 60), "-out", filepath.Join(t.TempDir(), "out"),
		"-hidden", "12", "-epochs", "2", "-sweeps", "3",
	}, strings.Fields(flags)...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mustRun runs the program and returns what it prints.
func mustRun(t *testing.T, o options) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func fileOf(t *testing.T, o options, name string) []byte {
	t.Helper()
	return idxtest.ReadFile(t, filepath.Join(o.out, name))
}

// The layout of a sheet.
var (
	pitch = sheet.New(2, 1).Rect.Dx() - sheet.New(1, 1).Rect.Dx()
	gap   = sheet.New(1, 1).Rect.Dx() - pitch
	dot   = (pitch - gap) / idx.Side
)

// at returns the color of pixel i of the digit in a row and column of a sheet.
func at(img image.Image, row, column, i int) color.RGBA {
	x := gap + column*pitch + i%idx.Side*dot + dot/2
	y := gap + row*pitch + i/idx.Side*dot + dot/2
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}

// opened returns a folder for the results of this program.
func opened(t *testing.T) keep.Folder {
	t.Helper()
	dir, err := keep.Open(t.TempDir(), "complete")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRun(t *testing.T) {
	for _, half := range halves {
		t.Run(half, func(t *testing.T) {
			o := small(t, "-rows 200 -cover "+half)
			out := mustRun(t, o)
			for _, want := range []string{
				"200 training rows, 12 hidden units", "\n    1 ", "\n    2 ", "\nthe " + half + " half of 60 test digits",
				"same for all: ", "10 nearest training rows\n", "the model's mean", filepath.Join(o.out, pictureFile), filepath.Join(o.out, movieFile),
			} {
				if !strings.Contains(out, want) {
					t.Errorf("there is no %q in\n%s", want, out)
				}
			}
			if strings.Contains(out, "\n    3 ") || strings.Contains(out, "NaN") || strings.Contains(out, "Inf") {
				t.Errorf("want two epochs, no NaN and no Inf:\n%s", out)
			}
			_, test, err := idx.Images(o.data)
			if err != nil {
				t.Fatal(err)
			}
			observed := cover(half)

			img, err := png.Decode(bytes.NewReader(fileOf(t, o, pictureFile)))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := img.Bounds(), sheet.New(2+completions+1, shown).Rect; got != want {
				t.Fatalf("%s is %v, want %v", pictureFile, got, want)
			}
			alike := 0 // covered pixels of two completions
			for r := range shown {
				for i := range idx.Pixels {
					digit := sheet.Ink(test.Images.At(r, i))
					left := digit
					if !observed.Bit(0, i) {
						left = sheet.Paper
					}
					if at(img, r, 0, i) != digit || at(img, r, 1, i) != left {
						t.Fatalf("pixel %d of digit %d, or of what is left of it, is %v and %v, want %v and %v", i, r, at(img, r, 0, i), at(img, r, 1, i), digit, left)
					}
					for k := range completions + 1 {
						got := at(img, r, 2+k, i)
						switch drawn := got == sheet.White || got == sheet.Blue; {
						case observed.Bit(0, i) && got != digit:
							t.Fatalf("the observed pixel %d of completion %d of digit %d is %v, want %v", i, k, r, got, digit)
						case !observed.Bit(0, i) && k < completions && !drawn:
							t.Fatalf("the covered pixel %d of completion %d of digit %d is %v, want white or blue", i, k, r, got)
						}
					}
					if !observed.Bit(0, i) && at(img, r, 2, i) == at(img, r, 3, i) {
						alike++
					}
				}
			}
			if alike == shown*idx.Pixels/2 {
				t.Error("two completions are the same")
			}

			movie, err := gif.DecodeAll(bytes.NewReader(fileOf(t, o, movieFile)))
			if err != nil {
				t.Fatal(err)
			}
			if len(movie.Image) != frames || len(movie.Delay) != frames {
				t.Fatalf("%s has %d frames, want %d", movieFile, len(movie.Image), frames)
			}
			same := 0 // frames that are like the one before
			for f, frame := range movie.Image {
				if want := sheet.New(across, shown/across).Rect; frame.Rect != want {
					t.Fatalf("frame %d is %v, want %v", f, frame.Rect, want)
				}
				for r := range shown {
					for i := range idx.Pixels {
						got := at(frame, r/across, r%across, i)
						if want := sheet.Ink(test.Images.At(r, i)); observed.Bit(0, i) && got != want {
							t.Fatalf("frame %d: the observed pixel %d of digit %d is %v, want %v", f, i, r, got, want)
						}
						if !observed.Bit(0, i) && got != sheet.White && got != sheet.Blue {
							t.Fatalf("frame %d: the covered pixel %d of digit %d is %v, want white or blue", f, i, r, got)
						}
					}
				}
				if f > 0 && bytes.Equal(frame.Pix, movie.Image[f-1].Pix) {
					same++
				}
			}
			if same > 0 {
				t.Errorf("%d frames are like the one before", same)
			}
		})
	}
}

// A model is trained once: another run takes it, whatever is covered.
func TestKept(t *testing.T) {
	o := small(t, "")
	first := mustRun(t, o)
	path := filepath.Join(o.out, keep.Checkpoint)
	saved, picture, movie := fileOf(t, o, keep.Checkpoint), fileOf(t, o, pictureFile), fileOf(t, o, movieFile)
	same := func(what string) {
		t.Helper()
		for name, want := range map[string][]byte{keep.Checkpoint: saved, pictureFile: picture, movieFile: movie} {
			if !bytes.Equal(fileOf(t, o, name), want) {
				t.Errorf("%s made another %s", what, name)
			}
		}
	}
	again := func(change func(o *options)) (string, error) {
		o := o
		change(&o)
		var out bytes.Buffer
		err := run(o, &out)
		return out.String(), err
	}

	_, table, _ := strings.Cut(first, "\nthe right half")
	if out, err := again(func(*options) {}); err != nil || out != "the model of "+path+"\n\nthe right half"+table {
		t.Errorf("a second run: error %v\n%s\nafter\n%s", err, out, first)
	}
	same("a second run")

	for want, change := range map[string]func(o *options){
		"-hidden 12, not -hidden 13":           func(o *options) { o.hidden = 13 },
		"-epochs 2, not -epochs 3":             func(o *options) { o.epochs = 3 },
		"-rows 300, not -rows 200":             func(o *options) { o.rows = 200 },
		"-seed 1, not -seed 2":                 func(o *options) { o.seed = 2 },
		"made with training images of checksu": func(o *options) { o.data = idxtest.WriteData(t, 300, 61) },
	} {
		if _, err := again(change); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("the error is %v, want it to name %s and say %q", err, path, want)
		}
		same("a run that was refused")
	}
	if _, err := again(func(o *options) { o.rows = 301 }); err == nil || !strings.Contains(err.Error(), "-rows is 301, but there are 300") {
		t.Errorf("of -rows 301 the error is %v", err)
	}

	for what, change := range map[string]func(o *options){
		"-cover":  func(o *options) { o.cover = "top" },
		"-sweeps": func(o *options) { o.sweeps = 4 },
	} {
		if out, err := again(change); err != nil || !strings.Contains(out, "the model of "+path) {
			t.Errorf("a run with another %s: error %v\n%s", what, err, out)
		}
		if !bytes.Equal(fileOf(t, o, keep.Checkpoint), saved) || bytes.Equal(fileOf(t, o, pictureFile), picture) {
			t.Errorf("a run with another %s made another checkpoint, or the same picture", what)
		}
	}
	if out, err := again(func(o *options) { o.fresh = true }); err != nil || strings.Contains(out, "the model of") || !strings.Contains(out, "\n    2 ") {
		t.Errorf("a run with -fresh: error %v\n%s", err, out)
	}
	same("a run with -fresh")
	if err := os.WriteFile(path, saved[:len(saved)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := again(func(*options) {}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-fresh") {
		t.Errorf("the error of a broken checkpoint is %v, want it to name %s and -fresh", err, path)
	}
}

// The folder of another program, or of nobody, stays as it is.
func TestForeignFolder(t *testing.T) {
	keeptest.CheckForeign(t, func(out string, fresh bool) error {
		o := small(t, "")
		o.out, o.fresh = out, fresh
		return run(o, io.Discard)
	})
}

func TestExitCode(t *testing.T) {
	clitest.CheckExit(t, 0, "-help")
	clitest.CheckExit(t, 2, "-cover", "all")
	clitest.CheckExit(t, 1, "-data", t.TempDir(), "-out", t.TempDir())
}
