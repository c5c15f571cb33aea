package control

import (
	"math"

	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// cartpoleTasks share the reward and differ in where they start.
func cartpoleTasks() []task {
	swingup := func(draw *rng.Stream) pair {
		return pair{0.01 * draw.NormFloat64(), math.Pi + 0.01*draw.NormFloat64()}
	}
	balance := func(draw *rng.Stream) pair {
		return pair{uniform(draw, 0.1), uniform(draw, 0.034)}
	}
	return []task{
		newCartpoleTask("cartpole-swingup", "swing the pole up from hanging and keep it upright (control suite)", swingup),
		newCartpoleTask("cartpole-balance", "keep an almost upright pole upright (control suite)", balance),
	}
}

func newCartpoleTask(name, description string, positions func(*rng.Stream) pair) task {
	return task{
		name: name, description: description, scene: cartpoleScene, actions: 1,
		repeat: 8, // the paper's choice, section 5
		vector: []string{"cart_position_m", "pole_cos", "pole_sin", "cart_velocity_mps", "pole_velocity_radps"},
		start: func() (domain, error) {
			r, err := newReward()
			return &cartpoleDomain{positions: positions, rewards: r}, err
		},
	}
}

// cartpoleDomain is a cartpole with its own initial states.
type cartpoleDomain struct {
	cartpole
	positions func(draw *rng.Stream) pair
	rewards   reward
}

func (d *cartpoleDomain) reset(draw *rng.Stream) {
	d.cartpole = newCartpole()
	d.position = d.positions(draw)
	d.velocity = pair{0.01 * draw.NormFloat64(), 0.01 * draw.NormFloat64()}
}

func (d *cartpoleDomain) step(control []float64) { d.cartpole.step(control[0]) }

func (d *cartpoleDomain) reward(control []float64) float64 {
	return d.rewards.at(&d.cartpole, control[0])
}

func (d *cartpoleDomain) vector() []float32 {
	q, v := d.position, d.velocity
	sin, cos := math.Sincos(q[1])
	return []float32{float32(q[0]), float32(cos), float32(sin), float32(v[0]), float32(v[1])}
}

func (d *cartpoleDomain) geoms() []render.Geom { return cartpoleGeoms(d.position) }
