package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/worldmodel"
)

type exportOptions struct {
	out  string
	half bool
}

func newExport(a *app) *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{
		Use: "export RUN|FILE", Short: "Write a model's weights to one file", Args: exactArgs("a RUN directory or a FILE"),
		Long: `Export writes the weights of a run's newest snapshot, or of a given snapshot or
weights file, as safetensors, with the configuration and checksums: what eval,
dream and score need, without the optimiser's state. docs/formats.md lists the
tensors and shows how to load them in Python.`,
		Example: `  orrery export runs/cartpole-swingup -o cartpole.safetensors
  orrery export runs/cartpole-swingup -o cartpole.safetensors --half`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "weights.safetensors", "file to write")
	cmd.Flags().BoolVar(&o.half, "half", false, "round to float16, which halves the file")
	return cmd
}

func (o *exportOptions) run(ctx context.Context, a *app, path string) error {
	if !strings.HasSuffix(o.out, weightsSuffix) {
		return fmt.Errorf("%w: --out %s must end in %s", errUsage, o.out, weightsSuffix)
	}
	weights, run, err := loadWeights(ctx, path)
	if err != nil {
		return err
	}
	model, err := worldmodel.New(run.Model, weights.Dims)
	if err != nil {
		return err
	}
	if _, err := weights.Values(model); err != nil {
		return err
	}
	if weights.Config, err = json.Marshal(run); err != nil {
		return err
	}
	if err := weights.Save(vfs.OS(), o.out, o.half); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s: %d parameters after %d updates\n", o.out, model.NumParams(), weights.Counters.Updates)
	return err
}
