package plan

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/orrery-rl/orrery/internal/rng"
)

// Fill draws the random numbers of one plan: dst[i] receives input i of Inputs
// and must have its size. Environment e takes its numbers from streams[e] one
// after the other, tensor by tensor and time step by time step, so what it
// receives does not depend on the others; it keeps the numbers it had if
// streams[e] is nil. Environments are filled on all processors.
//
// Latent numbers are standard normal. So are those for actions, except that
// icem's are coloured along the horizon, with unit variance, and categorical's
// follow the standard Gumbel distribution.
func (l NoiseLayout) Fill(streams []*rng.Stream, dst [][]float32) error {
	inputs := l.Inputs()
	if len(dst) != len(inputs) {
		return fmt.Errorf("plan: got %d noise buffers, want %d", len(dst), len(inputs))
	}
	if len(streams) != l.Envs {
		return fmt.Errorf("plan: got %d random streams for %d environments", len(streams), l.Envs)
	}
	for i, in := range inputs {
		if len(dst[i]) != in.Shape.Size() {
			return fmt.Errorf("plan: noise buffer %q has %d values, want %d for the shape %v", in.Name, len(dst[i]), in.Shape.Size(), in.Shape.Dimensions)
		}
	}
	colour := l.colour()
	parallel(l.Envs, func(e int) {
		if streams[e] == nil {
			return
		}
		for i, in := range inputs {
			t := timeMajor{dst[i], in.Shape.Dimensions[0], l.Envs, e}
			t.normal(streams[e])
			if strings.HasPrefix(in.Name, "plan/action") {
				t.shape(l.cfg.Method, colour)
			}
		}
	})
	return nil
}

// timeMajor is what one environment receives of a tensor [H, E, ...].
type timeMajor struct {
	data          []float32
	rows, envs, e int
}

// row is the part of time step t.
func (m timeMajor) row(t int) []float32 {
	n := len(m.data) / (m.rows * m.envs)
	return m.data[(t*m.envs+m.e)*n:][:n]
}

func (m timeMajor) normal(stream *rng.Stream) {
	for t := range m.rows {
		stream.FillNormal(m.row(t))
	}
}

// shape turns normal numbers into those that a method draws actions with.
func (m timeMajor) shape(method Method, colour [][]float32) {
	switch {
	case method == Categorical:
		for t := range m.rows {
			gumbel(m.row(t))
		}
	case colour != nil:
		m.mix(colour)
	}
}

// gumbel replaces standard normal numbers by standard Gumbel ones of the same
// quantile.
func gumbel(x []float32) {
	for i, v := range x {
		p := 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
		p = min(max(p, 1e-30), 1-1e-16)
		x[i] = float32(-math.Log(-math.Log(p)))
	}
}

// mix replaces the rows by combinations of them: row t becomes the sum of
// weights[t][k] times row k.
func (m timeMajor) mix(weights [][]float32) {
	n := len(m.row(0))
	column := make([]float32, m.rows)
	for i := range n {
		for k := range column {
			column[k] = m.row(k)[i]
		}
		for t, w := range weights {
			var sum float32
			for k, c := range column {
				sum += float32(w[k] * c) // rounded twice on every processor
			}
			m.row(t)[i] = sum
		}
	}
}

// colour returns the weights that colour independent numbers along the horizon;
// nil if they are to stay white.
func (l NoiseLayout) colour() [][]float32 {
	if l.cfg.Method != ICEM || l.cfg.ICEM.NoiseBeta == 0 || l.cfg.Horizon < 2 {
		return nil
	}
	return colouring(l.cfg.Horizon, l.cfg.ICEM.NoiseBeta)
}

// colouring returns n x n weights that turn n independent standard normal
// numbers into a series of n with power proportional to frequency^-beta, unit
// variance and random phases. The lowest frequency stands in for frequency zero,
// whose power would be infinite (Timmer and König 1995).
func colouring(n int, beta float64) [][]float32 {
	weights := make([][]float32, n)
	total := 0.0
	for t := range weights {
		weights[t] = make([]float32, n)
	}
	next := 0
	add := func(f int, amplitude float64, wave func(float64) float64) {
		if next >= n {
			return
		}
		for t := range n {
			w := amplitude * wave(2*math.Pi*float64(f)*float64(t)/float64(n))
			weights[t][next] = float32(w)
			total += w * w
		}
		next++
	}
	for f := range n/2 + 1 {
		amplitude := math.Pow(float64(max(f, 1)), -beta/2)
		switch {
		case f == 0, 2*f == n: // a single real coefficient
			add(f, amplitude, math.Cos)
		default:
			add(f, amplitude*math.Sqrt2, math.Cos)
			add(f, amplitude*math.Sqrt2, math.Sin)
		}
	}
	scale := float32(1 / math.Sqrt(total/float64(n)))
	for _, row := range weights {
		for k := range row {
			row[k] *= scale
		}
	}
	return weights
}

// parallel calls f for 0 to n-1 on all processors and returns when all are done.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
