package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// counted is an environment that knows how many of its kind are open.
type counted struct {
	env.Env
	open *int
}

func (c counted) Close() error {
	*c.open--
	return c.Env.Close()
}

// counting is a program whose environment "counted", toy-dot, can be made so many
// times.
func counting(t *testing.T, times int) (*app, *int) {
	t.Helper()
	toys := env.NewRegistry()
	if err := toy.Register(toys); err != nil {
		t.Fatal(err)
	}
	a, open := &app{out: &bytes.Buffer{}, err: &bytes.Buffer{}, envs: env.NewRegistry()}, new(int)
	err := a.envs.Register(env.Entry{Name: "counted", Description: "toy-dot, counted", New: func(o env.Options) (env.Env, error) {
		if times--; times < 0 {
			return nil, errors.New("there are no more")
		}
		*open++
		e, err := toys.New("toy-dot", o)
		return counted{e, open}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a, open
}

// TestInterruptsHideNoOtherErrors: what could not be closed is told.
func TestInterruptsHideNoOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		says string
	}{
		{learn.ErrInterrupted, ""},
		{errors.Join(learn.ErrInterrupted, nil), ""},
		{errors.Join(learn.ErrInterrupted, errors.New("the disk is gone")), "orrery: interrupted\nthe disk is gone\n"},
	} {
		var out bytes.Buffer
		if code := exitCode(c.err, &out); code != exitInterrupted || out.String() != c.says {
			t.Errorf("%v: exit code %d, %q", c.err, code, &out)
		}
	}
}

func TestEnvironmentsAreClosed(t *testing.T) {
	tiny, err := config.Preset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	tiny.Env.Name = "counted"
	for name, f := range map[string]func(*app) error{
		"show": func(a *app) error {
			o := showOptions{size: 16, decisions: 3, out: filepath.Join(t.TempDir(), "show")}
			return o.run(t.Context(), a, "counted")
		},
		"the third copy fails": func(a *app) error {
			e, err := a.openEnv(tiny)
			if err != nil {
				return err
			}
			defer e.Close()
			model, err := worldmodel.New(tiny.Model, dimsOf(e.Spec()))
			if err != nil {
				return err
			}
			if _, err := (&trained{config: tiny, model: model}).envs(a, 2); err == nil {
				return errors.New("three copies were made")
			}
			return nil
		},
		"the third task fails": func(a *app) error {
			several := tiny
			several.Env.Name = "counted,counted,counted"
			if _, err := a.openEnv(several); err == nil {
				return errors.New("three tasks were made")
			}
			return nil
		},
	} {
		a, open := counting(t, 2)
		if err := f(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if *open != 0 {
			t.Errorf("%s: %d environments are left open", name, *open)
		}
	}
}
