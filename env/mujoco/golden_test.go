//go:build mujoco

package mujoco

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"strconv"
	"testing"
)

// goldenCase is one case of testdata/golden.csv, by what.
type goldenCase map[string][]float64

// goldenCases reads testdata/golden.csv by task and case.
func goldenCases(t *testing.T) map[string]map[string]goldenCase {
	t.Helper()
	f, err := os.Open("testdata/golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]goldenCase{}
	for _, line := range lines {
		task, number, what := line[0], line[1], line[2]
		if all[task] == nil {
			all[task] = map[string]goldenCase{}
		}
		if all[task][number] == nil {
			all[task][number] = goldenCase{}
		}
		for _, text := range line[3:] {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			all[task][number][what] = append(all[task][number][what], v)
		}
	}
	return all
}

// bareTask is a task without pictures.
func bareTask(t *testing.T, name string) (*sim, rules) {
	t.Helper()
	s, err := newSim(taskOf(name).model)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	r, err := newRules(name, s)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// edit writes into the model what the task would have drawn.
func edit(r rules, values []float64) {
	switch r := r.(type) {
	case *reacher:
		r.place(values[0], values[1])
	case *fingerSpin:
		r.prepare()
	case *fingerTurn:
		r.place(values[0], values[1])
	case *pointMass:
		r.push(values[0], values[1], values[2], values[3])
	}
}

// goldenError bounds the differences, relative to 1 or the value. The golden
// values come from MuJoCo as its makers compile it, this test may run with
// another compiler's, and contacts amplify the last bits.
const goldenError = 1e-8

func TestTasksObserveAndRewardLikeDMControl(t *testing.T) {
	golden := goldenCases(t)
	worst := 0.0
	for _, task := range Tasks() {
		t.Run(task.Name, func(t *testing.T) {
			if len(golden[task.Name]) == 0 {
				t.Fatal("there are no golden cases")
			}
			s, r := bareTask(t, task.Name)
			for number, c := range golden[task.Name] {
				if c["settled"] != nil {
					continue
				}
				before, rewards, after := playGolden(t, s, r, c)
				worst = max(worst,
					agree(t, number+" before", before, c["before"]),
					agree(t, number+" rewards", rewards, c["rewards"]),
					agree(t, number+" after", after, c["after"]))
			}
		})
	}
	t.Logf("largest difference %.2g", worst)
}

// playGolden starts in the state of c and takes its action as often as there are
// rewards.
func playGolden(t *testing.T, s *sim, r rules, c goldenCase) (before, rewards, after []float64) {
	t.Helper()
	err := s.reset(func() error {
		edit(r, c["edit"])
		copy(s.data.Qpos(), c["qpos"])
		copy(s.data.Qvel(), c["qvel"])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before = r.observe(nil)
	for range c["rewards"] {
		copy(s.data.Ctrl(), c["action"])
		if err := s.step(); err != nil {
			t.Fatal(err)
		}
		rewards = append(rewards, r.reward())
	}
	return before, rewards, r.observe(nil)
}

// agree reports values that differ by more than goldenError, and returns the
// largest difference.
func agree(t *testing.T, what string, got, want []float64) (worst float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("case %s has %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		d := math.Abs(got[i]-want[i]) / max(1, math.Abs(want[i]))
		worst = max(worst, d)
		if !(d <= goldenError) {
			t.Errorf("case %s value %d is %.17g, want %.17g", what, i, got[i], want[i])
		}
	}
	return worst
}

func TestCheetahSettlesLikeDMControl(t *testing.T) {
	s, r := bareTask(t, "cheetah-run")
	cases := 0
	for number, c := range goldenCases(t)["cheetah-run"] {
		if c["settled"] == nil {
			continue
		}
		cases++
		err := s.reset(func() error {
			copy(s.data.Qpos(), c["qpos"])
			return r.(*cheetah).settle()
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("largest difference %.2g", agree(t, number, r.observe(nil), c["settled"]))
	}
	if cases == 0 {
		t.Error("there are no golden cases")
	}
}
