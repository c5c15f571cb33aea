package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/env"
)

// tellEvery is how often a status line changes at most.
const tellEvery = 100 * time.Millisecond

// playing tells a person how far episodes have come that are played at the same
// time: on a terminal all along, elsewhere after every quietFor.
type playing struct {
	mu       sync.Mutex
	progress *progress
	doing    string
	done     int // decisions
	most     int // decisions, if every episode runs into its limit; 0: not known
	left     int // episodes
	began    time.Time
	shown    time.Time
	said     time.Time
}

// newPlaying tells of a number of episodes; doing is such as "filming".
func newPlaying(p *progress, doing string, episodes int) *playing {
	if doing = fmt.Sprintf("%s %d episodes", doing, episodes); episodes == 1 {
		doing = doing[:len(doing)-1]
	}
	now := time.Now()
	return &playing{progress: p, doing: doing, left: episodes, began: now, said: now}
}

// watch counts the decisions of one episode that is played in e.
func (p *playing) watch(e env.Env) env.Env {
	w := &watched{Env: e, told: p}
	p.most += w.limit()
	return w
}

type watched struct {
	env.Env
	told  *playing
	taken int // decisions
}

func (w *watched) limit() int { return w.Spec().Decisions() }

// Step implements env.Env.
func (w *watched) Step(ctx context.Context, action []float32) (env.Transition, error) {
	t, err := w.Env.Step(ctx, action)
	if err != nil {
		return t, err
	}
	w.taken++
	rest := 0
	if t.Ended() {
		rest = w.limit() - w.taken
	}
	w.told.step(rest, t.Ended())
	return t, nil
}

// step tells of a decision. An episode that ends early takes rest fewer than it
// might have.
func (p *playing) step(rest int, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.most -= max(0, rest); ended {
		p.left--
	}
	now := time.Now()
	if p.left > 0 && now.Sub(p.shown) < tellEvery {
		return
	}
	p.shown = now
	p.progress.show("%s", p.text(now))
	if !p.progress.terminal && now.Sub(p.said) >= quietFor {
		p.said = now
		p.progress.line("%s", p.text(now))
	}
}

func (p *playing) text(now time.Time) string {
	if p.most == 0 {
		return fmt.Sprintf("%s: %d decisions", p.doing, p.done)
	}
	text := fmt.Sprintf("%s: decision %d of %d", p.doing, p.done, p.most)
	if left := p.most - p.done; left > 0 {
		text += "  ETA " + since(now.Sub(p.began)/time.Duration(p.done)*time.Duration(left))
	}
	return text
}
