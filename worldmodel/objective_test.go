package worldmodel

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// klOperands are posterior and prior of two chunks of two records: mean and
// deviation, [2, 2, 2] each. Their KLs, computed with Python's math module by
// the formula of section 3.1, are
//
//	KL(q || p) = .5587812362527202, 4.238437315931396, .3805425881096074, .04051522216038661
//	KL(p || q) = .8141381405965814, 6.418889781574273, .6378216094212572, .04924684007191382
//
// and the mean of KL(q || N(0, 1)) is .9885262929081178.
func klOperands() []tensor {
	values := [][]float64{
		{.3, -.2, 1.5, 0, -1, .8, .1, .2}, {.5, 1.1, .4, .7, .9, .3, .6, .8},
		{-.1, .4, .2, -.9, -.8, .5, .1, .3}, {.8, .9, .6, .5, 1, .4, .7, .9},
	}
	var operands []tensor
	for _, v := range values {
		operands = append(operands, tensorOf(v, 2, 2, 2))
	}
	return operands
}

// TestKLVariants checks the KL term of every profile and of some combinations
// of its options against numbers computed from those above.
func TestKLVariants(t *testing.T) {
	profile := func(name string) Config {
		c, err := microConfig().WithProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	with := func(free float64, form FreeNatsForm, on FreeNatsOn) Config {
		c := profile("default")
		c.FreeNats, c.Objective.FreeNatsForm, c.Objective.FreeNatsOn = free, form, on
		return c
	}
	for _, c := range []struct {
		name string
		cfg  Config
		want float64
	}{
		{"default", profile("default"), .309609328982849},
		{"paper", profile("paper"), .309609328982849},
		{"google: max(2, KL)", profile("google"), 2.559609328982849},
		{"google_camera_ready: max(3, KL)", profile("google_camera_ready"), 3.309609328982849},
		{"kaixhin: max(3, KL)", profile("kaixhin"), 3.309609328982849},
		{"cross32768: max(3, KL(p||q))", profile("cross32768"), 3.854722445393568},
		{"dreamer: max(3, mean KL)", profile("dreamer"), 3},
		{"dreamer_v2: max(1, mean KL)", profile("dreamer_v2"), 1.3045690906135277},
		{"dreamer_v3: max(1, KL)", profile("dreamer_v3"), 1.809609328982849},
		{"mean KL above 1", with(1, Excess, OnMean), .30456909061352766},
		{"mean KL not above 3", with(3, Excess, OnMean), 0},
		{"no free nats", with(0, Floor, OnElement), 1.3045690906135277},
	} {
		out := compile(t, klOperands(), func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{c.cfg.klLoss(Gaussian{in[0], in[1]}, Gaussian{in[2], in[3]})}
		}).run(klOperands()...)
		assertClose(t, c.name, out[0], []float64{c.want}, 1e-13)
	}
	out := compile(t, klOperands(), func(in []*graph.Node) []*graph.Node {
		q := Gaussian{in[0], in[1]}
		return []*graph.Node{graph.ReduceAllMean(q.KL(standardLike(q)))}
	}).run(klOperands()...)
	assertClose(t, "global", out[0], []float64{.9885262929081178}, 1e-13)
}

// TestKLIsAMeanOverRecords: repeating all chunks, or every step of them, leaves
// the KL term of every profile as it is; repeating latent components doubles the
// KL of each record.
func TestKLIsAMeanOverRecords(t *testing.T) {
	for _, name := range ProfileNames() {
		cfg, err := microConfig().WithProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		out := compile(t, klOperands(), func(in []*graph.Node) []*graph.Node {
			repeated := func(axis int) *graph.Node {
				var x []*graph.Node
				for _, operand := range in {
					x = append(x, graph.Concatenate([]*graph.Node{operand, operand}, axis))
				}
				return cfg.klLoss(Gaussian{x[0], x[1]}, Gaussian{x[2], x[3]})
			}
			twice := func(x *graph.Node) *graph.Node { return graph.Concatenate([]*graph.Node{x, x}, 2) }
			q, p := Gaussian{in[0], in[1]}, Gaussian{in[2], in[3]}
			return []*graph.Node{
				cfg.klLoss(q, p), repeated(0), graph.AddScalar(repeated(1), 1),
				cfg.divergence(q, p), cfg.divergence(Gaussian{twice(in[0]), twice(in[1])}, Gaussian{twice(in[2]), twice(in[3])}),
			}
		}).run(klOperands()...)
		assertClose(t, name+", chunks repeated", out[1], out[0], 1e-13)
		assertClose(t, name+", steps repeated", out[2], []float64{out[0][0] + 1}, 1e-13)
		for i, kl := range out[3] {
			assertClose(t, name+", components repeated", out[4][i:i+1], []float64{2 * kl}, 1e-13)
		}
	}
}

