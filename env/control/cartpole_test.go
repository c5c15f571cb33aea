package control

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

// The compiled values below are printed by MuJoCo 3.2.7 for the suite's model
// (body_inertia and dof_invweight0), to the digits it prints.
func TestModelConstantsMatchMuJoCo(t *testing.T) {
	if got, want := float64(poleInertia), 0.00942459; math.Abs(got-want) > 5e-9 {
		t.Errorf("inertia of the pole is %.9g, MuJoCo has %.9g", got, want)
	}
	if got, want := massMatrix(1).inverse00(), 0.97335205; math.Abs(got-want) > 5e-9 {
		t.Errorf("inverse inertia of the slider is %.9g, MuJoCo has %.9g", got, want)
	}
}

// goldenControl repeats the rule of testdata/cartpole.py.
func goldenControl(trajectory, step int) float64 {
	if trajectory == 2 {
		switch {
		case step < 150:
			return 1.5
		case step < 300:
			return -1
		}
		return 0.25
	}
	scale := []float64{100, 400}[trajectory]
	return float64(step/8*7919%201-100) / scale
}

func TestTrajectoriesMatchMuJoCo(t *testing.T) {
	// The last trajectory pushes the cart far beyond its limit.
	tolerance := []float64{1e-9, 1e-9, 1e-9}
	var c cartpole
	last, done, maxX := -1, 0, 0.0
	worst := make([]float64, len(tolerance))
	for _, row := range readGolden(t) {
		trajectory, step, want := int(row[0]), int(row[1]), row[2:]
		if trajectory != last {
			c = newCartpole()
			c.position, c.velocity = pair{want[0], want[1]}, pair{want[2], want[3]}
			last, done = trajectory, 0
		}
		for ; done < step; done++ {
			c.step(goldenControl(trajectory, done))
		}
		maxX = max(maxX, math.Abs(c.position[0]))
		got := []float64{c.position[0], c.position[1], c.velocity[0], c.velocity[1]}
		for i := range got {
			worst[trajectory] = max(worst[trajectory], math.Abs(got[i]-want[i]))
		}
	}
	for i, w := range worst {
		t.Logf("trajectory %d: largest difference from MuJoCo %.3g", i, w)
		if !(w <= tolerance[i]) {
			t.Errorf("trajectory %d differs from MuJoCo by %g, want at most %g", i, w, tolerance[i])
		}
	}
	if last != len(tolerance)-1 || maxX <= sliderLimit {
		t.Errorf("test data end with trajectory %d at |x| up to %g: the limit was not exercised", last, maxX)
	}
}

func readGolden(t *testing.T) [][]float64 {
	t.Helper()
	file, err := os.Open("testdata/cartpole.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(rows))
	for i, row := range rows {
		for _, field := range row {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

func TestEnergyIsConservedWithoutFriction(t *testing.T) {
	c := cartpole{position: pair{0, 0.7}, velocity: pair{0.3, -1}}
	start := c.energy()
	for range 2000 {
		c.step(0)
	}
	if drift := math.Abs(c.energy() - start); drift > 1e-5 {
		t.Errorf("energy drifted by %g J in 20 s, want at most 1e-5", drift)
	}
}

func TestFrictionAndLimitOnlyRemoveEnergy(t *testing.T) {
	c := newCartpole()
	c.position, c.velocity = pair{1, 2}, pair{4, 0}
	before := c.energy()
	for range 1000 {
		c.step(0)
	}
	if after := c.energy(); after >= before {
		t.Errorf("energy grew from %g to %g J without any control", before, after)
	}
	if x := math.Abs(c.position[0]); x > 1.9 {
		t.Errorf("the cart rests at |x| = %g m, beyond the limit", x)
	}
}

// For small swings about hanging, eliminating the cart from the linearised
// equations gives w^2 = m g l / (J - (m l)^2/(M+m)).
func TestSmallSwingsHaveTheAnalyticFrequency(t *testing.T) {
	c := cartpole{position: pair{0, math.Pi + 1e-4}}
	lever := poleMass * poleCOM
	inertia := poleMass*poleCOM*poleCOM + poleInertia
	omega := math.Sqrt(lever * gravity / (inertia - lever*lever/(cartMass+poleMass)))
	for i := range 300 {
		want := 1e-4 * math.Cos(omega*timestep*float64(i))
		if got := c.position[1] - math.Pi; math.Abs(got-want) > 1e-8 {
			t.Fatalf("after %d steps the angle is %g, want %g", i, got, want)
		}
		c.step(0)
	}
}

// lagrangian is T - V of cart and pole written from the positions of the
// bodies, independently of the mass matrix.
func lagrangian(q, v pair) float64 {
	comX := v[0] + poleCOM*math.Cos(q[1])*v[1]
	comZ := -poleCOM * math.Sin(q[1]) * v[1]
	kinetic := cartMass*v[0]*v[0]/2 + poleMass*(comX*comX+comZ*comZ)/2 + poleInertia*v[1]*v[1]/2
	return kinetic - poleMass*gravity*poleCOM*math.Cos(q[1])
}

// momentum is dL/dv by central differences.
func momentum(q, v pair, i int) float64 {
	const h = 1e-4
	up, down := v, v
	up[i] += h
	down[i] -= h
	return (lagrangian(q, up) - lagrangian(q, down)) / (2 * h)
}

// The accelerations must satisfy d/dt dL/dv - dL/dq = generalised force.
func TestAccelerationsSatisfyLagrange(t *testing.T) {
	c := cartpole{}
	q, v, force := pair{0.3, 1.1}, pair{-0.7, 2.3}, 4.0
	a := c.acceleration(q, v, force)
	for i, want := range []float64{force, 0} {
		const h = 1e-4
		rate := (momentum(q.plus(h, v), v.plus(h, a), i) - momentum(q.plus(-h, v), v.plus(-h, a), i)) / (2 * h)
		up, down := q, q
		up[i] += h
		down[i] -= h
		gradient := (lagrangian(up, v) - lagrangian(down, v)) / (2 * h)
		if got := rate - gradient; math.Abs(got-want) > 1e-5 {
			t.Errorf("equation %d: generalised force is %g, want %g", i, got, want)
		}
	}
}

func TestLimitActsOnlyBeyondTheRangeAndOnlyInwards(t *testing.T) {
	limitForce := softLimit{reach: sliderLimit, timeConstant: sliderTime, inverse: massMatrix(1).inverse00()}.force
	for _, x := range []float64{0, 1.8, -1.8} {
		if f := limitForce(x, 5, 5, 1); f != 0 {
			t.Errorf("force %g N at x = %g, within the limits", f, x)
		}
	}
	if f := limitForce(1.81, 1, 0, 1); f >= 0 {
		t.Errorf("force %g N at x = 1.81 moving outwards, want it to push back", f)
	}
	if left, right := limitForce(-1.81, -1, 0, 1), limitForce(1.81, 1, 0, 1); left != -right {
		t.Errorf("limits are not mirror images: %g and %g N", left, right)
	}
	if f := limitForce(1.81, -50, 0, 1); f != 0 {
		t.Errorf("force %g N on a cart that already leaves the limit fast, want 0", f)
	}
}

func TestControlIsClampedByTheActuator(t *testing.T) {
	full, over := newCartpole(), newCartpole()
	full.step(1)
	over.step(7)
	if full != over {
		t.Errorf("control 7 moves the cart to %v, control 1 to %v", over.position, full.position)
	}
}
