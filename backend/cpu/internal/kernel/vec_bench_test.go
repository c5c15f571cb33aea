package kernel

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkVec measures loops in the first-level cache and in the second, beside the plain
// Go loop that one would write instead.
func BenchmarkVec(b *testing.B) {
	for _, kib := range []int{16, 256} {
		n := kib << 10 / 4
		x, y, dst := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(i%1999)/250-4, float32(i%7)
		}
		measure := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dKiB/%s", kib, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
		for _, p := range Available() {
			v := newVec(p)
			measure("Add/"+p.String(), func() { v.Add(dst, x, y) })
			measure("Max/"+p.String(), func() { v.Max(dst, x, y) })
			measure("Gt/"+p.String(), func() { v.Gt(dst, x, y) })
			measure("Gate/"+p.String(), func() { v.Gate(dst, x, y) })
			measure("Relu/"+p.String(), func() { v.Relu(dst, x) })
			measure("Sqrt/"+p.String(), func() { v.Sqrt(dst, y) })
			measure("Sum/"+p.String(), func() { v.Sum(x) })
			measure("Dot/"+p.String(), func() { v.Dot(x, y) })
			measure("SumSq/"+p.String(), func() { v.SumSq(x) })
			measure("Select/"+p.String(), func() { v.Select(dst, y, x, y) })
			measure("SelectS/"+p.String(), func() { v.SelectS(dst, y, x, 2) })
			measure("Axpy/"+p.String(), func() { v.Axpy(dst, x, 0.5) })
			measure("SumRows/"+p.String(), func() { v.SumRows(dst[:32], x, n/32, 32) })
			for _, e := range elementaries() {
				f := e.of(&v)
				measure(e.name+"/"+p.String(), func() { f(dst, x) })
			}
		}
		measure("Add/plain", func() {
			for i := range dst {
				dst[i] = x[i] + y[i]
			}
		})
		measure("Relu/plain", func() {
			for i := range dst {
				dst[i] = max(x[i], 0)
			}
		})
		measure("Sum/plain", func() {
			for _, v := range x {
				dst[0] += v
			}
		})
		measure("Exp/plain", func() {
			for i := range dst {
				dst[i] = float32(math.Exp(float64(x[i])))
			}
		})
		measure("Tanh/plain", func() {
			for i := range dst {
				dst[i] = float32(math.Tanh(float64(x[i])))
			}
		})
	}
}
