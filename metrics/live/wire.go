package live

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/orrery-rl/orrery/metrics"
)

// A file is the magic line, the length of the header as uint32, the header as
// JSON, a body of images and float32 numbers whose lengths follow from the
// header, and the CRC-32C of all that. Numbers are little-endian.
const magic = "orrery live 1\n"

// maxHeader bounds the header; real ones have about 300 bytes.
const maxHeader = 4 << 10

// ErrCorrupt is matched by the error about a file that is not what it should be.
var ErrCorrupt = errors.New("live: damaged file")

// header says what the body holds.
type header struct {
	Kind     string           `json:"kind"`
	Counters metrics.Counters `json:"counters"`
	Number   int64            `json:"number"`
	First    int64            `json:"first,omitzero"`
	Context  int              `json:"context,omitzero"`
	Size     Size             `json:"size,omitzero"`
	// Shapes of what the body holds, in its order.
	Real           int    `json:"real,omitzero"`
	Reconstruction int    `json:"reconstruction,omitzero"`
	Dream          int    `json:"dream,omitzero"`
	Action         int    `json:"action,omitzero"`
	Scores         int    `json:"scores,omitzero"`
	Mean           [2]int `json:"mean,omitzero"`
	Std            [2]int `json:"std,omitzero"`
	Rewards        int    `json:"rewards,omitzero"`
	Predicted      int    `json:"predicted,omitzero"`
}

const (
	kindDecision = "decision"
	kindEpisode  = "episode"
)

// body is the size of the body in bytes; ok is false for numbers that no writer
// produces.
func (h *header) body() (size int, ok bool) {
	if h.Size.validate() != nil {
		return 0, false
	}
	counts := []int{h.Real, h.Reconstruction, h.Dream, h.Action, h.Scores, h.Mean[0], h.Mean[1], h.Std[0], h.Std[1], h.Rewards, h.Predicted}
	for _, n := range counts {
		if n < 0 || n > MaxScores {
			return 0, false
		}
	}
	frames := h.Real + h.Reconstruction + h.Dream
	numbers := h.Action + h.Scores + h.Mean[0]*h.Mean[1] + h.Std[0]*h.Std[1] + h.Rewards + h.Predicted
	size = frames*h.Size.Bytes() + 4*numbers
	return size, size <= MaxBytes
}

// writer appends to a buffer.
type writer struct{ buf []byte }

func begin(h header) (*writer, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	size, _ := h.body()
	w := &writer{buf: make([]byte, 0, len(magic)+8+len(text)+size)}
	w.buf = append(w.buf, magic...)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(text)))
	w.buf = append(w.buf, text...)
	return w, nil
}

func (w *writer) floats(x ...float32) {
	for _, v := range x {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(v))
	}
}

func (w *writer) matrix(m [][]float32) {
	for _, row := range m {
		w.floats(row...)
	}
}

func (w *writer) frames(f [][]byte) {
	for _, frame := range f {
		w.buf = append(w.buf, frame...)
	}
}

func (w *writer) finish() []byte {
	return binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodeDecision returns the file of a valid decision.
func encodeDecision(d *Decision) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	h := header{
		Kind: kindDecision, Counters: d.Counters, Number: d.Number, Size: d.Size,
		Action: len(d.Action), Scores: len(d.Scores), Rewards: 1, Predicted: 1,
	}
	if len(d.Image) > 0 {
		h.Real = 1
	}
	h.Mean[0], h.Mean[1], _ = extent("mean", d.Mean)
	h.Std[0], h.Std[1], _ = extent("std", d.Std)
	w, err := begin(h)
	if err != nil {
		return nil, err
	}
	w.frames([][]byte{d.Image})
	w.floats(d.Action...)
	w.floats(d.Scores...)
	w.matrix(d.Mean)
	w.matrix(d.Std)
	w.floats(d.Reward, d.Predicted)
	return w.finish(), nil
}

// encodeEpisode returns the file of a valid episode.
func encodeEpisode(e *Episode) ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	w, err := begin(header{
		Kind: kindEpisode, Counters: e.Counters, Number: e.Number, First: e.First, Context: e.Context, Size: e.Size,
		Real: len(e.Real), Reconstruction: len(e.Reconstruction), Dream: len(e.Dream),
		Rewards: len(e.Rewards), Predicted: len(e.Predicted),
	})
	if err != nil {
		return nil, err
	}
	w.frames(e.Real)
	w.frames(e.Reconstruction)
	w.frames(e.Dream)
	w.floats(e.Rewards...)
	w.floats(e.Predicted...)
	return w.finish(), nil
}

