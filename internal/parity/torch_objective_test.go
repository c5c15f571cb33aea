package parity

import (
	"testing"

	"github.com/orrery-rl/orrery/worldmodel"
)

// variant is an objective of VARIANTS in torch/fixtures.py.
type variant struct {
	name string
	set  func(c *worldmodel.Config)
}

func variants() []variant {
	overshoot := func(c *worldmodel.Config, kind worldmodel.Overshooting, distance int, scale, reward float64) {
		o := &c.Objective
		o.Overshooting, o.OvershootingDistance = kind, distance
		o.OvershootingScale, o.OvershootingRewardScale = scale, reward
	}
	list := []variant{
		{"mean_below", func(c *worldmodel.Config) {
			c.FreeNats, c.Objective.FreeNatsOn, c.Objective.FreeNatsForm = 20, worldmodel.OnMean, worldmodel.Floor
		}},
		{"balanced", func(c *worldmodel.Config) { c.Objective.KLBalance = 0.8 }},
		{"global", func(c *worldmodel.Config) { c.Objective.GlobalKLScale = 0.1 }},
		{"clean", func(c *worldmodel.Config) { overshoot(c, worldmodel.OvershootingClean, 4, 0.7, 3) }},
		{"clean_detached", func(c *worldmodel.Config) {
			overshoot(c, worldmodel.OvershootingClean, 3, 1, 0)
			c.Objective.OvershootingDetached = true
		}},
		{"kaixhin_overshooting", func(c *worldmodel.Config) {
			profile("kaixhin")(c)
			overshoot(c, worldmodel.OvershootingKaixhin, 5, 1, 2)
		}},
	}
	for _, name := range worldmodel.ProfileNames() {
		list = append(list, variant{name, profile(name)})
	}
	return list
}

// profile sets an objective by its published name, predicting no further than
// the fixture's chunks reach. An unknown name leaves an invalid configuration,
// which no model is made of.
func profile(name string) func(c *worldmodel.Config) {
	return func(c *worldmodel.Config) {
		*c, _ = c.WithProfile(name)
		c.Objective.OvershootingDistance = min(c.Objective.OvershootingDistance, 20)
	}
}

// TestObjectivesMatchPyTorch compares every variant of the objective and its
// gradients.
func TestObjectivesMatchPyTorch(t *testing.T) {
	c := torchCases()[2]
	f := loadFixture(t, "torch", c.file+".npz")
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			cfg := c.cfg
			v.set(&cfg)
			m, err := worldmodel.New(cfg, c.dims)
			if err != nil {
				t.Fatal(err)
			}
			onEveryBackend(t, func(t *testing.T, b tested) { lossGraph(t, m, f, v.name).run(t, b, m, f) })
		})
	}
}

// rolloutNoise reorders the fixture's noise, [d, B, L, Z] from d = 0, to that of
// a batch, [B, L, D, Z] from d = 1.
func rolloutNoise(x tensor, distance int) tensor {
	rows, length, size := x.dims[1], x.dims[2], x.dims[3]
	out := tensor{dims: []int{rows, length, distance, size}}
	for record := range rows * length {
		for d := 1; d <= distance; d++ {
			at := (d*rows*length + record) * size
			out.values = append(out.values, x.values[at:at+size]...)
		}
	}
	return out
}
