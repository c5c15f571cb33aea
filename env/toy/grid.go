package toy

import (
	"context"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
)

const (
	// GridSize is the number of cells of toy-grid in each direction.
	GridSize = 4
	// GridMaxEnvSteps is the length of an episode of toy-grid.
	GridMaxEnvSteps = 20
	// GridActions is the number of actions of toy-grid: left, right, up, down,
	// and stay.
	GridActions = 5
)

// Cell is a place on toy-grid, counted from the upper left.
type Cell struct{ Column, Row int }

// GridStep is where an action leads: one cell in the direction of its largest
// component, the first of equal ones; the edges stop it.
func GridStep(at Cell, action []float32) Cell {
	largest := 0
	for i, v := range action {
		if v > action[largest] {
			largest = i
		}
	}
	moves := [GridActions]Cell{{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {}}
	bound := func(x int) int { return min(max(x, 0), GridSize-1) }
	return Cell{bound(at.Column + moves[largest].Column), bound(at.Row + moves[largest].Row)}
}

// GridReward is 1 on the goal and falls linearly with the number of moves to it.
func GridReward(at, goal Cell) float64 {
	return 1 - float64(distance(at, goal))/(2*(GridSize-1))
}

// GridBestReturn is the return of going straight to the goal and staying there.
func GridBestReturn(at, goal Cell) (total float64) {
	away := distance(at, goal)
	for step := 1; step <= GridMaxEnvSteps; step++ {
		total += 1 - float64(max(away-step, 0))/(2*(GridSize-1))
	}
	return total
}

func distance(a, b Cell) int {
	return max(a.Column-b.Column, b.Column-a.Column) + max(a.Row-b.Row, b.Row-a.Row)
}

// GridImage shows the cell of the agent white, that of the goal grey, and white
// where both are one.
func GridImage(image env.ImageSpec, at, goal Cell) []byte {
	pix := make([]byte, image.Size())
	for i := range pix {
		pixel := i / image.Channels
		here := Cell{pixel % image.Width * GridSize / image.Width, pixel / image.Width * GridSize / image.Height}
		switch here {
		case at:
			pix[i] = 0xff
		case goal:
			pix[i] = 0x80
		}
	}
	return pix
}

// grid is toy-grid; its vector is the agent's and the goal's cell.
type grid struct {
	image    env.ImageSpec
	at, goal Cell
}

func newGrid(image env.ImageSpec) env.Env { return &grid{image: image} }

// Spec implements env.Env.
func (g *grid) Spec() env.Spec {
	a := env.ActionSpec{Size: GridActions}
	for range GridActions {
		a.Low, a.High = append(a.Low, -1), append(a.High, 1)
	}
	return env.Spec{
		Name: "toy-grid", Image: g.image, ActionRepeat: 1, Action: a,
		VectorSize: 4, VectorNames: []string{"column", "row", "goal_column", "goal_row"},
	}
}

// Reset implements env.Env.
func (g *grid) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	draw := rng.New(seed, "env/toy-grid")
	anywhere := func() Cell { return Cell{draw.IntN(GridSize), draw.IntN(GridSize)} }
	g.at, g.goal = anywhere(), anywhere()
	return g.observe(), nil
}

// Step implements env.Env.
func (g *grid) Step(_ context.Context, action []float32) (env.Transition, error) {
	g.at = GridStep(g.at, action)
	return env.Transition{Observation: g.observe(), Reward: GridReward(g.at, g.goal), EnvSteps: 1}, nil
}

func (g *grid) observe() env.Observation {
	return env.Observation{
		Image:  GridImage(g.image, g.at, g.goal),
		Vector: []float32{float32(g.at.Column), float32(g.at.Row), float32(g.goal.Column), float32(g.goal.Row)},
	}
}

// Close implements env.Env.
func (g *grid) Close() error { return nil }
