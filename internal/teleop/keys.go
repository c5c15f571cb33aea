package teleop

import (
	"errors"
	"fmt"
	"strings"
)

// ErrKeys reports actions that there are not enough keys for.
var ErrKeys = errors.New("teleop: not enough keys")

// pairs are the keys of each component, the one that lowers it first. q, x and the
// space bar are taken.
var pairs = []string{"ad", "sw", "jl", "ki", "fh", "gt", "vn", "by", "zc", "uo"}

// arrows are escape sequences and the keys that they stand for.
var arrows = map[string]byte{"\x1b[D": 'a', "\x1b[C": 'd', "\x1b[B": 's', "\x1b[A": 'w', "\x1bOD": 'a', "\x1bOC": 'd', "\x1bOB": 's', "\x1bOA": 'w'}

// Keymap is what keys do.
type Keymap struct {
	size     int
	discrete bool
}

// NewKeymap returns the keys for actions of size components in [-1, 1], or, if
// discrete, for choosing one of size actions by a digit.
func NewKeymap(size int, discrete bool) (Keymap, error) {
	most := len(pairs)
	if discrete {
		most = 10 // digits
	}
	if size < 1 || size > most {
		return Keymap{}, fmt.Errorf("%w: actions of %d components; a keyboard has them for 1 to %d", ErrKeys, size, most)
	}
	return Keymap{size: size, discrete: discrete}, nil
}

// Help says what key does what, a line each.
func (k Keymap) Help() []string {
	var lines []string
	if k.discrete {
		lines = append(lines, fmt.Sprintf("1 to %s   action", k.digit(k.size-1)))
	}
	for i := range k.size {
		if k.discrete {
			break
		}
		also := map[int]string{0: " or left right", 1: " or down up"}[i]
		lines = append(lines, fmt.Sprintf("%c %c%s   component %d: -1, +1", pairs[i][0], pairs[i][1], also, i))
	}
	if !k.discrete {
		lines = append(lines, "with shift   half as much", "space   all zero")
	}
	return append(lines, "x   drop this episode   q or Ctrl-C   quit; whole episodes are kept")
}

func (k Keymap) digit(i int) string { return string("1234567890"[i]) }

// press is what a key asks for.
type press struct {
	quit, drop, zero bool
	at               int     // component or action
	value            float32 // 0: nothing that acts
}

// decode turns what a terminal sent into presses. What it does not know is
// ignored; rest is the beginning of an escape sequence that is not complete.
func (k Keymap) decode(input string) (presses []press, rest string) {
	for len(input) > 0 {
		if input[0] == 0x1b {
			if len(input) < 3 && (len(input) < 2 || strings.IndexByte("[O", input[1]) >= 0) {
				return presses, input
			}
			if strings.IndexByte("[O", input[1]) < 0 { // the escape key, and another
				input = input[1:]
				continue
			}
			if key, ok := arrows[input[:3]]; ok {
				presses = k.add(presses, key)
			}
			input = input[3:]
			continue
		}
		presses = k.add(presses, input[0])
		input = input[1:]
	}
	return presses, ""
}

const ctrlC, ctrlD = 3, 4

func (k Keymap) add(presses []press, key byte) []press {
	switch key {
	case 'q', 'Q', ctrlC, ctrlD:
		return append(presses, press{quit: true})
	case 'x', 'X':
		return append(presses, press{drop: true})
	case ' ':
		if !k.discrete {
			return append(presses, press{zero: true})
		}
		return presses
	}
	if k.discrete {
		if i := strings.IndexByte("1234567890", key); i >= 0 && i < k.size {
			return append(presses, press{at: i, value: 1})
		}
		return presses
	}
	size := float32(1)
	if key >= 'A' && key <= 'Z' {
		key, size = key-'A'+'a', 0.5
	}
	for i := range k.size {
		switch key {
		case pairs[i][0]:
			return append(presses, press{at: i, value: -size})
		case pairs[i][1]:
			return append(presses, press{at: i, value: size})
		}
	}
	return presses
}
