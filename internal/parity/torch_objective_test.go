package parity

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/worldmodel"
)

// objectiveCase is a variant of the objective in torch/fixtures.py.
type objectiveCase struct {
	label  string
	change func(*worldmodel.Config)
}

func objectiveCases() []objectiveCase {
	overshoot := func(o *worldmodel.Objective, distance int, scale float64) {
		o.Overshooting, o.OvershootingDistance, o.OvershootingScale = worldmodel.OvershootingClean, distance, scale
	}
	onMean := func(c *worldmodel.Config) {
		c.Objective.FreeNatsForm, c.Objective.FreeNatsOn = worldmodel.Floor, worldmodel.OnMean
	}
	return []objectiveCase{
		{"default", func(*worldmodel.Config) {}},
		{"floor", func(c *worldmodel.Config) { c.Objective.FreeNatsForm = worldmodel.Floor }},
		{"mean", onMean},
		{"mean_below", func(c *worldmodel.Config) { onMean(c); c.FreeNats = 20 }},
		{"balanced", func(c *worldmodel.Config) { c.Objective.KLBalance = 0.8 }},
		{"global", func(c *worldmodel.Config) { c.Objective.GlobalKLScale = 0.1 }},
		{"overshooting", func(c *worldmodel.Config) { overshoot(&c.Objective, 4, 0.7) }},
		{"google_first", func(c *worldmodel.Config) { // with clean overshooting over whole chunks
			profile(c, "google")
			overshoot(&c.Objective, 20, 1)
			c.Objective.OvershootingRewardScale = 0
		}},
		{"kaixhin", func(c *worldmodel.Config) { profile(c, "kaixhin") }},
	}
}

func profile(c *worldmodel.Config, name string) {
	var err error
	if *c, err = c.WithProfile(name); err != nil {
		panic(err)
	}
}

// TestObjectivesMatchPyTorch compares every term, and the gradient of the total
// with respect to every parameter, for each variant of the objective.
func TestObjectivesMatchPyTorch(t *testing.T) {
	c := torchCases()[slices.IndexFunc(torchCases(), func(c torchCase) bool { return c.file == "rssm-reset_after" })]
	f := loadFixture(t, "torch", c.file+".npz")
	for _, variant := range objectiveCases() {
		t.Run(variant.label, func(t *testing.T) {
			cfg := c.cfg
			variant.change(&cfg)
			m, err := worldmodel.New(cfg, c.dims)
			if err != nil {
				t.Fatal(err)
			}
			onEveryBackend(t, func(t *testing.T, b tested) {
				g := lossGraph(t, m, f, variant.label)
				if i := slices.Index(g.names, variant.label+"/loss/kl_global"); i >= 0 {
					g.names[i] = variant.label + "/loss/global"
				}
				g.withRolloutNoise(t, m, f).run(t, b, m, f)
			})
		})
	}
}

// withRolloutNoise adds the noise of overshooting to the inputs, if the model
// uses it: the fixture's [d, B, L, Z] from d = 1 on as [B, L, D, Z].
func (g torchGraph) withRolloutNoise(t *testing.T, m *worldmodel.Model, f fixture) torchGraph {
	t.Helper()
	o := m.Config().Objective
	if o.Overshooting == worldmodel.OvershootingNone {
		return g
	}
	all, distance := f.get(t, "rollout_noise"), o.OvershootingDistance
	build := g.build
	g.inputs = append(g.inputs, all)
	g.build = func(n *worldmodel.Net, params, data []*graph.Node) []*graph.Node {
		last := len(data) - 1
		noise := graph.TransposeAllAxes(graph.SliceAxis(data[last], 0, graph.AxisRange(1, distance+1)), 1, 2, 0, 3)
		return build(n, params, append(data[:last:last], noise))
	}
	return g
}
