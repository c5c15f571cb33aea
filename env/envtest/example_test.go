package envtest_test

import (
	"context"
	"fmt"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/envtest"
)

// thermostat is an environment of our own: no image, one measurement, one
// action. It leaves the checks on actions and call order to env.Standard.
type thermostat struct{ celsius float32 }

func (t *thermostat) Spec() env.Spec {
	return env.Spec{
		Name:         "thermostat",
		VectorSize:   1,
		VectorNames:  []string{"celsius"},
		Action:       env.ActionSpec{Size: 1, Low: []float32{-1}, High: []float32{1}},
		ActionRepeat: 1,
	}
}

func (t *thermostat) Reset(_ context.Context, seed uint64) (env.Observation, error) {
	t.celsius = float32(seed % 30)
	return env.Observation{Vector: []float32{t.celsius}}, nil
}

func (t *thermostat) Step(_ context.Context, action []float32) (env.Transition, error) {
	t.celsius += action[0]
	off := float64(t.celsius - 21)
	return env.Transition{
		Observation: env.Observation{Vector: []float32{t.celsius}},
		Reward:      -off * off,
		EnvSteps:    1,
	}, nil
}

func (t *thermostat) Close() error { return nil }

func Example() {
	registry := env.NewRegistry()
	err := registry.Register(env.Entry{
		Name:        "thermostat",
		Description: "keep a room at 21 degrees",
		New: func(o env.Options) (env.Env, error) {
			return env.Standard(&thermostat{}, o, 100)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	room, err := registry.New("thermostat", env.Options{ActionRepeat: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("violations:", envtest.Check(context.Background(), room))

	// The bare environment checks nothing itself, and the contract says so.
	if err := envtest.Check(context.Background(), &thermostat{}); err != nil {
		fmt.Println("bare: the contract is broken")
	}
	// Output:
	// violations: <nil>
	// bare: the contract is broken
}
