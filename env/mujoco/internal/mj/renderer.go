//go:build mujoco

package mj

/*
#include "draw.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// Options say how a [Renderer] draws.
type Options struct {
	Width, Height int // pixels, 1 to 8192

	// GL is the library that draws: OSMesa on the processor, or EGL on a graphics
	// card if there is one and on the processor otherwise. Empty means the one
	// that this process uses already, or OSMesa if it is installed, or EGL. A
	// process can use only one of the two.
	GL string

	// Quality is Suite, the default, for the pixels of dm_control, or Fast for
	// round shapes with half the facets and a coarser shadow map: two to three
	// times the speed for a mean difference of 0.4 of 255 levels.
	Quality string
}

// Values of Options.
const (
	OSMesa = "osmesa"
	EGL    = "egl"
	Suite  = "suite"
	Fast   = "fast"
)

// maxPixels bounds the sides of a picture.
const maxPixels = 8192

func (o Options) validate() error {
	if o.Width < 1 || o.Width > maxPixels || o.Height < 1 || o.Height > maxPixels {
		return fmt.Errorf("%w: a picture of %dx%d pixels, want sides of 1 to %d", ErrOptions, o.Width, o.Height, maxPixels)
	}
	if o.Quality != "" && o.Quality != Suite && o.Quality != Fast {
		return fmt.Errorf("%w: quality %q, want %q or %q", ErrOptions, o.Quality, Suite, Fast)
	}
	if o.GL != "" && o.GL != OSMesa && o.GL != EGL {
		return fmt.Errorf("%w: graphics library %q, want %q or %q", ErrOptions, o.GL, OSMesa, EGL)
	}
	return nil
}

// Renderer draws pictures of one model with MuJoCo's own renderer. OpenGL ties
// its state to an operating system thread, so that each renderer has one.
type Renderer struct {
	mu       sync.Mutex
	model    *Model
	m        *C.mjModel
	options  Options
	requests chan request  // nil when closed
	done     chan struct{} // closed when the thread has ended
}

// request is a picture to draw and where the outcome goes.
type request struct {
	d      *C.mjData
	camera int
	dst    []byte
	reply  chan error
}

// NewRenderer prepares to draw states of m. It takes a tenth of a second and some
// 20 MB. It fails with [ErrGL] if the graphics library is missing or not usable.
func NewRenderer(m *Model, options Options) (*Renderer, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if m.c == nil {
		return nil, fmt.Errorf("new renderer: %w", ErrClosed)
	}
	if err := loadGL(options.GL); err != nil {
		return nil, err
	}
	r := &Renderer{model: m, m: m.c, options: options, requests: make(chan request), done: make(chan struct{})}
	m.memory.hold()
	ready := make(chan error)
	go r.serve(r.requests, ready)
	if err := <-ready; err != nil {
		<-r.done
		m.memory.release()
		return nil, err
	}
	return r, nil
}

// serve owns the OpenGL context from its making to its end. Its thread ends with
// it, because it stays locked.
func (r *Renderer) serve(requests <-chan request, ready chan<- error) {
	runtime.LockOSThread()
	defer close(r.done)
	report := newReport()
	defer free(report)
	fast := C.int(0)
	if r.options.Quality == Fast {
		fast = 1
	}
	canvas := C.mjx_newCanvas(r.m, C.int(r.options.Width), C.int(r.options.Height), fast, report)
	if canvas == nil {
		ready <- fmt.Errorf("%w: %s", ErrGL, oneLine(C.GoString(&report.error[0])))
		return
	}
	defer C.mjx_freeCanvas(canvas)
	ready <- nil
	for q := range requests {
		q.reply <- r.draw(canvas, q, report)
	}
}

func (r *Renderer) draw(canvas *C.mjx_canvas, q request, report *C.mjx_report) error {
	C.mjx_draw(canvas, r.m, q.d, C.int(q.camera), (*C.uchar)(unsafe.SliceData(q.dst)), report)
	if err := errorOf(report); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// Size is the number of bytes of a picture: Height * Width * 3.
func (r *Renderer) Size() int { return r.options.Height * r.options.Width * 3 }

// Render draws d as the model's camera with the given number sees it: rows from
// the top, pixels from the left, three bytes of RGB. The positions in d must be
// up to date (Forward, Step1); nothing else of it matters.
func (r *Renderer) Render(d *Data, camera int) ([]byte, error) {
	dst := make([]byte, r.Size())
	if err := r.RenderInto(dst, d, camera); err != nil {
		return nil, err
	}
	return dst, nil
}

// RenderInto is Render into a slice of Size bytes, whose contents are undefined
// after an error.
func (r *Renderer) RenderInto(dst []byte, d *Data, camera int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests == nil {
		return fmt.Errorf("draw: %w", ErrClosed)
	}
	if err := drawable(dst, r.Size(), d, r.m, camera); err != nil {
		return err
	}
	reply := make(chan error)
	r.requests <- request{d.c, camera, dst, reply}
	return <-reply
}

// drawable checks what is asked of a renderer.
func drawable(dst []byte, size int, d *Data, m *C.mjModel, camera int) error {
	if err := d.usable(); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	switch cameras := int(m.ncam); {
	case len(dst) != size:
		return fmt.Errorf("draw: %w: the destination has %d bytes, the picture %d", ErrOptions, len(dst), size)
	case d.m != m:
		return fmt.Errorf("draw: %w: the state belongs to another model", ErrOptions)
	case camera < 0 || camera >= cameras:
		return fmt.Errorf("draw: %w: camera %d of %d", ErrName, camera, cameras)
	}
	return nil
}

// Close ends the renderer's thread and frees what it holds.
func (r *Renderer) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests == nil {
		return
	}
	close(r.requests)
	<-r.done
	r.requests = nil
	r.model.memory.release()
}
