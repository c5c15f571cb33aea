package remote

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
	"github.com/orrery-rl/orrery/internal/rng"
)

// python is the interpreter with the library, or else the test is skipped.
func python(t *testing.T, library string) string {
	t.Helper()
	interpreter := Python()
	if out, err := exec.Command(interpreter, "-c", "import numpy, "+library).CombinedOutput(); err != nil {
		t.Skipf("%s has no %s (set %s to one that has, as CI does): %v\n%s", interpreter, library, PythonVariable, err, lastOf(out))
	}
	return interpreter
}

func lastOf(out []byte) []byte { return out[max(0, len(out)-200):] }

// named opens an environment as the command line does.
func named(t *testing.T, name string, opts env.Options) env.Env {
	t.Helper()
	r := env.NewRegistry()
	if err := Register(r, nil); err != nil {
		t.Fatal(err)
	}
	e, err := r.New(name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// episode is what the bridge and Python must agree on.
type episode struct {
	Rewards  []float64
	Vectors  [][]float32
	Last     bool // the last step ended the episode
	Terminal bool // and for good
}

// direct plays in Python, without anything of ours: actions are those that the
// bridge is given.
const direct = `
import json, os, sys
import numpy as np
ask = json.load(sys.stdin)
out = {"Rewards": [], "Vectors": [], "Last": False, "Terminal": False}
library, name = ask["library"], ask["name"]
if library == "gymnasium":
    import gymnasium
    env = gymnasium.make(name)
    obs, _ = env.reset(seed=ask["seed"])
    discrete = isinstance(env.action_space, gymnasium.spaces.Discrete)
else:
    os.environ.setdefault("MUJOCO_GL", "egl")
    from dm_control import suite
    env = suite.load(*name.split("-"), task_kwargs={"random": ask["seed"]})
    obs = env.reset().observation
def flat(obs):
    parts = [np.ravel(v) for v in obs.values()] if library == "dm_control" else [np.ravel(obs)]
    return [float(np.float32(x)) for x in np.concatenate(parts)]
out["Vectors"].append(flat(obs))
for action in ask["actions"]:
    total = 0.0
    for _ in range(ask["repeat"]):
        a = np.array(action, np.float32)
        if library == "gymnasium":
            obs, reward, terminated, truncated, _ = env.step(int(a.argmax()) if discrete else a)
        else:
            t = env.step(a.astype(np.float64))
            obs, reward, terminated, truncated = t.observation, t.reward, t.last() and t.discount == 0, t.last()
        total += float(reward)
        if terminated or truncated:
            break
    out["Rewards"].append(total)
    out["Vectors"].append(flat(obs))
    if terminated or truncated:
        out["Last"], out["Terminal"] = True, bool(terminated)
        break
json.dump(out, sys.stdout)
`

// TestPythonAgrees: the same seeds and actions give the same rewards, vectors
// and ends through the bridge as in Python, bit for bit.
func TestPythonAgrees(t *testing.T) {
	for _, c := range []struct {
		library, name string
		repeat        int
	}{
		{"gymnasium", "CartPole-v1", 1},
		{"gymnasium", "Pendulum-v1", 3},
		{"dm_control", "walker-walk", 2},
	} {
		t.Run(c.library+" "+c.name, func(t *testing.T) {
			interpreter := python(t, c.library)
			e := named(t, "py:"+c.library+":"+c.name, env.Options{ActionRepeat: c.repeat})
			const seed = 12345
			actions := randomActions(e.Spec().Action, 70)
			got := play(t, e, seed, actions)
			want := playDirectly(t, interpreter, map[string]any{
				"library": c.library, "name": c.name, "seed": seed, "repeat": c.repeat, "actions": actions[:len(got.Rewards)],
			})
			if !slices.Equal(got.Rewards, want.Rewards) || got.Last != want.Last || got.Terminal != want.Terminal {
				t.Errorf("rewards and end %v %v %v, Python says %v %v %v",
					got.Rewards, got.Last, got.Terminal, want.Rewards, want.Last, want.Terminal)
			}
			if !slices.EqualFunc(got.Vectors, want.Vectors, slices.Equal) {
				t.Errorf("vectors\n%v, Python says\n%v", got.Vectors, want.Vectors)
			}
		})
	}
}

func randomActions(spec env.ActionSpec, n int) [][]float32 {
	stream := rng.New(1, "actions")
	out := make([][]float32, n)
	for i := range out {
		for k := range spec.Size {
			out[i] = append(out[i], spec.Low[k]+(spec.High[k]-spec.Low[k])*stream.Float32())
		}
	}
	return out
}

func play(t *testing.T, e env.Env, seed uint64, actions [][]float32) episode {
	t.Helper()
	obs, err := e.Reset(context.Background(), seed)
	if err != nil {
		t.Fatal(err)
	}
	if distinct(obs.Image) < 3 {
		t.Errorf("the first image has %d values", distinct(obs.Image))
	}
	out := episode{Vectors: [][]float32{obs.Vector}}
	for _, a := range actions {
		s, err := e.Step(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		out.Rewards = append(out.Rewards, s.Reward)
		out.Vectors = append(out.Vectors, s.Vector)
		if out.Last, out.Terminal = s.Ended(), s.Terminated; out.Last {
			break
		}
	}
	return out
}

// distinct counts the values of a picture: an empty one has few.
func distinct(image []byte) int {
	values := map[byte]bool{}
	for _, v := range image {
		values[v] = true
	}
	return len(values)
}

func playDirectly(t *testing.T, interpreter string, ask map[string]any) (out episode) {
	t.Helper()
	text, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	printed := output(t, text, interpreter, "-c", direct)
	if err := json.Unmarshal(printed, &out); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	return out
}

func TestGymnasiumKeepsTheContract(t *testing.T) {
	python(t, "gymnasium")
	for _, name := range []string{"CartPole-v1", "MountainCarContinuous-v0"} {
		if err := envtest.Check(context.Background(), named(t, "py:gymnasium:"+name, env.Options{Height: 16, Width: 16, ActionRepeat: 50})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