// TestKLBalance: the prior learns with weight a, the posterior with 1-a, and
// free nats hold for both.
func TestKLBalance(t *testing.T) {
	cfg := microConfig()
	cfg.FreeNats = 0.5 // two of the four KLs lie below
	balanced := cfg
	balanced.Objective.KLBalance = 0.8
	out := compile(t, klOperands(), func(in []*graph.Node) []*graph.Node {
		q, p := Gaussian{in[0], in[1]}, Gaussian{in[2], in[3]}
		return append(graph.Gradient(cfg.klLoss(q, p), in...), graph.Gradient(balanced.klLoss(q, p), in...)...)
	}).run(klOperands()...)
	for i, share := range []float64{0.2, 0.2, 0.8, 0.8} {
		want := make([]float64, len(out[i]))
		for j, g := range out[i] {
			want[j] = share * g
		}
		assertClose(t, []string{"q mean", "q std", "p mean", "p std"}[i], out[4+i], want, 1e-13)
	}
	// By hand: (1.5 - .2)/.6^2 of the second record's first dimension, a quarter
	// of it as one of four KLs, a fifth of that for the posterior.
	assertClose(t, "posterior's share", out[4][2:3], []float64{3.611111111111111 / 4 * 0.2}, 1e-13)
	if !zero(out[4][4:]) || zero(out[4][:4]) {
		t.Errorf("gradients of the posterior's means %v: records below the free nats have one, or those above none", out[4])
	}
}

// TestTotalOfProfiles ties the total to the sums of the table, given the terms.
func TestTotalOfProfiles(t *testing.T) {
	for name, total := range map[string]func(l map[string]float64) float64{
		"default":             func(l map[string]float64) float64 { return l["image"] + 10*l["reward"] + l["kl_clipped"] },
		"paper":               func(l map[string]float64) float64 { return 3 * (l["image"] + l["reward"] + l["kl_clipped"]) },
		"google_camera_ready": func(l map[string]float64) float64 { return l["image"] + 10*l["reward"] + l["kl_clipped"] },
		"kaixhin":             func(l map[string]float64) float64 { return 2*l["image"] + 2*l["reward"] + l["kl_clipped"] },
		"cross32768":          func(l map[string]float64) float64 { return l["image"] + l["reward"] + l["kl_clipped"] },
		"dreamer":             func(l map[string]float64) float64 { return l["image"] + l["reward"] + l["kl_clipped"] },
		"dreamer_v2":          func(l map[string]float64) float64 { return l["image"] + l["reward"] + l["kl_clipped"] },
		"dreamer_v3":          func(l map[string]float64) float64 { return l["image"] + l["reward"] + 1.1*l["kl_clipped"] },
		"google": func(l map[string]float64) float64 {
			return 2*l["image"] + 20*l["reward"] + l["kl_clipped"] + 0.1*l["kl_global"] + l["overshooting"] + 200*l["overshooting_reward"]
		},
	} {
		cfg, err := microConfig().WithProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := newFixture(t, cfg, 2, 3)
		l := f.lossValues(f.batch())
		assertClose(t, name, []float64{l["total"]}, []float64{total(l)}, 1e-12)
	}
}

