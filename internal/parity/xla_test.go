package parity

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/orrery-rl/orrery/backend/xla"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// pluginVariable names the PJRT plugin that TestXLAAgrees runs on.
const pluginVariable = "ORRERY_XLA_PLUGIN"

// TestXLAAgrees compares an update and a plan on XLA, exact products, with our
// own backend. It needs the build tag xla and a plugin.
func TestXLAAgrees(t *testing.T) {
	plugin := os.Getenv(pluginVariable)
	if plugin == "" {
		t.Skip("no plugin in $" + pluginVariable + "; CI installs XLA's CPU plugin")
	}
	device, err := xla.New(xla.Config{Plugin: plugin, Exact: true})
	if errors.Is(err, xla.ErrNotBuilt) {
		t.Skipf("%v; CI builds the test with that tag", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer device.Finalize()
	t.Log(device.Description())
	ours, m := backend(t, ""), model(t, "tiny", 16)
	p := updateGraph(t, ours, m, 3, 6)
	data := fill(m, p)
	want, got := run(t, ours, p, data), run(t, device, updateGraph(t, device, m, 3, 6), data)
	for i, n := 0, len(m.ParamSpecs()); i < len(want); i++ {
		// New parameters divide by small moments; the moments are exact.
		if d := distance(got[i], want[i]); d > 2e-4 && (i >= n || d > 2e-2) {
			t.Errorf("update: %s: relative distance %.2g", outputName(m, i), d)
		}
	}
	cfg, err := plan.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	p = planGraph(t, ours, m, cfg, 2)
	data = fill(m, p)
	want, got = run(t, ours, p, data), run(t, device, planGraph(t, device, m, cfg, 2), data)
	for i := range want {
		if d := distance(got[i], want[i]); d > 1e-3 {
			t.Errorf("plan: output %d: relative distance %.2g", i, d)
		}
	}
}

// outputName names an output of updateGraph.
func outputName(m *worldmodel.Model, i int) string {
	specs := m.ParamSpecs()
	if kind := i / len(specs); kind < 3 {
		return []string{"parameter ", "first moment of ", "second moment of "}[kind] + specs[i%len(specs)].Name
	}
	return fmt.Sprintf("loss %d", i-3*len(specs))
}
