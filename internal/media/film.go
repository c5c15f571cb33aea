package media

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrFormat marks a film that cannot be written in the format asked for.
var ErrFormat = errors.New("media: film format")

// Format is how a film is written.
type Format string

// The formats of films.
const (
	GIF  Format = "gif"
	APNG Format = "apng"
	MP4  Format = "mp4"
)

// FormatOf tells the format by the ending of a file's name, and refuses one that
// cannot be written here.
func FormatOf(path string) (Format, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".gif":
		return GIF, nil
	case ".png", ".apng":
		return APNG, nil
	case ".mp4":
		if _, err := exec.LookPath(encoder); err != nil {
			return "", fmt.Errorf("%w: %s: MP4 takes the program ffmpeg, which is not installed (apt-get install ffmpeg); .gif and .png need nothing", ErrFormat, path)
		}
		return MP4, nil
	default:
		return "", fmt.Errorf("%w: %s ends in %q; choose .gif, .png or .apng (animated, lossless), or .mp4", ErrFormat, path, ending)
	}
}

// MIME is the format's media type.
func (f Format) MIME() string {
	return map[Format]string{GIF: "image/gif", APNG: "image/png", MP4: "video/mp4"}[f]
}

// Write writes the frames, each shown for delay, as an endless animation or a
// video.
func (f Format) Write(ctx context.Context, w io.Writer, frames []*image.RGBA, delay time.Duration) error {
	switch f {
	case GIF:
		return WriteGIF(w, frames, delay)
	case APNG:
		return WriteAPNG(w, frames, delay)
	case MP4:
		return WriteMP4(ctx, w, frames, delay)
	}
	return fmt.Errorf("%w: %q", ErrFormat, f)
}
