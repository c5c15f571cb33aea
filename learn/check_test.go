package learn

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// changed is an environment with another Spec than it had.
type changed struct {
	env.Env
	spec env.Spec
}

func (c changed) Spec() env.Spec { return c.spec }

// TestPartsThatCannotWorkAreRefusedBeforeTheStart: each with its remedy, and
// nothing is written.
func TestPartsThatCannotWorkAreRefusedBeforeTheStart(t *testing.T) {
	for want, change := range map[string]func(*Parts, *env.Spec){
		"set it to at most 51":     func(p *Parts, _ *env.Spec) { p.Schedule.ChunkLength = 52 },
		"set it to at most 14":     func(p *Parts, s *env.Spec) { s.ActionRepeat, p.Schedule.ChunkLength = 4, 15 },
		"wrap it in env.TimeLimit": func(_ *Parts, s *env.Spec) { s.MaxEnvSteps = 0 },
		"env.NormaliseActions":     func(_ *Parts, s *env.Spec) { s.Action.High = slices.Repeat([]float32{2}, s.Action.Size) },
		"make the model from the":  func(_ *Parts, s *env.Spec) { s.Image.Height = 2 * imageSize },
		"batch_size is 0":          func(p *Parts, _ *env.Spec) { p.Schedule.BatchSize = 0 },
		"learning_rate":            func(p *Parts, _ *env.Spec) { p.Optimiser.LearningRate = -1 },
		"NewEnv: the model is for": func(p *Parts, _ *env.Spec) {
			p.NewEnv = func() (env.Env, error) { return toyEnv(t, "toy-dot", imageSize/2), nil }
		},
		"planner categorical chooses among the components of an action, of which there is 1": func(p *Parts, s *env.Spec) {
			p.Plan.Method = plan.Categorical
			s.Action = env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}}
		},
		"elites": func(p *Parts, _ *env.Spec) { p.Plan.Elites = 0 },
	} {
		p := parts(t, t.TempDir(), newToy(t))
		spec := p.Env.Spec()
		change(&p, &spec)
		p.Env = changed{p.Env, spec}
		_, err := Open(context.Background(), p)
		if !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
		if files, _ := os.ReadDir(p.Dir); len(files) > 0 {
			t.Errorf("%s: it has written %v", want, files)
		}
	}
}

// TestChunksAsLongAsEpisodes: the longest chunk that is accepted can be sampled.
func TestChunksAsLongAsEpisodes(t *testing.T) {
	e := toyEnv(t, "toy-choice", imageSize)
	p := parts(t, t.TempDir(), e)
	p.NewEnv = func() (env.Env, error) { return toyEnv(t, "toy-choice", imageSize), nil }
	p.Schedule.ChunkLength = 2
	var log bytes.Buffer
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "model.continue_head=true"); n != 1 {
		t.Errorf("%d warnings that ends are not learned, want 1:\n%s", n, &log)
	}
}

// TestNoWarningWithoutEnds: episodes that are only cut, and models that learn
// ends, are no reason to warn.
func TestNoWarningWithoutEnds(t *testing.T) {
	for name, head := range map[string]bool{"toy-dot": false, "toy-choice": true} {
		e := toyEnv(t, name, imageSize)
		p := parts(t, t.TempDir(), e)
		cfg := p.Model.Config()
		cfg.ContinueHead = head
		var err error
		if p.Model, err = worldmodel.New(cfg, p.Model.Dims()); err != nil {
			t.Fatal(err)
		}
		p.NewEnv = func() (env.Env, error) { return toyEnv(t, name, imageSize), nil }
		p.Schedule.ChunkLength, p.Schedule.Episodes = 2, 2
		var log bytes.Buffer
		p.Log = slog.New(slog.NewTextHandler(&log, nil))
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
		if log.Len() > 0 {
			t.Errorf("%s: %s", name, &log)
		}
	}
}

func TestAgentsWithNoiseAreNotJudged(t *testing.T) {
	e := newToy(t)
	p := parts(t, t.TempDir(), e)
	a, err := agent.New(p.Backend, p.Model, agent.Config{Plan: p.Plan, BitDepth: 5, ActionNoise: 0.3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := Evaluate(context.Background(), a, []env.Env{e}, []uint64{1}); err == nil || !strings.Contains(err.Error(), "noise of 0.3") {
		t.Errorf("evaluate: %v", err)
	}
	if _, err := Play(context.Background(), a, e, 1, 5); err == nil || !strings.Contains(err.Error(), "noise of 0.3") {
		t.Errorf("play: %v", err)
	}
}
