package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/orrery-rl/orrery/internal/format/npz"
)

// ErrCorrupt is matched by errors about a file that is not a whole episode of
// the expected schema.
var ErrCorrupt = errors.New("replay: damaged episode")

// Schema is the shape of every record.
type Schema struct{ Height, Width, Channels, ActionSize, VectorSize int }

// ImageSize is the number of bytes of one image.
func (s Schema) ImageSize() int { return s.Height * s.Width * s.Channels }

// Validate reports a schema that no episode can have.
func (s Schema) Validate() error {
	if s.Height < 1 || s.Width < 1 || s.Channels < 1 || s.ActionSize < 1 || s.VectorSize < 0 {
		return fmt.Errorf("replay: schema %+v: sizes must be positive (VectorSize may be 0)", s)
	}
	return nil
}

// Episode is a whole episode of N decisions, N+1 records.
type Episode struct {
	Images    []byte    // [N+1, H, W, C]
	Actions   []float32 // [N+1, A]: the action that led to the record; record 0 zero
	Rewards   []float32 // [N+1]: what that action earned; record 0 zero
	Continues []float32 // [N+1]: 1, or 0 where the task really ended
	Vectors   []float32 // [N+1, V], empty when V is 0
}

// Len is the number of records.
func (e *Episode) Len() int { return len(e.Rewards) }

// check reports every array that does not fit the schema, or record 0 with an
// action or a reward.
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
	for name, x := range map[string][]float32{"action": e.Actions, "reward": e.Rewards, "continue": e.Continues, "vector": e.Vectors} {
		if i := slices.IndexFunc(x, notFinite); i >= 0 {
			return fmt.Errorf("array %q holds %v at %d", name, x[i], i)
		}
	}
	return nil
}

func notFinite(v float32) bool { return v-v != 0 }

// write encodes the episode as .npz.
func (e *Episode) write(w io.Writer, s Schema) error {
	n := e.Len()
	arrays := []npz.Array{
		{Name: "image", Dims: []int{n, s.Height, s.Width, s.Channels}, Uint8: e.Images},
		{Name: "action", Dims: []int{n, s.ActionSize}, Float32: e.Actions},
		{Name: "reward", Dims: []int{n}, Float32: e.Rewards},
		{Name: "continue", Dims: []int{n}, Float32: e.Continues},
	}
	if s.VectorSize > 0 {
		arrays = append(arrays, npz.Array{Name: "vector", Dims: []int{n, s.VectorSize}, Float32: e.Vectors})
	}
	return npz.Write(w, arrays)
}

// maxEpisode bounds one file; the paper's longest episodes have 6 MB.
const maxEpisode = 4 << 30

// readEpisode decodes and checks an episode; every error matches ErrCorrupt.
func readEpisode(r io.ReaderAt, size int64, s Schema) (*Episode, error) {
	arrays, err := npz.Read(r, size, maxEpisode)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	e := &Episode{}
	for _, a := range arrays {
		var want []int // the shape of one record
		switch a.Name {
		case "image":
			e.Images, want = a.Uint8, []int{s.Height, s.Width, s.Channels}
		case "action":
			e.Actions, want = a.Float32, []int{s.ActionSize}
		case "reward":
			e.Rewards = a.Float32
		case "continue":
			e.Continues = a.Float32
		case "vector":
			e.Vectors, want = a.Float32, []int{s.VectorSize}
		default:
			return nil, fmt.Errorf("%w: it has an array %q", ErrCorrupt, a.Name)
		}
		if len(a.Dims) == 0 || !slices.Equal(a.Dims[1:], want) {
			return nil, fmt.Errorf("%w: array %q has shape %v, each record of the task has %v", ErrCorrupt, a.Name, a.Dims, want)
		}
	}
	if err := e.check(s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return e, nil
}
