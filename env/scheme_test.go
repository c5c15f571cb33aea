package env

import (
	"errors"
	"fmt"
	"testing"
)

func TestSchemes(t *testing.T) {
	r := NewRegistry()
	var opened string
	good := Scheme{Name: "far", Entry: func(rest string) (Entry, error) {
		if rest == "" {
			return Entry{}, fmt.Errorf("%w: nowhere", ErrUnknown)
		}
		return Entry{Name: "far:" + rest, DefaultActionRepeat: 3, New: func(o Options) (Env, error) {
			opened = fmt.Sprint(rest, " every ", o.ActionRepeat)
			return &clock{}, nil
		}}, nil
	}}
	if err := r.RegisterScheme(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Scheme{good, {Name: "empty"}, {Entry: good.Entry}, {Name: "a:b", Entry: good.Entry}} {
		if err := r.RegisterScheme(bad); err == nil {
			t.Errorf("%q was registered", bad.Name)
		}
	}
	if all := r.Schemes(); len(all) != 1 || all[0].Name != "far" {
		t.Errorf("schemes are %+v", all)
	}
	if _, err := r.New("far:away:x", Options{}); err != nil || opened != "away:x every 3" {
		t.Errorf("opened %q, %v", opened, err)
	}
	for _, name := range []string{"far:", "near:x", "far"} {
		if _, err := r.New(name, Options{}); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v, want ErrUnknown", name, err)
		}
	}
}

func TestSchemesMayHaveTheirOwnSeparator(t *testing.T) {
	r := NewRegistry()
	scheme := Scheme{Name: "family", Separator: "/", Entry: func(rest string) (Entry, error) {
		return Entry{Name: "family/" + rest, New: func(Options) (Env, error) { return &clock{}, nil }}, nil
	}}
	own := Entry{Name: "family/own", Description: "its own", New: func(Options) (Env, error) { return &clock{}, nil }}
	if err := errors.Join(r.RegisterScheme(scheme), r.Register(own)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"family/own": "its own", "family/own:colour=red": "", "family/other": ""} {
		e, err := r.Entry(name)
		if err != nil || e.Name != name || e.Description != want {
			t.Errorf("%q is %+v, %v; want description %q", name, e, err, want)
		}
	}
	for _, name := range []string{"family", "family:other"} {
		if _, err := r.Entry(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v, want ErrUnknown", name, err)
		}
	}
}
