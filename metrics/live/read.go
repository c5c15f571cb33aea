package live

import (
	"fmt"
	"path/filepath"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Names in a run's directory.
const (
	// DirName is the directory of what is shown, in that of the run.
	DirName      = "live"
	decisionName = "decision.bin"
	episodeName  = "episode.bin"
)

// DecisionPath and EpisodePath are where the run in a directory shows its last
// decision and the last episode; either may be missing.
func DecisionPath(run string) string { return filepath.Join(run, DirName, decisionName) }

// EpisodePath is the file of the last episode shown; see [DecisionPath].
func EpisodePath(run string) string { return filepath.Join(run, DirName, episodeName) }

// ReadDecision reads what the run in a directory last decided. The file is not
// trusted: whatever is wrong with it gives an error that matches [ErrCorrupt],
// and one that is missing matches fs.ErrNotExist.
func ReadDecision(fsys vfs.FS, run string) (*Decision, error) {
	return read(fsys, DecisionPath(run), decodeDecision)
}

// ReadEpisode reads the episode that the run in a directory showed last, as
// [ReadDecision] does.
func ReadEpisode(fsys vfs.FS, run string) (*Episode, error) {
	return read(fsys, EpisodePath(run), decodeEpisode)
}

func read[T any](fsys vfs.FS, path string, decode func([]byte) (*T, error)) (*T, error) {
	data, err := vfs.ReadFile(fsys, path, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	out, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}
