package remote

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

// output runs a program and returns what it prints.
func output(t *testing.T, stdin []byte, command ...string) []byte {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command[0], err, stderr.Bytes())
	}
	return out
}

func TestNames(t *testing.T) {
	r := env.NewRegistry()
	if err := Register(r, nil); err != nil {
		t.Fatal(err)
	}
	if err := Register(r, nil); err == nil {
		t.Error("registered twice")
	}
	for name, repeat := range map[string]int{
		"py:gymnasium:CarRacing-v3":       1,
		"py:gymnasium:ale_py:ALE/Pong-v5": 1,
		"py:dm_control:walker-walk":       2,
		"py:dm_control:cheetah-run":       4,
		"py:dm_control:ball_in_cup-catch": 4,
		"py:dm_control:cartpole-swingup":  8,
		"exec:./simulator --level 2":      1,
	} {
		e, err := r.Entry(name)
		if err != nil || e.Name != name || e.DefaultActionRepeat != repeat {
			t.Errorf("%s: %+v, %v; want repeat %d", name, e, err, repeat)
		}
	}
	for _, name := range []string{"py:gymnasium", "py:gymnasium:", "py:jax:x", "exec:", "exec:  ", "other:x"} {
		if _, err := r.Entry(name); !errors.Is(err, env.ErrUnknown) {
			t.Errorf("%q: %v, want ErrUnknown", name, err)
		}
	}
}

// TestExecName opens the test's own child by a name of the command line.
func TestExecName(t *testing.T) {
	t.Setenv(roleVariable, "good")
	e := named(t, "exec:"+os.Args[0], env.Options{Height: 9, Width: 7, ActionRepeat: 2})
	s := e.Spec()
	if s.Name != "exec:"+os.Args[0] || s.Image != (env.ImageSpec{Height: 9, Width: 7, Channels: 3}) || s.ActionRepeat != 2 {
		t.Errorf("spec %+v", s)
	}
}

// TestWithoutPython: the error tells what to do.
func TestWithoutPython(t *testing.T) {
	t.Setenv(PythonVariable, "/no/such/python")
	r := env.NewRegistry()
	if err := Register(r, nil); err != nil {
		t.Fatal(err)
	}
	_, err := r.New("py:gymnasium:CartPole-v1", env.Options{})
	if !errors.Is(err, ErrChild) || !strings.Contains(err.Error(), "needs numpy and gymnasium; "+PythonVariable+" chooses another") {
		t.Errorf("error %v, want ErrChild with the remedy", err)
	}
}

// TestOnlyWhatIsNotInstalledIsToBeInstalled: another interpreter helps against a
// missing import and not against a misspelt task.
func TestOnlyWhatIsNotInstalledIsToBeInstalled(t *testing.T) {
	for said, want := range map[string]bool{
		"ModuleNotFoundError: No module named 'numpy'":                                     true,
		"ImportError: libGL.so.1: cannot open shared object file":                          true,
		"NameNotFound: Environment `Pendulm` doesn't exist. Did you mean: `Pendulum`?":     false,
		"DependencyNotInstalled: Box2D is not installed, pip install \"gymnasium[box2d]\"": false,
	} {
		t.Run(said, func(t *testing.T) {
			python := filepath.Join(t.TempDir(), "python")
			script := "#!/bin/sh\ncat >&2 <<'END'\n" + said + "\nEND\nexit 1\n"
			if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS == "windows" {
				t.Skip("no sh: the interpreter of the test is a shell script; CI runs on Linux")
			}
			t.Setenv(PythonVariable, python)
			r := env.NewRegistry()
			if err := Register(r, nil); err != nil {
				t.Fatal(err)
			}
			_, err := r.New("py:gymnasium:Pendulm-v1", env.Options{})
			if !errors.Is(err, ErrChild) || !strings.Contains(err.Error(), said) {
				t.Fatalf("error %v, want ErrChild with what it said", err)
			}
			if hint := strings.Contains(err.Error(), "chooses another"); hint != want {
				t.Errorf("the hint is there: %v, want %v\n%v", hint, want, err)
			}
		})
	}
}
