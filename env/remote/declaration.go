package remote

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/orrery-rl/orrery/env"
)

// Bounds on what a child may declare, far beyond what a model could take.
const (
	maxVector = 1 << 16
	maxAction = 1 << 12
)

// declaration is what a child says of itself.
type declaration struct {
	spec  env.Spec      // as the caller sees it
	drawn env.ImageSpec // as the child draws
}

// declare checks the answer to hello.
func declare(a answer, cfg Config) (declaration, error) {
	if a.Type != "spec" {
		return declaration{}, fmt.Errorf("%w: it answers \"hello\" with %q, want \"spec\"", errGarbage, a.Type)
	}
	if a.Protocol != Protocol {
		return declaration{}, fmt.Errorf("it speaks version %d of the protocol, want %d", a.Protocol, Protocol)
	}
	d := declaration{}
	var err error
	if d.drawn, err = imageSpec(a.Image); err != nil {
		return declaration{}, err
	}
	if len(a.Vector) > maxVector || len(a.Action.Low) > maxAction {
		return declaration{}, fmt.Errorf("%w: a vector of %d and actions of %d components, at most %d and %d are allowed",
			env.ErrSpec, len(a.Vector), len(a.Action.Low), maxVector, maxAction)
	}
	d.spec = env.Spec{
		Name: cfg.Name, Image: d.drawn, VectorSize: len(a.Vector), VectorNames: a.Vector,
		Action:       env.ActionSpec{Size: len(a.Action.Low), Low: a.Action.Low, High: a.Action.High},
		ActionRepeat: 1, MaxEnvSteps: a.MaxSteps,
	}
	if cfg.Name == "" {
		d.spec.Name = a.Name
	}
	if cfg.Height > 0 && d.drawn != (env.ImageSpec{}) {
		d.spec.Image.Height, d.spec.Image.Width = cfg.Height, cfg.Width
	}
	return d, d.spec.Validate()
}

// imageSpec reads [height, width, channels]; empty means no image.
func imageSpec(shape []int) (env.ImageSpec, error) {
	if len(shape) == 0 {
		return env.ImageSpec{}, nil
	}
	bad := len(shape) != 3
	for _, n := range shape {
		bad = bad || n < 1 || n > env.MaxImageSize
	}
	if bad || shape[0]*shape[1]*shape[2] > MaxPayload/2 {
		return env.ImageSpec{}, fmt.Errorf("%w: its image is %v, want [height, width, channels] of at most %d bytes", env.ErrSpec, shape, MaxPayload/2)
	}
	return env.ImageSpec{Height: shape[0], Width: shape[1], Channels: shape[2]}, nil
}

// differs returns an error if other is another environment.
func (d declaration) differs(other declaration) error {
	if !reflect.DeepEqual(d, other) {
		return fmt.Errorf("%w: it declared %+v, and %+v after it was started again", env.ErrSpec, d.spec, other.spec)
	}
	return nil
}

func (d declaration) scaled() bool { return d.drawn != d.spec.Image }

// size is the number of bytes of the payload of a state.
func (d declaration) size() int { return d.drawn.Size() + 4*d.spec.VectorSize }

// decode reads the payload of a state: the image, then the vector as float32.
// The image aliases payload unless it is scaled.
func (d declaration) decode(payload []byte) (env.Observation, error) {
	if len(payload) != d.size() {
		return env.Observation{}, fmt.Errorf("%w: a state of %d bytes, want %d of image %v and %d of vector",
			errGarbage, len(payload), d.drawn.Size(), d.drawn, 4*d.spec.VectorSize)
	}
	n := d.drawn.Size()
	obs := env.Observation{Image: payload[:n:n]}
	if d.scaled() {
		obs.Image = scale(obs.Image, d.drawn, d.spec.Image)
	}
	for at := n; at < len(payload); at += 4 {
		obs.Vector = append(obs.Vector, math.Float32frombits(binary.LittleEndian.Uint32(payload[at:])))
	}
	return obs, d.spec.CheckObservation(obs)
}
