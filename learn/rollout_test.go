package learn

import (
	"testing"

	"github.com/orrery-rl/orrery/internal/rng"
)

// TestEpisodesTakeTheMemoryThatTheyFill: the replay counts bytes, not room to grow,
// but for what the allocator rounds up to.
func TestEpisodesTakeTheMemoryThatTheyFill(t *testing.T) {
	e := toyEnv(t, "toy-dot", 48)
	out, err := single(t.Context(), e, 1, 0, drawn(uniform(e.Spec().Action, rng.New(1, "actions"))))
	if err != nil {
		t.Fatal(err)
	}
	const page = 8192
	if images := out.episode.Images; len(images) != out.episode.Len()*e.Spec().Image.Size() || cap(images) >= len(images)+page {
		t.Errorf("%d bytes of %d records take %d", len(images), out.episode.Len(), cap(images))
	}
}
