package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// playAPNG is a decoder as the specification describes one: it checks the chunk
// checksums and sequence numbers, and returns what is on screen after each frame.
func playAPNG(t testing.TB, file []byte) (screens []*image.RGBA, delays []time.Duration) {
	t.Helper()
	if !bytes.HasPrefix(file, []byte(pngSignature)) {
		t.Fatal("no PNG signature")
	}
	type part struct {
		area  image.Rectangle
		delay time.Duration
		data  []byte
	}
	var header []byte
	var parts []part
	sequence, declared := uint32(0), uint32(0)
	count := func(body []byte) []byte {
		if got := binary.BigEndian.Uint32(body); got != sequence {
			t.Fatalf("sequence number %d, want %d", got, sequence)
		}
		sequence++
		return body[4:]
	}
	for rest := file[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		name, body := string(rest[4:8]), rest[8:8+n]
		if binary.BigEndian.Uint32(rest[8+n:]) != crc32.ChecksumIEEE(rest[4:8+n]) {
			t.Fatalf("checksum of %s", name)
		}
		rest = rest[12+n:]
		switch name {
		case "IHDR":
			header = body
		case "acTL":
			declared = binary.BigEndian.Uint32(body)
		case "fcTL":
			body = count(body)
			at := func(i int) int { return int(binary.BigEndian.Uint32(body[4*i:])) }
			p := part{area: image.Rect(at(2), at(3), at(2)+at(0), at(3)+at(1))}
			p.delay = time.Second * time.Duration(binary.BigEndian.Uint16(body[16:])) / time.Duration(binary.BigEndian.Uint16(body[18:]))
			if body[20] != 0 || body[21] != 0 {
				t.Fatal("dispose or blend is not what we write")
			}
			parts = append(parts, p)
		case "IDAT":
			parts[len(parts)-1].data = append(parts[len(parts)-1].data, body...)
		case "fdAT":
			parts[len(parts)-1].data = append(parts[len(parts)-1].data, count(body)...)
		}
	}
	if int(declared) != len(parts) {
		t.Fatalf("%d frames declared, %d there", declared, len(parts))
	}
	screen := image.NewRGBA(image.Rect(0, 0, int(binary.BigEndian.Uint32(header)), int(binary.BigEndian.Uint32(header[4:]))))
	for i, p := range parts {
		if i == 0 && p.area != screen.Bounds() || !p.area.In(screen.Bounds()) {
			t.Fatalf("frame %d covers %v of %v", i, p.area, screen.Bounds())
		}
		var one bytes.Buffer
		a := apng{w: &one}
		a.raw([]byte(pngSignature))
		own := bytes.Clone(header)
		binary.BigEndian.PutUint32(own, uint32(p.area.Dx()))
		binary.BigEndian.PutUint32(own[4:], uint32(p.area.Dy()))
		a.chunk("IHDR", own)
		a.chunk("IDAT", p.data)
		a.chunk("IEND", nil)
		img, err := png.Decode(&one)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		draw.Draw(screen, p.area, img, img.Bounds().Min, draw.Src)
		copied := *screen
		copied.Pix = bytes.Clone(screen.Pix)
		screens, delays = append(screens, &copied), append(delays, p.delay)
	}
	return screens, delays
}

