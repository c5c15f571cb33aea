package bench

import (
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// TestFrozenPartsCostLess: the gradients of frozen parameters are not computed.
func TestFrozenPartsCostLess(t *testing.T) {
	backend, err := cpu.New(cpu.Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	model, err := worldmodel.New(cfg, worldmodel.Dims{Height: 16, Width: 16, Channels: 3, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	work := func(frozen ...string) int64 {
		watch := newWatch(backend)
		l, err := learn.NewLearner(watch, model, optim.DefaultConfig(), 4, 8, frozen...)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, w, err := watch.cost("update").schedule()
		if err != nil {
			t.Fatal(err)
		}
		return w.FLOPs
	}
	all := work()
	for _, frozen := range [][]string{{"encoder"}, {"decoder"}, {"encoder", "decoder"}, {"encoder", "rssm", "decoder"}} {
		if some := work(frozen...); some >= all {
			t.Errorf("with %v frozen an update takes %d FLOPs, not less than %d", frozen, some, all)
		} else {
			t.Logf("%v: %.2f of the work", frozen, float64(some)/float64(all))
		}
	}
}
