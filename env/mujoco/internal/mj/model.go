//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"math"
	"sync"
	"unsafe"
)

// Model is a compiled model: everything that does not change while time passes.
// Its arrays may be written between steps; that changes every Data of the model.
type Model struct {
	c       *C.mjModel
	memory  *modelMemory
	names   names
	warning string
}

// modelMemory is freed when the model and all that uses it have let go of it.
type modelMemory struct {
	mu    sync.Mutex
	users int
	c     *C.mjModel
}

func (m *modelMemory) hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users++
}

func (m *modelMemory) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users--; m.users == 0 {
		C.mj_deleteModel(m.c)
	}
}

// loading serialises the compiler, which older versions do not promise to be
// reentrant.
var loading sync.Mutex

// Load compiles a model from MJCF or URDF text. The files that it includes or
// refers to come from assets only, by their names without folders; nothing is
// read from disk unless the text names a file that assets lacks.
//
// It fails with [ErrLoad], with MuJoCo's text, or with [ErrVersion].
func Load(xml string, assets map[string][]byte) (*Model, error) {
	if err := check(); err != nil {
		return nil, err
	}
	loading.Lock()
	defer loading.Unlock()
	vfs := C.mjx_newVFS()
	if vfs == nil {
		return nil, fmt.Errorf("%w: out of memory", ErrLoad)
	}
	defer C.mjx_freeVFS(vfs)
	const main = "the model.xml"
	if err := addFile(vfs, main, []byte(xml)); err != nil {
		return nil, err
	}
	for name, data := range assets {
		if err := addFile(vfs, name, data); err != nil {
			return nil, err
		}
	}
	return compile(vfs, main)
}

func addFile(vfs *C.mjVFS, name string, data []byte) error {
	if len(data) == 0 || len(data) > math.MaxInt32 {
		return fmt.Errorf("%w: file %q has %d bytes, want 1 to %d", ErrLoad, name, len(data), math.MaxInt32)
	}
	cname := C.CString(name)
	defer free(cname)
	report := newReport()
	defer free(report)
	status := C.mjx_addFile(vfs, cname, unsafe.Pointer(unsafe.SliceData(data)), C.int(len(data)), report)
	switch {
	case report.failed != 0:
		return fmt.Errorf("%w: file %q: %s", ErrLoad, name, C.GoString(&report.error[0]))
	case status == 2:
		return fmt.Errorf("%w: two files have the name %q (folders do not count)", ErrLoad, name)
	case status != 0:
		return fmt.Errorf("%w: file %q of %d bytes cannot be stored", ErrLoad, name, len(data))
	}
	return nil
}

func compile(vfs *C.mjVFS, name string) (*Model, error) {
	report := newReport()
	defer free(report)
	cname := C.CString(name)
	defer free(cname)
	c := C.mjx_load(cname, vfs, report)
	if c == nil {
		return nil, fmt.Errorf("%w: %s", ErrLoad, oneLine(C.GoString(&report.error[0])))
	}
	m := newModel(c)
	m.warning = oneLine(C.GoString(&report.warning[0]))
	return m, nil
}

func newModel(c *C.mjModel) *Model {
	return &Model{c: c, memory: &modelMemory{users: 1, c: c}, names: namesOf(c)}
}

// Copy returns an independent copy, to be edited and closed on its own.
func (m *Model) Copy() (*Model, error) {
	if m.c == nil {
		return nil, fmt.Errorf("copy model: %w", ErrClosed)
	}
	report := newReport()
	defer free(report)
	c := C.mjx_copyModel(m.c, report)
	if err := errorOf(report); err != nil {
		return nil, fmt.Errorf("copy model: %w", err)
	}
	return newModel(c), nil
}

// Close frees the model once nothing uses it any more.
func (m *Model) Close() {
	if m.c != nil {
		m.c = nil
		m.memory.release()
	}
}

// Warning is what MuJoCo had to say when it compiled the model, usually nothing.
func (m *Model) Warning() string { return m.warning }

// SetTotalMass scales the masses and inertias of all bodies so that they weigh
// mass kg together.
func (m *Model) SetTotalMass(mass float64) error {
	if m.c == nil {
		return fmt.Errorf("set total mass: %w", ErrClosed)
	}
	if !(mass > 0) || math.IsInf(mass, 1) {
		return fmt.Errorf("%w: total mass %g kg, want more than 0", ErrOptions, mass)
	}
	report := newReport()
	defer free(report)
	C.mjx_setTotalMass(m.c, C.double(mass), report)
	return errorOf(report)
}
