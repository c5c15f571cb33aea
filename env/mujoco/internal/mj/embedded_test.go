//go:build mujoco

package mj

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// The embedded tasks of env/control are tested against trajectories in that
// package's testdata. Here the library itself, with the project's models, runs the
// same ones, so that the embedded physics, the library and the models agree.

// trajectoryRow is a state, positions first, after some steps of a trajectory.
type trajectoryRow struct {
	model            string
	trajectory, step int
	state            []float64
}

func readTrajectories(t *testing.T) []trajectoryRow {
	t.Helper()
	read := func(name string, header int) [][]string {
		file, err := os.Open(filepath.Join("..", "..", "..", "control", "testdata", name))
		must(t, err)
		defer file.Close()
		r := csv.NewReader(file)
		r.FieldsPerRecord, r.Comment = -1, '#'
		records, err := r.ReadAll()
		must(t, err)
		return records[header:]
	}
	var rows []trajectoryRow
	add := func(model string, fields []string) {
		var v []float64
		for _, f := range fields {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return // a heading
			}
			v = append(v, x)
		}
		rows = append(rows, trajectoryRow{model, int(v[0]), int(v[1]), v[2:]})
	}
	for _, fields := range read("suite.csv", 0) {
		add(fields[0], fields[1:])
	}
	for _, fields := range read("cartpole.csv", 0) {
		add("cartpole", fields)
	}
	return rows
}

// controlAt repeats the rules of the scripts that wrote the trajectories.
func controlAt(model string, trajectory, step, i int) float64 {
	if model == "cartpole" {
		if trajectory == 2 {
			switch {
			case step < 150:
				return 1.5
			case step < 300:
				return -1
			}
			return 0.25
		}
		return float64(step/8*7919%201-100) / []float64{100, 400}[trajectory]
	}
	if trajectory == 1 {
		switch {
		case i%2 == 0:
			return 1.5
		case step < 300:
			return -1
		}
		return 1
	}
	return float64((step/8+3*i)*7919%201-100) / 100
}

func setState(d *Data, state []float64) {
	nq := len(d.Qpos())
	copy(d.Qpos(), state[:nq])
	copy(d.Qvel(), state[nq:])
}

// furthest is the largest difference between d and state.
func furthest(d *Data, state []float64) (worst float64) {
	for i, v := range append(append([]float64(nil), d.Qpos()...), d.Qvel()...) {
		worst = max(worst, math.Abs(v-state[i]))
	}
	return worst
}

func advance(t *testing.T, d *Data, row trajectoryRow, step int) {
	for i := range d.Ctrl() {
		d.Ctrl()[i] = controlAt(row.model, row.trajectory, step, i)
	}
	must(t, d.Step(1))
}

// Whole trajectories agree to 1e-6, but for the chaotic acrobot's after 300 steps,
// and single steps to 1e-9.
func TestTheLibraryFollowsTheEmbeddedTasksTrajectories(t *testing.T) {
	data := map[string]*Data{}
	whole, single := map[string]float64{}, map[string]float64{}
	var last trajectoryRow
	done := 0
	for _, row := range readTrajectories(t) {
		d := data[row.model]
		if d == nil {
			d = newData(t, suiteModel(t, row.model))
			data[row.model] = d
		}
		if row.step == 0 {
			must(t, d.Reset())
			setState(d, row.state)
			last, done = row, 0
		}
		for ; done < row.step; done++ {
			advance(t, d, row, done)
		}
		if row.model != "acrobot" || row.step <= 300 {
			whole[row.model] = max(whole[row.model], furthest(d, row.state))
		}
		if row.step == last.step+1 {
			one := newData(t, d.Model())
			setState(one, last.state)
			advance(t, one, row, last.step)
			single[row.model] = max(single[row.model], furthest(one, row.state))
		}
		last = row
	}
	if len(whole) != 5 {
		t.Fatalf("trajectories of %d models, want 5", len(whole))
	}
	for model := range whole {
		t.Logf("%s: trajectories differ by %.2g, single steps by %.2g", model, whole[model], single[model])
		if !(whole[model] <= 1e-6) || !(single[model] <= 1e-9) {
			t.Errorf("%s: trajectories differ by %.2g, single steps by %.2g", model, whole[model], single[model])
		}
	}
}
