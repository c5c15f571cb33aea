package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// terminal is one whose keys arrive as they are pressed.
type terminal struct {
	in   io.Reader
	out  io.Writer
	size func() (cols, rows int)
	// stop makes reads of in return; restore gives the terminal back.
	stop    func()
	restore func() error
}

// errNoTerminal is for who acts through a pipe.
var errNoTerminal = errors.New("acting by hand needs a terminal for both input and output: run it in one, without redirections, or choose --policy random or a trained agent")

// screenOf is the screen of the terminal that in and out must be.
func screenOf(in *os.File, out io.Writer) (*os.File, error) {
	screen, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(screen.Fd())) {
		return nil, fmt.Errorf("%w: %w", errUsage, errNoTerminal)
	}
	return screen, nil
}

// openTerminal puts the terminal that in and out are into raw mode.
func openTerminal(in *os.File, out io.Writer) (*terminal, error) {
	screen, err := screenOf(in, out)
	if err != nil {
		return nil, err
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	t := &terminal{out: screen, restore: func() error { return term.Restore(int(in.Fd()), before) }}
	t.in, t.stop = interruptibleReader(in)
	t.size = func() (int, int) {
		cols, rows, err := term.GetSize(int(screen.Fd()))
		if err != nil || cols < 1 || rows < 1 {
			return 80, 24
		}
		return cols, rows
	}
	return t, nil
}