// reader takes from a body whose size was checked.
type reader struct{ rest []byte }

// open checks everything but the contents of the body.
func open(data []byte, kind string) (header, *reader, error) {
	var h header
	bad := func(format string, args ...any) (header, *reader, error) {
		return h, nil, fmt.Errorf("%w: %w", ErrCorrupt, fmt.Errorf(format, args...))
	}
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 8 || len(data) > MaxBytes {
		return bad("it does not begin like one")
	}
	sum := binary.LittleEndian.Uint32(data[len(data)-4:])
	if got := crc32.Checksum(data[:len(data)-4], castagnoli); got != sum {
		return bad("its checksum is %08x, not %08x", got, sum)
	}
	n := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4 : len(rest)-4]
	if n > maxHeader || n > len(rest) {
		return bad("its header has %d bytes", n)
	}
	if err := json.Unmarshal(rest[:n], &h); err != nil {
		return bad("its header: %w", err)
	}
	if h.Kind != kind {
		return bad("it holds %q, not %q", h.Kind, kind)
	}
	if size, ok := h.body(); !ok || size != len(rest)-n {
		return bad("its header announces something else than its %d bytes", len(rest)-n)
	}
	return h, &reader{rest[n:]}, nil
}

func (r *reader) bytes(n int) []byte {
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) floats(n int) []float32 {
	if n == 0 {
		return nil
	}
	out := make([]float32, n)
	for i, raw := range split(r.bytes(4*n), 4) {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw))
	}
	return out
}

func (r *reader) matrix(shape [2]int) [][]float32 {
	if shape[0]*shape[1] == 0 {
		return nil
	}
	out := make([][]float32, shape[0])
	for i := range out {
		out[i] = r.floats(shape[1])
	}
	return out
}

func (r *reader) frames(n int, size Size) [][]byte {
	if n == 0 {
		return nil
	}
	return split(r.bytes(n*size.Bytes()), size.Bytes())
}

// split cuts data into pieces of n bytes.
func split(data []byte, n int) [][]byte {
	if n == 0 {
		return nil
	}
	out := make([][]byte, len(data)/n)
	for i := range out {
		out[i] = data[i*n : (i+1)*n : (i+1)*n]
	}
	return out
}

// decodeDecision reads the file of a decision; its image shares data's memory.
func decodeDecision(data []byte) (*Decision, error) {
	h, r, err := open(data, kindDecision)
	if err != nil {
		return nil, err
	}
	if h.Real > 1 || h.Reconstruction+h.Dream+h.Context != 0 || h.First != 0 || h.Rewards != 1 || h.Predicted != 1 {
		return nil, fmt.Errorf("%w: not the parts of a decision", ErrCorrupt)
	}
	d := &Decision{Counters: h.Counters, Number: h.Number, Size: h.Size}
	d.Image = r.bytes(h.Real * h.Size.Bytes())
	if len(d.Image) == 0 {
		d.Image = nil
	}
	d.Action, d.Scores = r.floats(h.Action), r.floats(h.Scores)
	d.Mean, d.Std = r.matrix(h.Mean), r.matrix(h.Std)
	d.Reward, d.Predicted = r.floats(1)[0], r.floats(1)[0]
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return d, nil
}

// decodeEpisode reads the file of an episode; its frames share data's memory.
func decodeEpisode(data []byte) (*Episode, error) {
	h, r, err := open(data, kindEpisode)
	if err != nil {
		return nil, err
	}
	if h.Action+h.Scores+h.Mean[0]+h.Mean[1]+h.Std[0]+h.Std[1] != 0 {
		return nil, fmt.Errorf("%w: not the parts of an episode", ErrCorrupt)
	}
	e := &Episode{Counters: h.Counters, Number: h.Number, First: h.First, Context: h.Context, Size: h.Size}
	e.Real, e.Reconstruction, e.Dream = r.frames(h.Real, h.Size), r.frames(h.Reconstruction, h.Size), r.frames(h.Dream, h.Size)
	e.Rewards, e.Predicted = r.floats(h.Rewards), r.floats(h.Predicted)
	if err := e.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return e, nil
}
