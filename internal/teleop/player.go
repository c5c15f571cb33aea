package teleop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"
	"time"
)

// ErrQuit is returned when the person quits, or the input ends, and ErrDrop when
// the episode at hand is to be dropped.
var (
	ErrQuit = errors.New("teleop: quit")
	ErrDrop = errors.New("teleop: drop the episode")
)

// Config describes a player.
type Config struct {
	// Keys is what the keys do.
	Keys Keymap
	// In is where keys come from, byte by byte: a terminal in raw mode. Out is where
	// frames go.
	In  io.Reader
	Out io.Writer
	// Stop makes a read of In that is under way return, and later ones fail; nil if
	// nothing can.
	Stop func()
	// Size is that of the terminal now.
	Size func() (cols, rows int)
	// Tick starts the next decision in real time; nil means turn by turn, where every
	// key that acts is a decision.
	Tick <-chan time.Time
	// Hold is for how many decisions a key acts in real time.
	Hold int
}

// Player turns keys into actions. It is not safe for concurrent use.
type Player struct {
	cfg     Config
	input   chan string
	quit    chan struct{}
	rest    string // the beginning of an escape sequence
	pending []press
	action  []float32
	left    []int // decisions for which a component keeps its value
}

// Start takes over the terminal and begins to listen for keys. Close gives it
// back.
func Start(cfg Config) (*Player, error) {
	p := &Player{
		cfg: cfg, input: make(chan string), quit: make(chan struct{}),
		action: make([]float32, cfg.Keys.size), left: make([]int, cfg.Keys.size),
	}
	p.Begin()
	if _, err := io.WriteString(cfg.Out, enter); err != nil {
		return nil, fmt.Errorf("teleop: %w", err)
	}
	go p.listen()
	return p, nil
}

// listen passes on what is read until the input ends or the player is closed.
func (p *Player) listen() {
	defer close(p.input)
	buf := make([]byte, 256)
	for {
		n, err := p.cfg.In.Read(buf)
		if n > 0 {
			select {
			case p.input <- string(buf[:n]):
			case <-p.quit:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Begin starts an episode: no key acts any more.
func (p *Player) Begin() {
	clear(p.action)
	clear(p.left)
	if p.cfg.Keys.discrete {
		p.action[0] = 1
	}
}

// Show draws the title and what is observed: an image, or else a text.
func (p *Player) Show(title string, picture *image.RGBA, text string) error {
	cols, rows := p.cfg.Size()
	above := []string{title}
	if picture == nil {
		above = append(above, text)
	}
	_, err := io.WriteString(p.cfg.Out, frame(above, picture, append([]string{p.now()}, p.cfg.Keys.Help()...), cols, rows))
	return err
}

// now says which action the keys amount to.
func (p *Player) now() string {
	if p.cfg.Keys.discrete {
		for i, v := range p.action {
			if v == 1 {
				return "action " + p.cfg.Keys.digit(i)
			}
		}
	}
	parts := make([]string, len(p.action))
	for i, v := range p.action {
		parts[i] = fmt.Sprintf("%+.1f", v)
	}
	return "action " + strings.Join(parts, " ")
}

// Act waits for the next decision and returns its action, which the caller owns.
func (p *Player) Act(ctx context.Context) ([]float32, error) {
	for {
		acted, err := p.hear()
		if err != nil {
			return nil, err
		}
		if acted && p.cfg.Tick == nil {
			return p.take(1), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case text, open := <-p.input:
			if !open {
				return nil, ErrQuit
			}
			presses, rest := p.cfg.Keys.decode(p.rest + text)
			p.pending, p.rest = append(p.pending, presses...), rest
		case <-p.cfg.Tick:
			return p.take(p.cfg.Hold), nil
		}
	}
}

// hear takes in the keys that were pressed: in real time all of them, turn by turn
// up to the first that acts, which acted reports.
func (p *Player) hear() (acted bool, err error) {
	for len(p.pending) > 0 && !(acted && p.cfg.Tick == nil) {
		k := p.pending[0]
		p.pending = p.pending[1:]
		switch acted = true; {
		case k.quit:
			return false, ErrQuit
		case k.drop:
			return false, ErrDrop
		case k.zero:
			clear(p.action)
		case p.cfg.Keys.discrete:
			clear(p.action)
			p.action[k.at] = 1
		default:
			p.action[k.at], p.left[k.at] = k.value, max(p.cfg.Hold, 1)
		}
	}
	return acted, nil
}

// take returns the action of a decision; afterwards keys that are not heard of
// again act for so many decisions less one. A chosen action stays in real time.
func (p *Player) take(hold int) []float32 {
	out := append([]float32(nil), p.action...)
	if p.cfg.Keys.discrete {
		return out
	}
	for i := range p.left {
		if p.left[i]--; p.left[i] <= 0 || hold <= 1 {
			p.action[i], p.left[i] = 0, 0
		}
	}
	return out
}

// Close gives the terminal back, when nobody reads from it any more. Without
// Config.Stop a read that is under way goes on until there is a key.
func (p *Player) Close() error {
	close(p.quit)
	if p.cfg.Stop != nil {
		p.cfg.Stop()
		for range p.input {
		}
	}
	_, err := io.WriteString(p.cfg.Out, leave)
	return err
}
