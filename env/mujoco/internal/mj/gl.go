//go:build mujoco

package mj

/*
#include "gl.h"
*/
import "C"

import (
	"errors"
	"fmt"
)

// glKinds are the libraries by the names that Options.GL has for them, with the
// packages that bring them on Debian and Ubuntu.
var glKinds = map[string]struct {
	kind     C.int
	packages string
}{
	OSMesa: {C.MJX_OSMESA, "libosmesa6"},
	EGL:    {C.MJX_EGL, "libegl1 libgl1-mesa-dri"},
}

// LoadedGL is the graphics library that this process uses, empty before the
// first renderer.
func LoadedGL() string {
	for name, k := range glKinds {
		if C.mjx_glLoaded() == k.kind {
			return name
		}
	}
	return ""
}

// loadGL loads the named library, or chooses one.
func loadGL(name string) error {
	if name == "" {
		name = LoadedGL()
	}
	if name != "" {
		return loadKind(name)
	}
	mesa := loadKind(OSMesa)
	if mesa == nil {
		return nil
	}
	if egl := loadKind(EGL); egl != nil {
		return errors.Join(mesa, egl)
	}
	return nil
}

func loadKind(name string) error {
	report := newReport()
	defer free(report)
	k := glKinds[name]
	status := C.mjx_glLoad(k.kind, &report.error[0])
	text := oneLine(C.GoString(&report.error[0]))
	switch status {
	case 0:
		return nil
	case C.MJX_CONFLICT:
		return fmt.Errorf("%w with %s: %s, and MuJoCo cannot use both in one process; start another process for it", ErrGL, name, text)
	default:
		return fmt.Errorf("%w with %s: %s; on Debian and Ubuntu install it with: apt-get install %s", ErrGL, name, text, k.packages)
	}
}
