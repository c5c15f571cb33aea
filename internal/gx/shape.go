package gx

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// ShapeError reports a tensor whose dimensions are not the ones its use
// requires.
type ShapeError struct {
	// Tensor names the tensor, for example "rewards".
	Tensor string
	// Got and Want are the actual and the required dimensions.
	Got, Want []int
}

// Error names the tensor, the actual and the required dimensions.
func (e *ShapeError) Error() string {
	return fmt.Sprintf("tensor %q has dimensions %v, want %v", e.Tensor, e.Got, e.Want)
}

// CheckShape panics with a *[ShapeError] unless x has exactly the dimensions
// dims; [Compile] returns that error. It is called on everything that enters a
// loss, so that no broadcast hides a missing axis.
func CheckShape(tensor string, x *graph.Node, dims ...int) {
	if got := x.Shape().Dimensions; !slices.Equal(got, dims) {
		panic(&ShapeError{Tensor: tensor, Got: slices.Clone(got), Want: slices.Clone(dims)})
	}
}
