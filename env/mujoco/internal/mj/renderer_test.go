//go:build mujoco

package mj

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// glVariable chooses the graphics library of these tests: a process can use one
// only.
const glVariable = "ORRERY_MUJOCO_GL"

// modelNames are the suite's models that the tests draw.
var modelNames = []string{
	"acrobot", "ball_in_cup", "cartpole", "cheetah", "finger", "hopper", "pendulum", "point_mass", "reacher", "walker",
}

// suiteModel loads one of the project's models of the suite. Its sky has less
// detail than the original, which takes most of the time of a load.
func suiteModel(t testing.TB, name string) *Model {
	t.Helper()
	return load(t, modelFile(t, name), map[string][]byte{
		"suite.xml": []byte(strings.Replace(modelFile(t, "suite"), `width="800" height="800"`, `width="80" height="80"`, 1)),
	})
}

func modelFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "models", name+".xml"))
	must(t, err)
	return string(data)
}

// newRenderer skips the test where the library is not installed.
func newRenderer(t testing.TB, m *Model, o Options) *Renderer {
	t.Helper()
	if o.GL == "" {
		o.GL = os.Getenv(glVariable)
	}
	r, err := NewRenderer(m, o)
	if errors.Is(err, ErrGL) && strings.Contains(err.Error(), "apt-get install") {
		t.Skipf("%v; CI installs it", err)
	}
	must(t, err)
	t.Cleanup(r.Close)
	return r
}

func draw(t testing.TB, r *Renderer, d *Data, camera int) []byte {
	t.Helper()
	picture, err := r.Render(d, camera)
	must(t, err)
	return picture
}

// Four balls in the corners say which way a picture is turned.
const cornersXML = `
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <camera pos="0 0 10" fovy="45"/>
    <geom type="sphere" size="1" pos="-3 3 0" rgba="1 0 0 1"/>
    <geom type="sphere" size="1" pos="3 3 0" rgba="0 1 0 1"/>
    <geom type="sphere" size="1" pos="-3 -3 0" rgba="0 0 1 1"/>
    <geom type="sphere" size="1" pos="3 -3 0" rgba="1 1 0 1"/>
  </worldbody>
</mujoco>`

func TestPicturesStartAtTheTopLeft(t *testing.T) {
	m := load(t, cornersXML, nil)
	d := newData(t, m)
	must(t, d.Forward())
	const width, height = 48, 40
	p := draw(t, newRenderer(t, m, Options{Width: width, Height: height}), d, 0)
	if len(p) != 3*width*height {
		t.Fatalf("the picture has %d bytes", len(p))
	}
	at := func(x, y int) [3]byte { return [3]byte(p[3*(width*y+x):]) }
	// 3 m at 10 m distance are 14.5 pixels from the middle.
	for _, c := range []struct {
		x, y int
		want [3]byte
	}{
		{9, 5, [3]byte{255, 0, 0}}, {38, 5, [3]byte{0, 255, 0}}, {9, 34, [3]byte{0, 0, 255}}, {38, 34, [3]byte{255, 255, 0}}, {24, 20, [3]byte{}},
	} {
		if at(c.x, c.y) != c.want {
			t.Errorf("pixel %d, %d is %v, want %v", c.x, c.y, at(c.x, c.y), c.want)
		}
	}
}

// The pixels belong to the state they were asked for, whoever asks and on
// whatever thread.
func TestNoFrameIsStale(t *testing.T) {
	m := load(t, testXML, nil)
	r := newRenderer(t, m, Options{Width: 32, Height: 32})
	pose := func(angle float64) *Data {
		d := newData(t, m)
		d.Qpos()[0] = angle
		must(t, d.Forward())
		return d
	}
	const poses = 5
	var data [poses]*Data
	var want [poses][]byte
	for i := range data {
		data[i] = pose(0.3 * float64(i))
		fresh := newRenderer(t, m, Options{Width: 32, Height: 32})
		want[i] = draw(t, fresh, data[i], 0)
		fresh.Close()
		for j := range i {
			if bytes.Equal(want[i], want[j]) {
				t.Fatalf("poses %d and %d look the same", i, j)
			}
		}
	}
	var group sync.WaitGroup
	for i := range data {
		group.Go(func() {
			runtime.LockOSThread() // five threads for certain
			for range 20 {
				got, err := r.Render(data[i], 0)
				if err != nil || !bytes.Equal(got, want[i]) {
					t.Errorf("pose %d: a picture of something else, %v", i, err)
					return
				}
			}
		})
	}
	group.Wait()
}

