//go:build mujoco

package mj

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// A pendulum with a limit, a sensor, a ball that falls on a floor, and names.
const testXML = `
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <light name="lamp" pos="0 0 4"/>
    <camera name="front" pos="0 -3 1" xyaxes="1 0 0 0 0 1"/>
    <geom name="floor" type="plane" size="2 2 1"/>
    <body name="arm" pos="0 0 2">
      <joint name="hinge" type="hinge" axis="0 1 0" damping="0.1" limited="true" range="-90 90"/>
      <geom name="rod" type="capsule" fromto="0 0 0 0 0 -0.5" size="0.05" rgba="1 0 0 1"/>
      <site name="tip" pos="0 0 -0.5"/>
    </body>
    <body name="ball" pos="1 0 1">
      <joint name="fall" type="slide" axis="0 0 1"/>
      <geom name="ball" type="sphere" size="0.1"/>
    </body>
  </worldbody>
  <actuator><motor name="torque" joint="hinge" gear="2" ctrllimited="true" ctrlrange="-1 1"/></actuator>
  <sensor>
    <jointpos name="angle" joint="hinge"/>
    <subtreelinvel name="velocity" body="arm"/>
  </sensor>
</mujoco>`

func load(t testing.TB, xml string, assets map[string][]byte) *Model {
	t.Helper()
	m, err := Load(xml, assets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newData(t testing.TB, m *Model) *Data {
	t.Helper()
	d, err := NewData(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestModelsAreReadAndWritten(t *testing.T) {
	m := load(t, testXML, nil)
	if m.Nq() != 2 || m.Nv() != 2 || m.Nu() != 1 || m.Na() != 0 || m.Nbody() != 3 || m.Ngeom() != 3 || m.Nsite() != 1 || m.Nsensordata() != 4 {
		t.Errorf("sizes are nq %d, nv %d, nu %d, na %d, nbody %d, ngeom %d, nsite %d, nsensordata %d",
			m.Nq(), m.Nv(), m.Nu(), m.Na(), m.Nbody(), m.Ngeom(), m.Nsite(), m.Nsensordata())
	}
	if m.Timestep() != 0.01 {
		t.Errorf("time step %g", m.Timestep())
	}
	rod, err := m.ID(Geom, "rod")
	if err != nil {
		t.Fatal(err)
	}
	if c := m.GeomRGBA()[4*rod:]; c[0] != 1 || c[1] != 0 || c[3] != 1 {
		t.Errorf("the rod's colour is %v", c[:4])
	}
	if r := m.JointRange(); math.Abs(r[1]-math.Pi/2) > 1e-12 {
		t.Errorf("the hinge's range is %v", r[:2])
	}
	if l := m.JointLimited(); !l[0] || l[1] {
		t.Errorf("limited: %v", l)
	}
	d := newData(t, m)
	m.Qpos0()[0] = 0.25
	if err := d.Reset(); err != nil || d.Qpos()[0] != 0.25 {
		t.Errorf("after an edit of qpos0, reset gives %v, %v", d.Qpos(), err)
	}
}

func TestIDSaysWhatIsMissing(t *testing.T) {
	m := load(t, testXML, nil)
	_, err := m.ID(Joint, "knee")
	if !errors.Is(err, ErrName) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{`joint`, `"knee"`, `"hinge", "fall"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %s", err, want)
		}
	}
	if _, err := m.ID(Keyframe, ""); !errors.Is(err, ErrName) {
		t.Errorf("the empty name: %v", err)
	}
}

func TestLoadReportsMuJoCosText(t *testing.T) {
	for name, c := range map[string]struct {
		xml    string
		assets map[string][]byte
		want   string
		only   string // versions of MuJoCo that object
	}{
		"not XML":        {xml: "<mujoco", want: "XML"},
		"unknown":        {xml: "<mujoco><worldbody><gem/></worldbody></mujoco>", want: "gem"},
		"no inertia":     {xml: `<mujoco><worldbody><body name="b"><joint/></body></worldbody></mujoco>`, want: "mass"},
		"no such file":   {xml: `<mujoco><include file="nowhere.xml"/></mujoco>`, want: "nowhere.xml"},
		"an empty file":  {xml: testXML, assets: map[string][]byte{"a.xml": nil}, want: "a.xml"},
		"twice one name": {xml: testXML, assets: map[string][]byte{"x/a.xml": []byte("1"), "y/a.xml": []byte("2")}, want: "a.xml", only: "2."},
		"a long name":    {xml: testXML, assets: map[string][]byte{strings.Repeat("a", 2000): []byte("1")}, want: "too long", only: "2."},
		"nothing at all": {want: "0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.HasPrefix(Version(), c.only) {
				t.Skipf("MuJoCo %s has no such limit; CI installs Debian's 2.2, which has", Version())
			}
			m, err := Load(c.xml, c.assets)
			if m != nil || !errors.Is(err, ErrLoad) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an ErrLoad about %q", err, c.want)
			}
		})
	}
}

func TestIncludesComeFromMemory(t *testing.T) {
	part := []byte(`<mujoco><worldbody><body name="included"><geom size="0.1"/></body></worldbody></mujoco>`)
	m := load(t, `<mujoco><include file="part.xml"/></mujoco>`, map[string][]byte{"part.xml": part})
	if _, err := m.ID(Body, "included"); err != nil {
		t.Error(err)
	}
}

// A ball in free fall follows the semi-implicit Euler formula.
func TestStepsFollowTheFormula(t *testing.T) {
	d := newData(t, load(t, testXML, nil))
	if err := d.Step(20); err != nil {
		t.Fatal(err)
	}
	// Position after n steps: -g h^2 n(n+1)/2.
	if want := -9.81 * 1e-4 * 20 * 21 / 2; math.Abs(d.Qpos()[1]-want) > 1e-12 {
		t.Errorf("the ball fell to %g, want %g", d.Qpos()[1], want)
	}
	if math.Abs(d.Time()-0.2) > 1e-12 {
		t.Errorf("time %g, want 0.2", d.Time())
	}
}

func TestSensorsAreViews(t *testing.T) {
	d := newData(t, load(t, testXML, nil))
	d.Qpos()[0] = 0.5
	if err := d.Forward(); err != nil {
		t.Fatal(err)
	}
	if s := d.SensorOf("angle"); len(s) != 1 || s[0] != 0.5 {
		t.Errorf("angle is %v", s)
	}
	if s := d.SensorOf("velocity"); len(s) != 3 {
		t.Errorf("velocity is %v", s)
	}
	if s := d.SensorOf("none"); s != nil {
		t.Errorf("a missing sensor gives %v", s)
	}
}

func TestHalfStepsMakeAStep(t *testing.T) {
	m := load(t, testXML, nil)
	whole, halves := newData(t, m), newData(t, m)
	for i := range 100 {
		whole.Ctrl()[0] = math.Sin(float64(i))
		must(t, whole.Step(1))
		must(t, halves.Step1())
		halves.Ctrl()[0] = math.Sin(float64(i))
		must(t, halves.Step2())
	}
	for i, v := range whole.Qpos() {
		if v != halves.Qpos()[i] {
			t.Errorf("position %d: %g by steps, %g by halves", i, v, halves.Qpos()[i])
		}
	}
}

func TestForwardWithoutActuationIgnoresControls(t *testing.T) {
	d := newData(t, load(t, testXML, nil))
	d.Ctrl()[0] = 1
	must(t, d.ForwardWithoutActuation())
	if a := d.Qacc()[0]; a != 0 {
		t.Errorf("the arm accelerates by %g without actuation", a)
	}
	must(t, d.Forward())
	if a := d.Qacc()[0]; !(a > 0) {
		t.Errorf("the arm accelerates by %g with actuation", a)
	}
}

func TestContactsAreListed(t *testing.T) {
	m := load(t, testXML, nil)
	d := newData(t, m)
	must(t, d.Forward())
	if c := d.Contacts(); c != nil || d.NumContacts() != 0 {
		t.Errorf("in the air there are contacts: %v", c)
	}
	d.Qpos()[1] = -0.91 // the ball's centre at 0.09
	must(t, d.Forward())
	c := d.Contacts()
	if len(c) != 1 {
		t.Fatalf("contacts: %v", c)
	}
	floor, _ := m.ID(Geom, "floor")
	ball, _ := m.ID(Geom, "ball")
	if c[0].Geom1 != floor || c[0].Geom2 != ball || math.Abs(c[0].Distance+0.01) > 1e-12 || c[0].Normal != [3]float64{0, 0, 1} {
		t.Errorf("contact is %+v", c[0])
	}
}

func TestDivergenceIsAnError(t *testing.T) {
	for name, spoil := range map[string]func(*Data){
		"badqpos": func(d *Data) { d.Qpos()[0] = math.NaN() },
		"badqvel": func(d *Data) { d.Qvel()[1] = 1e300 },
		"badqacc": func(d *Data) { d.QfrcApplied()[1] = 1e12 },
		"badctrl": func(d *Data) { d.Ctrl()[0] = math.NaN() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newData(t, load(t, testXML, nil))
			must(t, d.Step(3))
			for count := 1; count <= 2; count++ {
				// Without a reset in between: MuJoCo's own counters start anew.
				spoil(d)
				err := d.Step(5)
				if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "Nan, Inf") {
					t.Fatalf("got %v, want ErrDiverged with MuJoCo's text", err)
				}
				if w := d.Warnings(); len(w) != 1 || w[0] != (Warning{name, count}) {
					t.Errorf("warnings are %v", w)
				}
				d.QfrcApplied()[1] = 0
			}
			must(t, d.Reset())
			must(t, d.Step(100))
			if w := d.Warnings(); w != nil {
				t.Errorf("after a reset the warnings are %v", w)
			}
		})
	}
}

func TestWarningsLeaveNoLogFile(t *testing.T) {
	t.Chdir(t.TempDir())
	d := newData(t, load(t, testXML, nil))
	d.Qpos()[0] = math.NaN()
	if err := d.Step(1); err == nil {
		t.Error("no error")
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("MuJoCo left %v, %v", entries, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestClosedThingsGiveErrors(t *testing.T) {
	m, err := Load(testXML, nil)
	must(t, err)
	d, err := NewData(m)
	must(t, err)
	m.Close()
	m.Close()
	if m.Qpos0() != nil || m.Nq() != 0 {
		t.Error("a closed model shows its arrays")
	}
	if _, err := NewData(m); !errors.Is(err, ErrClosed) {
		t.Errorf("data of a closed model: %v", err)
	}
	if _, err := m.Copy(); !errors.Is(err, ErrClosed) {
		t.Errorf("copy of a closed model: %v", err)
	}
	must(t, d.Step(1)) // holds the model's memory
	d.Close()
	d.Close()
	if d.Qpos() != nil || d.Contacts() != nil || d.SensorOf("angle") != nil || d.Time() != 0 {
		t.Error("closed data show their arrays")
	}
	for name, call := range map[string]func() error{
		"step": func() error { return d.Step(1) }, "step1": d.Step1, "step2": d.Step2, "reset": d.Reset,
		"forward": d.Forward, "passive": d.ForwardWithoutActuation, "const": d.SetConst,
	} {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s of closed data: %v", name, err)
		}
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	m := load(t, testXML, nil)
	c, err := m.Copy()
	must(t, err)
	defer c.Close()
	must(t, c.SetTotalMass(1))
	sum := func(m *Model) (s float64) {
		for _, v := range m.BodyMass() {
			s += v
		}
		return s
	}
	if math.Abs(sum(c)-1) > 1e-12 || sum(m) < 2 {
		t.Errorf("masses are %g and %g", sum(c), sum(m))
	}
	if _, err := c.ID(Site, "tip"); err != nil {
		t.Error(err)
	}
	a, b := newData(t, m), newData(t, m)
	must(t, a.Step(7))
	must(t, b.CopyFrom(a))
	must(t, a.Step(7))
	must(t, b.Step(7))
	if a.Qpos()[0] != b.Qpos()[0] || a.Qvel()[1] != b.Qvel()[1] {
		t.Error("copied data go another way")
	}
	if err := newData(t, c).CopyFrom(a); !errors.Is(err, ErrOptions) {
		t.Errorf("data of another model: %v", err)
	}
}
