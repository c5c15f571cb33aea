package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/format/safetensors"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
)

// FuzzSnapshotHeader puts any text into the place of a snapshot's header, under a
// checksum that fits: what is behind the checksum must not be trusted either. A
// snapshot that is loaded can be saved and loaded again.
func FuzzSnapshotHeader(f *testing.F) {
	mem := vfstest.NewMem()
	s := &Snapshot{Counters: Counters{Updates: 3, Episodes: 2}, Params: []Tensor{{Name: "x", Dims: []int{2}, Data: []float32{1, 2}}}, ReplayEpisodes: 2}
	if err := Save(context.Background(), mem, "s", s); err != nil {
		f.Fatal(err)
	}
	name := filepath.Join("s", snapshotName(s.Counters))
	data, err := vfs.ReadFile(mem, name, 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	file, err := safetensors.Read(data)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file.Metadata[keyHeader])
	f.Add(strings.Replace(file.Metadata[keyHeader], `"replay_episodes":2`, `"replay_episodes":-1`, 1))
	f.Add(`{"counters":{"updates":-3},"tensors":[{"name":"params/x"},{"name":"params/x"}],"replay_episodes":-1}`)
	f.Fuzz(func(t *testing.T, header string) {
		meta := map[string]string{keyFormat: snapshotKind, keyVersion: formatVersion, keyHeader: header}
		meta[keyHeaderSHA256] = headerSum(meta)
		var buf bytes.Buffer
		if err := safetensors.Write(&buf, file.Tensors, meta); err != nil {
			return // no valid text
		}
		disk := vfstest.NewMem()
		err := vfs.MakeDirDurable(disk, "s")
		if err == nil {
			err = write(disk, name, buf.Bytes())
		}
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := LoadLatest(t.Context(), disk, "s")
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v does not match ErrCorrupt", err)
			}
			return
		}
		if got.Counters.Updates != 3 || got.Counters.Episodes != 2 || got.ReplayEpisodes < 0 {
			t.Fatalf("%+v is loaded from %s", got, name)
		}
		if err := Save(t.Context(), disk, "again", got); err != nil {
			t.Fatalf("it cannot be saved: %v", err)
		}
		if _, _, err := LoadLatest(t.Context(), disk, "again"); err != nil {
			t.Fatalf("it cannot be loaded again: %v", err)
		}
	})
}

func write(fsys vfs.FS, path string, data []byte) error {
	f, err := fsys.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
