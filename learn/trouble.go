package learn

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/gomlx/compute/dtypes"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

// badBatchPrefix begins the names of [BadBatchName].
const badBatchPrefix = "bad-batch-"

// BadBatchName is the file in a run's directory that keeps the batch of an update
// which was not finite.
func BadBatchName(update int64) string { return fmt.Sprintf("%s%012d.npz", badBatchPrefix, update) }

// inquest looks into why an update failed. Of one that was not finite it keeps
// the batch in the run's directory, which the error then names, and records the
// losses.
func (l *Learner) inquest(fs vfs.FS, dir string, record *metrics.Recorder, at metrics.Counters, s Stats, cause error) error {
	if !errors.Is(cause, ErrNonFinite) {
		return cause
	}
	values := map[string]float64{"grad/norm:1": s.GradNorm}
	for i, name := range l.model.LossNames() {
		values["loss/"+name+":nats"] = s.Losses[i]
	}
	if err := record.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: at, Values: values}); err != nil {
		cause = fmt.Errorf("%w; it could not be recorded: %w", cause, err)
	}
	path := filepath.Join(dir, BadBatchName(at.Updates))
	if err := vfs.WriteFileDurable(fs, path, l.writeBatch); err != nil {
		return fmt.Errorf("%w; its batch could not be kept: %w", cause, err)
	}
	return fmt.Errorf("%w; its batch is kept in %s", cause, path)
}

// writeBatch writes everything that an update learns from, noise included, under
// the names of the model's BatchInputs.
func (l *Learner) writeBatch(w io.Writer) error {
	var arrays []npz.Array
	for i, in := range l.model.BatchInputs(dtypes.Float32, l.batch.B, l.batch.L) {
		arrays = append(arrays, npz.Array{Name: in.Name, Dims: in.Shape.Dimensions, Data: l.data[i].Data})
	}
	return npz.Write(w, arrays)
}
