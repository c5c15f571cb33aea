package learn

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/worldmodel"
)

// TestARunStartsFromWeights: with the weights' values, counters and moments at
// zero; what it becomes differs from a run that starts at random.
func TestARunStartsFromWeights(t *testing.T) {
	source, dir := t.TempDir(), t.TempDir()
	if _, err := train(t, context.Background(), parts(t, source, newToy(t))); err != nil {
		t.Fatal(err)
	}
	from, err := LoadWeights(context.Background(), vfs.OS(), source)
	if err != nil {
		t.Fatal(err)
	}
	p := parts(t, dir, newToy(t))
	p.From, p.Seed, p.Schedule.Episodes, p.Schedule.SeedEpisodes = from, 8, 2, 2
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	trained, _, _ := contents(t, source)
	s, _, _ := contents(t, dir)
	sameTensors(t, "nothing learned yet", s.Params, trained.Params)
	if s.Counters.Updates != 0 || s.Counters.Episodes != 2 {
		t.Errorf("%+v", s.Counters)
	}
	for _, m := range append(s.AdamM, s.AdamV...) {
		for _, v := range m.Data {
			if v != 0 {
				t.Fatalf("the moments of %s are not zero", m.Name)
			}
		}
	}
	// It goes on without the weights.
	p = parts(t, dir, newToy(t))
	p.Seed, p.Schedule.Episodes, p.Schedule.SeedEpisodes = 8, 4, 2
	if _, err := train(t, context.Background(), p); err != nil {
		t.Fatal(err)
	}
	s, _, _ = contents(t, dir)
	if s.Counters.Updates != 8 || reflect.DeepEqual(s.Params, trained.Params) {
		t.Errorf("%+v: nothing was learned", s.Counters)
	}
}

// TestWeightsThatDoNotFitAreRefusedByName, before anything is written.
func TestWeightsThatDoNotFitAreRefusedByName(t *testing.T) {
	e := newToy(t)
	m := newModel(t, e)
	other := func(change func(*worldmodel.Config, *worldmodel.Dims)) *Weights {
		cfg, dims := m.Config(), m.Dims()
		change(&cfg, &dims)
		o, err := worldmodel.New(cfg, dims)
		if err != nil {
			t.Fatal(err)
		}
		return NewWeights(o, o.InitParams(rng.New(1, "init")), nil)
	}
	for want, from := range map[string]*Weights{
		"they are for actions of 5 components, the model for 2": other(func(_ *worldmodel.Config, d *worldmodel.Dims) { d.ActionSize = 5 }),
		"they are for images of 32x32x3, the model for 16x16x3": other(func(_ *worldmodel.Config, d *worldmodel.Dims) { d.Height, d.Width = 32, 32 }),
		`"rssm/input/kernel" has the shape`:                     other(func(c *worldmodel.Config, _ *worldmodel.Dims) { c.HiddenSize++ }),
		`"continue/output/bias" of shape [1] is not part`:       other(func(c *worldmodel.Config, _ *worldmodel.Dims) { c.ContinueHead = true }),
	} {
		p := parts(t, filepath.Join(t.TempDir(), "run"), e)
		p.From = from
		_, err := Open(context.Background(), p)
		if !errors.Is(err, ErrParts) || !errors.Is(err, checkpoint.ErrMismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
		if _, err := vfs.OS().Stat(p.Dir); err == nil {
			t.Error("it has written")
		}
	}
}
