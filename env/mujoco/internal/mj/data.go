//go:build mujoco

package mj

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
)

// Data is the state of one simulation of a model, and everything computed from
// it. Which quantities are up to date after which call is MuJoCo's: after Step
// the positions are new and what depends on them is from before the integration;
// Step1 or Forward bring it up to date.
type Data struct {
	c        *C.mjData
	m        *C.mjModel
	model    *Model
	report   *C.mjx_report
	warnings [C.mjNWARNING]int // since Reset
	broken   error             // an error of MuJoCo's that only Reset mends
}

// NewData makes a state of m, as Reset leaves it.
func NewData(m *Model) (*Data, error) {
	if m.c == nil {
		return nil, fmt.Errorf("make data: %w", ErrClosed)
	}
	report := newReport()
	c := C.mjx_makeData(m.c, report)
	if c == nil {
		defer free(report)
		return nil, fmt.Errorf("make data: %w", errors.Join(errorOf(report), ErrMuJoCo))
	}
	m.memory.hold()
	return &Data{c: c, m: m.c, model: m, report: report}, nil
}

// Close frees the state.
func (d *Data) Close() {
	if d.c == nil {
		return
	}
	C.mj_deleteData(d.c)
	free(d.report)
	d.c, d.report = nil, nil
	d.model.memory.release()
}

// Model is what the state belongs to.
func (d *Data) Model() *Model { return d.model }

// Time is the simulated time in s.
func (d *Data) Time() float64 {
	if d.c == nil {
		return 0
	}
	return float64(d.c.time)
}

// usable reports why no call may be made.
func (d *Data) usable() error {
	if d.c == nil {
		return ErrClosed
	}
	return d.broken
}

// Reset sets positions to their defaults, everything else to zero, and forgets
// warnings and errors. Nothing that depends on the state is computed.
func (d *Data) Reset() error {
	if d.c == nil {
		return fmt.Errorf("reset: %w", ErrClosed)
	}
	C.mjx_reset(d.m, d.c, d.report)
	d.broken, d.warnings = nil, [C.mjNWARNING]int{}
	return d.raised("reset")
}

// ResetTo is Reset to a keyframe of the model.
func (d *Data) ResetTo(key int) error {
	if d.c == nil {
		return fmt.Errorf("reset: %w", ErrClosed)
	}
	if key < 0 || key >= d.model.Count(Keyframe) {
		return fmt.Errorf("reset: %w: keyframe %d of %d", ErrName, key, d.model.Count(Keyframe))
	}
	C.mjx_resetKey(d.m, d.c, C.int(key), d.report)
	d.broken, d.warnings = nil, [C.mjNWARNING]int{}
	return d.raised("reset")
}

// Step advances by n time steps. It stops behind the first that goes wrong, with
// an error that is [ErrDiverged] or [ErrOverflow] or comes from MuJoCo.
func (d *Data) Step(n int) error {
	if n < 0 || n > math.MaxInt32 {
		return fmt.Errorf("%w: %d steps", ErrOptions, n)
	}
	if err := d.usable(); err != nil {
		return fmt.Errorf("step: %w", err)
	}
	if C.mjx_step(d.m, d.c, C.int(n), d.report) == 0 {
		return nil
	}
	return d.wrong("step")
}

// Step1 is the first half of a step: all that depends on position and velocity,
// sensors included. Controls may be set behind it.
func (d *Data) Step1() error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("step 1: %w", err)
	}
	if C.mjx_step1(d.m, d.c, d.report) == 0 {
		return nil
	}
	return d.wrong("step 1")
}

// Step2 is the second half of a step: forces, accelerations and integration. It
// integrates by Euler whatever the model says.
func (d *Data) Step2() error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("step 2: %w", err)
	}
	if C.mjx_step2(d.m, d.c, d.report) == 0 {
		return nil
	}
	return d.wrong("step 2")
}

// Forward computes everything that depends on the state, without advancing it.
func (d *Data) Forward() error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	C.mjx_forward(d.m, d.c, d.report)
	return d.raised("forward")
}

// ForwardWithoutActuation is Forward as if the actuators were switched off.
func (d *Data) ForwardWithoutActuation() error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	C.mjx_forwardPassive(d.m, d.c, d.report)
	return d.raised("forward")
}

// SetConst computes anew what MuJoCo derives from the masses, sizes and default
// positions of the model, after they were edited. The state is used as scratch
// space and is reset.
func (d *Data) SetConst() error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("set constants: %w", err)
	}
	C.mjx_setConst(d.m, d.c, d.report)
	return d.raised("set constants")
}

// CopyFrom makes d equal to src, a state of the same model.
func (d *Data) CopyFrom(src *Data) error {
	if d.c == nil || src.c == nil {
		return fmt.Errorf("copy data: %w", ErrClosed)
	}
	if d.m != src.m {
		return fmt.Errorf("copy data: %w: the states belong to different models", ErrOptions)
	}
	C.mjx_copyData(d.c, d.m, src.c, d.report)
	d.broken, d.warnings = src.broken, src.warnings
	return d.raised("copy data")
}

// SensorOf is a view of the numbers of the named sensor, nil if there is none.
func (d *Data) SensorOf(name string) []float64 {
	id, err := d.model.ID(Sensor, name)
	if err != nil || d.c == nil {
		return nil
	}
	first := int(ints(pointer(d.m.sensor_adr), id+1)[id])
	dim := int(ints(pointer(d.m.sensor_dim), id+1)[id])
	return d.Sensordata()[first : first+dim : first+dim]
}
