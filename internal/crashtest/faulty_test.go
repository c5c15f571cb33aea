package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// faultVariable holds a fault as JSON for a process of the test binary.
const faultVariable = "ORRERY_CRASHTEST_FAULT"

// fault is what goes wrong with a process's writes.
type fault struct {
	// At is the number of the change of the disk that fails, counted from 1.
	At int `json:"at"`
	// Errno is what it fails with; a write still writes its first half. 0 kills
	// the process before the change.
	Errno syscall.Errno `json:"errno"`
	// Forever makes all later changes fail, too.
	Forever bool `json:"forever"`
}

// exitFault is the exit code of a process that met its fault and said so.
const exitFault = 17

// before returns the interceptor of the fault.
func (f fault) before() func(vfstest.Op) error {
	count := 0
	return func(op vfstest.Op) error {
		if !op.Changes() {
			return nil
		}
		if count++; count < f.At || count > f.At && !f.Forever {
			return nil
		}
		if f.Errno == 0 {
			return killSelf()
		}
		return &fs.PathError{Op: string(op.Kind), Path: op.Path, Err: f.Errno}
	}
}

// faultyMain trains as the program does, on a disk with a fault.
func faultyMain(ctx context.Context, text string, args []string) int {
	var f fault
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	err := faultyTrain(ctx, vfstest.Intercept(vfs.OS(), f.before()), args[0], args[1:])
	switch {
	case err == nil:
		return 0
	case f.Errno != 0 && errors.Is(err, f.Errno):
		fmt.Fprintln(os.Stderr, err)
		return exitFault
	}
	fmt.Fprintln(os.Stderr, "another error than the injected one:", err)
	return 1
}

// faultyTrain is `orrery train --preset tiny --run dir --set …` on a file system
// of one's own. Only the lock is taken on the real one.
func faultyTrain(ctx context.Context, fsys vfs.FS, dir string, settings []string) (err error) {
	run, err := compose(settings)
	if err != nil {
		return err
	}
	envs := env.NewRegistry()
	if err := toy.Register(envs); err != nil {
		return err
	}
	newEnv := func() (env.Env, error) {
		e, err := envs.New(run.Env.Name, env.Options{Height: run.Env.ImageSize, Width: run.Env.ImageSize, ActionRepeat: run.Env.ActionRepeat, BitDepth: run.Env.BitDepth})
		if err != nil {
			return nil, err
		}
		return env.Tasks(env.NormaliseActions(e))
	}
	e, err := newEnv()
	if err != nil {
		return err
	}
	backend, err := cpu.New(cpu.Config{Threads: run.Backend.Threads})
	if err != nil {
		return err
	}
	defer backend.Finalize()
	s := e.Spec()
	model, err := worldmodel.New(run.Model, worldmodel.Dims{Height: s.Image.Height, Width: s.Image.Width, Channels: s.Image.Channels, ActionSize: s.Action.Size, VectorSize: s.VectorSize})
	if err != nil {
		return err
	}
	if err := vfs.MakeDirDurable(fsys, dir); err != nil {
		return err
	}
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	effective, err := json.Marshal(run)
	if err != nil {
		return err
	}
	r, err := learn.Open(ctx, learn.Parts{
		FS: fsys, Dir: dir, Env: e, NewEnv: newEnv, Backend: backend, Model: model, Optimiser: run.Optimiser,
		Plan: run.Plan, BitDepth: run.Env.BitDepth, Schedule: run.Learn, ReplayMemory: int64(run.Replay.MemoryMiB) << 20,
		Seed: run.Seed, Config: effective, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	text, err := run.YAML()
	if err != nil {
		return err
	}
	err = vfs.WriteFileDurable(fsys, filepath.Join(dir, "config.yaml"), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	return r.Train(ctx)
}

// compose is the configuration that the program makes of settings.
func compose(settings []string) (config.Run, error) {
	var layers []config.Layer
	for _, s := range append(settings, "preset=tiny") {
		layer, err := config.SetLayer(s)
		if err != nil {
			return config.Run{}, err
		}
		layers = append(layers, layer)
	}
	run, err := config.Compose("small", layers...)
	if err != nil {
		return run, err
	}
	return run, run.Validate()
}
