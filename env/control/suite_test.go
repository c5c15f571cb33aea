package control

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// mechanism is a domain whose state can be set and read, positions first.
type mechanism struct {
	domain
	set func(state []float64)
	get func() []float64
}

func mechanisms() map[string]func() mechanism {
	armState := func(a *arm) (func([]float64), func() []float64) {
		return func(s []float64) { a.angle, a.angular = pair{s[0], s[1]}, pair{s[2], s[3]} },
			func() []float64 { return []float64{a.angle[0], a.angle[1], a.angular[0], a.angular[1]} }
	}
	return map[string]func() mechanism{
		"reacher": func() mechanism {
			r := &reacher{arm: newReacherArm(), targetRadius: 0.05}
			set, get := armState(&r.arm)
			return mechanism{r, set, get}
		},
		"acrobot": func() mechanism {
			a := &acrobot{arm: newAcrobotArm()}
			set, get := armState(&a.arm)
			return mechanism{a, set, get}
		},
		"pendulum": func() mechanism {
			p := &pendulum{}
			return mechanism{p, func(s []float64) { *p = pendulum{s[0], s[1]} }, func() []float64 { return []float64{p.angle, p.velocity} }}
		},
		"point_mass": func() mechanism {
			p := &pointMass{}
			return mechanism{p, func(s []float64) { p.position, p.velocity = pair{s[0], s[1]}, pair{s[2], s[3]} },
				func() []float64 { return []float64{p.position[0], p.position[1], p.velocity[0], p.velocity[1]} }}
		},
	}
}

// suiteControl repeats the rule of testdata/suite.py.
func suiteControl(kind, step, i int) float64 {
	if kind == 1 {
		switch {
		case i%2 == 0:
			return 1.5
		case step < 300:
			return -1
		}
		return 1
	}
	return float64((step/8+3*i)*7919%201-100) / 100
}

// golden is one line of testdata/suite.csv.
type golden struct {
	model            string
	trajectory, step int
	state            []float64
}

