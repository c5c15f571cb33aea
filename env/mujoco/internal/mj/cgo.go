//go:build mujoco

package mj

/*
#cgo LDFLAGS: -lmujoco -ldl
#cgo noescape mjx_step
#cgo nocallback mjx_step
#cgo noescape mjx_step1
#cgo nocallback mjx_step1
#cgo noescape mjx_step2
#cgo nocallback mjx_step2
#cgo noescape mjx_forward
#cgo nocallback mjx_forward
#cgo noescape mjx_reset
#cgo nocallback mjx_reset
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// Version is that of the library, for example "2.2.2".
func Version() string { return C.GoString(C.mj_versionString()) }

// check installs the handlers and reports a library that does not fit the
// headers this program was compiled with: its structs have another layout.
func check() error {
	if version := C.mjx_check(); version != nil {
		return fmt.Errorf("%w: the program was compiled with MuJoCo headers of version %d but runs with the library %s; compile it with the headers of that library",
			ErrVersion, int(C.mjVERSION_HEADER), C.GoString(version))
	}
	return nil
}

// errorOf is the error that a report holds, nil if there is none.
func errorOf(r *C.mjx_report) error {
	if r.failed == 0 {
		return nil
	}
	text := oneLine(C.GoString(&r.error[0]))
	if r.failed == C.MJX_FULL {
		return fmt.Errorf("%w: %s", ErrOverflow, text)
	}
	return fmt.Errorf("%w: %s", ErrMuJoCo, text)
}

// oneLine joins the lines of MuJoCo's messages.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// newReport allocates a report outside Go's heap; release it with free.
func newReport() *C.mjx_report {
	return (*C.mjx_report)(C.calloc(1, C.sizeof_mjx_report))
}

func free[T any](p *T) { C.free(unsafe.Pointer(p)) }

func pointer[T any](p *T) unsafe.Pointer { return unsafe.Pointer(p) }
