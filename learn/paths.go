package learn

import (
	"fmt"
	"path/filepath"
)

// EpisodePath is the file of training episode n, counted from 1, of the run in
// a directory.
func EpisodePath(dir string, n int64) string {
	return filepath.Join(dir, episodesDir, fmt.Sprintf("%06d.npz", n-1))
}
