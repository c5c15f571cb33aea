package remote

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
)

// exampleCommands are the examples that this machine can run.
func exampleCommands(t testing.TB) map[string][]string {
	t.Helper()
	commands := map[string][]string{}
	if python, err := exec.LookPath("python3"); err == nil {
		commands["python"] = []string{python, "examples/dot.py"}
	} else {
		t.Log("no python3: the example in Python is not tested")
	}
	if cc, err := exec.LookPath("cc"); err == nil {
		program := filepath.Join(t.TempDir(), "dot")
		if out, err := exec.Command(cc, "-O2", "-Wall", "-Werror", "-o", program, "examples/dot.c", "-lm").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		commands["c"] = []string{program}
	} else {
		t.Log("no cc: the example in C is not tested")
	}
	return commands
}

func TestExamples(t *testing.T) {
	for name, command := range exampleCommands(t) {
		t.Run(name, func(t *testing.T) {
			for _, opts := range []env.Options{{}, {ActionRepeat: 4}} {
				if err := envtest.Check(context.Background(), open(t, Config{Command: command}, opts)); err != nil {
					t.Error(err)
				}
			}
			checkDot(t, open(t, Config{Command: command}, env.Options{ActionRepeat: 2}))
		})
	}
}

// TestDocumentShowsTheExample keeps docs/remote-environments.md true.
func TestDocumentShowsTheExample(t *testing.T) {
	document, err := os.ReadFile("../../docs/remote-environments.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("examples/dot.py")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(document, example) {
		t.Error("docs/remote-environments.md does not show examples/dot.py as it is")
	}
}

// checkDot compares with the rules of the example.
func checkDot(t *testing.T, e env.Env) {
	t.Helper()
	obs, err := e.Reset(context.Background(), 1<<63+5)
	if err != nil {
		t.Fatal(err)
	}
	x := obs.Vector[0]
	want := 0.0
	for range 2 {
		x = min(max(x+0.05, -1), 1)
		want += 1 - math.Abs(float64(x))
	}
	s, err := e.Step(context.Background(), []float32{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.Reward-want) > 1e-6 || math.Abs(float64(s.Vector[0]-x)) > 1e-6 {
		t.Errorf("reward %v at %v, want %v at %v", s.Reward, s.Vector[0], want, x)
	}
	i := e.Spec().Image
	column := int((s.Vector[0] + 1) / 2 * float32(i.Width))
	if s.Image[column*i.Channels] != 255 || distinct(s.Image) != 2 {
		t.Errorf("column %d of the image is %d", column, s.Image[column*i.Channels])
	}
}

// BenchmarkStep measures a step of a program in C that draws 64x64x3: what the
// bridge costs.
func BenchmarkStep(b *testing.B) {
	command, ok := exampleCommands(b)["c"]
	if !ok {
		b.Skip("no C compiler cc to build the example with; CI installs gcc")
	}
	for name, size := range map[string]int{"as drawn": 0, "scaled to 32": 32} {
		b.Run(name, func(b *testing.B) {
			e := open(b, Config{Command: command, Height: size, Width: size}, env.Options{})
			ctx, action := context.Background(), []float32{0.1}
			for i := 0; b.Loop(); i++ {
				if i%50 == 0 {
					if _, err := e.Reset(ctx, uint64(i)); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := e.Step(ctx, action); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
