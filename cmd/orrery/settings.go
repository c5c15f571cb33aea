package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/backend/xla"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/worldmodel"
)

// configName is the effective configuration in a run's directory.
const configName = "config.yaml"

// settings are the flags from which a configuration is composed: preset, files,
// --set assignments, single flags, in that order. A preset may be named in any
// of them; the others lie over the values of the one named last.
type settings struct {
	preset, env string
	profile     string
	files, sets []string
	freeze      []string
	base        []config.Layer // beneath all that is typed
	seed        uint64
	episodes    int
	envs        *int // nil where it is not a setting
	print       bool
	backend     config.Backend
}

func (s *settings) register(cmd *cobra.Command) {
	s.registerSizes(cmd)
	f := cmd.Flags()
	f.Uint64Var(&s.seed, "seed", 0, "seed of everything random")
	f.IntVar(&s.episodes, "episodes", 0, "training episodes in all (default: the preset's)")
	s.envs = f.Int("envs", 1, "environments that collect episodes at the same time (changes what is learned)")
	f.StringVar(&s.profile, "profile", "", "objective of a published text or code, under files and --set: "+strings.Join(worldmodel.ProfileNames(), ", "))
	f.StringSliceVar(&s.freeze, "freeze", nil, "parts of the model that keep their weights, for example encoder,decoder (learn.freeze)")
	f.BoolVar(&s.print, "print-config", false, "print the effective configuration and stop")
}

// registerSizes registers the flags that say what is computed, and by what.
func (s *settings) registerSizes(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.preset, "preset", "small", "sizes to start from: small, paper or tiny")
	f.StringVar(&s.env, "env", "cartpole-swingup", "environment (see orrery env list), or several with commas: one agent learns them in turn")
	f.StringArrayVarP(&s.files, "config", "c", nil, "YAML file with settings; may be repeated, later files win")
	f.StringArrayVar(&s.sets, "set", nil, "one setting as name=value, for example learn.batch_size=32; may be repeated")
	registerBackend(cmd, &s.backend)
}

func registerBackend(cmd *cobra.Command, b *config.Backend) {
	f := cmd.Flags()
	f.StringVar(&b.Name, "backend", "cpu", "what computes: cpu (ours), go (GoMLX's portable reference), or xla:PLUGIN (a GPU; see docs/gpu.md)")
	f.IntVar(&b.Threads, "threads", 0, "worker threads (0: one per processor)")
	f.StringVar(&b.Path, "cpu-path", "", "force a family of kernels: generic, avx2, avx512 or amx (default: the best here; also $ORRERY_CPU)")
	f.StringVar(&b.Precision, "precision", "auto", "of large products: f32, bf16 (twice the speed where the CPU has AVX512_BF16) or auto: bf16 on CPUs with AMX, else f32")
}

// compose returns the effective configuration, validated. Flags that were not
// typed do not override files.
func (s *settings) compose(cmd *cobra.Command) (config.Run, error) {
	layers, err := s.layers(cmd)
	if err != nil {
		return config.Run{}, err
	}
	run, err := config.Compose(s.preset, layers...)
	if err != nil {
		return run, err
	}
	typed := cmd.Flags().Changed
	if typed("env") {
		run.Env.Name = s.env
	}
	if typed("seed") {
		run.Seed = s.seed
	}
	if typed("episodes") {
		run.Learn.Episodes = s.episodes
	}
	if typed("freeze") {
		run.Learn.Freeze = s.freeze
	}
	if s.envs != nil && typed("envs") {
		run.Learn.Envs = *s.envs
	}
	if typed("backend") {
		run.Backend.Name = s.backend.Name
	}
	if typed("threads") {
		run.Backend.Threads = s.backend.Threads
	}
	if typed("cpu-path") {
		run.Backend.Path = s.backend.Path
	}
	if typed("precision") {
		run.Backend.Precision = s.backend.Precision
	}
	return run, run.Validate()
}

