package gx

import (
	"sync"

	"github.com/gomlx/gomlx/core/graph"
)

// gradientsInstalled guards the one change this package makes to GoMLX's global
// table of gradients. Compile makes it before it builds a graph, so no graph
// built under Compile can read the table while it changes.
var gradientsInstalled sync.Once

// installGradients replaces GoMLX's gradients of convolutions, slices and
// selections by wrappers that treat the nodes made by [Conv2D],
// [ConvTranspose2D], [Split] and [Relu] and leave all others to the originals,
// and adds the gradient of [Loop].
func installGradients() {
	gradientsInstalled.Do(func() {
		table := graph.VJPRegistration
		table[graph.NodeTypeConvGeneral] = convolutionGradient(table[graph.NodeTypeConvGeneral])
		table[graph.NodeTypeSlice] = sliceGradient(table[graph.NodeTypeSlice])
		table[graph.NodeTypeWhere] = whereGradient(table[graph.NodeTypeWhere])
		table[graph.NodeTypeWhile] = loopGradient
	})
}
