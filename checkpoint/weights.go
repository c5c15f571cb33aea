package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Weights are the parameters of a model and what is needed to rebuild it.
type Weights struct {
	// Params are the parameters in the model's order.
	Params []Tensor
	// Config is the configuration the model is built from.
	Config json.RawMessage
	// Counters say how long it was trained.
	Counters Counters
	// Extra is whatever else is needed to use them, by name.
	Extra map[string]json.RawMessage
	// Created is when the file was written; [SaveWeights] fills in a zero time.
	Created time.Time
	// Half stores the parameters as float16, half the size, rounded to 11
	// significant bits. Reading does not set it.
	Half bool
}

const weightsKind = "orrery-weights"

// WriteWeights encodes w as safetensors with checksums.
func WriteWeights(dst io.Writer, w *Weights) error {
	h := header{Created: w.Created, Counters: w.Counters, Config: w.Config, Extra: w.Extra}
	groups := map[string][]Tensor{paramsGroup: w.Params}
	if w.Half {
		return encodeHalf(dst, weightsKind, h, groups)
	}
	return encode(dst, weightsKind, h, groups)
}

// ReadWeights decodes what WriteWeights wrote. Damaged data gives an error that
// matches [ErrCorrupt].
func ReadWeights(src io.Reader) (*Weights, error) {
	data, err := readAll(src)
	if err != nil {
		return nil, err
	}
	return decodeWeights(data, weightsKind)
}

func decodeWeights(data []byte, kinds ...string) (*Weights, error) {
	h, groups, err := decode(data, kinds...)
	if err != nil {
		return nil, err
	}
	return &Weights{Params: groups[paramsGroup], Config: h.Config, Counters: h.Counters, Extra: h.Extra, Created: h.Created}, nil
}

// SaveWeights writes w to path so that a crash leaves either the old file or
// the new one.
func SaveWeights(fs vfs.FS, path string, w *Weights) error {
	stamped := *w
	if stamped.Created.IsZero() {
		stamped.Created = time.Now().UTC().Truncate(time.Second)
	}
	err := vfs.WriteFileDurable(fs, path, func(dst io.Writer) error { return WriteWeights(dst, &stamped) })
	if err != nil {
		return fmt.Errorf("checkpoint: save weights %s: %w", path, err)
	}
	return nil
}

// LoadWeights reads what SaveWeights wrote.
func LoadWeights(fs vfs.FS, path string) (*Weights, error) { return loadWeights(fs, path, weightsKind) }

// LoadModel reads a file of weights, or those of a snapshot, whatever its name.
func LoadModel(fs vfs.FS, path string) (*Weights, error) {
	return loadWeights(fs, path, weightsKind, snapshotKind)
}

func loadWeights(fs vfs.FS, path string, kinds ...string) (*Weights, error) {
	data, err := vfs.ReadFile(fs, path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: load weights: %w", err)
	}
	w, err := decodeWeights(data, kinds...)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: load weights %s: %w", path, err)
	}
	return w, nil
}
