package live

import (
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/metrics"
)

// The largest that may be shown; what is larger is refused by writers and by
// readers before they reserve memory for it.
const (
	// MaxFrame is the number of bytes of one image.
	MaxFrame = 1 << 20
	// MaxFrames is the number of frames of an episode.
	MaxFrames = 1024
	// MaxScores is the number of candidates.
	MaxScores = 1 << 16
	// MaxProposal is the number of decisions in a plan times the action's size.
	MaxProposal = 1 << 14
	// MaxAction is the number of components of an action.
	MaxAction = 1 << 10
	// MaxBytes is the size of a file.
	MaxBytes = 64 << 20
)

// ErrInvalid is matched by the error about something that cannot be shown.
var ErrInvalid = errors.New("live: invalid")

// Sink is shown what a run does. Its methods return at once, never fail a run,
// and keep nothing of what they are given; they may be called by several
// goroutines. [Discard] ignores everything.
type Sink interface {
	// WantsDecision reports whether a decision shown now would be used, so that a
	// run can save the work of preparing one.
	WantsDecision() bool
	// ShowDecision shows the decision that was just made.
	ShowDecision(Decision)
	// WantsEpisode reports whether an episode shown now would be used.
	WantsEpisode() bool
	// ShowEpisode shows a piece of an episode and what the model makes of it.
	ShowEpisode(Episode)
	// Close ends showing. What was shown before is not lost.
	Close() error
}

// Discard is the sink that ignores everything and wants nothing.
type Discard struct{}

// WantsDecision implements Sink.
func (Discard) WantsDecision() bool { return false }

// ShowDecision implements Sink.
func (Discard) ShowDecision(Decision) {}

// WantsEpisode implements Sink.
func (Discard) WantsEpisode() bool { return false }

// ShowEpisode implements Sink.
func (Discard) ShowEpisode(Episode) {}

// Close implements Sink.
func (Discard) Close() error { return nil }

