//go:build mujoco

package mj

import (
	"testing"
	"time"
)

// fastest times the quickest of the calls: what the processor can do when nobody
// else uses it.
type fastest time.Duration

func (f *fastest) time(call func()) {
	start := time.Now()
	call()
	if d := time.Since(start); *f == 0 || d < time.Duration(*f) {
		*f = fastest(d)
	}
}

func (f fastest) report(b *testing.B, per int) {
	b.ReportMetric(float64(f)/1e3/float64(per), "fastest-us/op")
}

// BenchmarkStep shows what a call from Go costs: steps one by one and a hundred
// per call.
func BenchmarkStep(b *testing.B) {
	for _, name := range []string{"reacher", "cartpole", "cheetah", "walker"} {
		d := newData(b, suiteModel(b, name))
		for _, per := range []struct {
			name string
			n    int
		}{{"go", 1}, {"c", 100}} {
			b.Run(name+"/"+per.name, func(b *testing.B) {
				must(b, d.Reset())
				var f fastest
				for b.Loop() {
					f.time(func() {
						for range 100 / per.n {
							if err := d.Step(per.n); err != nil {
								b.Fatal(err)
							}
						}
					})
					if d.Time() > 5 {
						must(b, d.Reset())
					}
				}
				f.report(b, 100)
			})
		}
	}
}

// BenchmarkRender draws 64x64 pictures by every route.
func BenchmarkRender(b *testing.B) {
	for _, name := range modelNames {
		m := suiteModel(b, name)
		d := newData(b, m)
		must(b, d.Forward())
		run := func(route string, draw func([]byte, *Data, int) error) {
			b.Run(name+"/"+route, func(b *testing.B) {
				dst := make([]byte, 64*64*3)
				var f fastest
				for b.Loop() {
					f.time(func() { must(b, draw(dst, d, 0)) })
				}
				f.report(b, 1)
			})
		}
		c, err := NewCaster(m, Options{Width: 64, Height: 64})
		must(b, err)
		run("go", c.RenderInto)
		c.Close()
		for _, quality := range []string{Fast, Suite} {
			r := newRenderer(b, m, Options{Width: 64, Height: 64, Quality: quality})
			run(quality, r.RenderInto)
			r.Close()
		}
	}
}
