package main

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/backend/xla"
	"github.com/orrery-rl/orrery/env/mujoco"
	"github.com/orrery-rl/orrery/env/remote"
	"github.com/orrery-rl/orrery/internal/room"
)

// finding is what doctor says of one thing; its JSON form is stable.
type finding struct {
	Name string `json:"name"`
	// State is "yes", "no" or, for what cannot be told here, "unknown".
	State string `json:"state"`
	Found string `json:"found"`
	// For is what needs it; Remedy is the command that brings it where it is
	// missing.
	For    string `json:"for"`
	Remedy string `json:"remedy,omitempty"`
}

func newDoctor(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor [RUN...]", Short: "Say what looks wrong with runs, or what this machine has and what is missing",
		Long: `Doctor looks at this machine: kernels, cores, memory, disk, and the optional
parts that MuJoCo, Python environments, films and GPUs need. Nothing that it
finds missing is needed for the default build. It changes nothing and installs
nothing.

With RUN directories, or files of events (metrics.jsonl), it reads what the runs
have measured and says in words what looks wrong: the numbers it goes by, the
likely cause, and what to try. docs/troubleshooting.md lists what it knows. A run
may be going meanwhile.`,
		Example: `  orrery doctor                           the machine
  orrery doctor runs/cartpole-swingup     a run
  orrery doctor runs/a runs/b --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.diagnose(args, asJSON)
			}
			findings := examine(cmd.Context())
			if asJSON {
				return a.printJSON(findings)
			}
			return a.printFindings(findings)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func (a *app) printFindings(findings []finding) error {
	t := table(a.out)
	for _, f := range findings {
		mark := map[string]string{"yes": "ok", "no": "missing", "unknown": "?"}[f.State]
		fmt.Fprintf(t, "%s\t%s\t%s\n", mark, f.Name, f.Found)
		if f.State == "no" {
			fmt.Fprintf(t, "\t\tfor %s: %s\n", f.For, f.Remedy)
		}
	}
	return t.Flush()
}

// examine looks at everything. A check that hangs is given up after seconds.
func examine(ctx context.Context) []finding {
	findings := []finding{kernels(), halfPrecision(), cores(), memoryFree(), diskFree()}
	findings = append(findings,
		mujocoBuilt(),
		library("MuJoCo library", "dmc/* environments", "apt-get install libmujoco-dev, and build with -tags mujoco (see docs/environments.md)", "libmujoco.so*"),
		library("OSMesa", "pictures of dmc/* environments", "apt-get install libosmesa6", "libOSMesa.so*"),
		program(ctx, "Python", "py:* environments", "apt-get install python3 python3-venv", remote.Python(), "--version"),
		pythonModule(ctx, "gymnasium", "'gymnasium[classic-control]'"),
		pythonModule(ctx, "dm_control", "dm_control 'mujoco<4'"), // MuJoCo 4 lacks what dm_control 1.0 reads
		program(ctx, "ffmpeg", "films as MP4", "apt-get install ffmpeg", "ffmpeg", "-version"),
		program(ctx, "NVIDIA GPU", "--backend xla:PLUGIN", "none: it takes a GPU and its driver", "nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
		xlaBuilt(),
	)
	return findings
}

func kernels() finding {
	return finding{
		Name: "CPU kernels", State: "yes", For: "training and planning",
		Found: fmt.Sprintf("%s (this CPU has %s)", cpu.DetectPath(), strings.Join(cpu.Paths(), ", ")),
	}
}

// halfPrecision tries whether the backend can be had in bf16.
func halfPrecision() finding {
	f := finding{Name: "bfloat16 products", State: "yes", Found: "--precision bf16 works", For: "about twice the speed"}
	b, err := cpu.New(cpu.Config{Precision: "bf16", Threads: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.State, f.Found, f.Remedy = "no", "this CPU has no instructions for it", "none: it takes another CPU; float32 is used"
		return f
	}
	b.Finalize()
	return f
}

func cores() finding {
	return finding{
		Name: "cores", State: "yes", For: "training and planning",
		Found: fmt.Sprintf("%d usable of %d, %s/%s", runtime.GOMAXPROCS(0), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
	}
}

// enoughMemory is what training with preset paper takes.
const enoughMemory = 4 << 30

// memoryFree tells how much memory there is.
func memoryFree() finding {
	f := finding{Name: "memory", State: "unknown", Found: "this system does not say how much is free", For: "preset paper takes about 4 GiB, small 1.5 GiB"}
	if free, ok := availableMemory(); ok {
		return sized(f, free, enoughMemory, "close other programs, or use preset small")
	}
	return f
}

// availableMemory is how many bytes this process may still take.
func availableMemory() (bytes int64, ok bool) {
	bytes, _, ok = room.Memory()
	return bytes, ok
}

// sized says whether so many bytes are enough.
func sized(f finding, have, enough int64, remedy string) finding {
	f.State, f.Found = "yes", fmt.Sprintf("%.1f GiB free", float64(have)/(1<<30))
	if have < enough {
		f.State, f.Remedy = "no", remedy
	}
	return f
}

// library looks for a shared library where Linux keeps them.
func library(name, purpose, remedy, pattern string) finding {
	f := finding{Name: name, State: "no", Found: "not found", For: purpose, Remedy: remedy}
	for _, dir := range []string{"/usr/lib", "/usr/lib/*", "/usr/local/lib", "/lib/*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			f.State, f.Found, f.Remedy = "yes", found[0], ""
			return f
		}
	}
	return f
}

// patience is how long a program may take to say its version.
const patience = 10 * time.Second

// program runs a program for its first line.
func program(ctx context.Context, name, purpose, remedy, command string, args ...string) finding {
	f := finding{Name: name, State: "no", Found: "not found", For: purpose, Remedy: remedy}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil {
		if _, missing := exec.LookPath(command); missing == nil {
			f.Found = fmt.Sprintf("%s does not work: %v", command, err)
		}
		return f
	}
	f.State, f.Found, f.Remedy = "yes", first, ""
	return f
}

// pythonModule asks Python without importing, which could take long and print;
// packages are what pip is to install.
func pythonModule(ctx context.Context, module, packages string) finding {
	script := "import importlib.metadata as m; print(m.version('" + module + "'))"
	f := program(ctx, "Python's "+module, "py:"+module+":* environments",
		"python3 -m venv .venv && .venv/bin/pip install "+packages+" && export "+remote.PythonVariable+"=.venv/bin/python", remote.Python(), "-c", script)
	if f.State == "no" {
		f.Found = "not installed"
	}
	return f
}

func xlaBuilt() finding {
	f := finding{Name: "XLA backend", State: "yes", Found: "built in", For: "--backend xla:PLUGIN"}
	if !xla.Built {
		f.State, f.Found, f.Remedy = "no", "not in this build", "build with -tags xla (see docs/gpu.md)"
	}
	return f
}

// mujocoBuilt says whether this program itself has MuJoCo in it.
func mujocoBuilt() finding {
	f := finding{Name: "MuJoCo", State: "yes", Found: "built in, version " + mujoco.Version(), For: "dmc/* environments"}
	if !mujoco.Built {
		f.State, f.Found, f.Remedy = "no", "not in this build", "apt-get install gcc libc6-dev libmujoco-dev libosmesa6, and build with -tags mujoco (see docs/environments.md)"
	}
	return f
}
