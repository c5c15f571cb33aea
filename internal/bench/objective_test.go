package bench

import (
	"testing"

	"github.com/orrery-rl/orrery/worldmodel"
)

// TestObjectivesStayNative: no variant of the objective brings in an operation
// that the CPU backend would leave to the reference, hundreds of times slower.
func TestObjectivesStayNative(t *testing.T) {
	backend := newBackend(t)
	for name, change := range map[string]func(c *worldmodel.Config){
		"balanced":  func(c *worldmodel.Config) { c.Objective.KLBalance = 0.8 },
		"mean":      func(c *worldmodel.Config) { c.Objective.FreeNatsOn = worldmodel.OnMean },
		"global":    func(c *worldmodel.Config) { c.Objective.GlobalKLScale = 0.1 },
		"direction": func(c *worldmodel.Config) { c.Objective.KLDirection = worldmodel.PriorPosterior },
		"sum":       func(c *worldmodel.Config) { c.Objective.Time = worldmodel.TimeSum },
		"clean":     overshoot(worldmodel.OvershootingClean),
		"google":    overshoot(worldmodel.OvershootingGoogle),
		"kaixhin":   overshoot(worldmodel.OvershootingKaixhin),
	} {
		cfg := tinyUpdate(t)
		change(&cfg.Model)
		steps, work, err := UpdateSteps(backend, cfg)
		if err != nil || len(steps) == 0 || work.FLOPs == 0 {
			t.Errorf("%s: %d steps of %d FLOPs, %v", name, len(steps), work.FLOPs, err)
		}
	}
}

// overshoot turns on everything that a form of overshooting has.
func overshoot(form worldmodel.Overshooting) func(c *worldmodel.Config) {
	return func(c *worldmodel.Config) {
		o := &c.Objective
		o.Overshooting, o.OvershootingDistance, o.OvershootingScale, o.OvershootingRewardScale = form, 3, 1, 1
		o.FreeNatsForm = worldmodel.Floor
	}
}

// TestOvershootingCost: predictions from all records cost what D steps of the
// prior for L*B rows do, a small share of the small preset's update.
func TestOvershootingCost(t *testing.T) {
	flops := func(change func(c *worldmodel.Config)) float64 {
		cfg := tinyUpdate(t)
		var err error
		if cfg.Model, err = worldmodel.PresetConfig("small"); err != nil {
			t.Fatal(err)
		}
		cfg.Dims.Height, cfg.Dims.Width, cfg.BatchSize, cfg.ChunkLength = 64, 64, 2, 32
		change(&cfg.Model)
		_, work, err := UpdateSteps(newBackend(t), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return float64(work.FLOPs)
	}
	plain := flops(func(*worldmodel.Config) {})
	clean := flops(func(c *worldmodel.Config) {
		c.Objective.Overshooting, c.Objective.OvershootingDistance = worldmodel.OvershootingClean, 8
	})
	t.Logf("an update with overshooting of 8 steps has %.3f times the FLOPs", clean/plain)
	if !(clean > 1.1*plain && clean < 1.3*plain) {
		t.Errorf("overshooting takes an update from %g FLOPs to %g", plain, clean)
	}
}