// TestProfilesWeighVectorsLikeImages: codes that leave the half of squared errors
// out do so for whatever is observed, and a profile undoes what one before has set.
func TestProfilesWeighVectorsLikeImages(t *testing.T) {
	for _, name := range ProfileNames() {
		before, err := microConfig().WithProfile("kaixhin")
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := before.WithProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{"google": 2, "kaixhin": 2}[name]
		if want == 0 {
			want = 1
		}
		if cfg.VectorScale != want || cfg.Objective.ImageScale != want {
			t.Errorf("%s weighs vectors by %v and images by %v, want %v", name, cfg.VectorScale, cfg.Objective.ImageScale, want)
		}
	}
}

// TestEmptyObjectiveIsTheDefault: a configuration from before there were
// variants means what it did.
func TestEmptyObjectiveIsTheDefault(t *testing.T) {
	old := microConfig()
	old.Objective = Objective{}
	if err := old.Validate(); err != nil {
		t.Fatal(err)
	}
	preset, err := PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	named, err := preset.WithProfile("default")
	if err != nil || !reflect.DeepEqual(named, preset) {
		t.Errorf("the default profile gives %+v, %v, the preset is %+v", named, err, preset)
	}
	spelled := microConfig()
	spelled.Objective = preset.Objective
	a, b := newFixture(t, old, 2, 3), newFixture(t, spelled, 2, 3)
	want := b.lossValues(b.batch())
	for name, got := range a.lossValues(a.batch()) {
		if got != want[name] {
			t.Errorf("%s is %v with an empty objective, %v with the default", name, got, want[name])
		}
	}
	if names := strings.Join(a.m.LossNames(), " "); strings.Contains(names, "overshooting") || strings.Contains(names, "global") {
		t.Errorf("the default has the terms %s", names)
	}
}

func TestObjectiveNamesEveryMistake(t *testing.T) {
	cfg := microConfig()
	cfg.Objective = Objective{
		ImageScale: -1, Time: "median", KLDirection: "up", FreeNatsForm: "hinge", FreeNatsOn: "moon", KLBalance: 1.5, GlobalKLScale: -2,
		Overshooting: "yes", OvershootingDistance: 1001, OvershootingScale: -3, OvershootingRewardScale: -4,
	}
	_, err := New(cfg, Dims{Height: 12, Width: 9, Channels: 2, ActionSize: 2})
	for _, want := range []string{"image_scale is -1", `time is "median"`, `kl_direction is "up"`, `free_nats_form is "hinge"`,
		`free_nats_on is "moon"`, "kl_balance is 1.5", "global_kl_scale is -2", `overshooting is "yes"`,
		"overshooting_distance is 1001", "overshooting_scale is -3", "overshooting_reward_scale is -4"} {
		if err == nil || !strings.Contains(err.Error(), "objective."+want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if _, err := microConfig().WithProfile("planet"); err == nil || !strings.Contains(err.Error(), "kaixhin") {
		t.Errorf("an unknown profile gives %v, which names none that exist", err)
	}
}

// TestFloorShiftsTheValueOnly: max(F, KL) is F above max(0, KL-F) for every
// record, with the gradient of both 0 up to F.
func TestFloorShiftsTheValueOnly(t *testing.T) {
	excess, floor := microConfig(), microConfig()
	excess.FreeNats, floor.FreeNats, floor.Objective.FreeNatsForm = 3, 3, Floor
	kl := tensorOf([]float64{0, 2.9, 3, 3.1, 10}, 5)
	out := compile(t, []tensor{kl}, func(in []*graph.Node) []*graph.Node {
		nodes := []*graph.Node{excess.allow(in[0]), floor.allow(in[0])}
		for i, x := range nodes[:2] { // kept apart: the reference merges equal outputs
			gradient := graph.Gradient(graph.ReduceAllSum(x), in[0])[0]
			nodes = append(nodes, graph.MulScalar(gradient, float64(i+1)))
		}
		return nodes
	}).run(kl)
	assertClose(t, "floor", out[1], []float64{3, 3, 3, 3.1, 10}, 1e-15)
	for i := range out[0] {
		assertClose(t, "difference", []float64{out[1][i] - out[0][i]}, []float64{3}, 1e-15)
	}
	assertClose(t, "gradient of excess", out[2], []float64{0, 0, 0, 1, 1}, 0)
	assertClose(t, "gradient of floor", out[3], []float64{0, 0, 0, 2, 2}, 0)
}
