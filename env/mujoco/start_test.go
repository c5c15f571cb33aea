//go:build mujoco

package mujoco

import (
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/internal/rng"
)

// drawn is a quantity of an initial state and its distribution: uniform from low
// to high, or normal if low is the mean and high the deviation.
type drawn struct {
	read      func(s *sim) float64
	low, high float64
	normal    bool
}

func position(i int) func(*sim) float64 { return func(s *sim) float64 { return s.data.Qpos()[i] } }
func velocity(i int) func(*sim) float64 { return func(s *sim) float64 { return s.data.Qvel()[i] } }

const degree = math.Pi / 180

func walkerJoints() []drawn {
	all := []drawn{
		{read: position(0), low: 0, high: 0}, {read: position(1), low: 0, high: 0},
		{read: position(2), low: -math.Pi, high: math.Pi},
	}
	for leg := range 2 {
		all = append(all,
			drawn{read: position(3 + 3*leg), low: -20 * degree, high: 100 * degree},
			drawn{read: position(4 + 3*leg), low: -150 * degree, high: 0},
			drawn{read: position(5 + 3*leg), low: -45 * degree, high: 45 * degree})
	}
	return all
}

func hopperJoints() []drawn {
	return []drawn{
		{read: position(0), low: 0, high: 0}, {read: position(1), low: 0, high: 0},
		{read: position(2), low: -math.Pi, high: math.Pi},
		{read: position(3), low: -30 * degree, high: 30 * degree},
		{read: position(4), low: -170 * degree, high: 10 * degree},
		{read: position(5), low: 5 * degree, high: 150 * degree},
		{read: position(6), low: -45 * degree, high: 45 * degree},
	}
}

func reacherState() []drawn {
	target := func(s *sim) (x, y float64) {
		f := &finder{model: s.model}
		p := point(s.data.GeomXpos(), f.geom("target"))
		return p[0], p[1]
	}
	return []drawn{
		{read: position(0), low: -math.Pi, high: math.Pi},
		{read: position(1), low: -160 * degree, high: 160 * degree},
		{read: func(s *sim) float64 { x, y := target(s); return math.Hypot(x, y) }, low: 0.05, high: 0.20},
		{read: func(s *sim) float64 { x, y := target(s); return math.Atan2(x, y) }, low: -math.Pi, high: math.Pi},
	}
}

func cartpoleState(swingUp bool) []drawn {
	all := []drawn{{read: velocity(0), low: 0, high: 0.01, normal: true}, {read: velocity(1), low: 0, high: 0.01, normal: true}}
	if swingUp {
		return append(all, drawn{position(0), 0, 0.01, true}, drawn{position(1), math.Pi, 0.01, true})
	}
	return append(all, drawn{position(0), -0.1, 0.1, false}, drawn{position(1), -0.034, 0.034, false})
}

// targetAngle is where the target of the turn tasks is on its circle.
func targetAngle(s *sim) float64 {
	f := &finder{model: s.model}
	p := point(s.data.SiteXpos(), f.site("target"))
	if r := math.Hypot(p[0]-0.2, p[2]-0.4); math.Abs(r-0.13) > 1e-12 {
		return math.NaN() // not on the circle
	}
	return math.Atan2(p[0]-0.2, p[2]-0.4)
}

func TestInitialStatesHaveTheSuitesDistributions(t *testing.T) {
	around := func(i int) drawn { return drawn{read: position(i), low: -math.Pi, high: math.Pi} }
	const draws = 400
	for name, all := range map[string][]drawn{
		"cartpole-balance": cartpoleState(false), "cartpole-balance-sparse": cartpoleState(false),
		"cartpole-swingup": cartpoleState(true), "cartpole-swingup-sparse": cartpoleState(true),
		"reacher-easy": reacherState(), "reacher-hard": reacherState(),
		"walker-run": walkerJoints(), "walker-stand": walkerJoints(), "walker-walk": walkerJoints(),
		"hopper-hop": hopperJoints(), "hopper-stand": hopperJoints(),
		"pendulum-swingup": {around(0)}, "acrobot-swingup": {around(0), around(1)},
		"acrobot-swingup-sparse": {around(0), around(1)},
		"point-mass-easy":        {{read: position(0), low: -0.29, high: 0.29}, {read: position(1), low: -0.29, high: 0.29}},
		"point-mass-hard":        {{read: position(0), low: -0.29, high: 0.29}, {read: position(1), low: -0.29, high: 0.29}},
		"finger-turn-easy":       {{read: targetAngle, low: -math.Pi, high: math.Pi}},
		"finger-turn-hard":       {{read: targetAngle, low: -math.Pi, high: math.Pi}},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := bareTask(t, name)
			values := make([][]float64, len(all))
			draw := rng.New(1, "start")
			for range draws {
				if err := s.reset(func() error { return r.start(draw) }); err != nil {
					t.Fatal(err)
				}
				for i, d := range all {
					values[i] = append(values[i], d.read(s))
				}
			}
			for i, d := range all {
				checkDistribution(t, i, d, values[i])
			}
		})
	}
}

