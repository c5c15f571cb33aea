package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/internal/rng"
)

// ErrPhase is matched by errors about calls that do not fit a Prefetcher's
// phase: Start before all batches are taken, Next after.
var ErrPhase = errors.New("replay: prefetcher out of step")

// Prefetcher draws batches of a Sampler ahead of their use, while the learner
// works on the one before. What it yields is what the sampler itself would
// have. It works in phases of a known number of batches, between which nothing
// is drawn: episodes are appended there. It is not safe for concurrent use, and
// the sampler must not be used during a phase.
type Prefetcher struct {
	sampler *Sampler
	free    chan *Batch
	ready   chan prefetched
	phase   *phase
	current *Batch // with the caller
	left    int    // batches to take in this phase
	state   []byte // of the stream, after the batches taken
}

// prefetched is a batch, or why there is none.
type prefetched struct {
	batch *Batch
	state []byte
	err   error
}

// phase is the goroutine of a phase.
type phase struct {
	cancel context.CancelFunc
	done   chan struct{}
	own    bool  // it draws from the sampler's own stream
	err    error // why it was ended early; read it after done
}

// NewPrefetcher returns a prefetcher that fills batches in turn; two are enough
// for one to be filled while the other is in use.
func NewPrefetcher(s *Sampler, batches ...*Batch) (*Prefetcher, error) {
	if len(batches) == 0 {
		return nil, errors.New("replay: a prefetcher needs a batch to fill, or better two")
	}
	p := &Prefetcher{sampler: s, free: make(chan *Batch, len(batches)), ready: make(chan prefetched, len(batches))}
	for _, b := range batches {
		p.free <- b
	}
	return p, nil
}

// Start begins a phase of n batches, drawn from the episodes that the store has
// now. Batch i of the phase is drawn from stream(i); with a nil stream all are
// drawn from the sampler's stream, one after the other. ctx ends the phase
// early.
func (p *Prefetcher) Start(ctx context.Context, n int, stream func(i int) *rng.Stream) error {
	if p.phase != nil {
		return fmt.Errorf("%w: %d batches of the last phase are not taken", ErrPhase, p.left)
	}
	if n < 1 {
		return fmt.Errorf("replay: prefetch %d batches", n)
	}
	if err := p.sampler.refresh(); err != nil {
		return err
	}
	state, err := p.sampler.stream.MarshalBinary()
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	p.phase, p.left, p.state = &phase{cancel: cancel, done: make(chan struct{}), own: stream == nil}, n, state
	go p.run(ctx, p.phase, n, stream)
	return nil
}

// run draws the batches of a phase. It never waits to deliver one: ready has
// room for all batches.
func (p *Prefetcher) run(ctx context.Context, ph *phase, n int, stream func(i int) *rng.Stream) {
	defer close(ph.done)
	for i := range n {
		var out prefetched
		select {
		case out.batch = <-p.free:
		case <-ctx.Done():
			ph.err = ctx.Err()
			return
		}
		if stream != nil {
			p.sampler.SetStream(stream(i))
		}
		out.err = p.sampler.sample(ctx, out.batch)
		if out.err == nil {
			out.state, out.err = p.sampler.stream.MarshalBinary()
		}
		p.ready <- out
		if out.err != nil {
			return
		}
	}
}

// Next returns the next batch of the phase, which is valid until the next call
// of Next or Close. After an error the phase is over.
func (p *Prefetcher) Next(ctx context.Context) (*Batch, error) {
	if p.phase == nil {
		return nil, fmt.Errorf("%w: all batches are taken; call Start", ErrPhase)
	}
	p.release()
	select {
	case out := <-p.ready:
		return p.take(out)
	case <-p.phase.done:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.end())
	}
	// The goroutine has ended, but perhaps not before delivering.
	select {
	case out := <-p.ready:
		return p.take(out)
	default:
		err := p.phase.err
		return nil, errors.Join(err, p.end())
	}
}

// release lets the batch that the caller has be filled again.
func (p *Prefetcher) release() {
	if p.current != nil {
		p.free <- p.current
		p.current = nil
	}
}

func (p *Prefetcher) take(out prefetched) (*Batch, error) {
	if p.current = out.batch; out.err != nil {
		return nil, errors.Join(out.err, p.end())
	}
	p.state = out.state
	if p.left--; p.left == 0 {
		return p.current, p.end()
	}
	return p.current, nil
}

// State is the state of the stream after the batches taken so far, as
// rng.Stream.MarshalBinary returns it: that of a sampler that never ran ahead.
func (p *Prefetcher) State() ([]byte, error) {
	if p.phase == nil {
		return p.sampler.stream.MarshalBinary()
	}
	return p.state, nil
}

// end joins the goroutine, takes back what was drawn ahead, and puts the
// sampler's own stream where the batches taken have left it.
func (p *Prefetcher) end() error {
	p.phase.cancel()
	<-p.phase.done
	for len(p.ready) > 0 {
		p.free <- (<-p.ready).batch
	}
	own := p.phase.own
	p.phase, p.left = nil, 0
	if !own {
		return nil
	}
	return p.sampler.stream.UnmarshalBinary(p.state)
}

// Close ends the phase. The prefetcher may be started again.
func (p *Prefetcher) Close() error {
	p.release()
	if p.phase == nil {
		return nil
	}
	return p.end()
}
