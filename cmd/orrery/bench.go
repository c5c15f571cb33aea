package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/bench"
	"github.com/orrery-rl/orrery/worldmodel"
)

func newBench(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure this machine, updates, plans, environments and the replay",
		Long: `Bench measures what training is made of, on this machine. Times are medians
with the smallest and the largest; FLOP counts a multiply-add as two, and is
compared with what the matrix kernels reach here on data in the first-level
cache. Other work on the machine shows in every number.

The report goes to standard output (--json: one JSON object, in seconds, bytes,
FLOP/s and bytes/s), progress to standard error.

$ORRERY_CPU=generic|avx2|avx512|amx, or --cpu-path, forces a family of kernels.`,
		Example: `  orrery bench update --preset paper          one update of the paper's size
  orrery bench update --against go            ... and compared with GoMLX's own backend
  orrery bench plan --envs 8                  a decision for eight environments
  orrery bench graph update --profile 3       where the time of an update goes
  orrery bench scale --over batch             cost against the batch size`,
	}
	cmd.AddCommand(newBenchUpdate(a), newBenchPlan(a), newBenchEnv(a), newBenchReplay(a), newBenchGraph(a), newBenchScale(a), newBenchPlanners(a), newBenchCollect(a))
	return cmd
}

// benchOptions are what the benchmarks of graphs share.
type benchOptions struct {
	settings
	json    bool
	count   int
	machine time.Duration
}

func (o *benchOptions) register(cmd *cobra.Command, count int) {
	o.registerCommon(cmd)
	cmd.Flags().IntVar(&o.count, "count", count, "measured repetitions; one more comes first and does not count")
}

func (o *benchOptions) registerCommon(cmd *cobra.Command) {
	o.registerSizes(cmd)
	registerJSON(cmd, &o.json)
	cmd.Flags().DurationVar(&o.machine, "machine", bench.DefaultMachineConfig().Each,
		"how long each limit of the machine is measured first (0: not at all)")
}

func registerJSON(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "json", false, "print one JSON object")
}

// atLeastOne checks flags that count something.
func atLeastOne(name string, value int) error {
	if value < 1 {
		return fmt.Errorf("%w: --%s is %d; it must be at least 1", errUsage, name, value)
	}
	return nil
}

// benchRun is a configuration with what computes it.
type benchRun struct {
	config  config.Run
	dims    worldmodel.Dims
	backend compute.Backend
	machine bench.Machine
	count   int
	began   time.Time // the program, as if it had not measured the machine
}

// start composes the configuration, measures the machine and starts the
// backend. The caller finalizes it.
func (o *benchOptions) start(ctx context.Context, a *app, cmd *cobra.Command) (*benchRun, error) {
	if err := atLeastOne("count", o.count); err != nil {
		return nil, err
	}
	b := &benchRun{count: o.count}
	var err error
	if b.config, err = o.compose(cmd); err != nil {
		return nil, err
	}
	if b.dims, err = a.dims(b.config); err != nil {
		return nil, err
	}
	if b.backend, err = openBackend(b.config.Backend, slog.New(slog.NewTextHandler(a.err, nil))); err != nil {
		return nil, err
	}
	before := time.Now()
	if b.machine, err = o.measureMachine(ctx, a, b); err != nil {
		b.backend.Finalize()
		return nil, err
	}
	b.began = a.began.Add(time.Since(before))
	return b, nil
}

// dims are the sizes of what the configured environment shows and takes.
func (a *app) dims(run config.Run) (worldmodel.Dims, error) {
	e, err := a.openEnv(run)
	if err != nil {
		return worldmodel.Dims{}, err
	}
	return dimsOf(e.Spec()), e.Close()
}

// measureMachine uses the backend at hand if it is ours, else one with the same
// settings.
func (o *benchOptions) measureMachine(ctx context.Context, a *app, b *benchRun) (bench.Machine, error) {
	ours, ok := b.backend.(*cpu.Backend)
	if !ok {
		var err error
		if ours, err = cpu.New(cpu.Config{Threads: b.config.Backend.Threads}); err != nil {
			return bench.Machine{}, err
		}
		defer ours.Finalize()
	}
	cfg := bench.DefaultMachineConfig()
	cfg.Each = o.machine
	return bench.MeasureMachine(ctx, ours, cfg, a.progress())
}

// progress tells on standard error what is being measured.
func (a *app) progress() bench.Report {
	return func(format string, args ...any) { fmt.Fprintf(a.err, "bench: "+format+"\n", args...) }
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// withTempDir calls f with an empty directory that is removed afterwards.
func withTempDir(under string, f func(dir string) error) error {
	dir, err := os.MkdirTemp(under, "orrery-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return f(dir)
}
