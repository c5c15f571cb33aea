package env

import (
	"context"
	"fmt"
)

// BitDepth wraps inner so that image bytes keep only their upper bits and the
// rest is zero: x becomes x>>(8-bits)<<(8-bits). With 5 bits, as in the paper,
// an image has 32 levels a channel. Quantising twice changes nothing, so a
// learner that quantises again is right in either case.
//
// It fails with [ErrOptions] unless bits is 1 to 8. 8 changes nothing.
func BitDepth(inner Env, bits int) (Env, error) {
	if bits < 1 || bits > 8 {
		return nil, fmt.Errorf("env: %w: bit depth is %d, want 1 to 8", ErrOptions, bits)
	}
	if bits == 8 {
		return inner, nil
	}
	return &bitDepth{Env: inner, mask: byte(0xff) << (8 - bits)}, nil
}

type bitDepth struct {
	Env
	mask byte
}

func (b *bitDepth) Reset(ctx context.Context, seed uint64) (Observation, error) {
	obs, err := b.Env.Reset(ctx, seed)
	b.quantise(obs.Image)
	return obs, err
}

func (b *bitDepth) Step(ctx context.Context, action []float32) (Transition, error) {
	t, err := b.Env.Step(ctx, action)
	b.quantise(t.Image)
	return t, err
}

func (b *bitDepth) quantise(image []byte) {
	for i := range image {
		image[i] &= b.mask
	}
}
