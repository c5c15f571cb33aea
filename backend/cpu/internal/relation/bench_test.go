package relation

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// benchImages is a tenth of a training batch: larger than the caches, quick to run.
const benchImages = 256

func bench(b *testing.B, p *Product, err error, nx, nw, ny int) {
	if err != nil {
		b.Fatal(err)
	}
	x, w, dst, scratch := random(nx, 1), random(nw, 2), make([]float32, ny), make([]float32, p.Scratch())
	b.Log(p)
	for b.Loop() {
		if err := p.Run(context.Background(), backwards{}, dst, x, w, scratch, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.FLOPs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func forEachVectorPath(b *testing.B, f func(b *testing.B, t *kernel.Table)) {
	for _, p := range kernel.Available()[1:] {
		table, err := kernel.New(p)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(p.String(), func(b *testing.B) { f(b, table.Exact()) })
		if table.Pairs != nil {
			b.Run(p.String()+"-bf16", func(b *testing.B) { f(b, table) })
		}
	}
}

func BenchmarkConv(b *testing.B) {
	forEachVectorPath(b, func(b *testing.B, t *kernel.Table) {
		for name, div := range map[string]int{"paper": 1, "half": 2} {
			modelConvs(div, benchImages, func(layer string, s ConvSpec) {
				b.Run(name+"/"+layer, func(b *testing.B) {
					nx, nw, ny := s.sizes()
					p, err := NewConv(t, s, 1)
					bench(b, p, err, nx, nw, ny)
				})
			})
		}
	})
}

func BenchmarkDot(b *testing.B) {
	forEachVectorPath(b, func(b *testing.B, t *kernel.Table) {
		dots := rssmDots()
		for _, name := range slices.Sorted(maps.Keys(dots)) {
			s := dots[name]
			b.Run(name, func(b *testing.B) {
				p, err := NewDot(t, s, 1)
				bench(b, p, err, s.M*s.K, s.K*s.N, s.M*s.N)
			})
		}
	})
}
