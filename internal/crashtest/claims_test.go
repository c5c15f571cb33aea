package crashtest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/format/pickle"
	"github.com/orrery-rl/orrery/internal/format/safetensors"
	"github.com/orrery-rl/orrery/internal/format/torchfile"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/replay"
)

const gib = 1 << 30

// hostile are files of about a kilobyte that claim far more, by the reader they
// are for. Each must be refused.
func hostile(t *testing.T) map[string]map[string][]byte {
	t.Helper()
	return map[string]map[string][]byte{
		"safetensors": safetensorsClaims(),
		"npz": {
			"an array of a GiB":           zipClaim(t, "image.npy", zip.Store, npy("|u1", "(1073741824,)"), gib),
			"a compressed array of a GiB": zipClaim(t, "image.npy", zip.Deflate, npy("|u1", "(1073741824,)"), gib),
			"no claim but a shape":        zipClaim(t, "image.npy", zip.Store, npy("<f4", "(1073741824,)"), 0),
			"a shape that overflows":      zipClaim(t, "image.npy", zip.Store, npy("<f4", "(4294967296, 4294967296, 2)"), 0),
			"a negative shape":            zipClaim(t, "image.npy", zip.Store, npy("<f4", "(-4,)"), 0),
			"a header of 64 KiB":          zipClaim(t, "image.npy", zip.Store, "\x93NUMPY\x01\x00\xff\xff", 0),
		},
		"torch": {
			"a pickle of a GiB":            zipClaim(t, "m/data.pkl", zip.Store, "\x80\x02}.", gib),
			"a compressed pickle of a GiB": zipClaim(t, "m/data.pkl", zip.Deflate, "\x80\x02}.", gib),
		},
		"pickle": {
			"a string of a GiB":         []byte("\x80\x04X\x00\x00\x00\x40"),
			"a string of 2^63 bytes":    []byte("\x80\x04\x8d\x00\x00\x00\x00\x00\x00\x00\x80"),
			"bytes of a GiB":            []byte("\x80\x04B\x00\x00\x00\x40"),
			"a number of a GiB":         []byte("\x80\x04\x8b\x00\x00\x00\x40"),
			"a number of negative size": []byte("\x80\x04\x8b\x00\x00\x00\x80"),
			"a frame of a GiB":          []byte("\x80\x04\x95\x00\x00\x00\x40\x00\x00\x00\x00"),
			"a memory of 2^32":          []byte("\x80\x04j\xff\xff\xff\xff"),
			"lists in lists":            append([]byte("\x80\x04"), bytes.Repeat([]byte("(]"), 2000)...),
		},
		"events": {
			"deep nesting":                []byte(`{"kind":"run","values":` + strings.Repeat(`{"a":`, 20000) + "\n"),
			"a counter too large":         []byte(`{"kind":"run","updates":9223372036854775808}` + "\n"),
			"a counter that is no number": []byte(`{"kind":"run","updates":NaN}` + "\n"),
		},
		"config": {
			"references that double": []byte(yamlBomb()),
			"deep nesting":           []byte("model: " + strings.Repeat("[", 20000)),
			"a duplicate name":       []byte("seed: 1\nseed: 2\n"),
		},
		"live": {
			"an image of a GiB": liveClaim(t, gib),
			"negative":          liveClaim(t, 0xffffffff),
		},
	}
}

// readers read what is given to them as a file, with everything that it holds.
var readers = map[string]func(data []byte) error{
	"safetensors": func(data []byte) error {
		if f, err := safetensors.Open(bytes.NewReader(data), int64(len(data))); err == nil {
			for _, e := range f.Entries {
				if _, err := f.Read(e.Name); err != nil {
					return err
				}
			}
			return nil
		}
		if _, err := safetensors.Read(data); err == nil {
			return nil
		}
		_, err := checkpoint.ReadWeights(bytes.NewReader(data))
		return err
	},
	"npz": func(data []byte) error {
		mem := vfstest.NewMem()
		if err := put(mem, "e.npz", data); err != nil {
			return nil // which fails the test
		}
		if _, err := replay.ReadFile(mem, "e.npz", replay.Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1}); err == nil {
			return nil
		}
		_, err := npz.Read(bytes.NewReader(data), int64(len(data)), 2*gib)
		return err
	},
	"torch": func(data []byte) error {
		_, err := torchfile.Open(bytes.NewReader(data), int64(len(data)))
		return err
	},
	"pickle": func(data []byte) error {
		_, err := pickle.Decode(data, nil)
		return err
	},
	"events": func(data []byte) error {
		for _, err := range metrics.Read(bytes.NewReader(data)) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"config": func(data []byte) error {
		layer, err := config.ReadLayer("hostile", bytes.NewReader(data))
		if err != nil {
			return err
		}
		_, err = config.Compose("tiny", layer)
		return err
	},
	"live": func(data []byte) error {
		mem := vfstest.NewMem()
		if err := put(mem, live.EpisodePath("run"), data); err != nil {
			return nil
		}
		_, err := live.ReadEpisode(mem, "run")
		return err
	},
}

// TestClaimsCostNoMemory: a small file that claims to be large is refused before
// memory is taken for what it claims.
func TestClaimsCostNoMemory(t *testing.T) {
	const most = 8 << 20 // a reader of lines takes one at once
	for kind, files := range hostile(t) {
		for claim, data := range files {
			t.Run(kind+": "+claim, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := readers[kind](data)
				runtime.ReadMemStats(&after)
				if err == nil {
					t.Fatal("it was accepted")
				}
				if spent := after.TotalAlloc - before.TotalAlloc; spent > most {
					t.Errorf("%d bytes cost %d bytes of memory (%v)", len(data), spent, err)
				}
				if len(err.Error()) > 4000 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			})
		}
	}
}