// Edits of the model that cost nothing, such as the place of a target and its
// colour, show in the next picture.
func TestEditsOfTheModelShow(t *testing.T) {
	m := load(t, testXML, nil)
	d := newData(t, m)
	r := newRenderer(t, m, Options{Width: 32, Height: 32})
	must(t, d.Forward())
	before := draw(t, r, d, 0)
	rod, err := m.ID(Geom, "rod")
	must(t, err)
	m.GeomRGBA()[4*rod+1] = 1
	if bytes.Equal(before, draw(t, r, d, 0)) {
		t.Error("a new colour does not show")
	}
	m.GeomRGBA()[4*rod+3] = 0
	if p := draw(t, r, d, 0); bytes.Equal(before, p) {
		t.Error("an invisible geom shows")
	}
}

func TestRendererOptionsAreChecked(t *testing.T) {
	m := load(t, testXML, nil)
	for _, o := range []Options{
		{}, {Width: 64}, {Width: -1, Height: 64}, {Width: 64, Height: 10000},
		{Width: 64, Height: 64, GL: "glx"}, {Width: 64, Height: 64, Quality: "best"},
	} {
		if r, err := NewRenderer(m, o); r != nil || !errors.Is(err, ErrOptions) {
			t.Errorf("%+v gives %v", o, err)
		}
	}
}

func TestRenderChecksWhatItIsGiven(t *testing.T) {
	m := load(t, testXML, nil)
	d, other := newData(t, m), newData(t, load(t, testXML, nil))
	must(t, d.Forward())
	r := newRenderer(t, m, Options{Width: 8, Height: 8})
	for name, c := range map[string]struct {
		d      *Data
		camera int
		want   error
	}{
		"no such camera": {d, 1, ErrName}, "a negative camera": {d, -1, ErrName}, "another model": {other, 0, ErrOptions},
	} {
		if _, err := r.Render(c.d, c.camera); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.RenderInto(make([]byte, 5), d, 0); !errors.Is(err, ErrOptions) {
		t.Errorf("a short slice: %v", err)
	}
	draw(t, r, d, 0)
	m.Close() // the renderer and the state keep it
	draw(t, r, d, 0)
	d.Close()
	if _, err := r.Render(d, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("closed data: %v", err)
	}
	r.Close()
	r.Close()
	if _, err := r.Render(d, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed renderer: %v", err)
	}
}

func meanDifference(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		sum += max(float64(a[i])-float64(b[i]), float64(b[i])-float64(a[i]))
	}
	return sum / float64(len(a))
}

// Fast pictures are other pictures, but not by much: measured over 200 frames of
// six tasks the mean difference is 0.39 of 255 levels.
func TestFastQualityIsClose(t *testing.T) {
	for _, name := range modelNames {
		m := suiteModel(t, name)
		d := newData(t, m)
		must(t, d.Forward())
		exact := draw(t, newRenderer(t, m, Options{Width: 64, Height: 64}), d, 0)
		fast := draw(t, newRenderer(t, m, Options{Width: 64, Height: 64, Quality: Fast}), d, 0)
		diff := meanDifference(exact, fast)
		t.Logf("%s: %.3f", name, diff)
		if diff == 0 || diff > 0.8 {
			t.Errorf("%s: the mean difference is %.3f", name, diff)
		}
	}
}

func TestTooManyGeomsAreAnError(t *testing.T) {
	geoms := strings.Repeat(`<geom size="0.1"/>`, 2100)
	m := load(t, `<mujoco><option><flag contact="disable"/></option><worldbody><camera pos="0 0 3"/>`+geoms+`</worldbody></mujoco>`, nil)
	d := newData(t, m)
	must(t, d.Forward())
	if _, err := newRenderer(t, m, Options{Width: 8, Height: 8}).Render(d, 0); !errors.Is(err, ErrOverflow) {
		t.Errorf("got %v, want ErrOverflow", err)
	}
	must(t, d.Step(1)) // nothing is wrong with the physics
}

// The picture's size is no property of the model.
func TestSeveralSizesOfOneModel(t *testing.T) {
	m := load(t, testXML, nil)
	d := newData(t, m)
	must(t, d.Forward())
	small := newRenderer(t, m, Options{Width: 24, Height: 24})
	large := newRenderer(t, m, Options{Width: 1000, Height: 700}) // beyond MuJoCo's default buffer
	first := draw(t, small, d, 0)
	if p := draw(t, large, d, 0); len(p) != 1000*700*3 {
		t.Errorf("%d bytes", len(p))
	}
	if !bytes.Equal(first, draw(t, small, d, 0)) {
		t.Error("a second renderer changes the pictures of the first")
	}
}