// layers are the files, the assignments, and a preset that was typed, which
// overrides one that they name.
func (s *settings) layers(cmd *cobra.Command) ([]config.Layer, error) {
	layers := slices.Clone(s.base)
	if s.profile != "" {
		layer, err := profileLayer(s.profile)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	for _, name := range s.files {
		layer, err := readLayer(name)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	assignments := s.sets
	if cmd.Flags().Changed("preset") {
		assignments = append(slices.Clone(s.sets), "preset="+s.preset)
	}
	for _, assignment := range assignments {
		layer, err := config.SetLayer(assignment)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

// profileLayer are the settings of an objective's profile.
func profileLayer(name string) (config.Layer, error) {
	m, err := worldmodel.Config{}.WithProfile(name)
	if err != nil {
		return config.Layer{}, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	text, err := yaml.Marshal(map[string]any{"model": map[string]any{
		"reward_scale": m.RewardScale, "vector_scale": m.VectorScale, "kl_scale": m.KLScale, "free_nats": m.FreeNats, "objective": m.Objective,
	}})
	if err != nil {
		return config.Layer{}, err
	}
	return config.ReadLayer("profile "+name, bytes.NewReader(text))
}

func readLayer(name string) (config.Layer, error) {
	f, err := os.Open(name)
	if err != nil {
		return config.Layer{}, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	defer f.Close()
	return config.ReadLayer(name, f)
}

// readStored reads the configuration of a run that exists.
func readStored(name string) (config.Run, error) {
	f, err := os.Open(name)
	if err != nil {
		return config.Run{}, fmt.Errorf("%w: %w", config.ErrInvalid, vfs.Advise(vfs.OS(), name, err))
	}
	defer f.Close()
	return config.ReadStored(name, f)
}

// openBackend starts what computes. The caller finalizes it.
func openBackend(b config.Backend, log *slog.Logger) (compute.Backend, error) {
	name, plugin, _ := strings.Cut(b.Name, ":")
	switch name {
	case "xla":
		backend, err := xla.New(xla.Config{Plugin: plugin, Exact: b.Precision == "f32"})
		if err != nil {
			return nil, fmt.Errorf("%w: backend %q: %w", config.ErrInvalid, b.Name, err)
		}
		return backend, nil
	case "cpu":
		path, err := forcedPath(b.Path)
		if err != nil {
			return nil, err
		}
		backend, err := cpu.New(cpu.Config{Threads: b.Threads, Path: path, Precision: b.Precision, Log: log})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
		}
		return backend, nil
	case "go":
		return gobackend.New("")
	}
	return nil, fmt.Errorf("%w: backend %q; choose cpu, go or xla:PLUGIN", config.ErrInvalid, b.Name)
}

// forcedPath is the family of kernels that the configuration forces, or else
// $ORRERY_CPU.
func forcedPath(path string) (string, error) {
	forced := os.Getenv("ORRERY_CPU")
	if path != "" || forced == "" {
		return path, nil
	}
	if have := append(cpu.Paths(), "auto"); !slices.Contains(have, forced) {
		return "", fmt.Errorf("%w: ORRERY_CPU is %q; this machine has %s", config.ErrInvalid, forced, strings.Join(have, ", "))
	}
	return forced, nil
}

// envOptions are the options of the environment a configuration asks for.
func envOptions(run config.Run) env.Options {
	return env.Options{
		Height: run.Env.ImageSize, Width: run.Env.ImageSize,
		ActionRepeat: run.Env.ActionRepeat, BitDepth: run.Env.BitDepth,
	}
}

// openEnv makes one copy of the environment a configuration asks for, with
// actions in [-1, 1].
func (a *app) openEnv(run config.Run) (env.Env, error) {
	var tasks []env.Env
	for name := range strings.SplitSeq(run.Env.Name, ",") {
		e, err := a.envs.New(strings.TrimSpace(name), envOptions(run))
		if err != nil {
			err = errors.Join(err, closeEnvs(tasks))
			if errors.Is(err, env.ErrUnknown) {
				return nil, fmt.Errorf("%w: %w; `orrery env list` shows all", config.ErrInvalid, err)
			}
			return nil, err
		}
		tasks = append(tasks, env.NormaliseActions(e))
	}
	e, err := env.Tasks(tasks...)
	if err != nil {
		return nil, errors.Join(err, closeEnvs(tasks))
	}
	return e, nil
}

// dimsOf are the sizes of what an environment shows and takes, for a model.
func dimsOf(spec env.Spec) worldmodel.Dims {
	return worldmodel.Dims{
		Height: spec.Image.Height, Width: spec.Image.Width, Channels: spec.Image.Channels,
		ActionSize: spec.Action.Size, VectorSize: spec.VectorSize,
	}
}

// defaultRunDir is where a run lives unless --run says otherwise.
func defaultRunDir(run config.Run) string { return filepath.Join("runs", fileName(run.Env.Name)) }

// fileName is the name of an environment as a part of a path.
func fileName(env string) string {
	return strings.NewReplacer("/", "-", `\`, "-", ":", "-", ",", "+", " ", "").Replace(env)
}
