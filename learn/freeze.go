package learn

import (
	"errors"

	"github.com/orrery-rl/orrery/worldmodel"
)

// moving are the positions of the parameters that are in none of the frozen
// parts.
func moving(model *worldmodel.Model, frozen []string) ([]int, error) {
	in, err := model.InParts(frozen)
	if err != nil {
		return nil, err
	}
	var out []int
	for i, still := range in {
		if !still {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("learn.freeze names the whole model, so that nothing would be learned; leave a part out")
	}
	return out, nil
}

// pick returns the elements of x at the given positions.
func pick[T any](x []T, at []int) []T {
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}

// learned are the positions in the learner's state of what an update replaces:
// the moving parameters, then their first and second moments.
func (l *Learner) learned() []int {
	n := len(l.state) / 3
	var out []int
	for group := range 3 {
		for _, i := range l.moving {
			out = append(out, group*n+i)
		}
	}
	return out
}