// TestZipBombsCostNothing: a file of 260 kB that really holds 256 MiB of zeros is
// refused by who wants less, or another shape, before any of it is unpacked.
func TestZipBombsCostNothing(t *testing.T) {
	const size = 256 << 20
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create("image.npy")
	if err != nil {
		t.Fatal(err)
	}
	head, zeros := npy("|u1", "(268435456,)"), make([]byte, 1<<20)
	if _, err := w.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	for range size / len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	disk := onDisk(t, buf.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, limited := npz.Read(bytes.NewReader(buf.Bytes()), int64(buf.Len()), 64<<20)
	_, other := replay.ReadFile(disk, "e.npz", replay.Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1})
	runtime.ReadMemStats(&after)
	if limited == nil || other == nil {
		t.Errorf("accepted: %v, %v", limited, other)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 {
		t.Errorf("%d bytes on disk cost %d bytes of memory", buf.Len(), spent)
	}
}

func onDisk(t *testing.T, data []byte) vfs.FS {
	t.Helper()
	mem := vfstest.NewMem()
	if err := put(mem, "e.npz", data); err != nil {
		t.Fatal(err)
	}
	return mem
}

// put writes a file that nothing refers to yet.
func put(mem *vfstest.Mem, path string, data []byte) error {
	if err := mem.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := mem.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Close()
}

func safetensorsClaims() map[string][]byte {
	out := map[string][]byte{}
	for name, header := range map[string]string{
		"a tensor of a GiB":         `{"x":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}}`,
		"a shape that overflows":    `{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`,
		"a negative shape":          `{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}`,
		"two negative dimensions":   `{"x":{"dtype":"F32","shape":[-2,-2],"data_offsets":[0,16]}}`,
		"negative offsets":          `{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`,
		"offsets the wrong way":     `{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`,
		"offsets that overflow":     `{"x":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775807,-9223372036854775805]}}`,
		"a tensor twice":            `{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`,
		"a shape twice":             `{"x":{"dtype":"F32","shape":[1],"shape":[0],"data_offsets":[0,0]}}`,
		"metadata twice":            `{"__metadata__":{"a":"1","a":"2"}}`,
		"a shape that is no number": `{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,0]}}`,
		"a broken number":           `{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`,
		"deep nesting":              `{"x":` + strings.Repeat("[", 20000),
	} {
		out[name] = append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	}
	out["a header of a GiB"] = append(binary.LittleEndian.AppendUint64(nil, gib), "{}"...)
	out["a header of 2^64 bytes"] = append(bytes.Repeat([]byte{255}, 8), "{}"...)
	return out
}

// npy is everything before an array's data.
func npy(dtype, shape string) string {
	text := "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape + ", }"
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(text)))) + text
}

// zipClaim is an archive of one entry that claims more bytes than it has.
func zipClaim(t *testing.T, name string, method uint16, content string, more uint64) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	stored := content
	if method == zip.Deflate { // one stored block, the last
		block := binary.LittleEndian.AppendUint16([]byte{1}, uint16(len(content)))
		stored = string(binary.LittleEndian.AppendUint16(block, ^uint16(len(content)))) + content
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: method, CompressedSize64: uint64(len(stored)), UncompressedSize64: uint64(len(content)) + more})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(stored)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// yamlBomb is a document whose references stand for 2^40 values.
func yamlBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return b.String() + "model: *a39\n"
}

// liveClaim is a live view whose header claims so many bytes.
func liveClaim(t *testing.T, size uint32) []byte {
	t.Helper()
	valid := vfstest.NewMem()
	d := live.NewDir(valid, "run", live.Config{})
	d.ShowEpisode(live.Episode{Size: live.Size{Height: 1, Width: 1, Channels: 1}, Real: [][]byte{{1}, {2}}, Dream: [][]byte{{1}, {2}}, Rewards: []float32{1, 2}, Context: 1})
	_ = d.Close()
	data, err := vfs.ReadFile(valid, live.EpisodePath("run"), 1<<20)
	if err != nil || len(data) < 16 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	at := bytes.IndexByte(data, '{') - 4 // the length of the JSON
	binary.LittleEndian.PutUint32(data[at:], size)
	return data
}

// TestIntactSnapshotsAreTheOnlyOnes damages the JSON of a snapshot under a valid
// checksum of the rest: what is not noticed there is noticed by its own.
func TestIntactSnapshotsAreTheOnlyOnes(t *testing.T) {
	mem := vfstest.NewMem()
	c := checkpoint.Counters{Updates: 3, Episodes: 2}
	s := &checkpoint.Snapshot{Counters: c, Params: []checkpoint.Tensor{{Name: "x", Dims: []int{1}, Data: []float32{1}}}}
	if err := checkpoint.Save(context.Background(), mem, "s", s); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("s", "000000000003-000000002.safetensors")
	data, err := vfs.ReadFile(mem, path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{`\"updates\":3`, `\"updates\":9`}, {`"params/x"`, `"params/y"`}, {`\"episodes\":2`, `\"episodes\":-`}} {
		broken := bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(broken, data) {
			t.Fatalf("%s is not there", change[0])
		}
		if err := mem.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := put(mem, path, broken); err != nil {
			t.Fatal(err)
		}
		if _, _, err := checkpoint.LoadLatest(context.Background(), mem, "s"); err == nil {
			t.Errorf("%s is taken for %s", change[1], change[0])
		}
	}
}
