package mujoco

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

func registered(t *testing.T) *env.Registry {
	t.Helper()
	r := env.NewRegistry()
	if err := Register(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryTaskIsKnownByItsName(t *testing.T) {
	r := registered(t)
	for _, task := range Tasks() {
		for _, options := range []string{"", ":render=suite", ":render=fast:gl=egl", ":gl=osmesa:render=fast", ":render=go"} {
			name := "dmc/" + task.Name + options
			e, err := r.Entry(name)
			if err != nil || e.Name != name || e.DefaultActionRepeat != task.ActionRepeat || e.DefaultActionRepeat < 1 {
				t.Errorf("%s is %+v, %v", name, e, err)
			}
		}
	}
}

func TestThePapersTasksHaveItsActionRepeats(t *testing.T) {
	for name, want := range map[string]int{
		"cartpole-swingup": 8, "reacher-easy": 4, "cheetah-run": 4, "finger-spin": 2, "ball-in-cup-catch": 4, "walker-walk": 2,
	} {
		if got := taskOf(name).ActionRepeat; got != want {
			t.Errorf("%s has action repeat %d, want %d", name, got, want)
		}
	}
}

func TestWrongNamesAndOptionsAreNamed(t *testing.T) {
	r := registered(t)
	for _, c := range []struct {
		name string
		is   error
		says []string
	}{
		{"dmc/walker-wlk", env.ErrUnknown, []string{"dmc/walker-wlk", `did you mean "dmc/walker-walk"`}},
		{"dmc/walker_walk", env.ErrUnknown, []string{"dmc/walker-walk"}},
		{"dmc/", env.ErrUnknown, []string{"dmc/"}},
		{"dmc/humanoid-walk:render=fast", env.ErrUnknown, []string{"humanoid-walk"}},
		{"dmc/walker-walk:render=gl", env.ErrOptions, []string{"dmc/walker-walk:render=gl", `render is "gl"`, "suite, fast, go"}},
		{"dmc/walker-walk:gl=glfw", env.ErrOptions, []string{`gl is "glfw"`, "osmesa, egl"}},
		{"dmc/walker-walk:render=go:gl=egl", env.ErrOptions, []string{"gl=egl", "render=go"}},
		{"dmc/walker-walk:shadows=off", env.ErrOptions, []string{`"shadows=off"`, "render=VALUE"}},
		{"dmc/walker-walk:fast", env.ErrOptions, []string{`"fast"`}},
		{"dmc/walker-walk:render=", env.ErrOptions, []string{`render is ""`}},
	} {
		_, err := r.New(c.name, env.Options{})
		if !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", c.name, err, c.is)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
	}
}

// TestOnlyBuildsWithMuJoCoListTheTasks holds for both kinds of builds.
func TestOnlyBuildsWithMuJoCoListTheTasks(t *testing.T) {
	r := registered(t)
	want := 0
	if Built {
		want = len(Tasks())
	}
	if names := r.Names(); len(names) != want {
		t.Errorf("%d names are listed, want %d: %v", len(names), want, names)
	}
	if !Built && Version() != "" {
		t.Errorf("there is no MuJoCo of version %q in this build", Version())
	}
	if said := r.Schemes()[0].Description; Built == strings.Contains(said, "-tags mujoco") {
		t.Errorf("with Built %v the scheme is described as %q", Built, said)
	}
}

func TestWithoutMuJoCoTheErrorSaysHowToGetIt(t *testing.T) {
	if Built {
		t.Skip("this build has MuJoCo; CI runs this test in the build without")
	}
	for _, name := range []string{"dmc/walker-walk", "dmc/walker-walk:render=fast"} {
		_, err := registered(t).New(name, env.Options{})
		if !errors.Is(err, ErrNotBuilt) {
			t.Fatalf("%s: %v, want ErrNotBuilt", name, err)
		}
		for _, part := range []string{name, "-tags mujoco", "apt-get install", "libmujoco-dev", "libosmesa6"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
}

func TestEveryTaskHasAModel(t *testing.T) {
	for _, task := range Tasks() {
		if _, err := os.Stat("models/" + task.model + ".xml"); err != nil {
			t.Errorf("%s: %v", task.Name, err)
		}
	}
}
