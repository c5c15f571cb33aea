//go:build mujoco

package mujoco

import (
	"embed"
	"errors"
	"fmt"
	"math"

	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
	"github.com/orrery-rl/orrery/internal/rng"
)

//go:embed models/*.xml
var models embed.FS

// controlTimestep is that of the domains whose time step is shorter than an env
// step, in s.
func controlTimestep(model string) float64 {
	switch model {
	case "finger", "hopper", "ball_in_cup":
		return 0.02
	case "walker":
		return 0.025
	}
	return 0 // an env step is a time step
}

// sim is a model of its own, because tasks edit theirs, and its state.
type sim struct {
	model    *mj.Model
	data     *mj.Data
	substeps int  // time steps per env step
	rk4      bool // the model's integrator
}

// newSim compiles a file of models.
func newSim(name string) (*sim, error) {
	text, err1 := models.ReadFile("models/" + name + ".xml")
	shared, err2 := models.ReadFile("models/suite.xml")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	m, err := mj.Load(string(text), map[string][]byte{"suite.xml": shared})
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	d, err := mj.NewData(m)
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	s := &sim{model: m, data: d, substeps: 1, rk4: m.Integrator() == integratorRK4}
	if control := controlTimestep(name); control > 0 {
		s.substeps = int(math.Round(control / m.Timestep()))
	}
	return s, nil
}

// integratorRK4 is MuJoCo's mjINT_RK4.
const integratorRK4 = 1

// close frees state and model. Views must not be used afterwards.
func (s *sim) close() {
	s.data.Close()
	s.model.Close()
}

// reset starts an episode whose state start chooses, in dm_control's order: what
// depends on the state is computed before start, which may look at it, and after.
func (s *sim) reset(start func() error) error {
	if err := s.data.Reset(); err != nil {
		return err
	}
	// Controls are not chosen yet, so nothing acts.
	if err := s.data.ForwardWithoutActuation(); err != nil {
		return err
	}
	if err := start(); err != nil {
		return err
	}
	return s.data.ForwardWithoutActuation()
}

// step advances by an env step under the controls of the data.
func (s *sim) step() error { return s.advance(s.substeps) }

// advance takes n time steps. Between calls all that depends on position and
// velocity is up to date, as dm_control has it: with Euler's method the first
// half of the next step has been done, so the call begins with the second half.
// Sensors of forces are then those of the last time step but half.
func (s *sim) advance(n int) error {
	if !s.rk4 {
		if err := s.data.Step2(); err != nil {
			return err
		}
		n--
	}
	if n > 0 {
		if err := s.data.Step(n); err != nil {
			return err
		}
	}
	return s.data.Step1()
}

// randomJoints draws positions as the suite does: limited joints within their
// range, other hinges all around; slides without limits stay where they are.
func (s *sim) randomJoints(draw *rng.Stream) {
	q, at := s.data.Qpos(), s.model.JointQposAddr()
	limits, kinds := s.model.JointRange(), s.model.JointType()
	for j, limited := range s.model.JointLimited() {
		switch {
		case limited:
			q[at[j]] = between(draw, limits[2*j], limits[2*j+1])
		case kinds[j] == jointHinge:
			q[at[j]] = between(draw, -math.Pi, math.Pi)
		}
	}
}

// jointHinge is MuJoCo's mjJNT_HINGE.
const jointHinge = 3

// between draws from [low, high).
func between(draw *rng.Stream, low, high float64) float64 {
	return low + (high-low)*draw.Float64()
}

// maxAttempts bounds the search for a state without collisions.
const maxAttempts = 1000

// free calls choose until nothing touches.
func (s *sim) free(choose func()) error {
	for range maxAttempts {
		choose()
		if err := s.data.ForwardWithoutActuation(); err != nil {
			return err
		}
		if s.data.NumContacts() == 0 {
			return nil
		}
	}
	return fmt.Errorf("no state without collisions in %d attempts", maxAttempts)
}

// finder resolves names and keeps the first error.
type finder struct {
	model *mj.Model
	err   error
}

func (f *finder) id(kind mj.Kind, name string) int {
	id, err := f.model.ID(kind, name)
	f.err = errors.Join(f.err, err)
	return id
}

func (f *finder) body(name string) int { return f.id(mj.Body, name) }
func (f *finder) geom(name string) int { return f.id(mj.Geom, name) }
func (f *finder) site(name string) int { return f.id(mj.Site, name) }

// sensor is the first index of a sensor in the sensor data.
func (f *finder) sensor(name string) int {
	id := f.id(mj.Sensor, name)
	if f.err != nil {
		return 0
	}
	return int(f.model.SensorAddr()[id])
}

// dof is the first index of a joint in the velocities.
func (f *finder) dof(name string) int {
	id := f.id(mj.Joint, name)
	if f.err != nil {
		return 0
	}
	return int(f.model.JointDofAddr()[id])
}

// point is row id of an array of points.
func point(all []float64, id int) []float64 { return all[3*id : 3*id+3] }

// Indices into a row of Xmat: the z axis of a body, and its x axis, in world
// coordinates.
const (
	xx = 0
	xz = 2
	zz = 8
)

// frame is row id of Xmat.
func frame(all []float64, id int) []float64 { return all[9*id : 9*id+9] }
