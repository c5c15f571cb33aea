package film

import (
	"image"
	"slices"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/media"
	"github.com/orrery-rl/orrery/learn"
)

// Dream mounts every moment of a dream, enlarged: the real frame above, the
// model's below, bordered while the model saw it, and beneath the rewards up to
// then, received (light) and predicted (orange).
func Dream(d *learn.DreamResult, context, scale int) ([]*image.RGBA, error) {
	low, high := 0.0, 0.1
	for _, r := range slices.Concat(d.Rewards, d.PredictedRewards) {
		low, high = min(low, r), max(high, r)
	}
	var frames []*image.RGBA
	for i := range d.Real {
		pair, err := dreamPair(d, i, i < context)
		if err != nil {
			return nil, err
		}
		curve := media.Curve(d.Spec.Image.Width*scale, 16*scale, len(d.Real), low, high,
			media.Series{Values: d.Rewards[:i+1], Color: realColor},
			media.Series{Values: d.PredictedRewards[:i+1], Color: dreamColor})
		frames = append(frames, media.Stack(scale, background, media.Scale(pair[0], scale), media.Scale(pair[1], scale), curve))
	}
	return frames, nil
}

// DreamStrip sets some moments of a dream beside each other, from its first to
// its last: the real frames above, the model's below.
func DreamStrip(d *learn.DreamResult, context, columns, scale int) (*image.RGBA, error) {
	var pairs []*image.RGBA
	for _, i := range spaced(len(d.Real), columns) {
		pair, err := dreamPair(d, i, i < context)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, media.Stack(scale, background, media.Scale(pair[0], scale), media.Scale(pair[1], scale)))
	}
	return media.Row(scale, background, pairs...), nil
}

// dreamPair is a real frame and the model's.
func dreamPair(d *learn.DreamResult, i int, seen bool) (pair [2]*image.RGBA, err error) {
	for k, pix := range [][]byte{d.Real[i], d.Imagined[i]} {
		if pair[k], err = specFrame(pix, d.Spec); err != nil {
			return pair, err
		}
	}
	if seen {
		outline(pair[1])
	}
	return pair, nil
}

func specFrame(pix []byte, spec env.Spec) (*image.RGBA, error) {
	return media.FromHWC(pix, spec.Image.Height, spec.Image.Width, spec.Image.Channels)
}

// spaced are up to n indices below length, evenly spaced, the first and the
// last among them.
func spaced(length, n int) []int {
	n = min(n, length)
	out := make([]int, n)
	for i := range out {
		out[i] = i * (length - 1) / max(n-1, 1)
	}
	return out
}