// child runs the named test in another process of this program with the given
// variables, and returns what it printed.
func child(t *testing.T, test string, variables ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), childVariable+"=1"), variables...)
	output, err := cmd.CombinedOutput()
	if strings.Contains(string(output), "--- SKIP") {
		t.Skipf("the child process was skipped; CI installs what it asks for: %s", output)
	}
	if err != nil {
		t.Fatalf("the child says %v: %s", err, output)
	}
	return string(output)
}

const childVariable = "MJ_TEST_CHILD"

// sums are the checksums of two pictures of every model, from lines that begin
// with "sum".
func sums(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "sum ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// EGL on Mesa's software rasteriser and OSMesa draw the same bytes, in two
// processes because one cannot have both; and a process draws the same again.
func TestEGLAndOSMesaDrawTheSame(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		printSums(t)
		return
	}
	const self = "TestEGLAndOSMesaDrawTheSame"
	mesa := sums(child(t, self, glVariable+"="+OSMesa))
	again := sums(child(t, self, glVariable+"="+OSMesa))
	egl := sums(child(t, self, glVariable+"="+EGL))
	if n := strings.Count(mesa, "\n"); n != 2*len(modelNames) {
		t.Fatalf("%d pictures: %s", n, mesa)
	}
	if mesa != again {
		t.Errorf("two processes draw\n%s and\n%s", mesa, again)
	}
	if mesa != egl {
		t.Errorf("OSMesa draws\n%s EGL draws\n%s", mesa, egl)
	}
}

func printSums(t *testing.T) {
	for _, name := range modelNames {
		m := suiteModel(t, name)
		d := newData(t, m)
		must(t, d.Forward())
		r := newRenderer(t, m, Options{Width: 64, Height: 64})
		fmt.Printf("sum %s %08x\n", name, crc32.ChecksumIEEE(draw(t, r, d, 0)))
		for i := range d.Ctrl() {
			d.Ctrl()[i] = 0.7 - 0.3*float64(i)
		}
		must(t, d.Step(100))
		must(t, d.Forward())
		fmt.Printf("sum %s %08x\n", name, crc32.ChecksumIEEE(draw(t, r, d, 0)))
	}
}

// A process that draws with one library refuses the other.
func TestTwoGraphicsLibrariesAreAnError(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		child(t, "TestTwoGraphicsLibrariesAreAnError")
		return
	}
	m := load(t, testXML, nil)
	newRenderer(t, m, Options{Width: 8, Height: 8, GL: OSMesa})
	if LoadedGL() != OSMesa {
		t.Errorf("loaded is %q", LoadedGL())
	}
	_, err := NewRenderer(m, Options{Width: 8, Height: 8, GL: EGL})
	if !errors.Is(err, ErrGL) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("EGL beside OSMesa gives %v", err)
	}
	r, err := NewRenderer(m, Options{Width: 8, Height: 8})
	must(t, err)
	r.Close()
}

// A missing library is named together with the remedy, and physics do not need
// one. Files that are no libraries stand in for it.
func TestAMissingLibraryIsExplained(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		dir := t.TempDir()
		for _, name := range []string{"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", "libEGL.so.1", "libEGL.so"} {
			must(t, os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("no library "), 100), 0o644))
		}
		child(t, "TestAMissingLibraryIsExplained", "LD_LIBRARY_PATH="+dir)
		return
	}
	m := load(t, testXML, nil)
	for gl, want := range map[string][]string{
		OSMesa: {"libOSMesa.so", "apt-get install libosmesa6"},
		EGL:    {"libEGL.so", "apt-get install libegl1 libgl1-mesa-dri"},
		"":     {"apt-get install libosmesa6", "apt-get install libegl1"},
	} {
		r, err := NewRenderer(m, Options{Width: 8, Height: 8, GL: gl})
		if r != nil || !errors.Is(err, ErrGL) {
			t.Fatalf("%q: got %v", gl, err)
		}
		for _, text := range want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q: %q does not mention %q", gl, err, text)
			}
		}
	}
	must(t, newData(t, m).Step(1))
}

func inChild() bool { return os.Getenv(childVariable) != "" }
