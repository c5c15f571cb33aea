package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVideoFilmsTheEpisodesOfEval in every format.
func TestVideoFilmsTheEpisodesOfEval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--quiet")...)
	var report evalReport
	if err := json.Unmarshal([]byte(must(t, "eval", dir, "-n", "2", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "video.gif")
	out := must(t, "video", dir, "-n", "2", "--size", "48", "-o", file)
	for i, r := range report.Returns {
		if want := fmt.Sprintf("episode %d returned %.1f\n", i+1, r); !strings.Contains(out, want) {
			t.Errorf("%q is missing from %s", want, out)
		}
	}
	if n := decodeGIF(t, file); n < 20 {
		t.Errorf("%d frames", n)
	}
	file = filepath.Join(t.TempDir(), "video.png")
	must(t, "video", dir, "--size", "0", "-o", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if still, err := png.Decode(bytes.NewReader(data)); err != nil || still.Bounds().Dx() != 256 || !bytes.Contains(data, []byte("acTL")) {
		t.Errorf("the animated PNG: %v", err)
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: no MP4; CI installs it")
	}
	file = filepath.Join(t.TempDir(), "dream.mp4")
	must(t, "dream", dir, "--length", "10", "-o", file)
	if data, err := os.ReadFile(file); err != nil || !bytes.Contains(data[:16], []byte("ftyp")) {
		t.Errorf("the MP4: %v", err)
	}
}
