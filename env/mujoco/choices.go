package mujoco

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/env"
)

// Render says who draws.
type Render string

// The ways to draw.
const (
	RenderSuite Render = "suite" // MuJoCo, with dm_control's settings: its pixels
	RenderFast  Render = "fast"  // MuJoCo, with coarser shapes and shadows
	RenderGo    Render = "go"    // env/render: no graphics library, other pixels
)

// The graphics libraries of [RenderSuite] and [RenderFast]. A process uses one; if
// none is named, the one it uses already, else OSMesa if it is installed, else EGL.
const (
	GLOSMesa = "osmesa"
	GLEGL    = "egl"
)

// choices are what follows the name of a task.
type choices struct {
	render Render
	gl     string // "" for any
}

// parseChoices reads "render=fast:gl=egl", or nothing.
func parseChoices(text string) (choices, error) {
	c := choices{render: RenderSuite}
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, ":")
		if err := c.set(one); err != nil {
			return choices{}, err
		}
	}
	if c.render == RenderGo && c.gl != "" {
		return choices{}, fmt.Errorf("%w: gl=%s goes with render=suite and render=fast; render=go uses no graphics library", env.ErrOptions, c.gl)
	}
	return c, nil
}

func (c *choices) set(one string) error {
	key, value, _ := strings.Cut(one, "=")
	allowed := map[string][]string{
		"render": {string(RenderSuite), string(RenderFast), string(RenderGo)},
		"gl":     {GLOSMesa, GLEGL},
	}[key]
	if allowed == nil {
		return fmt.Errorf("%w: %q is not one of render=VALUE and gl=VALUE", env.ErrOptions, one)
	}
	if !slices.Contains(allowed, value) {
		return fmt.Errorf("%w: %s is %q, want one of %s", env.ErrOptions, key, value, strings.Join(allowed, ", "))
	}
	if key == "render" {
		c.render = Render(value)
	} else {
		c.gl = value
	}
	return nil
}
