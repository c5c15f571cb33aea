// Package score measures a model on given episodes: the terms of its objective,
// and how far its predictions stay right when it stops looking.
//
// Losses are those of worldmodel.Net.Loss. An episode is one chunk from the zero
// state, as the agent filters it, in pieces of at most Config.Length records,
// each from the zero state, as in training. Memory is that of one such chunk.
//
// Open loop, pieces of an episode are filtered for [Context] records and then
// predicted from the actions alone (Hafner et al. 2019, figure 6).
package score

import (
	"cmp"
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// DefaultLength is the longest chunk unless Config.Length says otherwise: most
// episodes are scored whole.
const DefaultLength = 512

// Context is how many records the model sees before it predicts open loop.
const Context = 5

// Horizons returns how many records after the context the open-loop error is
// measured, in order.
func Horizons() []int { return []int{1, 5, 10, 50} }

// Config says how to score.
type Config struct {
	// Length bounds the records of a chunk, at least 3; 0 means DefaultLength.
	// The objective's distance of latent overshooting applies within a chunk.
	Length int
	// BitDepth (b) is what images are quantised to, 1 to 8.
	BitDepth int
	// Deterministic takes the means of the posteriors, of predicted states and of
	// the bins of pixels instead of samples.
	Deterministic bool
	// Seed is that of the samples.
	Seed uint64
}

// validate reports what cannot work.
func (c Config) validate() error {
	if c.Length < 3 || c.Length > 1<<20 {
		return fmt.Errorf("score: chunks of %d records; the length must lie in [3, %d]", c.Length, 1<<20)
	}
	if c.BitDepth < 1 || c.BitDepth > 8 {
		return fmt.Errorf("score: bit depth %d; it must lie in [1, 8]", c.BitDepth)
	}
	return nil
}

// Scorer scores episodes one after the other. It is not safe for concurrent use.
type Scorer struct {
	backend compute.Backend
	model   *worldmodel.Model
	params  []compute.Buffer
	cfg     Config

	closed map[int]*program // losses, by the length of the chunk
	open   *program         // nil until it is needed
	result Result
	sums   tally
	errors [][2]float64 // for each horizon: sum of errors and their number
}

// New returns a scorer of a model with the given parameters, which stay the
// caller's and must live as long as the scorer.
func New(backend compute.Backend, model *worldmodel.Model, params []compute.Buffer, cfg Config) (*Scorer, error) {
	cfg.Length = cmp.Or(cfg.Length, DefaultLength)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Scorer{
		backend: backend, model: model, params: params, cfg: cfg,
		closed: map[int]*program{}, sums: tally{}, errors: make([][2]float64, len(Horizons())),
	}, nil
}

// Schema is the shape of the records that the model reads.
func (s *Scorer) Schema() replay.Schema {
	d := s.model.Dims()
	schema := replay.Schema{ActionSize: d.ActionSize}
	if s.reads("images") {
		schema.Height, schema.Width, schema.Channels = d.Height, d.Width, d.Channels
	}
	if s.reads("vectors") {
		schema.VectorSize = d.VectorSize
	}
	return schema
}

// Add scores an episode of that schema. name identifies it in the result. What
// it draws depends on the seed, the name and nothing before.
func (s *Scorer) Add(ctx context.Context, name string, ep *replay.Episode) error {
	stream := rng.New(s.cfg.Seed, "score/"+name)
	own := tally{}
	for _, p := range pieces(ep.Len(), s.cfg.Length) {
		losses, err := s.losses(ctx, piece(ep, s.Schema(), p[0], p[1]), stream)
		if err != nil {
			return fmt.Errorf("score: %s: records %d to %d: %w", name, p[0], p[1]-1, err)
		}
		own.add(losses, p[1]-p[0])
		s.sums.add(losses, p[1]-p[0])
	}
	if err := s.addOpenLoop(ctx, ep, stream); err != nil {
		return fmt.Errorf("score: %s: open loop: %w", name, err)
	}
	s.result.Episodes = append(s.result.Episodes, Episode{Name: name, Records: ep.Len(), Losses: own.means()})
	return nil
}

// Close releases what the scorer has compiled.
func (s *Scorer) Close() {
	s.forget()
	if s.open != nil {
		s.open.Close()
		s.open = nil
	}
}

// pieces cuts n records into ranges [from, to) of at most length, of nearly
// equal sizes: a last piece of one record could not be scored.
func pieces(n, length int) [][2]int {
	count := (n + length - 1) / length
	out := make([][2]int, count)
	for i := range out {
		out[i] = [2]int{i * n / count, (i + 1) * n / count}
	}
	return out
}

// piece is records [from, to) of an episode.
func piece(ep *replay.Episode, schema replay.Schema, from, to int) *replay.Episode {
	cut := func(x []float32, each int) []float32 { return x[from*each : to*each] }
	return &replay.Episode{
		Images:  ep.Images[from*schema.ImageSize() : to*schema.ImageSize()],
		Actions: cut(ep.Actions, schema.ActionSize), Rewards: cut(ep.Rewards, 1),
		Continues: cut(ep.Continues, 1), Vectors: cut(ep.Vectors, schema.VectorSize),
	}
}