// TestAPNGLosesNothing for any frames, of which some change little or nothing.
func TestAPNGLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(1, 12).Draw(rt, "width"), rapid.IntRange(1, 12).Draw(rt, "height")
		var frames []*image.RGBA
		last := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(last, last.Bounds(), image.Black, image.Point{}, draw.Src)
		for range rapid.IntRange(1, 6).Draw(rt, "frames") {
			next := image.NewRGBA(last.Bounds())
			copy(next.Pix, last.Pix)
			for range rapid.IntRange(0, 5).Draw(rt, "changes") {
				c := rapid.Uint32().Draw(rt, "colour")
				next.SetRGBA(rapid.IntRange(0, w-1).Draw(rt, "x"), rapid.IntRange(0, h-1).Draw(rt, "y"), color.RGBA{byte(c), byte(c >> 8), byte(c >> 16), 255})
			}
			frames, last = append(frames, next), next
		}
		var buf bytes.Buffer
		if err := WriteAPNG(&buf, frames, 80*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		screens, delays := playAPNG(t, buf.Bytes())
		if len(screens) != len(frames) || delays[0] != 80*time.Millisecond {
			t.Fatalf("%d frames of %v, want %d", len(screens), delays, len(frames))
		}
		for i := range frames {
			if !bytes.Equal(screens[i].Pix, frames[i].Pix) {
				t.Fatalf("frame %d differs", i)
			}
		}
		if still, err := png.Decode(&buf); err != nil || still.Bounds() != frames[0].Bounds() {
			t.Fatalf("an ordinary reader: %v", err)
		}
	})
}

func TestFramesMustBeAlike(t *testing.T) {
	opaque := func(w, h int) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
		return img
	}
	for name, frames := range map[string][]*image.RGBA{
		"sizes":        {opaque(2, 2), opaque(2, 3)},
		"transparency": {opaque(2, 2), image.NewRGBA(image.Rect(0, 0, 2, 2))},
		"emptiness":    {image.NewRGBA(image.Rectangle{})},
	} {
		if err := WriteAPNG(io.Discard, frames, time.Second); !errors.Is(err, ErrFrames) {
			t.Errorf("%s: %v", name, err)
		}
		if err := WriteMP4(t.Context(), io.Discard, frames, time.Second); !errors.Is(err, ErrFrames) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteAPNG(io.Discard, nil, time.Second); !errors.Is(err, ErrNoFrames) {
		t.Errorf("no frames: %v", err)
	}
	if err := WriteAPNG(&full{}, []*image.RGBA{opaque(2, 2)}, time.Second); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFormatFollowsTheName(t *testing.T) {
	for name, want := range map[string]Format{"a.gif": GIF, "b.PNG": APNG, "c.apng": APNG} {
		if got, err := FormatOf(name); got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := FormatOf("film.avi"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), ".mp4") {
		t.Errorf("error %v does not say what there is", err)
	}
	t.Setenv("PATH", "")
	if _, err := FormatOf("film.mp4"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("error %v does not say how to get ffmpeg", err)
	}
}

// moving is a film of a square that moves, in odd sizes.
func moving(n int) []*image.RGBA {
	var frames []*image.RGBA
	for i := range n {
		img := image.NewRGBA(image.Rect(0, 0, 65, 33))
		draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{20, 40, 90, 255}), image.Point{}, draw.Src)
		draw.Draw(img, image.Rect(i, 8, i+16, 24), image.NewUniform(color.RGBA{250, 160, 60, 255}), image.Point{}, draw.Src)
		frames = append(frames, img)
	}
	return frames
}

func TestMP4IsWhatFFprobeSays(t *testing.T) {
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed; CI installs ffmpeg", program)
		}
	}
	path := filepath.Join(t.TempDir(), "film.mp4")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(WriteMP4(t.Context(), f, moving(30), 40*time.Millisecond), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var probed struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Pixels string `json:"pix_fmt"`
			Rate   string `json:"r_frame_rate"`
			Frames string `json:"nb_read_frames"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &probed); err != nil || len(probed.Streams) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	if s := probed.Streams[0]; s.Codec != "h264" || s.Pixels != "yuv420p" || s.Rate != "25/1" || s.Frames != "30" || s.Width != 66 || s.Height != 34 {
		t.Errorf("%+v", s)
	}
}

func TestMP4ReportsWhatTheProgramSays(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\ncat >/dev/null\necho 'Unknown encoder libx264' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	if _, err := exec.LookPath("cat"); err != nil {
		t.Skip("no sh to stand in for ffmpeg; CI runs on Linux")
	}
	if err := WriteMP4(t.Context(), io.Discard, moving(2), time.Second); err == nil || !strings.Contains(err.Error(), "Unknown encoder") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := WriteMP4(ctx, io.Discard, moving(2), time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
