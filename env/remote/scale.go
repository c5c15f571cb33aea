package remote

import "github.com/orrery-rl/orrery/env"

// span is what one output pixel covers along one axis: pixels from first on,
// with weights that sum to 1.
type span struct {
	first   int
	weights []float32
}

// spans divides from pixels evenly among to of them.
func spans(from, to int) []span {
	out := make([]span, to)
	for i := range out {
		// In units of 1/to of a source pixel, output i covers [i*from, (i+1)*from).
		begin, end := i*from, (i+1)*from
		s := span{first: begin / to}
		for p := s.first; p*to < end; p++ {
			covered := min(end, (p+1)*to) - max(begin, p*to)
			s.weights = append(s.weights, float32(covered)/float32(from))
		}
		out[i] = s
	}
	return out
}

// scale returns pix, of shape from, in the height and width of to. Every output
// pixel is the mean of the area it covers, so that thin lines stay visible when
// a large image becomes a small one. Products are rounded before they are summed,
// which makes the result the same on all machines.
func scale(pix []byte, from, to env.ImageSpec) []byte {
	out := make([]byte, 0, to.Size())
	columns := spans(from.Width, to.Width)
	stride := from.Width * from.Channels
	row := make([]float32, stride)
	for _, r := range spans(from.Height, to.Height) {
		clear(row)
		for i, w := range r.weights {
			addRow(row, pix[(r.first+i)*stride:][:stride], w)
		}
		out = appendColumns(out, row, columns, from.Channels)
	}
	return out
}

// addRow adds w times pix to row, element by element.
func addRow(row []float32, pix []byte, w float32) {
	for i, v := range pix {
		row[i] += float32(w * float32(v))
	}
}

// appendColumns appends the weighted means of row over columns, channel by
// channel.
func appendColumns(out []byte, row []float32, columns []span, channels int) []byte {
	for _, c := range columns {
		for ch := range channels {
			sum := float32(0.5) // to round
			for i, w := range c.weights {
				sum += float32(w * row[(c.first+i)*channels+ch])
			}
			out = append(out, byte(min(sum, 255)))
		}
	}
	return out
}
