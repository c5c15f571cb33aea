package replay

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// TestEpisodesWithoutImages are stored, read again and sampled from memory
// alone.
func TestEpisodesWithoutImages(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	blind := Schema{ActionSize: 1, VectorSize: 1}
	s, err := Open(ctx, vfs.OS(), dir, blind, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ep := counter(3, 9, 1)
	ep.Images = nil
	if _, err := s.Append(ctx, ep); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(ctx, vfs.OS(), dir, blind, Config{}, nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Remove(filepath.Join(dir, episodeName(0))); err != nil {
		t.Fatal(err)
	}
	var b Batch
	if err := sampler(t, s, SamplerConfig{BatchSize: 2, ChunkLength: 4, BitDepth: 5}).Sample(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if len(b.Images) != 0 || len(b.Vectors) != 8 || b.Vectors[7] != 3 {
		t.Errorf("%d pixels, vectors %v", len(b.Images), b.Vectors)
	}
	for _, bad := range []Schema{{ActionSize: 1}, {Height: 4, ActionSize: 1, VectorSize: 1}, {VectorSize: 1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
