package worldmodel

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestBlockParameterCounts holds the size of every block of the published
// networks for 64x64x3 images and six actions, each worked out from its layers'
// widths. The posterior's hidden layer is one block here, kept in two kernels.
func TestBlockParameterCounts(t *testing.T) {
	paper := map[string]int{
		"encoder/conv1": 1568, "encoder/conv2": 32832, "encoder/conv3": 131200, "encoder/conv4": 524544,
		"rssm/input": 7400, "rssm/gru": 240600, "rssm/prior/hidden": 40200, "rssm/prior/stats": 12060,
		"rssm/posterior/deter": 40200, "rssm/posterior/embed": 245000 - 40200, "rssm/posterior/stats": 12060,
		"decoder/input": 236544, "decoder/deconv1": 3276928, "decoder/deconv2": 204864, "decoder/deconv3": 73760, "decoder/deconv4": 3459,
		"reward": 250201,
	}
	with := func(changes map[string]int, without ...string) map[string]int {
		want := maps.Clone(paper)
		for _, name := range without {
			maps.DeleteFunc(want, func(block string, _ int) bool { return strings.HasPrefix(block, name) })
		}
		maps.Copy(want, changes)
		return want
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   map[string]int
	}{
		{"default", func(*Config) {}, paper},
		{"reward head of the paper's text", func(c *Config) { c.RewardLayers = []int{200, 200} }, with(map[string]int{"reward": 86601})},
		{"reward head of the first release", func(c *Config) { c.RewardLayers = []int{100, 100} }, with(map[string]int{"reward": 33301})},
		// PyTorch's cell has 241,200 with two bias vectors for each gate, which add up.
		{"reset after", func(c *Config) { c.GRU = ResetAfter }, with(map[string]int{"rssm/gru": 241200 - 400})},
		{"ssm", func(c *Config) { c.Transition = SSM }, with(map[string]int{
			"ssm/prior/hidden": 7400, "ssm/prior/stats": 12060, "ssm/posterior/prior": 12200, "ssm/posterior/embed": 204800,
			"ssm/posterior/stats": 12060, "decoder/input": 3590755 - (3795555 - 236544), "reward": 250201 - 200*300,
		}, "rssm/")},
		{"drnn", func(c *Config) { c.Transition = DRNN }, with(map[string]int{
			"drnn/encoder": (1024+6+30+200)*600 + 600, "drnn/hidden": 86200, "drnn/stats": 12060, "drnn/decoder": (30+200)*600 + 600,
			"decoder/input": 236544 - 30*1024, "reward": 250201 - 30*300,
		}, "rssm/")},
	} {
		cfg, dims := preset(t, "paper", 6).Config(), preset(t, "paper", 6).Dims()
		c.change(&cfg)
		m, err := New(cfg, dims)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		blocks := slices.Collect(maps.Keys(c.want))
		for _, spec := range m.ParamSpecs() {
			i := slices.IndexFunc(blocks, func(block string) bool { return strings.HasPrefix(spec.Name, block+"/") })
			if i < 0 {
				t.Errorf("%s: %s belongs to no block", c.name, spec.Name)
				continue
			}
			got[blocks[i]] += spec.Size()
		}
		for block, want := range c.want {
			if got[block] != want {
				t.Errorf("%s: %s has %d parameters, want %d", c.name, block, got[block], want)
			}
		}
	}
}
