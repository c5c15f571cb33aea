package env

import (
	"errors"
	"fmt"
	"math"
)

// Spec describes an environment: shapes, names, bounds and units of time. The
// slices are shared; treat them as read-only.
type Spec struct {
	// Name identifies the task, cartpole-swingup for example.
	Name string

	// Tasks names the tasks that take turns, if there are several; see [Tasks].
	Tasks []string

	// Image is the shape of Observation.Image; the zero value means that the
	// environment has no image.
	Image ImageSpec

	// VectorSize is the length of Observation.Vector; 0 means none.
	VectorSize int

	// VectorNames names the VectorSize measurements in order, with their unit
	// where they have one.
	VectorNames []string

	// Action gives number and bounds of the action's components.
	Action ActionSpec

	// ActionRepeat is the number of env steps per decision, at least 1.
	ActionRepeat int

	// MaxEnvSteps is the number of env steps after which an episode is
	// truncated; 0 means that there is no limit.
	MaxEnvSteps int
}

// ImageSpec is the shape [Height, Width, Channels] of an image.
type ImageSpec struct{ Height, Width, Channels int }

// Size is the number of bytes of one image.
func (s ImageSpec) Size() int { return s.Height * s.Width * s.Channels }

// ActionSpec describes actions: Size components, component i within
// [Low[i], High[i]].
type ActionSpec struct {
	Size      int
	Low, High []float32
}

// Decisions is the number of decisions of an episode that runs into its time
// limit, the last one possibly shortened; 0 if there is no limit.
func (s Spec) Decisions() int {
	if s.ActionRepeat < 1 {
		return 0
	}
	return (s.MaxEnvSteps + s.ActionRepeat - 1) / s.ActionRepeat
}

// Validate returns every way in which s contradicts itself, joined into one
// error that wraps [ErrSpec], or nil.
func (s Spec) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("env: %q: %w: %s", s.Name, ErrSpec, fmt.Sprintf(format, args...)))
	}
	if s.Name == "" {
		bad("Name is empty")
	}
	if s.ActionRepeat < 1 {
		bad("ActionRepeat is %d, want at least 1", s.ActionRepeat)
	}
	if s.MaxEnvSteps < 0 {
		bad("MaxEnvSteps is %d, want 0 (no limit) or more", s.MaxEnvSteps)
	}
	s.validateObservation(bad)
	s.Action.validate(bad)
	return errors.Join(errs...)
}

func (s Spec) validateObservation(bad func(string, ...any)) {
	i := s.Image
	if i != (ImageSpec{}) && (i.Height < 1 || i.Width < 1 || i.Channels < 1) {
		bad("Image is %dx%dx%d, want three positive sizes, or all zero for no image", i.Height, i.Width, i.Channels)
	}
	if s.VectorSize < 0 {
		bad("VectorSize is %d, want 0 or more", s.VectorSize)
	}
	if len(s.VectorNames) != s.VectorSize {
		bad("VectorNames has %d names, VectorSize is %d", len(s.VectorNames), s.VectorSize)
	}
	if i == (ImageSpec{}) && s.VectorSize == 0 {
		bad("there is neither an image nor a vector to observe")
	}
}

func (a ActionSpec) validate(bad func(string, ...any)) {
	if a.Size < 1 {
		bad("Action.Size is %d, want at least 1", a.Size)
	}
	if len(a.Low) != a.Size || len(a.High) != a.Size {
		bad("Action has Size %d, but %d lower and %d upper bounds", a.Size, len(a.Low), len(a.High))
		return
	}
	for i := range a.Low {
		if !finite(a.Low[i]) || !finite(a.High[i]) || a.Low[i] >= a.High[i] {
			bad("Action bounds %d are [%g, %g], want finite values with low < high", i, a.Low[i], a.High[i])
		}
	}
}

// Check returns an error wrapping [ErrAction] unless action has Size finite
// components within their bounds.
func (a ActionSpec) Check(action []float32) error {
	if len(action) != a.Size {
		return fmt.Errorf("%w: it has %d components, the task has %d", ErrAction, len(action), a.Size)
	}
	for i, v := range action {
		if !finite(v) {
			return fmt.Errorf("%w: component %d is %g", ErrAction, i, v)
		}
		if v < a.Low[i] || v > a.High[i] {
			return fmt.Errorf("%w: component %d is %g, outside [%g, %g]; clip it first", ErrAction, i, v, a.Low[i], a.High[i])
		}
	}
	return nil
}

// CheckObservation returns an error wrapping [ErrSpec] unless the sizes of o
// are those of s and every measurement is finite.
func (s Spec) CheckObservation(o Observation) error {
	if len(o.Image) != s.Image.Size() {
		return fmt.Errorf("%w: the image has %d bytes, the spec says %dx%dx%d = %d", ErrSpec,
			len(o.Image), s.Image.Height, s.Image.Width, s.Image.Channels, s.Image.Size())
	}
	if len(o.Vector) != s.VectorSize {
		return fmt.Errorf("%w: the vector has %d values, the spec says %d", ErrSpec, len(o.Vector), s.VectorSize)
	}
	for i, v := range o.Vector {
		if !finite(v) {
			return fmt.Errorf("%w: vector value %d is %g", ErrSpec, i, v)
		}
	}
	return nil
}

func finite(v float32) bool {
	return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
}
