package env

import (
	"crypto/sha256"
	"encoding/binary"
)

// EpisodeSeed derives the seed of one episode from the seed of a run, the
// purpose of the episode ("train", "evaluate") and its number within that
// purpose. It is a pure function, so a resumed run, or another machine, gives
// episode 17 the same initial state as an uninterrupted one, and evaluation
// never replays an episode that was trained on.
func EpisodeSeed(run uint64, purpose string, episode int) uint64 {
	message := binary.LittleEndian.AppendUint64(nil, run)
	message = binary.LittleEndian.AppendUint64(message, uint64(episode))
	message = append(message, purpose...)
	sum := sha256.Sum256(message)
	return binary.LittleEndian.Uint64(sum[:8])
}
