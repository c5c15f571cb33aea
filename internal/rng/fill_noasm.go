//go:build !amd64 || purego

package rng

func best() path { return generic }

func (path) uniform(dst []float32, k *key, first uint32) { uniformGeneric(dst, k, first) }

func (path) normal(dst []float32, k *key, first uint32) { normalGeneric(dst, k, first) }

func (path) dither(dst []float32, src []byte, d *Dither, k *key, first uint32) {
	ditherGeneric(dst, src, d, k, first)
}
