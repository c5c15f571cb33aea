//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import "fmt"

// Warning is something that went wrong during steps since the last Reset.
type Warning struct {
	Name  string // MuJoCo's, in lower case: "badqacc"
	Count int    // steps that raised it
}

// warningNames and sentinels have an entry for every warning that steps raise.
var warningNames = [C.mjNWARNING]string{
	C.mjWARN_INERTIA: "inertia", C.mjWARN_CONTACTFULL: "contactfull", C.mjWARN_CNSTRFULL: "cnstrfull",
	C.mjWARN_BADQPOS: "badqpos", C.mjWARN_BADQVEL: "badqvel", C.mjWARN_BADQACC: "badqacc", C.mjWARN_BADCTRL: "badctrl",
}

var sentinels = [C.mjNWARNING]error{
	C.mjWARN_INERTIA: ErrDiverged, C.mjWARN_CONTACTFULL: ErrOverflow, C.mjWARN_CNSTRFULL: ErrOverflow,
	C.mjWARN_BADQPOS: ErrDiverged, C.mjWARN_BADQVEL: ErrDiverged, C.mjWARN_BADQACC: ErrDiverged, C.mjWARN_BADCTRL: ErrDiverged,
}

// Warnings lists what was raised since the last Reset.
func (d *Data) Warnings() []Warning {
	var all []Warning
	for i, n := range d.warnings {
		if n > 0 {
			all = append(all, Warning{warningNames[i], n})
		}
	}
	return all
}

// raised is the error that MuJoCo raised during the call named what, if any. The
// state is unusable after it.
func (d *Data) raised(what string) error {
	err := errorOf(d.report)
	if err == nil {
		return nil
	}
	d.broken = fmt.Errorf("broken by an earlier error until Reset: %w", err)
	return fmt.Errorf("%s: %w", what, err)
}

// wrong counts the warnings of a call and turns the gravest into an error.
func (d *Data) wrong(what string) error {
	if err := d.raised(what); err != nil {
		return err
	}
	var err error
	for i := range d.warnings {
		if n := int(d.c.warning[i].number); n > 0 {
			d.warnings[i] += n
			if err == nil || sentinels[i] == ErrDiverged {
				err = fmt.Errorf("%s: %w: %s", what, sentinels[i], oneLine(C.GoString(&d.report.warning[0])))
			}
		}
	}
	return err
}
