package worldmodel

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/internal/gx"
)

// ParamSpec describes one parameter tensor.
type ParamSpec struct {
	// Name is unique and stable: checkpoints use it. It reads
	// part/layer/kernel or part/layer/bias, as in "encoder/conv1/kernel".
	Name string
	// Dims are the tensor's dimensions: [in, out] for dense kernels,
	// [height, width, in, out] for convolutions (transposed ones in
	// correlation order), [in, height, width, out] for decoder/deconv1.
	Dims []int
	// Init says how the tensor starts.
	Init Init
}

// Size returns the number of values of the tensor.
func (p ParamSpec) Size() int { return product(p.Dims) }

// Init is the distribution of a parameter's initial values: uniform in
// [-Limit, Limit] around Mean.
type Init struct{ Mean, Limit float64 }

// glorot is Glorot and Bengio's uniform initialisation, +-sqrt(6/(in+out)). For
// convolutions both fans count the kernel's area, as in TensorFlow, whose
// default the paper's code uses.
func glorot(fanIn, fanOut int) Init {
	return Init{Limit: math.Sqrt(6 / float64(fanIn+fanOut))}
}

// affine names the parameters of x*kernel + bias by their positions in the
// parameter list.
type affine struct{ kernel, bias int }

// specList collects the parameters of a model in order.
type specList []ParamSpec

// add appends a parameter and returns its position.
func (l *specList) add(name string, init Init, dims ...int) int {
	*l = append(*l, ParamSpec{Name: name, Dims: dims, Init: init})
	return len(*l) - 1
}

// dense adds a dense layer: kernel [in, out], bias [out] zero.
func (l *specList) dense(name string, in, out int) affine {
	return l.affine(name, glorot(in, out), Init{}, in, out)
}

// conv adds a convolution: kernel [height, width, in, out], bias [out] zero.
func (l *specList) conv(name string, kernel [2]int, in, out int) affine {
	area := kernel[0] * kernel[1]
	return l.affine(name, glorot(area*in, area*out), Init{}, kernel[0], kernel[1], in, out)
}

// affine adds a kernel of the given dimensions and a bias for its last one.
func (l *specList) affine(name string, kernel, bias Init, dims ...int) affine {
	return affine{
		kernel: l.add(name+"/kernel", kernel, dims...),
		bias:   l.add(name+"/bias", bias, dims[len(dims)-1]),
	}
}

// ParamSpecs describes the model's parameters in the order in which
// [Model.InitParams] returns and [Model.Bind] expects them. The caller must not
// change the result.
func (m *Model) ParamSpecs() []ParamSpec { return m.specs }

// NumParams returns the number of scalar parameters.
func (m *Model) NumParams() int {
	total := 0
	for _, spec := range m.specs {
		total += spec.Size()
	}
	return total
}

// Source is where initial parameters come from: uniform numbers in [0, 1). The
// run's named random streams satisfy it.
type Source interface{ Float64() float64 }

// InitParams draws initial values for every parameter, in order, row-major.
// Dense and convolution kernels are Glorot uniform, biases zero, the recurrent
// cell's gate biases one: TensorFlow's defaults, as in the paper's code.
func (m *Model) InitParams(source Source) [][]float32 {
	params := make([][]float32, len(m.specs))
	for i, spec := range m.specs {
		values := make([]float32, spec.Size())
		for j := range values {
			values[j] = float32(spec.Init.Mean)
			if spec.Init.Limit > 0 {
				values[j] += float32((2*source.Float64() - 1) * spec.Init.Limit)
			}
		}
		params[i] = values
	}
	return params
}

// ParamInputs returns program inputs for one tensor per parameter, in order,
// named prefix plus the parameter's name. Optimiser moments have the same
// shapes and take another prefix.
func (m *Model) ParamInputs(prefix string, dtype dtypes.DType) []gx.Input {
	inputs := make([]gx.Input, len(m.specs))
	for i, spec := range m.specs {
		inputs[i] = gx.Input{Name: prefix + spec.Name, Shape: shapes.Make(dtype, spec.Dims...)}
	}
	return inputs
}

func product(dims []int) int {
	size := 1
	for _, d := range dims {
		size *= d
	}
	return size
}

// layerName numbers layers from 1: "encoder/conv1".
func layerName(prefix string, i int) string { return fmt.Sprintf("%s%d", prefix, i+1) }
