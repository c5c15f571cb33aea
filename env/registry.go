package env

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/spell"
)

// Options are the choices a caller makes about an environment, whatever the
// task. Zero values mean the defaults named below.
type Options struct {
	// Height and Width of the image in pixels; 0 means 64.
	Height, Width int

	// ActionRepeat is the number of env steps per decision; 0 means the task's
	// own default (Entry.DefaultActionRepeat).
	ActionRepeat int

	// BitDepth is the number of significant bits of an image byte, 1 to 8; 0
	// means 8, which leaves the image as it was drawn.
	BitDepth int
}

// DefaultImageSize is the height and width of images when Options leave them
// zero: what the encoder of the paper was designed for.
const DefaultImageSize = 64

// MaxImageSize bounds Options.Height and Options.Width, so that a mistyped
// option is an error and not an exhausted memory.
const MaxImageSize = 4096

// Entry describes one environment of a [Registry].
type Entry struct {
	// Name is how users ask for it: lower case, words joined by hyphens.
	Name string

	// Description is one line for people.
	Description string

	// DefaultActionRepeat is used when Options.ActionRepeat is 0; 0 means 1.
	DefaultActionRepeat int

	// New builds the environment. It receives options without zero values when
	// called through [Registry.New].
	New func(Options) (Env, error)
}

// Registry maps names to environments. The zero value is not usable; call
// [NewRegistry]. Fill it before sharing it: it is safe for concurrent reading
// only.
type Registry struct {
	entries map[string]Entry
	schemes []Scheme
}

// Scheme is a family of environments whose names begin with Name and a
// separator: what follows says which one.
type Scheme struct {
	// Name is what stands before the separator.
	Name string

	// Separator stands between Name and what follows; "" means a colon.
	Separator string

	// Usage shows the form of the names, and Description is one line for people.
	Usage, Description string

	// Entry returns the environment called Name:rest.
	Entry func(rest string) (Entry, error)
}

// prefix is how the names of the family begin.
func (s Scheme) prefix() string {
	if s.Separator == "" {
		return s.Name + ":"
	}
	return s.Name + s.Separator
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{entries: map[string]Entry{}} }

// RegisterScheme adds s. It fails if the name is empty, has a colon or is taken,
// or if s.Entry is nil.
func (r *Registry) RegisterScheme(s Scheme) error {
	if s.Name == "" || strings.Contains(s.Name, ":") || s.Entry == nil {
		return fmt.Errorf("env: register %q: a scheme needs a Name without a colon and an Entry function", s.Name)
	}
	for _, other := range r.schemes {
		if other.Name == s.Name {
			return fmt.Errorf("env: register %q: the scheme is taken", s.Name)
		}
	}
	r.schemes = append(r.schemes, s)
	return nil
}

// Schemes returns the schemes in the order of their registration.
func (r *Registry) Schemes() []Scheme { return slices.Clone(r.schemes) }

// Register adds e. It fails if the name is empty or taken, or if e.New is nil.
func (r *Registry) Register(e Entry) error {
	if e.Name == "" || e.New == nil {
		return fmt.Errorf("env: register %q: an entry needs a Name and a New function", e.Name)
	}
	if _, taken := r.entries[e.Name]; taken {
		return fmt.Errorf("env: register %q: the name is taken", e.Name)
	}
	r.entries[e.Name] = e
	return nil
}

// Names returns all names in alphabetical order.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.entries))
	for name := range r.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Entry returns the entry called name, or an error wrapping [ErrUnknown] that
// suggests the nearest name.
func (r *Registry) Entry(name string) (Entry, error) {
	if e, ok := r.entries[name]; ok {
		return e, nil
	}
	for _, s := range r.schemes {
		if rest, ok := strings.CutPrefix(name, s.prefix()); ok {
			return s.Entry(rest)
		}
	}
	if near := spell.Nearest(name, r.Names()); near != "" {
		return Entry{}, fmt.Errorf("env: %w %q: did you mean %q?", ErrUnknown, name, near)
	}
	return Entry{}, fmt.Errorf("env: %w %q: known are %s", ErrUnknown, name, strings.Join(r.Names(), ", "))
}

// New builds the environment called name. Zero options take their defaults;
// options out of range fail with an error wrapping [ErrOptions].
func (r *Registry) New(name string, opts Options) (Env, error) {
	e, err := r.Entry(name)
	if err != nil {
		return nil, err
	}
	opts = opts.withDefaults(e)
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("env: %s: %w", name, err)
	}
	made, err := e.New(opts)
	if err != nil {
		return nil, fmt.Errorf("env: %s: %w", name, err)
	}
	return made, nil
}

func (o Options) withDefaults(e Entry) Options {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&o.Height, DefaultImageSize)
	or(&o.Width, DefaultImageSize)
	or(&o.ActionRepeat, max(e.DefaultActionRepeat, 1))
	or(&o.BitDepth, 8)
	return o
}

// Validate returns an error wrapping [ErrOptions] that names the first option
// out of range, or nil. Zero values are valid.
func (o Options) Validate() error {
	for _, f := range []struct {
		name       string
		value, max int
	}{
		{"Height", o.Height, MaxImageSize},
		{"Width", o.Width, MaxImageSize},
		{"ActionRepeat", o.ActionRepeat, 1 << 20},
		{"BitDepth", o.BitDepth, 8},
	} {
		if f.value < 0 || f.value > f.max {
			return fmt.Errorf("%w: %s is %d, want 1 to %d (0 for the default)", ErrOptions, f.name, f.value, f.max)
		}
	}
	return nil
}
