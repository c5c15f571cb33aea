package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// tree is every file below a directory with its contents and time.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path] = info.ModTime().String() + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// threeFiles are episodes under names of their own, and something unfinished.
func threeFiles(t *testing.T) (dir string, files []string) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir, 1<<20)
	fill(t, s, 7, 8, 9)
	for i, name := range []string{"walk-a.npz", "b.npz", "c 3.npz"} {
		to := filepath.Join(dir, name)
		if err := os.Rename(filepath.Join(dir, episodeName(i)), to); err != nil {
			t.Fatal(err)
		}
		files = append(files, to)
	}
	if err := os.WriteFile(filepath.Join(dir, "000001.npz.tmp-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, files
}

// TestFilesAreOnlyRead: they are sampled like those of a directory, from disk if
// need be, and nothing is changed.
func TestFilesAreOnlyRead(t *testing.T) {
	dir, files := threeFiles(t)
	before := tree(t, dir)
	var seen []string
	s, err := OpenFiles(context.Background(), vfs.OS(), files, schema, Config{}, nil, func(path string, ep *Episode) error {
		seen = append(seen, fmt.Sprint(filepath.Base(path), " ", ep.Len()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, ", "); got != "walk-a.npz 8, b.npz 9, c 3.npz 10" || s.Episodes() != 3 || s.Records() != 27 {
		t.Errorf("visited %s: %d episodes, %d records", got, s.Episodes(), s.Records())
	}
	var b Batch
	sm := sampler(t, s, small)
	for range 20 {
		if err := sm.Sample(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		for i, id := range b.EpisodeIDs {
			if b.Vectors[i*b.L] != float32(id) {
				t.Fatalf("a chunk of episode %d shows the vector %v", id, b.Vectors[i*b.L])
			}
		}
	}
	_, err = s.Append(context.Background(), counter(0, 5, 1))
	if truncated := s.TruncateTo(context.Background(), 0); !errors.Is(err, ErrReadOnly) || !errors.Is(truncated, ErrReadOnly) {
		t.Errorf("append: %v, truncate: %v", err, truncated)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !maps.Equal(tree(t, dir), before) {
		t.Error("the directory has changed")
	}
}

// TestBadFilesAreRefusedByName, with the array and the shape that it should have.
func TestBadFilesAreRefusedByName(t *testing.T) {
	dir, files := threeFiles(t)
	var buf bytes.Buffer
	wide := Schema{Height: 2, Width: 4, Channels: 1, ActionSize: 1, VectorSize: 1}
	ep := counter(0, 2, 1)
	ep.Images = make([]byte, 3*wide.ImageSize())
	if err := ep.write(&buf, wide); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		files = append(files, filepath.Join(dir, fmt.Sprintf("wide%d.npz", i)))
		if err := os.WriteFile(files[len(files)-1], buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenFiles(context.Background(), vfs.OS(), files, schema, Config{}, nil, nil)
	if s != nil || !errors.Is(err, ErrCorrupt) {
		t.Fatalf("%v, %v", s, err)
	}
	for _, want := range []string{"wide0.npz", "wide4.npz", `array "image" has shape [3 2 4 1]`, "has [2 3 1]", "and 2 more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "wide5.npz") || strings.Contains(err.Error(), "walk-a") {
		t.Errorf("too much: %v", err)
	}
	refuse := func(path string, _ *Episode) error {
		if strings.Contains(path, "b.npz") {
			return fmt.Errorf("%s: %w: not today", path, ErrCorrupt)
		}
		return nil
	}
	if _, err := OpenFiles(context.Background(), vfs.OS(), files[:3], schema, Config{}, nil, refuse); err == nil || !strings.Contains(err.Error(), "b.npz: replay: damaged episode: not today") {
		t.Errorf("visit: %v", err)
	}
	if _, err := OpenFiles(context.Background(), vfs.OS(), []string{filepath.Join(dir, "gone.npz")}, schema, Config{}, nil, nil); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	dir, files := threeFiles(t)
	got, records, err := Describe(vfs.OS(), files[1])
	if got != schema || records != 9 || err != nil {
		t.Errorf("%+v, %d records, %v", got, records, err)
	}
	var buf bytes.Buffer
	if err := npz.Write(&buf, []npz.Array{{Name: "frames", Dims: []int{2, 3}, Data: make([]float32, 6)}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"foreign.npz": "it has frames [2 3]", "text.npz": "damaged"} {
		data := buf.Bytes()
		if name == "text.npz" {
			data = []byte("hello")
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Describe(vfs.OS(), path); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