// Size is that of an image, whose bytes are in the order [Height][Width][Channels].
// Channels is 1 or 3. All three are 0 where there are no images.
type Size struct {
	Height   int `json:"height"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

// Bytes is the number of bytes of an image.
func (s Size) Bytes() int { return s.Height * s.Width * s.Channels }

// MostFrames is how many frames of this size an episode has at most.
func (s Size) MostFrames() int { return min(MaxFrames, MaxBytes/6/max(1, s.Bytes())) }

func (s Size) validate() error {
	if s == (Size{}) {
		return nil
	}
	if s.Height < 1 || s.Width < 1 || s.Height > MaxFrame || s.Width > MaxFrame || s.Channels != 1 && s.Channels != 3 || s.Bytes() > MaxFrame {
		return fmt.Errorf("%w: images of %d x %d pixels and %d channels; they must have 1 or 3 channels and at most %d bytes", ErrInvalid, s.Height, s.Width, s.Channels, MaxFrame)
	}
	return nil
}

// Decision is one choice of an action in training.
type Decision struct {
	// Counters are those of the run before the episode that is being played.
	Counters metrics.Counters
	// Number counts the decisions of the episode, from 0.
	Number int64
	// Image is what the agent saw when it chose; empty if it sees none.
	Size  Size
	Image []byte
	// Action is what was executed, exploration noise included, and Reward what it
	// earned.
	Action []float32
	Reward float32
	// Scores are the predicted sums of rewards of the candidates of the last
	// iteration, [J] in any order; empty where nothing was searched.
	Scores []float32
	// Mean and Std are the final proposal, [H][A]; empty where there is none. For
	// discrete actions Mean are probabilities and Std is empty.
	Mean, Std [][]float32
	// Predicted is the score of the plan that was followed: the highest of Scores
	// or the mean of the elites.
	Predicted float32
}

// Episode is a piece of an episode, beside two predictions of the model.
type Episode struct {
	// Counters are those of the run after the episode.
	Counters metrics.Counters
	// Number is the episode's, from 0.
	Number int64
	// First is the number of the first record shown, counted from the reset.
	First int64
	Size  Size
	// Real are the frames that were seen, Reconstruction what the model draws of
	// each when it has seen all up to it, and Dream what it draws after Context
	// frames from the actions alone; before that Dream equals Reconstruction.
	// Each is [T] images; Reconstruction or Dream may be nil.
	Real, Reconstruction, Dream [][]byte
	// Context is the number of frames that the dream has seen.
	Context int
	// Rewards and Predicted are [T]: received with a frame, and predicted by the
	// dream; Predicted may be nil.
	Rewards, Predicted []float32
}

// Validate reports sizes that contradict each other or are too large; the error
// matches [ErrInvalid].
func (d *Decision) Validate() error {
	if err := d.Size.validate(); err != nil {
		return err
	}
	if len(d.Image) != d.Size.Bytes() {
		return fmt.Errorf("%w: an image of %d bytes where %d x %d x %d were announced", ErrInvalid, len(d.Image), d.Size.Height, d.Size.Width, d.Size.Channels)
	}
	if len(d.Action) > MaxAction || len(d.Scores) > MaxScores {
		return fmt.Errorf("%w: %d components of an action and %d scores; the limits are %d and %d", ErrInvalid, len(d.Action), len(d.Scores), MaxAction, MaxScores)
	}
	if d.Number < 0 {
		return fmt.Errorf("%w: decision %d", ErrInvalid, d.Number)
	}
	return d.validateProposal()
}

func (d *Decision) validateProposal() error {
	h, a, err := extent("mean", d.Mean)
	if err != nil {
		return err
	}
	hs, as, err := extent("std", d.Std)
	if err != nil {
		return err
	}
	if hs > 0 && (hs != h || as != a) {
		return fmt.Errorf("%w: a proposal with mean [%d %d] and std [%d %d]", ErrInvalid, h, a, hs, as)
	}
	return nil
}

// extent is the shape of a matrix, whose rows must have one length.
func extent(name string, m [][]float32) (rows, columns int, err error) {
	if len(m) == 0 {
		return 0, 0, nil
	}
	rows, columns = len(m), len(m[0])
	if columns < 1 || columns > MaxAction || rows > MaxProposal || rows*columns > MaxProposal {
		return 0, 0, fmt.Errorf("%w: proposal %s of shape [%d %d]; it needs at least 1 component and at most %d numbers", ErrInvalid, name, rows, columns, MaxProposal)
	}
	for i, row := range m {
		if len(row) != columns {
			return 0, 0, fmt.Errorf("%w: proposal %s has %d components at decision %d and %d at the first", ErrInvalid, name, len(row), i, columns)
		}
	}
	return rows, columns, nil
}

// Validate reports sizes that contradict each other or are too large; the error
// matches [ErrInvalid].
func (e *Episode) Validate() error {
	if err := e.Size.validate(); err != nil {
		return err
	}
	t := len(e.Real)
	switch {
	case e.Size == (Size{}):
		return fmt.Errorf("%w: an episode without images", ErrInvalid)
	case t < 1 || t > e.Size.MostFrames():
		return fmt.Errorf("%w: an episode of %d frames of %d bytes; it must have 1 to %d, and all of them at most %d bytes", ErrInvalid, t, e.Size.Bytes(), MaxFrames, MaxBytes/6)
	case e.Context < 0 || e.Context > t:
		return fmt.Errorf("%w: a context of %d of %d frames", ErrInvalid, e.Context, t)
	case e.Number < 0 || e.First < 0:
		return fmt.Errorf("%w: episode %d from record %d", ErrInvalid, e.Number, e.First)
	case len(e.Rewards) != t || e.Predicted != nil && len(e.Predicted) != t:
		return fmt.Errorf("%w: %d frames with %d rewards and %d predicted", ErrInvalid, t, len(e.Rewards), len(e.Predicted))
	}
	return e.validateFrames(t)
}

func (e *Episode) validateFrames(t int) error {
	for name, frames := range map[string][][]byte{"real": e.Real, "reconstruction": e.Reconstruction, "dream": e.Dream} {
		if frames != nil && len(frames) != t {
			return fmt.Errorf("%w: %d frames in %s and %d in real", ErrInvalid, len(frames), name, t)
		}
		for i, f := range frames {
			if len(f) != e.Size.Bytes() {
				return fmt.Errorf("%w: frame %d of %s has %d bytes, not %d", ErrInvalid, i, name, len(f), e.Size.Bytes())
			}
		}
	}
	return nil
}
