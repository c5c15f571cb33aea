package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// encoder is the program that writes MP4: no H.264 encoder exists in Go.
const encoder = "ffmpeg"

// WriteMP4 writes a video of H.264 by the program ffmpeg, which must be
// installed. Frames go to it through a pipe. The pixels are those that every
// player understands (yuv420p), at a quality where losses are hard to see; an
// odd width or height gets one more row or column. When ctx ends, so does the
// program.
func WriteMP4(ctx context.Context, w io.Writer, frames []*image.RGBA, delay time.Duration) (err error) {
	if err := alike(frames); err != nil {
		return err
	}
	// A player wants the index in front, for which ffmpeg goes back in its file.
	dir, err := os.MkdirTemp("", "orrery-film-")
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "film.mp4")
	if err := encode(ctx, path, frames, delay); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func encode(ctx context.Context, path string, frames []*image.RGBA, delay time.Duration) error {
	size := frames[0].Bounds().Size()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, encoder, "-hide_banner", "-loglevel", "error", "-nostdin",
		"-f", "rawvideo", "-pixel_format", "rgba", "-video_size", fmt.Sprintf("%dx%d", size.X, size.Y),
		"-framerate", fmt.Sprintf("1000000/%d", max(delay.Microseconds(), 1)), "-i", "pipe:0",
		"-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
	cmd.Stderr = &said
	cmd.Stdin = &frameReader{frames: frames}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("media: %s: %w: %s", encoder, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// frameReader reads the pixels of frames one after another.
type frameReader struct {
	frames []*image.RGBA
	row    int // of the first frame
	left   []byte
}

func (r *frameReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if len(r.frames) == 0 {
			return 0, io.EOF
		}
		f := r.frames[0]
		b := f.Bounds()
		r.left = f.Pix[f.PixOffset(b.Min.X, b.Min.Y+r.row):][:4*b.Dx()]
		if r.row++; r.row == b.Dy() {
			r.frames, r.row = r.frames[1:], 0
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}
