//go:build mujoco

package mujoco

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
)

// picturesOf are testdata/golden.png's two pictures of each task, in the order of
// Tasks.
func picturesOf(t *testing.T) map[string][2][]byte {
	t.Helper()
	f, err := os.Open("testdata/golden.png")
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := png.Decode(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 64*len(Tasks()), 128); sheet.Bounds() != want {
		t.Fatalf("the sheet has %v, want %v", sheet.Bounds(), want)
	}
	all := map[string][2][]byte{}
	for column, task := range Tasks() {
		var both [2][]byte
		for row := range both {
			for y := range 64 {
				for x := range 64 {
					r, g, b, _ := sheet.At(64*column+x, 64*row+y).RGBA()
					both[row] = append(both[row], byte(r>>8), byte(g>>8), byte(b>>8))
				}
			}
		}
		all[task.Name] = both
	}
	return all
}

// difference is the mean absolute difference of two pictures, in levels, and the
// largest one.
func difference(a, b []byte) (mean float64, worst int) {
	for i := range a {
		d := max(int(a[i]), int(b[i])) - min(int(a[i]), int(b[i]))
		mean += float64(d) / float64(len(a))
		worst = max(worst, d)
	}
	return mean, worst
}

// The golden pictures are dm_control's, drawn by Mesa 22.3 with OSMesa. Another
// version may round a few pixels differently; wrong cameras, lights, sizes, hidden
// things or upside-down pictures are far beyond the bounds. The ray caster smooths
// otherwise and has other stars: 2 to 7 levels on average.
func TestPicturesAreDMControls(t *testing.T) {
	golden, states := picturesOf(t), goldenCases(t)
	for _, task := range Tasks() {
		s, r := bareTask(t, task.Name)
		for _, render := range []struct {
			Render
			mean  float64 // bound on the mean difference
			worst int
		}{{RenderSuite, 0.05, 40}, {RenderFast, 1, 255}, {RenderGo, 8, 255}} {
			p, err := newPainter(s, choices{render: render.Render}, env.ImageSpec{Height: 64, Width: 64, Channels: 3})
			if err != nil {
				t.Fatal(err)
			}
			for row, number := range []string{"1", "2"} {
				playGolden(t, s, r, goldenCase{"qpos": states[task.Name][number]["qpos"], "qvel": states[task.Name][number]["qvel"], "edit": states[task.Name][number]["edit"]})
				got := make([]byte, 64*64*3)
				if err := p.RenderInto(got, s.data, camera); err != nil {
					t.Fatal(err)
				}
				mean, worst := difference(got, golden[task.Name][row])
				t.Logf("%s %s case %s: mean difference %.3f, largest %d", task.Name, render.Render, number, mean, worst)
				if mean > render.mean || worst > render.worst {
					t.Errorf("%s %s case %s differs by %.3f on average and %d at most", task.Name, render.Render, number, mean, worst)
				}
			}
			p.Close()
		}
	}
}

// MuJoCo's offscreen buffer has 640x480 pixels unless it is made larger, and
// draws nothing beyond.
func TestPicturesMayBeLargerThanTheBuffer(t *testing.T) {
	const height, width = 500, 700
	s, r := bareTask(t, "cartpole-balance")
	playGolden(t, s, r, goldenCase{"qpos": {0, 0}, "qvel": {0, 0}})
	p, err := newPainter(s, choices{render: RenderSuite}, env.ImageSpec{Height: height, Width: width, Channels: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	dst := make([]byte, height*width*3)
	if err := p.RenderInto(dst, s.data, camera); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct{ y, x int }{{0, 0}, {0, width - 1}, {height - 1, 0}, {height - 1, width - 1}} {
		pixel := dst[3*(at.y*width+at.x):][:3]
		if int(pixel[0])+int(pixel[1])+int(pixel[2]) < 30 {
			t.Errorf("pixel %v is %v, which is black", at, pixel)
		}
	}
}

// Two graphics libraries in one process make MuJoCo fail or crash.
func TestASecondGraphicsLibraryIsRefused(t *testing.T) {
	openTask(t, "dmc/pendulum-swingup", env.Options{})
	other := map[string]string{GLOSMesa: GLEGL, GLEGL: GLOSMesa}[mj.LoadedGL()]
	_, err := registered(t).New("dmc/pendulum-swingup:gl="+other, env.Options{})
	if err == nil || errors.Is(err, env.ErrBroken) {
		t.Fatalf("%v, want an error that no retry mends", err)
	}
	for _, part := range []string{"dmc/pendulum-swingup:gl=" + other, "one process"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// Nothing mends a renderer that fails, so training must not play on.
func TestAFailedPictureNamesTaskAndStep(t *testing.T) {
	ctx := context.Background()
	e := openBare(t, "pendulum-swingup:render=fast")
	if _, err := e.Reset(ctx, 1); err != nil {
		t.Fatal(err)
	}
	e.painter.Close()
	_, err := e.StepRepeated(ctx, []float32{0}, 3)
	if err == nil || errors.Is(err, env.ErrBroken) {
		t.Fatalf("%v, want an error that no retry mends", err)
	}
	for _, part := range []string{"dmc/pendulum-swingup", "picture after env step 3"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestRenderersAgreeOnEverythingButThePicture(t *testing.T) {
	var first []env.Transition
	for _, render := range []Render{RenderSuite, RenderFast, RenderGo} {
		all, err := play(openTask(t, "dmc/walker-walk:render="+string(render), env.Options{}), 7, 5)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = all
		}
		for i := range all {
			if equalTransitions(all[i:i+1], first[i:i+1]) != (render == RenderSuite) {
				t.Errorf("observation %d of render=%s: the same picture as with render=suite is %v", i, render, render != RenderSuite)
			}
			all[i].Image = first[i].Image
		}
		if !equalTransitions(all, first) {
			t.Errorf("render=%s gives other rewards or measurements", render)
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	for _, name := range []string{"cartpole-swingup", "reacher-easy", "cheetah-run", "finger-spin", "ball-in-cup-catch", "walker-walk"} {
		for _, render := range []Render{RenderSuite, RenderFast, RenderGo} {
			b.Run(name+"/"+string(render), func(b *testing.B) { benchmarkDecision(b, name, render) })
		}
	}
}

// benchmarkDecision takes decisions as training does, with the paper's repeats.
func benchmarkDecision(b *testing.B, name string, render Render) {
	r := env.NewRegistry()
	if err := Register(r); err != nil {
		b.Fatal(err)
	}
	e, err := r.New("dmc/"+name+":render="+string(render), env.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	ctx, ended := context.Background(), true
	action := make([]float32, e.Spec().Action.Size)
	before := processorTime(b)
	for b.Loop() {
		if ended {
			if _, err := e.Reset(ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
		tr, err := e.Step(ctx, action)
		if err != nil {
			b.Fatal(err)
		}
		ended = tr.Ended()
	}
	b.ReportMetric((processorTime(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
}

// processorTime is what this process has used, which other load on the machine
// changes less than the time that passed.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
