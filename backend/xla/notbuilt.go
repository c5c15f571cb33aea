//go:build !xla || !cgo

package xla

import "github.com/gomlx/compute"

// Built reports whether this program can load plugins.
const Built = false

func open(string) (compute.Backend, error) { return nil, ErrNotBuilt }
