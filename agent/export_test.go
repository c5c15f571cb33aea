package agent

import "github.com/orrery-rl/orrery/internal/gx"

// SetPrevious makes the agent believe that it executed these actions, [E, A].
func (a *Agent) SetPrevious(actions []float32) { copy(a.actions, actions) }

// State is what the filter knows, by tensor.
func (a *Agent) State() ([][]float32, error) {
	var state [][]float32
	for _, buf := range a.filter.state {
		values, err := gx.Download(buf)
		if err != nil {
			return nil, err
		}
		state = append(state, values)
	}
	return state, nil
}
