package learn

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/replay"
)

// TestChunksOfACountingWorld follows records from a simulator through action
// repeat, rollout, file and sampler: in every chunk, record i shows i times the
// repeat, and its reward is that of its own action.
func TestChunksOfACountingWorld(t *testing.T) {
	const repeat, size = 3, 8
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	e, err := r.New("toy-counter", env.Options{Height: size, Width: size, ActionRepeat: repeat})
	if err != nil {
		t.Fatal(err)
	}
	spec := e.Spec()
	schema := replay.Schema{Height: size, Width: size, Channels: 3, ActionSize: 1, VectorSize: 2}
	store, err := replay.Open(t.Context(), vfs.OS(), t.TempDir(), schema, replay.Config{MemoryBudget: 1}, nil) // files only
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for seed := range uint64(4) {
		out, err := single(t.Context(), e, seed, 0, drawn(uniform(spec.Action, rng.New(seed, "actions"))))
		if err != nil {
			t.Fatal(err)
		}
		decisions, sum := spec.Decisions(), 0.0
		for _, reward := range out.episode.Rewards {
			sum += float64(reward)
		}
		if out.episode.Len() != decisions+1 || out.envSteps != toy.CounterMaxEnvSteps || math.Abs(sum-out.ret) > 1e-4 {
			t.Fatalf("%d records of %d decisions, %d env steps, return %v of rewards %v", out.episode.Len(), decisions, out.envSteps, out.ret, sum)
		}
		if _, err := store.Append(t.Context(), out.episode); err != nil {
			t.Fatal(err)
		}
	}
	sampler, err := replay.NewSampler(store, rng.New(1, "sample"), replay.SamplerConfig{BatchSize: 20, ChunkLength: 5, BitDepth: 8})
	if err != nil {
		t.Fatal(err)
	}
	var b replay.Batch
	for range 10 {
		if err := sampler.Sample(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		for chunk := range b.B {
			for k := range b.L {
				checkCounted(t, spec, &b, chunk*b.L+k, b.Offsets[chunk]+k, repeat)
			}
		}
	}
}

// checkCounted checks the record at a place of a batch, which is the i-th of its
// episode. The last decision has what is left of the env steps.
func checkCounted(t *testing.T, spec env.Spec, b *replay.Batch, at, i, repeat int) {
	t.Helper()
	steps := min(i*repeat, toy.CounterMaxEnvSteps)
	image := make([]byte, spec.Image.Size())
	if err := replay.Quantise(image, b.Images[at*len(image):][:len(image)], 8); err != nil {
		t.Fatal(err)
	}
	if offset := int(b.Vectors[2*at+1]); int(b.Vectors[2*at]) != steps || !slices.Equal(image, toy.CounterImage(spec.Image, steps, offset)) {
		t.Fatalf("record %d counts %v env steps, want %d, or shows others", i, b.Vectors[2*at], steps)
	}
	want := 0.0
	if i > 0 {
		want = float64(steps-(i-1)*repeat) * toy.CounterReward(b.Actions[at])
	} else if b.Actions[at] != 0 {
		t.Fatalf("record 0 has the action %v", b.Actions[at])
	}
	if math.Abs(float64(b.Rewards[at])-want) > 1e-6 {
		t.Fatalf("record %d: reward %v, its action %v earns %v", i, b.Rewards[at], b.Actions[at], want)
	}
}

// beginnings notes the first image of every episode, and who asked.
type beginnings struct {
	env.Env
	seen *[]string
}

func (e beginnings) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	obs, err := e.Env.Reset(ctx, seed)
	*e.seen = append(*e.seen, string(obs.Image))
	return obs, err
}

// TestEvaluationsStartApart: the evaluation episodes of a run begin in different
// states, none of which an episode of training began in, and every evaluation has
// the same ones.
func TestEvaluationsStartApart(t *testing.T) {
	var trained []string
	var judges []*[]string // of each environment
	p := parts(t, t.TempDir(), beginnings{newToy(t), &trained})
	p.NewEnv = func() (env.Env, error) {
		judges = append(judges, new([]string))
		return beginnings{newToy(t), judges[len(judges)-1]}, nil
	}
	p.Schedule.EvalEpisodes = 4
	if _, err := train(t, t.Context(), p); err != nil {
		t.Fatal(err)
	}
	var first []string
	for _, seen := range judges {
		if len(*seen) != 2 {
			t.Fatalf("%d episodes began in an environment of two evaluations", len(*seen))
		}
		if (*seen)[0] != (*seen)[1] {
			t.Error("the second evaluation begins in other states than the first")
		}
		first = append(first, (*seen)[0])
	}
	if len(trained) != 6 || len(first) != 4 {
		t.Fatalf("%d episodes of training and %d of an evaluation began, want 6 and 4", len(trained), len(first))
	}
	all := slices.Concat(trained, first)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 10 {
		t.Errorf("10 episodes begin in %d different states", n)
	}
}