func readSuite(t *testing.T) []golden {
	t.Helper()
	file, err := os.Open("testdata/suite.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []golden
	for _, rec := range records {
		g := golden{model: rec[0]}
		g.trajectory, _ = strconv.Atoi(rec[1])
		g.step, _ = strconv.Atoi(rec[2])
		for _, s := range rec[3:] {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			g.state = append(g.state, v)
		}
		rows = append(rows, g)
	}
	return rows
}

func (m mechanism) advance(kind, step, actions int) {
	control := make([]float64, actions)
	for i := range control {
		control[i] = suiteControl(kind, step, i)
	}
	m.step(control)
}

func largest(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// Whole trajectories, joint limits included, follow MuJoCo's; the acrobot's, which
// is chaotic, for its first 300 steps.
func TestSuiteTrajectoriesMatchMuJoCo(t *testing.T) {
	actions := map[string]int{"reacher": 2, "pendulum": 1, "acrobot": 1, "point_mass": 2}
	worst := map[string]float64{}
	var m mechanism
	var last golden
	done := 0
	for _, g := range readSuite(t) {
		if g.step == 0 {
			m = mechanisms()[g.model]()
			m.set(g.state)
			last, done = g, 0
		}
		for ; done < g.step; done++ {
			m.advance(g.trajectory, done, actions[g.model])
		}
		d := largest(m.get(), g.state)
		if g.model == "acrobot" && g.step > 300 {
			d = 0
		}
		worst[g.model] = max(worst[g.model], d)
		if g.step == last.step+1 {
			one := mechanisms()[g.model]()
			one.set(last.state)
			one.advance(g.trajectory, last.step, actions[g.model])
			if d := largest(one.get(), g.state); d > 1e-9 {
				t.Errorf("%s, trajectory %d: step %d is off by %.2g", g.model, g.trajectory, g.step, d)
			}
		}
		last = g
	}
	for model, d := range worst {
		t.Logf("%s: largest difference from MuJoCo %.2g", model, d)
		if !(d <= 1e-6) {
			t.Errorf("%s: trajectories differ by %.2g", model, d)
		}
	}
}

// Without torque and damping the energy of the acrobot stays.
func TestAcrobotKeepsItsEnergy(t *testing.T) {
	a := newAcrobotArm()
	a.damping = 0
	a.angle, a.angular = pair{2, -0.5}, pair{0.3, 1}
	start := a.energy()
	for range 500 {
		a.stepRK4(acrobotStep, pair{})
	}
	if d := math.Abs(a.energy() - start); d > 1e-4 {
		t.Errorf("energy changed by %g J of %g", d, start)
	}
}

// The masses that MuJoCo compiles for the suite's models, to the digits it prints.
func TestReacherMassesMatchMuJoCo(t *testing.T) {
	a := newReacherArm()
	for _, c := range []struct{ got, want float64 }{
		{a.mass1, 0.041887902}, {a.mass2, 0.0356047167 + 0.0041887902},
	} {
		if math.Abs(c.got-c.want) > 5e-10 {
			t.Errorf("mass %.10g, MuJoCo has %.10g", c.got, c.want)
		}
	}
}

// Rewards at places where the suite's formula is easily done by hand.
func TestSuiteRewards(t *testing.T) {
	r := &reacher{arm: newReacherArm(), targetRadius: 0.05}
	r.target = render.Vec3{X: upperLength + fingerAt + 0.059}
	near := r.reward(nil)
	r.target.X += 0.002
	if far := r.reward(nil); near != 1 || far != 0 {
		t.Errorf("reacher: %v within reach and %v beyond, want 1 and 0", near, far)
	}
	for angle, want := range map[float64]float64{7.9: 1, -7.9: 1, 8.1: 0, 180: 0} {
		p := &pendulum{angle: angle * math.Pi / 180}
		if got := p.reward(nil); got != want {
			t.Errorf("pendulum at %v degrees: %v, want %v", angle, got, want)
		}
	}
	d, err := pointMassTask().start()
	if err != nil {
		t.Fatal(err)
	}
	p := d.(*pointMass)
	if got := p.reward([]float64{0, 0}); got != 1 {
		t.Errorf("point mass on the target: %v, want 1", got)
	}
	// One margin beyond the target's edge the Gaussian is 0.1; full controls cost a fifth.
	p.position[0] = 2 * pointTarget
	if got := p.reward([]float64{1, -1}); math.Abs(got-0.08) > 1e-12 {
		t.Errorf("point mass at the margin: %v, want 0.08", got)
	}
	d, err = acrobotTask().start()
	if err != nil {
		t.Fatal(err)
	}
	a := d.(*acrobot)
	a.arm = newAcrobotArm()
	if got := a.reward(nil); got != 1 {
		t.Errorf("upright acrobot: %v, want 1", got)
	}
}

// Section 2.7 of the suite's facts: 49.7 for easy and 9.8 for hard, with standard
// deviations of 106.3 and 30.9 over episodes; the bands are four standard errors of
// the difference of two means of 200.
func TestRandomReacherReturnsMatchTheSuite(t *testing.T) {
	for name, c := range map[string]struct{ want, sd float64 }{"reacher-easy": {49.7, 106.3}, "reacher-hard": {9.8, 30.9}} {
		e := open(t, name, env.Options{Height: 1, Width: 1, ActionRepeat: 1})
		draw := rng.New(2, "test/random-policy")
		sum := 0.0
		for episode := range 200 {
			sum += episodeReturn(t, e, uint64(episode), func() float32 { return 2*draw.Float32() - 1 })
		}
		mean := sum / 200
		t.Logf("%s: mean return %.1f", name, mean)
		if band := 4 * c.sd * math.Sqrt(2.0/200); math.Abs(mean-c.want) > band {
			t.Errorf("%s: mean return of a random policy is %.1f, want %.1f within %.1f", name, mean, c.want, band)
		}
	}
}
