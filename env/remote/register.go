package remote

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/orrery-rl/orrery/env"
)

// server is the Python side, which also works on its own.
//
//go:embed server.py
var server []byte

// bootstrap makes Python run a program whose length is its first argument and
// whose text comes before the first frame, so that no file is needed.
const bootstrap = "import sys; exec(compile(sys.stdin.buffer.read(int(sys.argv.pop(1))), 'orrery-server.py', 'exec'))"

// PythonVariable is the environment variable that names the Python interpreter
// of py: environments; otherwise it is python3 in PATH.
const PythonVariable = "ORRERY_PYTHON"

// Register adds the schemes py: and exec: to r. log receives what the programs
// write to standard error; nil discards it.
func Register(r *env.Registry, log *slog.Logger) error {
	return errors.Join(
		r.RegisterScheme(env.Scheme{
			Name: "py", Usage: "py:LIBRARY:NAME",
			Description: "a task of Python's gymnasium or dm_control: py:gymnasium:Pendulum-v1, py:dm_control:walker-walk",
			Entry: func(rest string) (env.Entry, error) {
				library, name, ok := strings.Cut(rest, ":")
				if !ok || name == "" || library != "gymnasium" && library != "dm_control" {
					return env.Entry{}, fmt.Errorf("env: %w %q: want py:gymnasium:NAME or py:dm_control:DOMAIN-TASK", env.ErrUnknown, "py:"+rest)
				}
				return pythonEntry(library, name, log), nil
			},
		}),
		r.RegisterScheme(env.Scheme{
			Name: "exec", Usage: "exec:COMMAND",
			Description: "a program that speaks the protocol of docs/remote-environments.md: exec:./simulator --level 2",
			Entry: func(rest string) (env.Entry, error) {
				words := strings.Fields(rest)
				if len(words) == 0 {
					return env.Entry{}, fmt.Errorf("env: %w %q: want exec:COMMAND", env.ErrUnknown, "exec:"+rest)
				}
				return entry("exec:"+rest, 1, Config{Command: words}, log), nil
			},
		}))
}

// entry opens cfg under a name.
func entry(name string, repeat int, cfg Config, log *slog.Logger) env.Entry {
	return env.Entry{
		Name: name, Description: strings.Join(cfg.Command, " "), DefaultActionRepeat: repeat,
		New: func(opts env.Options) (env.Env, error) {
			cfg := cfg
			cfg.Name, cfg.Height, cfg.Width, cfg.Log = name, opts.Height, opts.Width, log
			// Bounded by StartTimeout; a registry knows no context.
			return Open(context.Background(), cfg, opts)
		},
	}
}

// pythonEntry is an entry whose errors say which interpreter was tried, where
// another one may help.
func pythonEntry(library, name string, log *slog.Logger) env.Entry {
	cfg := pythonConfig(library, name)
	e := entry("py:"+library+":"+name, pythonRepeat(library, name), cfg, log)
	open := e.New
	e.New = func(opts env.Options) (env.Env, error) {
		made, err := open(opts)
		if errors.Is(err, ErrChild) && lacking(err) {
			return nil, fmt.Errorf("%w\n(the interpreter is %s, which needs numpy and %s; %s chooses another)", err, cfg.Command[0], library, PythonVariable)
		}
		return made, err
	}
	return e
}

// lacking tells whether Python or a module of it is missing.
func lacking(err error) bool {
	var start *exec.Error // not in PATH
	var path *fs.PathError
	said := err.Error()
	return errors.As(err, &start) || errors.As(err, &path) ||
		strings.Contains(said, "ModuleNotFoundError: ") || strings.Contains(said, "ImportError: ")
}

// Python is the interpreter of py: environments: what [PythonVariable] says, or
// python3 (python on Windows), to be found in PATH.
func Python() string {
	if python := os.Getenv(PythonVariable); python != "" {
		return python
	}
	if runtime.GOOS == "windows" {
		return "python"
	}
	return "python3"
}

// pythonConfig runs server.py.
func pythonConfig(library, name string) Config {
	return Config{
		Command:  []string{Python(), "-c", bootstrap, strconv.Itoa(len(server)), library, name},
		preamble: server,
	}
}

// pythonRepeat is the action repeat of the paper (Hafner et al. 2019, appendix
// A) for its tasks, 2 for others of dm_control, and 1 for Gymnasium.
func pythonRepeat(library, name string) int {
	if library != "dm_control" {
		return 1
	}
	switch strings.ReplaceAll(name, "_", "-") {
	case "cartpole-swingup":
		return 8
	case "reacher-easy", "cheetah-run", "ball-in-cup-catch":
		return 4
	}
	return 2
}
