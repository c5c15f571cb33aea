// Package xla opens XLA devices, such as GPUs, as GoMLX backends. It needs cgo
// and the build tag xla; without them the package is empty but for an error that
// says so, and adds nothing to a program.
//
// XLA is loaded at run time from a plugin, a shared library with PJRT's C
// interface. Nothing is ever downloaded: install a plugin yourself, for example
// with pip install jax-cuda12-pjrt, and name its file.
package xla

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
)

// ErrNotBuilt reports a program that was built without XLA.
var ErrNotBuilt = errors.New("this program was built without XLA; build it with: CGO_ENABLED=1 go build -tags xla ./cmd/orrery")

// ErrPlugin reports a plugin that is missing or cannot be loaded.
var ErrPlugin = errors.New("no XLA plugin")

// Config says which device to use.
type Config struct {
	// Plugin is the absolute path of a PJRT plugin, or the name of one in
	// PJRT_PLUGIN_LIBRARY_PATH or in go-xla's folders, such as cuda or cpu;
	// options of go-xla may follow, separated by commas. Empty takes the first
	// that is found.
	Plugin string
	// Exact asks for float32 products that are not rounded to TF32, which
	// CUDA devices do by default.
	Exact bool
}

// New opens the device. Errors match ErrNotBuilt or ErrPlugin.
func New(cfg Config) (compute.Backend, error) {
	spec := cfg.Plugin
	if cfg.Exact && !strings.Contains(spec, "tf32") {
		spec += ",tf32=false"
	}
	backend, err := open(spec)
	if err != nil {
		return nil, fmt.Errorf("xla: %w", err)
	}
	return backend, nil
}
