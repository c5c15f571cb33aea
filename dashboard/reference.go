package dashboard

import "strings"

// Reference is what somebody published for a task.
type Reference struct {
	// Return is the undiscounted return of an episode, after EnvSteps simulator steps.
	Return   float64 `json:"return"`
	EnvSteps float64 `json:"env_steps"`
	// Label says whose it is.
	Label string `json:"label"`
}

// paper are the scores of PlaNet after 1000 episodes, a million env_steps:
// Hafner et al. 2019, table 1.
var paper = map[string]float64{
	"cartpole-swingup": 821, "reacher-easy": 832, "cheetah-run": 662,
	"finger-spin": 700, "ball_in_cup-catch": 930, "walker-walk": 951,
}

// referenceFor is the paper's score on a task of the given name, which may have
// the prefix of a suite.
func referenceFor(env string) *Reference {
	name := env[strings.LastIndexAny(env, "/:")+1:]
	if name == "cup-catch" {
		name = "ball_in_cup-catch"
	}
	score, ok := paper[name]
	if !ok {
		return nil
	}
	return &Reference{Return: score, EnvSteps: 1e6, Label: "PlaNet paper, Table 1 (Hafner et al. 2019): after 1000 episodes, 1M env_steps"}
}
