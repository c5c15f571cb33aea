//go:build mujoco

package mj

/*
#include "draw.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/orrery-rl/orrery/env/render"
)

// Caster draws pictures of one model with package render: the same geoms, lights,
// camera and materials as a [Renderer], without OpenGL and several times faster,
// but not the same pixels. It draws planes, spheres, capsules, cylinders, boxes
// and ellipsoids; a model that shows anything else is an error.
//
// Where the camera and the light belong to the world, so does much of the picture:
// it is traced once and kept until an edit of the model changes it.
type Caster struct {
	mu      sync.Mutex
	model   *Model
	m       *C.mjModel
	view    *C.mjx_view // nil when closed
	report  *C.mjx_report
	options Options
	look    look
	next    render.Scene // the picture's, with what belongs to the world
	moving  []render.Geom
	scene   render.Scene     // what kept draws
	kept    *render.Renderer // nil if nothing is kept
	tracer  *render.Tracer
}

// NewCaster prepares to draw states of m. Of the options only the size counts.
func NewCaster(m *Model, options Options) (*Caster, error) {
	if err := (Options{Width: options.Width, Height: options.Height}).validate(); err != nil {
		return nil, err
	}
	if m.c == nil {
		return nil, fmt.Errorf("new caster: %w", ErrClosed)
	}
	tracer, err := render.NewTracer(options.Height, options.Width)
	if err != nil {
		return nil, err
	}
	report := newReport()
	view := C.mjx_newView(m.c, report)
	if err := errorOf(report); err != nil {
		free(report)
		return nil, fmt.Errorf("new caster: %w", err)
	}
	m.memory.hold()
	return &Caster{model: m, m: m.c, view: view, report: report, options: options, look: newLook(m.c), tracer: tracer}, nil
}

// Close frees what the caster holds.
func (c *Caster) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view == nil {
		return
	}
	C.mjx_freeView(c.view)
	free(c.report)
	c.view, c.report = nil, nil
	c.model.memory.release()
}

// Size is the number of bytes of a picture: Height * Width * 3.
func (c *Caster) Size() int { return c.options.Height * c.options.Width * 3 }

// Render draws d as [Renderer.Render] does.
func (c *Caster) Render(d *Data, camera int) ([]byte, error) {
	dst := make([]byte, c.Size())
	if err := c.RenderInto(dst, d, camera); err != nil {
		return nil, err
	}
	return dst, nil
}

// RenderInto is Render into a slice of Size bytes, whose contents are undefined
// after an error.
func (c *Caster) RenderInto(dst []byte, d *Data, camera int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view == nil {
		return fmt.Errorf("draw: %w", ErrClosed)
	}
	if err := drawable(dst, c.Size(), d, c.m, camera); err != nil {
		return err
	}
	C.mjx_updateView(c.view, c.m, d.c, C.int(camera), c.report)
	if err := errorOf(c.report); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	var err error
	if c.moving, err = c.look.sceneOf(c.m, &c.view.scene, &c.next, c.moving[:0]); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	if err := c.paint(dst, camera); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// paint draws c.next. What is traced once and what each time depends on the
// model only, so that a state has the same pixels whatever was drawn before it.
func (c *Caster) paint(dst []byte, camera int) error {
	if !c.stands(camera) {
		c.next.Fixed = append(c.next.Fixed, c.moving...)
		return c.tracer.Draw(dst, &c.next)
	}
	if c.kept == nil || !same(&c.scene, &c.next) {
		kept, err := render.NewRenderer(c.next, c.options.Height, c.options.Width)
		if err != nil {
			return err
		}
		c.kept = kept
		// The renderer holds the geoms of next.
		c.scene, c.next = c.next, render.Scene{}
	}
	return c.kept.Draw(dst, c.moving)
}

// stands reports whether neither the camera nor a light ever moves by itself.
func (c *Caster) stands(camera int) bool {
	still := func(body, mode unsafe.Pointer, n, i int) bool {
		return ints(body, n)[i] == 0 && ints(mode, n)[i] == C.mjCAMLIGHT_FIXED
	}
	cameras, lights := int(c.m.ncam), int(c.m.nlight)
	for i := range lights {
		if !still(unsafe.Pointer(c.m.light_bodyid), unsafe.Pointer(c.m.light_mode), lights, i) {
			return false
		}
	}
	return still(unsafe.Pointer(c.m.cam_bodyid), unsafe.Pointer(c.m.cam_mode), cameras, camera)
}

func same(a, b *render.Scene) bool {
	return a.Camera == b.Camera && a.Light == b.Light && a.Headlight == b.Headlight && slices.Equal(a.Fixed, b.Fixed)
}
