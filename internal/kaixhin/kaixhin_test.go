package kaixhin

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/internal/format/pickle"
	"github.com/orrery-rl/orrery/internal/format/torchfile"
	"github.com/orrery-rl/orrery/worldmodel"
)

func counting(dims ...int) array {
	a := array{Dims: dims}
	n := 1
	for _, d := range dims {
		n *= d
	}
	for i := range n {
		a.Data = append(a.Data, float32(i))
	}
	return a
}

// at is the element at an index, computed the long way.
func at(a array, index ...int) float32 {
	place := 0
	for i, v := range index {
		place = place*a.Dims[i] + v
	}
	return a.Data[place]
}

func TestLayouts(t *testing.T) {
	const first, second, height, width = 2, 3, 4, 5
	a := counting(first, second, height, width)
	conv, deconv, pixel := a.conv(), a.deconv(), a.pixel()
	for i := range first {
		for j := range second {
			for y := range height {
				for x := range width {
					want := at(a, i, j, y, x)
					if at(conv, y, x, j, i) != want || at(deconv, height-1-y, width-1-x, i, j) != want || at(pixel, i, y, x, j) != want {
						t.Fatalf("element %d, %d, %d, %d is misplaced", i, j, y, x)
					}
				}
			}
		}
	}
	if diff := cmp.Diff([][]int{{4, 5, 3, 2}, {4, 5, 2, 3}, {2, 4, 5, 3}}, [][]int{conv.Dims, deconv.Dims, pixel.Dims}); diff != "" {
		t.Error(diff)
	}
}

func TestMatrices(t *testing.T) {
	a := counting(3, 4)
	for name, c := range map[string]struct{ got, want array }{
		"dense":   {a.dense(), array{[]int{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}}},
		"rows":    {a.rows(1, 3), array{[]int{2, 4}, []float32{4, 5, 6, 7, 8, 9, 10, 11}}},
		"columns": {a.columns(2, 4), array{[]int{3, 2}, []float32{2, 3, 6, 7, 10, 11}}},
		"stack":   {a.rows(0, 1).stack(a.rows(2, 3)), array{[]int{2, 4}, []float32{0, 1, 2, 3, 8, 9, 10, 11}}},
		"plus":    {counting(3).plus(counting(3)), array{[]int{3}, []float32{0, 2, 4}}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// checkpoint has the shapes of a checkpoint with the default sizes.
func checkpoint(s sizes) entries {
	out := entries{}
	for name, dims := range s.shapes() {
		out[name] = entry{dims: dims}
	}
	return out
}

var defaults = sizes{belief: 200, state: 30, hidden: 200, actions: 6, embed: 1024}

func TestSizesFollowFromShapes(t *testing.T) {
	for _, want := range []sizes{defaults, {belief: 16, state: 4, hidden: 16, actions: 1, embed: 1024}, {belief: 8, state: 2, hidden: 8, actions: 3, embed: 10, vector: 5}} {
		found := checkpoint(want)
		got, err := sizesOf(found)
		if err != nil || got != want {
			t.Errorf("sizes %+v, %v, want %+v", got, err, want)
		}
		if err := got.check(found); err != nil {
			t.Error(err)
		}
	}
}

// TestParameterCount is that of the published model: 5,130,220 with 6 actions;
// ours adds the two biases of each GRU gate.
func TestParameterCount(t *testing.T) {
	theirs := 0
	for _, dims := range defaults.shapes() {
		n := 1
		for _, d := range dims {
			n *= d
		}
		theirs += n
	}
	cfg, dims, err := defaults.model()
	if err != nil {
		t.Fatal(err)
	}
	m, err := worldmodel.New(cfg, dims)
	if err != nil {
		t.Fatal(err)
	}
	if theirs != 5_130_220 || m.NumParams() != theirs-2*defaults.belief {
		t.Errorf("%d parameters there, %d here", theirs, m.NumParams())
	}
}

func TestEveryParameterIsConverted(t *testing.T) {
	for _, s := range []sizes{
		{belief: 8, state: 2, hidden: 8, actions: 3, embed: 1024}, {belief: 8, state: 2, hidden: 8, actions: 3, embed: 10, vector: 5},
	} {
		tensors := map[string]array{}
		for name, dims := range s.shapes() {
			tensors[name] = counting(dims...)
		}
		m, err := convert(s, tensors)
		if err != nil {
			t.Fatal(err)
		}
		if m.Dims.ActionSize != 3 || m.Dims.VectorSize != s.vector || m.Config.GRU != worldmodel.ResetAfter || !slices.Equal(m.Config.RewardLayers, []int{8, 8}) {
			t.Errorf("%+v %+v", m.Config, m.Dims)
		}
	}
}

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(entries)
		words  []string
	}{
		"missing": {
			func(e entries) { delete(e, "encoder.conv2.bias"); delete(e, "reward_model.fc3.weight") },
			[]string{"encoder.conv2.bias is missing", "reward_model.fc3.weight is missing"},
		},
		"shape": {
			func(e entries) { e["observation_model.conv4.weight"] = entry{dims: []int{32, 3, 5, 5}} },
			[]string{"observation_model.conv4.weight has the shape [32 3 5 5], expected [32 3 6 6]"},
		},
		"more":            {func(e entries) { e["encoder.conv5.bias"] = entry{dims: []int{9}} }, []string{"encoder.conv5.bias of shape [9] is not known"}},
		"both encoders":   {func(e entries) { e["encoder.fc1.weight"] = entry{dims: []int{1024, 5}} }, []string{"encoder.conv1.weight of shape [32 3 4 4] is not known"}},
		"embedding":       {func(e entries) { e["encoder.fc.weight"] = entry{} }, []string{"--embedding-size"}},
		"no transition":   {func(e entries) { delete(e, "transition_model.rnn.weight_hh") }, []string{"transition_model.rnn.weight_hh is missing"}},
		"other hidden":    {func(e entries) { e["transition_model.fc_state_prior.weight"] = entry{dims: []int{60, 300}} }, []string{"belief (200) and hidden layers (300)"}},
		"negative action": {func(e entries) { e["transition_model.fc_embed_state_action.weight"] = entry{dims: []int{200, 30}} }, []string{"action 0"}},
	} {
		found := maps.Clone(checkpoint(defaults))
		c.change(found)
		s, err := sizesOf(found)
		if err == nil {
			err = s.check(found)
		}
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, words := range c.words {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %q lacks %q", name, err, words)
			}
		}
	}
}

func TestForeignRootIsRefused(t *testing.T) {
	for _, root := range []any{nil, pickle.Tuple{}, &pickle.Dict{}} {
		_, err := Read(&torchfile.File{Root: root})
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%T: %v", root, err)
		}
	}
}