// checkDistribution compares range, mean and deviation.
func checkDistribution(t *testing.T, i int, d drawn, values []float64) {
	t.Helper()
	mean, deviation, least, most := describe(values)
	wantMean, wantDeviation := (d.low+d.high)/2, (d.high-d.low)/math.Sqrt(12)
	if d.normal {
		wantMean, wantDeviation = d.low, d.high
	} else if !(least >= d.low-1e-12 && most <= d.high+1e-12) {
		t.Errorf("quantity %d lies in [%g, %g], want [%g, %g]", i, least, most, d.low, d.high)
	}
	n := math.Sqrt(float64(len(values)))
	if !(math.Abs(mean-wantMean) <= 4.5*wantDeviation/n) {
		t.Errorf("quantity %d has mean %g, want %g", i, mean, wantMean)
	}
	if !(math.Abs(deviation-wantDeviation) <= 4.5*wantDeviation/n) {
		t.Errorf("quantity %d has deviation %g, want %g", i, deviation, wantDeviation)
	}
}

func TestNothingTouchesInTheBeginning(t *testing.T) {
	for _, name := range []string{"finger-spin", "finger-turn-easy", "finger-turn-hard", "ball-in-cup-catch"} {
		s, r := bareTask(t, name)
		inCup := 0
		for seed := range uint64(300) {
			if err := s.reset(func() error { return r.start(rng.New(seed, "start")) }); err != nil {
				t.Fatal(err)
			}
			if n := s.data.NumContacts(); n != 0 {
				t.Errorf("%s begins with %d contacts", name, n)
			}
			if slices.ContainsFunc(s.data.Qvel(), func(v float64) bool { return v != 0 }) {
				t.Errorf("%s begins with velocities %v", name, s.data.Qvel())
			}
			q := s.data.Qpos()
			if name == "ball-in-cup-catch" {
				if q[0] != 0 || q[1] != 0 || math.Abs(q[2]) > 0.2 || q[3] < 0.2 || q[3] > 0.5 {
					t.Errorf("the cup begins with %v", q)
				}
				inCup += int(r.reward())
			} else if math.Abs(q[0]) > 110*degree || math.Abs(q[1]) > 110*degree || math.Abs(q[2]) > math.Pi {
				t.Errorf("%s begins with %v", name, q)
			}
		}
		if name == "ball-in-cup-catch" && inCup == 0 {
			t.Error("the ball never begins in the cup")
		}
	}
}

func TestFingerTasksEditTheirModels(t *testing.T) {
	for name, want := range map[string]struct {
		damping, alpha, radius float64
	}{"finger-spin": {0.03, 0, 0.03}, "finger-turn-easy": {0.5, 0.5, 0.07}, "finger-turn-hard": {0.5, 0.5, 0.03}} {
		s, r := bareTask(t, name)
		if err := s.reset(func() error { return r.start(rng.New(1, "start")) }); err != nil {
			t.Fatal(err)
		}
		f := &finder{model: s.model}
		target, tip, hinge := f.site("target"), f.site("tip"), f.dof("hinge")
		damping, radius := s.model.DofDamping()[hinge], point(s.model.SiteSize(), target)[0]
		if damping != want.damping || radius != want.radius {
			t.Errorf("%s: damping %g, radius %g; want %+v", name, damping, radius, want)
		}
		hidden := s.model.SiteRGBA()[4*target+3] == 0 && s.model.SiteRGBA()[4*tip+3] == 0
		if hidden != (want.alpha == 0) {
			t.Errorf("%s: target and tip hidden: %v", name, hidden)
		}
	}
}

func TestPointMassDirectionsAreNotParallel(t *testing.T) {
	s, r := bareTask(t, "point-mass-hard")
	seen := map[float64]bool{}
	for seed := range uint64(200) {
		if err := s.reset(func() error { return r.start(rng.New(seed, "start")) }); err != nil {
			t.Fatal(err)
		}
		w := s.model.WrapPrm()
		seen[w[0]] = true
		if one := math.Hypot(w[0], w[1]); math.Abs(one-1) > 1e-12 {
			t.Errorf("a direction has length %g", one)
		}
		if dot := math.Abs(w[0]*w[2] + w[1]*w[3]); dot > 0.9 {
			t.Errorf("directions %v are nearly parallel", w)
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d different directions", len(seen))
	}
	easy, _ := bareTask(t, "point-mass-easy")
	if w := easy.model.WrapPrm(); !slices.Equal(w, []float64{1, 0, 0, 1}) {
		t.Errorf("the easy task pushes along %v", w)
	}
}
