//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import "unsafe"

// WrapPrm are the parameters of what the tendons are made of, in order; for fixed
// tendons the coefficients of their joints. nwrap.
func (m *Model) WrapPrm() []float64 {
	if m.c == nil {
		return nil
	}
	return floats(unsafe.Pointer(m.c.wrap_prm), int(m.c.nwrap))
}
