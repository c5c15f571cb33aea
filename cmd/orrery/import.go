package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/format/torchfile"
	"github.com/orrery-rl/orrery/internal/kaixhin"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// weightsSuffix tells files of weights from run directories.
const weightsSuffix = ".safetensors"

type importOptions struct {
	out, env               string
	actionRepeat, bitDepth int
}

func newImport(a *app) *cobra.Command {
	o := &importOptions{}
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Convert a checkpoint of Kaixhin/PlaNet (PyTorch)", Args: exactArgs("a checkpoint FILE"),
		Long: `Import reads a models_N.pth file of Kaixhin/PlaNet and writes a model of ours
that computes the same. The sizes follow from the shapes; models of images with
the default embedding, and models of vectors, are supported. Nothing in the file
is executed.

With an output that ends in .safetensors it writes a file of weights, for eval,
dream and score. Any other output is the directory of a new run that starts from
these weights, for train; its name needs --env.

The file does not say what it was trained on. --env is needed to act, and the
agent does as well only if images are drawn as they were in training: that
program's are 240x320 pixels, resized.`,
		Example: `  orrery import models_1000.pth -o planet.safetensors --env cartpole-swingup
  orrery eval planet.safetensors
  orrery import models_1000.pth -o runs/more --env cartpole-swingup
  orrery train --run runs/more --config runs/more/config.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "", "file (*.safetensors) or directory to write")
	f.StringVar(&o.env, "env", "", "environment that the model is for (see orrery env list)")
	f.IntVar(&o.actionRepeat, "action-repeat", 0, "simulator steps per decision (0: the environment's own default)")
	f.IntVar(&o.bitDepth, "bit-depth", 5, "bits per colour channel of its images")
	return cmd
}

func (o *importOptions) run(ctx context.Context, a *app, path string) error {
	if err := checkForeign(path); err != nil {
		return err
	}
	toFile := strings.HasSuffix(o.out, weightsSuffix)
	switch {
	case o.out == "":
		return fmt.Errorf("%w: --out is missing: a file *%s or a directory", errUsage, weightsSuffix)
	case !toFile && o.env == "":
		return fmt.Errorf("%w: a run needs --env (see orrery env list)", errUsage)
	}
	imported, err := readKaixhin(path)
	if err != nil {
		return err
	}
	model, err := worldmodel.New(imported.Config, imported.Dims)
	if err != nil {
		return err
	}
	run, err := o.configure(imported)
	if err != nil {
		return err
	}
	if err := o.checkEnv(a, run, model); err != nil {
		return err
	}
	text, err := json.Marshal(run)
	if err != nil {
		return err
	}
	weights := learn.NewWeights(model, imported.Params, text)
	if toFile {
		err = weights.Save(vfs.OS(), o.out, false)
	} else {
		err = o.begin(ctx, weights, run)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s: %d parameters, deter %d, stoch %d, action %d\n",
		o.out, model.NumParams(), run.Model.DeterSize, run.Model.StochSize, imported.Dims.ActionSize)
	return err
}

// checkForeign wants a file, and one that needs importing.
func checkForeign(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	head := make([]byte, 9) // of safetensors: the length of a JSON object, and its beginning
	n, _ := io.ReadFull(f, head)
	if strings.HasSuffix(path, weightsSuffix) || n == len(head) && head[7] == 0 && head[8] == '{' {
		return fmt.Errorf("%w: %s is a file of weights already; orrery eval takes it as it is", errUsage, path)
	}
	return nil
}

func readKaixhin(path string) (*kaixhin.Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := torchfile.Open(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", path, err)
	}
	m, err := kaixhin.Read(file)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", path, err)
	}
	return m, nil
}

// configure is the preset of the paper with what the checkpoint says.
func (o *importOptions) configure(m *kaixhin.Model) (config.Run, error) {
	run, err := config.Preset("paper")
	if err != nil {
		return run, err
	}
	run.Model = m.Config
	run.Env = config.Env{Name: o.env, ActionRepeat: o.actionRepeat, ImageSize: m.Dims.Height, BitDepth: o.bitDepth}
	checked := run
	if o.env == "" {
		checked.Env.Name = "none" // only then may it be missing
	}
	return run, checked.Validate()
}

// checkEnv refuses an environment that does not fit before anything is written.
func (o *importOptions) checkEnv(a *app, run config.Run, model *worldmodel.Model) error {
	if o.env == "" {
		return nil
	}
	e, err := (&trained{config: run, model: model}).env(a)
	if err != nil {
		return err
	}
	return e.Close()
}

// begin makes the directory of a run that starts from the weights.
func (o *importOptions) begin(ctx context.Context, weights *learn.Weights, run config.Run) (err error) {
	if _, err := os.Stat(filepath.Join(o.out, configName)); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%w: %s holds a run already; choose another --out", errUsage, o.out), err)
	}
	if err := vfs.MakeDirDurable(vfs.OS(), o.out); err != nil {
		return err
	}
	lock, err := checkpoint.Lock(o.out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := weights.Begin(ctx, vfs.OS(), o.out, run.Seed); err != nil {
		return err
	}
	return storeConfig(o.out, run)
}
