package fuse

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

func rate(b *testing.B, name string, elements int, f func()) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			f()
		}
		b.ReportMetric(float64(elements)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
	})
}

// BenchmarkAdam updates a million parameters in place on one worker, beside a copy of as many
// bytes (seven streams of 4 MiB) and the plain loop.
func BenchmarkAdam(b *testing.B) {
	const n = 1 << 20
	inputs := adamRefs(n)
	for _, path := range kernel.Available() {
		table, err := kernel.New(path)
		if err != nil {
			b.Fatal(err)
		}
		run := NewParallel(must(b, adam(&table.Vec)))
		rate(b, path.String(), n, func() {
			if err := run.Run(context.Background(), crew{1}, inputs, inputs[:3], n); err != nil {
				b.Fatal(err)
			}
		})
	}
	from, to := make([]float32, 7*n/2), make([]float32, 7*n/2)
	rate(b, "copy", n, func() { copy(to, from) })
	p, m, s, g := inputs[0].F32, inputs[1].F32, inputs[2].F32, inputs[3].F32
	rate(b, "plain", n, func() {
		for i := range p {
			x := g[i] * 0.5
			m[i] = m[i]*0.9 + x*0.1
			s[i] = s[i]*0.999 + x*x*0.001
			p[i] -= 1e-3 * m[i] / (float32(math.Sqrt(float64(s[i]))) + 1e-4)
		}
	})
}

// BenchmarkReduce adds up columns and rows of 8 MiB on one worker, beside the plain loop.
func BenchmarkReduce(b *testing.B) {
	table, err := kernel.New(kernel.Detect())
	if err != nil {
		b.Fatal(err)
	}
	const n = 1 << 21
	x, dst := random(n, 1), make([]float32, n)
	for _, inner := range []int{1, 3, 32, 256, 1 << 15} {
		dims := []int{n / inner, inner}
		for axis, name := range []string{"columns", "rows"} {
			p, err := NewReduce(&table.Vec, Sum, dims, []int{axis}, nil)
			if err != nil {
				b.Fatal(err)
			}
			rate(b, fmt.Sprintf("%s/%d", name, inner), product(dims), func() {
				if err := p.Run(context.Background(), crew{1}, dst, []Ref{{F32: x}}); err != nil {
					b.Fatal(err)
				}
			})
		}
		rate(b, fmt.Sprintf("columns/%d/plain", inner), product(dims), func() {
			clear(dst[:inner])
			for i := 0; i+inner <= n; i += inner {
				for k, v := range x[i : i+inner] {
					dst[k] += v
				}
			}
		})
	}
}
