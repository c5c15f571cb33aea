//go:build xla && cgo

package xla

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// Built reports whether this program can load plugins.
const Built = true

func open(spec string) (compute.Backend, error) {
	xla.EnableAutoInstall(false)
	backend, err := xla.NewWithOptions(spec, nil)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w (install one, for example: pip install jax-cuda12-pjrt, and give its file as xla:/path/to/xla_cuda_plugin.so)", ErrPlugin, spec, err)
	}
	return device{backend}, nil
}
