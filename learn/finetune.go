package learn

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/worldmodel"
)

// initial are the parameters that a new run starts with: those of weights that
// were trained before, or random ones.
func initial(model *worldmodel.Model, from *Weights, stream *rng.Stream) ([][]float32, error) {
	if from == nil {
		return model.InitParams(stream), nil
	}
	return from.Values(model)
}

// check says in what the weights do not fit a model: first the sizes that it was
// made for, which explain the rest, then each parameter with both shapes.
func (w *Weights) check(model *worldmodel.Model) error {
	want, have := model.Dims(), w.Dims
	var why string
	switch {
	case have.ActionSize != want.ActionSize:
		why = fmt.Sprintf("they are for actions of %d components, the model for %d; ", have.ActionSize, want.ActionSize)
	case model.Config().Observe != worldmodel.ObserveVector && (have.Height != want.Height || have.Width != want.Width || have.Channels != want.Channels):
		why = fmt.Sprintf("they are for images of %dx%dx%d, the model for %dx%dx%d; ", have.Height, have.Width, have.Channels, want.Height, want.Width, want.Channels)
	case model.Config().Observe != worldmodel.ObserveImage && have.VectorSize != want.VectorSize:
		why = fmt.Sprintf("they are for vectors of %d values, the model for %d; ", have.VectorSize, want.VectorSize)
	}
	if _, err := w.Values(model); err != nil {
		return fmt.Errorf("the weights to start from do not fit: %s%w", why, err)
	}
	return nil
}
