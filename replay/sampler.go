package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/orrery-rl/orrery/internal/rng"
)

// ErrTooShort is wrapped when no stored episode is as long as a chunk.
var ErrTooShort = errors.New("no episode is long enough for a chunk")

// ErrBatch is matched by errors about batches of other sizes than the sampler's.
var ErrBatch = errors.New("the batch does not fit")

// SamplerConfig says what a batch is.
type SamplerConfig struct {
	// BatchSize (B) is the number of chunks, ChunkLength (L) the number of
	// consecutive records in each.
	BatchSize, ChunkLength int
	// BitDepth (b) is what images are quantised to, 1 to 8.
	BitDepth int
}

// Batch is B chunks of L records. Sample fills slices in place, which must have
// the right length, and makes those that are empty.
type Batch struct {
	B, L      int
	Images    []float32 // [B, L, H, W, C] in [-0.5, 0.5), dequantised with fresh noise
	Actions   []float32 // [B, L, A]: the action that led to each record
	Rewards   []float32 // [B, L]
	Continues []float32 // [B, L]
	Vectors   []float32 // [B, L, V]
	// EpisodeIDs and Offsets say where each chunk begins.
	EpisodeIDs, Offsets []int
}

// Sampler draws batches from a store. What it draws depends on the state of
// its stream, which is all the state it has, and on the store's episodes, not
// on what is in memory. It is not safe for concurrent use; the store may be
// appended to meanwhile.
type Sampler struct {
	store  *Store
	stream *rng.Stream
	cfg    SamplerConfig

	episodes []*stored // what is sampled from
	starts   []int     // running sum of the valid starts of each
}

// NewSampler returns a sampler that draws from stream.
func NewSampler(store *Store, stream *rng.Stream, cfg SamplerConfig) (*Sampler, error) {
	if cfg.BatchSize < 1 || cfg.ChunkLength < 1 {
		return nil, fmt.Errorf("replay: batches of %d chunks of %d records; both must be at least 1", cfg.BatchSize, cfg.ChunkLength)
	}
	if err := checkBitDepth(cfg.BitDepth); err != nil {
		return nil, err
	}
	return &Sampler{store: store, stream: stream, cfg: cfg}, nil
}

// SetStream makes the sampler draw from stream from now on.
func (s *Sampler) SetStream(stream *rng.Stream) { s.stream = stream }

// Sample fills b. Every start is equally likely at which a chunk fits into its
// episode, the last one included; no chunk spans two episodes. An error that
// matches ErrTooShort says that there is no such start, one that matches ErrBatch
// that a slice of b has another length.
func (s *Sampler) Sample(ctx context.Context, b *Batch) error {
	if err := s.refresh(); err != nil {
		return err
	}
	return s.sample(ctx, b)
}

// refresh takes up the store's present episodes.
func (s *Sampler) refresh() (err error) {
	if s.episodes, err = s.store.view(); err != nil {
		return err
	}
	s.starts = s.starts[:0]
	total, longest := 0, 0
	for _, st := range s.episodes {
		total += max(0, st.light.Len()-s.cfg.ChunkLength+1)
		longest = max(longest, st.light.Len())
		s.starts = append(s.starts, total)
	}
	if total == 0 {
		return fmt.Errorf("replay: %w of %d records: the longest of %d has %d; shorten the chunks or collect longer episodes",
			ErrTooShort, s.cfg.ChunkLength, len(s.episodes), longest)
	}
	return nil
}

// sample fills b from the episodes of the last refresh. An episode that turns
// out to be lost is replaced by another draw.
func (s *Sampler) sample(ctx context.Context, b *Batch) error {
	if err := s.shape(b); err != nil {
		return err
	}
	for i := 0; i < b.B; {
		if err := ctx.Err(); err != nil {
			return err
		}
		st, start := s.draw()
		switch err := s.chunk(b, i, st, start); {
		case err == nil:
			i++
		case errors.Is(err, errLost):
			if err := s.refresh(); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// draw chooses an episode and a start in it.
func (s *Sampler) draw() (*stored, int) {
	start := s.stream.IntN(s.starts[len(s.starts)-1])
	at, _ := slices.BinarySearch(s.starts, start+1) // the first sum above start
	if at > 0 {
		start -= s.starts[at-1]
	}
	return s.episodes[at], start
}

// shape gives b the sampler's sizes.
func (s *Sampler) shape(b *Batch) error {
	b.B, b.L = s.cfg.BatchSize, s.cfg.ChunkLength
	n, schema := b.B*b.L, s.store.schema
	return errors.Join(
		size("Images", &b.Images, n*schema.ImageSize()), size("Actions", &b.Actions, n*schema.ActionSize),
		size("Rewards", &b.Rewards, n), size("Continues", &b.Continues, n), size("Vectors", &b.Vectors, n*schema.VectorSize),
		size("EpisodeIDs", &b.EpisodeIDs, b.B), size("Offsets", &b.Offsets, b.B))
}

// size makes an empty slice one of n elements and refuses one of another length:
// it may be memory that somebody else reads.
func size[T any](name string, x *[]T, n int) error {
	switch len(*x) {
	case n:
		return nil
	case 0:
		*x = make([]T, n)
		return nil
	}
	return fmt.Errorf("replay: %w: %s has %d elements, the sampler fills %d", ErrBatch, name, len(*x), n)
}

// chunk copies records [start, start+L) of an episode into row i of b.
func (s *Sampler) chunk(b *Batch, i int, st *stored, start int) error {
	images, err := s.store.imagesOf(st)
	if err != nil {
		return err
	}
	b.EpisodeIDs[i], b.Offsets[i] = st.id, start
	rows(b.Actions, st.light.Actions, s.store.schema.ActionSize, i, start, b.L)
	rows(b.Rewards, st.light.Rewards, 1, i, start, b.L)
	rows(b.Continues, st.light.Continues, 1, i, start, b.L)
	rows(b.Vectors, st.light.Vectors, s.store.schema.VectorSize, i, start, b.L)
	size := s.store.schema.ImageSize()
	return Dequantise(b.Images[i*b.L*size:][:b.L*size], images[start*size:][:b.L*size], s.cfg.BitDepth, s.stream)
}

// rows copies length records of each values to row i.
func rows(dst, src []float32, each, i, start, length int) {
	copy(dst[i*length*each:][:length*each], src[start*each:])
}
