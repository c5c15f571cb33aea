package replay

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
)

var small = SamplerConfig{BatchSize: 4, ChunkLength: 5, BitDepth: 5}

func prefetcher(t testing.TB, s *Sampler, buffers int) *Prefetcher {
	t.Helper()
	p, err := NewPrefetcher(s, newBatches(buffers)...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newBatches(n int) []*Batch {
	out := make([]*Batch, n)
	for i := range out {
		out[i] = &Batch{}
	}
	return out
}

// clone copies a batch that is valid only for a while.
func clone(b *Batch) Batch {
	c := *b
	c.Images, c.Rewards, c.EpisodeIDs, c.Offsets = slices.Clone(b.Images), slices.Clone(b.Rewards), slices.Clone(b.EpisodeIDs), slices.Clone(b.Offsets)
	c.Actions, c.Continues, c.Vectors = slices.Clone(b.Actions), slices.Clone(b.Continues), slices.Clone(b.Vectors)
	return c
}

// TestPrefetchedEqualsSampled runs phases of random lengths, between which
// episodes are appended, and stops some of them early.
func TestPrefetchedEqualsSampled(t *testing.T) {
	defer goleak.VerifyNone(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t, t.TempDir(), 1<<20)
		fill(t, s, 20, 9)
		plain := sampler(t, s, small)
		ahead := sampler(t, s, small)
		p := prefetcher(t, ahead, rapid.IntRange(1, 3).Draw(rt, "buffers"))
		for range rapid.IntRange(1, 4).Draw(rt, "phases") {
			n := rapid.IntRange(1, 6).Draw(rt, "batches")
			if err := p.Start(context.Background(), n, nil); err != nil {
				rt.Fatal(err)
			}
			for range rapid.IntRange(0, n).Draw(rt, "taken") {
				got, err := p.Next(context.Background())
				var want Batch
				if err := errors.Join(err, plain.Sample(context.Background(), &want)); err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(want, *got); diff != "" {
					rt.Fatalf("a prefetched batch differs:\n%s", diff)
				}
				state, err := p.State()
				unfetched, plainErr := plain.stream.MarshalBinary()
				if err := errors.Join(err, plainErr); err != nil || !slices.Equal(state, unfetched) {
					rt.Fatalf("the state runs ahead of the batches taken (%v)", err)
				}
			}
			if err := p.Close(); err != nil {
				rt.Fatal(err)
			}
			if ahead.stream.Uint64() != plain.stream.Uint64() {
				rt.Fatal("after a phase the stream is not where sampling would have left it")
			}
			fill(t, s, rapid.IntRange(4, 12).Draw(rt, "length"))
		}
	})
}

// TestPhaseSeesTheEpisodesOfItsStart appends while a phase runs.
func TestPhaseSeesTheEpisodesOfItsStart(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 6)
	p := prefetcher(t, sampler(t, s, small), 2)
	if err := p.Start(t.Context(), 30, nil); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		fill(t, s, 9)
		b, err := p.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.Max(b.EpisodeIDs) > 0 {
			t.Fatal("an episode of after the start was sampled")
		}
	}
	if err := p.Start(t.Context(), 1, nil); err != nil {
		t.Fatal(err)
	}
	b, err := p.Next(t.Context())
	if err != nil || slices.Max(b.EpisodeIDs) == 0 {
		t.Fatalf("the next phase samples %v (%v)", b.EpisodeIDs, err)
	}
}

func TestPhaseWithAStreamForEachBatch(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 30)
	stream := func(i int) *rng.Stream { return rng.New(uint64(i), "batch") }
	p, plain := prefetcher(t, sampler(t, s, small), 2), sampler(t, s, small)
	if err := p.Start(t.Context(), 5, stream); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		got, err := p.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var want Batch
		plain.SetStream(stream(i))
		if err := plain.Sample(t.Context(), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, clone(got)); diff != "" {
			t.Fatalf("batch %d differs:\n%s", i, diff)
		}
	}
}

func TestPrefetcherOutOfStep(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := open(t, t.TempDir(), 1<<20)
	sm := sampler(t, s, small)
	if _, err := NewPrefetcher(sm); err == nil {
		t.Error("a prefetcher without batches")
	}
	p := prefetcher(t, sm, 2)
	if err := p.Start(t.Context(), 1, nil); !errors.Is(err, ErrTooShort) {
		t.Errorf("an empty store: %v", err)
	}
	fill(t, s, 9)
	if _, err := p.Next(t.Context()); !errors.Is(err, ErrPhase) {
		t.Errorf("Next before Start: %v", err)
	}
	if err := p.Start(t.Context(), 0, nil); err == nil {
		t.Error("a phase of no batches")
	}
	if err := p.Start(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context(), 2, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("Start within a phase: %v", err)
	}
	for range 2 {
		if _, err := p.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Next(t.Context()); !errors.Is(err, ErrPhase) {
		t.Errorf("Next after the last batch: %v", err)
	}
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
}

func TestCancelledPhaseLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 9)
	p := prefetcher(t, sampler(t, s, small), 2)
	ctx, cancel := context.WithCancel(t.Context())
	if err := p.Start(ctx, 1000, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	var err error
	for taken := 0; err == nil; taken++ {
		if _, err = p.Next(t.Context()); taken > 3 {
			t.Fatal("a cancelled phase goes on")
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := p.Start(t.Context(), 1, nil); err != nil {
		t.Fatalf("starting again: %v", err)
	}
	if _, err := p.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkPrefetch(b *testing.B) {
	s := open(b, b.TempDir(), 1<<20)
	fill(b, s, 50)
	p := prefetcher(b, sampler(b, s, small), 2)
	for b.Loop() {
		if err := p.Start(b.Context(), 1, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := p.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSample draws batches of 50 chunks of one record of 64x64x3.
func BenchmarkSample(b *testing.B) {
	large := Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1}
	s, err := Open(b.Context(), vfs.OS(), b.TempDir(), large, Config{MemoryBudget: 1 << 30}, nil)
	if err != nil {
		b.Fatal(err)
	}
	const n = 20
	e := &Episode{Images: make([]byte, n*large.ImageSize()), Actions: make([]float32, n), Rewards: make([]float32, n), Continues: make([]float32, n)}
	if _, err := s.Append(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	sm, batch := sampler(b, s, SamplerConfig{BatchSize: 50, ChunkLength: 1, BitDepth: 5}), Batch{}
	b.ReportAllocs()
	for b.Loop() {
		if err := sm.Sample(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(batch.Images)), "ns/pixel")
}
