package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/format/onnx"
	"github.com/orrery-rl/orrery/internal/onnxexport"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/worldmodel"
)

type exportOptions struct {
	out, onnx string
	half      bool
}

func newExport(a *app) *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{
		Use: "export RUN|FILE", Short: "Write a model's weights to one file", Args: exactArgs("a RUN directory or a FILE"),
		Long: `Export writes the weights of a run's newest snapshot, or of a given snapshot or
weights file, as safetensors, with the configuration and checksums: what eval,
dream and score need, without the optimiser's state. docs/formats.md lists the
tensors and shows how to load them in Python.

With --onnx it writes graphs for onnxruntime and others instead: filter.onnx and
imagine.onnx, the step with an observation and the one without, and decode.onnx.
docs/formats.md shows how to act with them.`,
		Example: `  orrery export runs/cartpole-swingup -o cartpole.safetensors
  orrery export runs/cartpole-swingup -o cartpole.safetensors --half
  orrery export runs/cartpole-swingup --onnx cartpole-onnx`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.onnx != "" && (o.half || cmd.Flags().Changed("out")) {
				return fmt.Errorf("%w: --onnx writes float32 graphs into its own directory; leave --out and --half out", errUsage)
			}
			return o.run(cmd.Context(), a, args[0])
		},
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "weights.safetensors", "file to write")
	cmd.Flags().StringVar(&o.onnx, "onnx", "", "directory to write ONNX graphs to")
	cmd.Flags().BoolVar(&o.half, "half", false, "round to float16, which halves the file")
	return cmd
}

func (o *exportOptions) run(ctx context.Context, a *app, path string) error {
	if o.onnx == "" && !strings.HasSuffix(o.out, weightsSuffix) {
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
	values, err := weights.Values(model)
	if err != nil {
		return err
	}
	if o.onnx != "" {
		return o.writeONNX(a, model, values, run, weights.Counters.Updates)
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

// writeONNX writes the graphs. The run's configuration goes with them.
func (o *exportOptions) writeONNX(a *app, model *worldmodel.Model, values [][]float32, run config.Run, updates int64) error {
	settings, err := json.Marshal(run)
	if err != nil {
		return err
	}
	files, err := onnxexport.Export(onnxexport.Source{
		Model: model, Params: values, BitDepth: run.Env.BitDepth,
		Metadata: map[string]string{
			"format": "orrery-onnx", "format_version": "1", "config": string(settings),
			"updates": strconv.FormatInt(updates, 10), "weights_sha256": hashWeights(values),
		},
	})
	if err != nil {
		return err
	}
	if err := vfs.MakeDirDurable(vfs.OS(), o.onnx); err != nil {
		return err
	}
	for _, f := range files {
		f.Model.ProducerVersion = version()
		path := filepath.Join(o.onnx, f.Name+".onnx")
		if err := vfs.WriteFileDurable(vfs.OS(), path, func(w io.Writer) error { return onnx.Write(w, f.Model) }); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if _, err := fmt.Fprintln(a.out, path); err != nil {
			return err
		}
	}
	return nil
}
