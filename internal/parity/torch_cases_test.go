package parity

import (
	"testing"

	"github.com/orrery-rl/orrery/worldmodel"
)

// torchCase is a file of testdata/torch and the model it was made with.
type torchCase struct {
	file string
	dims worldmodel.Dims
	cfg  worldmodel.Config
}

// torchCases mirrors CASES of torch/fixtures.py.
func torchCases() []torchCase {
	paper := worldmodel.Config{
		Depth: 4, DeterSize: 16, StochSize: 4, HiddenSize: 16, RewardLayers: []int{16}, GRU: worldmodel.ResetBefore,
		MinStd: 0.1, FreeNats: 3, KLScale: 1, RewardScale: 10,
	}
	before := paper
	before.Depth, before.DeterSize, before.StochSize, before.HiddenSize, before.RewardLayers = 2, 9, 5, 7, []int{6, 8}
	before.FreeNats = 1
	after := before
	after.GRU, after.FreeNats = worldmodel.ResetAfter, 3
	deterministic, ssm, drnn := before, before, before
	deterministic.Transition, deterministic.FreeNats = worldmodel.Deterministic, 0
	ssm.Transition, ssm.FreeNats = worldmodel.SSM, 3
	drnn.Transition, drnn.FreeNats = worldmodel.DRNN, 0.5
	drnnAfter := drnn
	drnnAfter.GRU = worldmodel.ResetAfter
	vector, heads := before, before
	vector.Observe, vector.VectorLayers, vector.VectorEmbed, vector.VectorScale = worldmodel.ObserveVector, []int{6, 7}, 8, 1
	vector.FreeNats, heads.FreeNats = 4, 4
	heads.Observe, heads.VectorLayers, heads.VectorEmbed, heads.VectorScale = worldmodel.ObserveBoth, []int{6, 7}, 8, 1
	heads.VectorTransform, heads.Diagnostic = worldmodel.Symlog, true
	heads.ContinueHead, heads.ContinueLayers, heads.ContinueScale = true, []int{5}, 10
	small := worldmodel.Dims{Height: 18, Width: 13, Channels: 2, ActionSize: 2}
	measured := small
	measured.VectorSize = 3
	return []torchCase{
		{"rssm-paper", worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: 2}, paper},
		{"rssm-reset_before", small, before},
		{"rssm-reset_after", small, after},
		{"deterministic", small, deterministic},
		{"ssm", small, ssm},
		{"drnn-reset_before", small, drnn},
		{"drnn-reset_after", small, drnnAfter},
		{"vector", measured, vector},
		{"heads", measured, heads},
	}
}

// onEveryCase runs a test with the model and file of each case.
func onEveryCase(t *testing.T, test func(t *testing.T, b tested, m *worldmodel.Model, f fixture)) {
	t.Helper()
	for _, c := range torchCases() {
		t.Run(c.file, func(t *testing.T) {
			f := loadFixture(t, "torch", c.file+".npz")
			m, err := worldmodel.New(c.cfg, c.dims)
			if err != nil {
				t.Fatal(err)
			}
			onEveryBackend(t, func(t *testing.T, b tested) { test(t, b, m, f) })
		})
	}
}
