package mujoco

// Task is one task of the suite.
type Task struct {
	// Name is DOMAIN-TASK, such as walker-walk.
	Name string

	// Description is one line for people.
	Description string

	// ActionRepeat is the default number of env steps per decision: the paper's
	// for its six tasks (Hafner et al. 2019, section 5).
	ActionRepeat int

	model string // file in models, without its ending
}

// Tasks lists the tasks, whether this build has them or not.
func Tasks() []Task {
	return []Task{
		{"acrobot-swingup", "swing up two links by the torque between them", 4, "acrobot"},
		{"acrobot-swingup-sparse", "the same, with a reward only at the target", 4, "acrobot"},
		{"ball-in-cup-catch", "swing a ball on a string into a cup", 4, "ball_in_cup"},
		{"cartpole-balance", "keep an almost upright pole upright", 8, "cartpole"},
		{"cartpole-balance-sparse", "the same, with a reward only near the middle and upright", 8, "cartpole"},
		{"cartpole-swingup", "swing a hanging pole up and keep it upright", 8, "cartpole"},
		{"cartpole-swingup-sparse", "the same, with a reward only near the middle and upright", 8, "cartpole"},
		{"cheetah-run", "run on two legs in a plane", 4, "cheetah"},
		{"finger-spin", "keep a body on a hinge spinning", 2, "finger"},
		{"finger-turn-easy", "turn the body until its tip is in a large target", 2, "finger"},
		{"finger-turn-hard", "turn the body until its tip is in a small target", 2, "finger"},
		{"hopper-hop", "hop forward on one leg", 2, "hopper"},
		{"hopper-stand", "stand on one leg", 2, "hopper"},
		{"pendulum-swingup", "swing a weak pendulum up and keep it upright", 4, "pendulum"},
		{"point-mass-easy", "push a point mass to the middle of a square", 4, "point_mass"},
		{"point-mass-hard", "the same, along directions drawn for each episode", 4, "point_mass"},
		{"reacher-easy", "reach a large target with a two-link arm", 4, "reacher"},
		{"reacher-hard", "reach a small target with a two-link arm", 4, "reacher"},
		{"walker-run", "run on two legs that do not collide", 2, "walker"},
		{"walker-stand", "stand up on two legs", 2, "walker"},
		{"walker-walk", "walk on two legs", 2, "walker"},
	}
}

// MaxEnvSteps is the length of an episode of every task, 10 to 25 s.
const MaxEnvSteps = 1000
