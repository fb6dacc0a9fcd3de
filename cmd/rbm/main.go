// Rbm trains binary restricted Boltzmann machines, and judges and uses them: a first
// model from a file of rows in one line.
//
//	rbm train rows.csv -o model.rbm
//	rbm score model.rbm new.csv
//	rbm loglik model.rbm test.csv
//
// rbm -h lists all commands, and rbm train -h the flags of one of them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	e := &env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, terminal: isTerminal(os.Stderr)}
	os.Exit(run(ctx, os.Args[1:], e))
}

// isTerminal reports whether somebody watches what is written to f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
