//go:build mujoco

package mujoco

import (
	"math"
	"testing"

	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
)

// compiled is what MuJoCo makes of a model, read from dm_control 1.0.6's own
// model. testdata/compare.py compares everything.
type compiled struct {
	timestep         float64
	substeps         int
	rk4              bool
	nq, nu, observed int
	mass, extent     float64
	camera           string
	bodies           []float64 // masses in kg
}

func TestModelsCompileToTheSuitesNumbers(t *testing.T) {
	for name, want := range map[string]compiled{
		"cartpole-swingup":  {0.01, 1, true, 2, 1, 5, 1.1, 4.18, "fixed", []float64{1, 0.1}},
		"reacher-easy":      {0.02, 1, false, 2, 2, 6, 0.081681409, 0.66, "fixed", []float64{0.041887902, 0.0356047167, 0.0041887902}},
		"cheetah-run":       {0.01, 1, false, 9, 6, 17, 14, 2, "side", []float64{6.25020921, 1.54351464, 1.5874477, 1.09539749, 1.43807531, 1.20083682, 0.884518828}},
		"finger-spin":       {0.01, 2, false, 3, 2, 9, 3.97905329, 0.665, "cam0", []float64{0.833451965, 0.686781476, 2.45881985}},
		"ball-in-cup-catch": {0.002, 10, false, 4, 2, 8, 0.130602761, 0.668, "cam0", []float64{0.0651529143, 0.0654498469}},
		"walker-walk":       {0.0025, 10, false, 9, 6, 24, 28.5403221, 2, "side", []float64{10.6730374, 4.05789051, 2.7813567, 2.0943951, 4.05789051, 2.7813567, 2.0943951}},
		"hopper-hop":        {0.005, 4, false, 7, 4, 15, 12.4391535, 2, "cam0", []float64{4.82838353, 3.14133085, 1.92684349, 1.01787602, 1.52471963}},
		"pendulum-swingup":  {0.02, 1, false, 1, 1, 3, 1, 1.35, "fixed", []float64{1}},
		"acrobot-swingup":   {0.01, 1, true, 2, 1, 6, 2, 4.349, "fixed", []float64{1, 1}},
		"point-mass-easy":   {0.02, 1, false, 2, 2, 4, 0.3, 0.66, "fixed", []float64{0.3}},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := bareTask(t, name)
			m := s.model
			if m.Timestep() != want.timestep || s.substeps != want.substeps || s.rk4 != want.rk4 {
				t.Errorf("time step %g x %d, RK4 %v; want %g x %d, %v", m.Timestep(), s.substeps, s.rk4, want.timestep, want.substeps, want.rk4)
			}
			if m.Nq() != want.nq || m.Nv() != want.nq || m.Nu() != want.nu || len(r.names()) != want.observed || len(r.observe(nil)) != want.observed {
				t.Errorf("nq %d, nv %d, nu %d, %d names of %d values; want %+v", m.Nq(), m.Nv(), m.Nu(), len(r.names()), len(r.observe(nil)), want)
			}
			if got := m.Names(mj.Camera)[0]; got != want.camera {
				t.Errorf("camera 0 is %q, want %q", got, want.camera)
			}
			masses := append([]float64{m.BodySubtreeMass()[0], m.Extent()}, m.BodyMass()[1:]...)
			wanted := append([]float64{want.mass, want.extent}, want.bodies...)
			if len(masses) != len(wanted) {
				t.Fatalf("mass, extent and masses are %v, want %v", masses, wanted)
			}
			for i := range masses {
				if math.Abs(masses[i]-wanted[i]) > 1e-8*max(1, wanted[i]) {
					t.Errorf("mass, extent and masses are %v, want %v", masses, wanted)
					break
				}
			}
		})
	}
}
