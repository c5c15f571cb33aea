//go:build mujoco

package mj

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/orrery-rl/orrery/env/render"
)

func newCaster(t testing.TB, m *Model, width, height int) *Caster {
	t.Helper()
	c, err := NewCaster(m, Options{Width: width, Height: height})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// stirred is a state some way from the beginning.
func stirred(t testing.TB, m *Model, steps int) *Data {
	t.Helper()
	d := newData(t, m)
	for i := range d.Ctrl() {
		d.Ctrl()[i] = 0.7 - 0.3*float64(i)
	}
	must(t, d.Step(steps))
	must(t, d.Forward())
	return d
}

// The ray caster's pictures look like MuJoCo's. The largest differences are on
// tasks seen from straight above, where OpenGL's highlights on the floor are
// computed at the corners of large triangles.
func TestCastersDrawWhatMuJoCoDraws(t *testing.T) {
	for _, name := range modelNames {
		m := suiteModel(t, name)
		r, c := newRenderer(t, m, Options{Width: 64, Height: 64}), newCaster(t, m, 64, 64)
		for _, steps := range []int{0, 40} {
			d := stirred(t, m, steps)
			want := draw(t, r, d, 0)
			got, err := c.Render(d, 0)
			must(t, err)
			diff, visible := meanDifference(got, want), visiblyDifferent(got, want)
			t.Logf("%s after %d steps: mean difference %.2f of 255, %d pixels differ by more than 40", name, steps, diff, visible)
			if diff > 7 || visible > 200 {
				t.Errorf("%s after %d steps: mean difference %.2f, want at most 7; %d visibly different pixels, want at most 200", name, steps, diff, visible)
			}
		}
	}
}

// visiblyDifferent counts pixels with a channel that differs by more than 40.
func visiblyDifferent(a, b []byte) (n int) {
	for i := 0; i < len(a); i += 3 {
		worst := 0
		for k := i; k < i+3; k++ {
			worst = max(worst, int(a[k])-int(b[k]), int(b[k])-int(a[k]))
		}
		if worst > 40 {
			n++
		}
	}
	return n
}

// What was drawn before leaves no trace, whether the camera moves or not.
func TestCastersForget(t *testing.T) {
	for _, name := range []string{"cartpole", "walker", "reacher"} {
		m := suiteModel(t, name)
		a, b := stirred(t, m, 0), stirred(t, m, 60)
		want, err := newCaster(t, m, 32, 32).Render(b, 0)
		must(t, err)
		used := newCaster(t, m, 32, 32)
		for range 3 {
			other, err := used.Render(a, 0)
			must(t, err)
			got, err := used.Render(b, 0)
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: the picture depends on the one before", name)
			}
			if bytes.Equal(got, other) {
				t.Errorf("%s: two states look the same", name)
			}
		}
	}
}

func TestCastersSeeEditsOfTheModel(t *testing.T) {
	m := suiteModel(t, "reacher")
	d := stirred(t, m, 0)
	c := newCaster(t, m, 64, 64)
	before, err := c.Render(d, 0)
	must(t, err)
	target, err := m.ID(Geom, "target")
	must(t, err)
	m.GeomPos()[3*target] = 0.15
	must(t, d.Forward())
	after, err := c.Render(d, 0)
	must(t, err)
	if bytes.Equal(before, after) {
		t.Error("the target stays where it was")
	}
	fresh, err := newCaster(t, m, 64, 64).Render(d, 0)
	must(t, err)
	if !bytes.Equal(after, fresh) {
		t.Error("a new caster draws another picture")
	}
}

func TestTheSuitesLooksAreRead(t *testing.T) {
	m := suiteModel(t, "cartpole")
	l := newLook(m.c)
	near := func(a, b render.RGB) bool {
		const step = 1.5 / 255
		return math.Abs(a.R-b.R) < step && math.Abs(a.G-b.G) < step && math.Abs(a.B-b.B) < step
	}
	grid, err := m.ID(Material, "grid")
	must(t, err)
	c := l.checkers[grid]
	if c == nil || !near(c.Odd, render.RGB{R: 0.1, G: 0.2, B: 0.3}) || !near(c.Even, render.RGB{R: 0.2, G: 0.3, B: 0.4}) || c.Square != 1 {
		t.Errorf("the floor's squares are %+v", c)
	}
	if math.Abs(l.sky.Stars-0.01) > 2e-3 || l.sky.Bottom.R > 0.02 || math.Abs(l.sky.Top.B-0.8) > 0.03 {
		t.Errorf("the sky is %+v", l.sky)
	}
}

func TestCastersCheckWhatTheyAreGiven(t *testing.T) {
	m := load(t, testXML, nil)
	if _, err := NewCaster(m, Options{Width: 0, Height: 3}); !errors.Is(err, ErrOptions) {
		t.Errorf("no width: %v", err)
	}
	c := newCaster(t, m, 8, 8)
	d := stirred(t, m, 1)
	if _, err := c.Render(d, 7); !errors.Is(err, ErrName) {
		t.Errorf("no such camera: %v", err)
	}
	mesh := load(t, `<mujoco><asset><mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/></asset>
		<worldbody><camera pos="0 0 3"/><geom type="mesh" mesh="m"/></worldbody></mujoco>`, nil)
	if _, err := newCaster(t, mesh, 8, 8).Render(stirred(t, mesh, 0), 0); !errors.Is(err, ErrOptions) {
		t.Errorf("a mesh: %v", err)
	}
	c.Close()
	c.Close()
	if _, err := c.Render(d, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed caster: %v", err)
	}
}

// An ellipsoid and a box are drawn too, and nothing of OpenGL is loaded for it.
func TestCastersNeedNoOpenGL(t *testing.T) {
	if !inChild() {
		child(t, "TestCastersNeedNoOpenGL")
		return
	}
	m := load(t, `<mujoco><worldbody><camera pos="0 0 3"/><geom type="ellipsoid" size="0.5 0.3 0.2"/>
		<geom type="box" size="0.1 0.1 0.1" pos="0.8 0 0"/></worldbody></mujoco>`, nil)
	p, err := newCaster(t, m, 16, 16).Render(stirred(t, m, 0), 0)
	must(t, err)
	if at := p[3*(16*8+8):][:3]; at[0] < 50 {
		t.Errorf("the ellipsoid's middle is %v", at)
	}
	if LoadedGL() != "" {
		t.Errorf("%s is loaded", LoadedGL())
	}
}
