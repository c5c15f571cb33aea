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
