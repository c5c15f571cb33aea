package replay

import (
	"errors"
	"fmt"
	"slices"
)

// Schema is the shape of every record. Without images Height, Width and
// Channels are 0; without vectors VectorSize is.
type Schema struct{ Height, Width, Channels, ActionSize, VectorSize int }

// ImageSize is the number of bytes of one image.
func (s Schema) ImageSize() int { return s.Height * s.Width * s.Channels }

// Validate reports a schema that no episode can have.
func (s Schema) Validate() error {
	blind := s.Height == 0 && s.Width == 0 && s.Channels == 0 && s.VectorSize > 0
	sizes := !blind && (s.Height < 1 || s.Width < 1 || s.Channels < 1)
	if sizes || s.ActionSize < 1 || s.VectorSize < 0 {
		return fmt.Errorf("replay: schema %+v: sizes must be positive (VectorSize may be 0, or all three of the image)", s)
	}
	return nil
}

// Episode is a whole episode of N decisions, N+1 records.
type Episode struct {
	Images    []byte    // [N+1, H, W, C], empty without images
	Actions   []float32 // [N+1, A]: the action that led to the record; record 0 zero
	Rewards   []float32 // [N+1]: what that action earned; record 0 zero
	Continues []float32 // [N+1]: 1, or 0 where the task really ended
	Vectors   []float32 // [N+1, V], empty when V is 0
}

// Len is the number of records.
func (e *Episode) Len() int { return len(e.Rewards) }

// check reports every array that does not fit the schema, or else the first
// value that nothing can be learned from.
func (e *Episode) check(s Schema) error {
	n := e.Len()
	var errs []error
	size := func(name string, got, each int) {
		if got != n*each {
			errs = append(errs, fmt.Errorf("array %q has %d values, %d records of %d need %d", name, got, n, each, n*each))
		}
	}
	size("image", len(e.Images), s.ImageSize())
	size("action", len(e.Actions), s.ActionSize)
	size("continue", len(e.Continues), 1)
	size("vector", len(e.Vectors), s.VectorSize)
	if n < 2 {
		errs = append(errs, fmt.Errorf("it has %d records; an episode has at least 2", n))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if e.Rewards[0] != 0 || slices.ContainsFunc(e.Actions[:s.ActionSize], func(a float32) bool { return a != 0 }) {
		return errors.New("record 0 has an action or a reward; store the action that led to each record")
	}
	return e.checkValues()
}

func (e *Episode) checkValues() error {
	names := [...]string{"action", "reward", "continue", "vector"}
	for i, x := range [...][]float32{e.Actions, e.Rewards, e.Continues, e.Vectors} {
		if at := slices.IndexFunc(x, notFinite); at >= 0 {
			return fmt.Errorf("array %q holds %v at %d", names[i], x[at], at)
		}
	}
	if at := slices.IndexFunc(e.Continues, func(c float32) bool { return c < 0 || c > 1 }); at >= 0 {
		return fmt.Errorf("array \"continue\" holds %v at %d; it must lie in [0, 1]", e.Continues[at], at)
	}
	return nil
}

func notFinite(v float32) bool { return v-v != 0 }
