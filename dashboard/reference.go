package dashboard

import "github.com/orrery-rl/orrery/internal/paper"

// Reference is what somebody published for a task.
type Reference struct {
	// Return is the undiscounted return of an episode, after EnvSteps simulator steps.
	Return   float64 `json:"return"`
	EnvSteps float64 `json:"env_steps"`
	// Label says whose it is.
	Label string `json:"label"`
}

// referenceFor is the paper's score in an environment, nil if it has none.
func referenceFor(env string) *Reference {
	score, ok := paper.Return(env)
	if !ok {
		return nil
	}
	return &Reference{Return: score, EnvSteps: paper.EnvSteps, Label: "PlaNet paper, Table 1 (Hafner et al. 2019): after 1000 episodes, 1M env_steps"}
}
