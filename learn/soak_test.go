package learn

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// The soak's sizes: as many frames as four hundred episodes of cartpole, of which
// the replay may keep a twentieth in memory.
const (
	soakFrames  = 100_000
	soakRecords = 251
	soakBudget  = 64 << 20
	soakUpdates = 10 // for each episode
)

// soakPoint is how much memory the process uses at some moment, in MiB.
type soakPoint struct{ frames, rss, replay float64 }

// TestMemoryStaysFlatOver100kFrames stores 100,000 frames of 64x64 pixels and
// makes 4000 updates of a tiny model from them, and demands that the process is
// no larger at the end than after a quarter of that. It takes minutes and 1.2 GB
// of disk:
//
//	ORRERY_SOAK=results/soak go test ./learn -run 100kFrames -v -timeout 1h
//
// The folder receives memory.csv and memory.svg.
func TestMemoryStaysFlatOver100kFrames(t *testing.T) {
	out := os.Getenv("ORRERY_SOAK")
	if out == "" {
		t.Skip("takes minutes and 1.2 GB of disk: set ORRERY_SOAK to a folder for its results; by hand, not in CI: see results/soak")
	}
	points := soak(t)
	writeSoak(t, out, points)
	quarter, end := points[len(points)/4], points[len(points)-1]
	t.Logf("%.0f MiB after %.0f frames, %.0f MiB after %.0f", quarter.rss, quarter.frames, end.rss, end.frames)
	if end.rss > 1.05*quarter.rss+4 {
		t.Errorf("the process grew from %.1f to %.1f MiB", quarter.rss, end.rss)
	}
}

func soak(t *testing.T) (points []soakPoint) {
	const batch, length = 4, 8
	schema := replay.Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1}
	store, err := replay.Open(context.Background(), vfs.OS(), t.TempDir(), schema, replay.Config{MemoryBudget: soakBudget}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sampler, err := replay.NewSampler(store, rng.New(1, "soak"), replay.SamplerConfig{BatchSize: batch, ChunkLength: length, BitDepth: 5})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	model, err := worldmodel.New(cfg, worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	learner := newLearner(t, newBackend(t), model, optim.DefaultConfig(), batch, length)
	random := rand.New(rand.NewPCG(1, 1))
	for update := int64(0); store.Records() < soakFrames; {
		if _, err := store.Append(context.Background(), noise(random, schema)); err != nil {
			t.Fatal(err)
		}
		for range soakUpdates {
			update++
			rng.New(uint64(update), "noise").FillNormal(learner.Noise())
			if err := sampler.Sample(context.Background(), learner.Batch()); err != nil {
				t.Fatal(err)
			}
			if _, err := learner.Update(context.Background(), update); err != nil {
				t.Fatal(err)
			}
		}
		if store.Episodes()%4 == 0 {
			points = append(points, soakPoint{float64(store.Records()), residentMiB(t), float64(store.Memory()) / (1 << 20)})
		}
	}
	return points
}

// noise is an episode of random pixels.
func noise(random *rand.Rand, s replay.Schema) *replay.Episode {
	e := &replay.Episode{
		Images: make([]byte, soakRecords*s.ImageSize()), Actions: make([]float32, soakRecords),
		Rewards: make([]float32, soakRecords), Continues: make([]float32, soakRecords),
	}
	for i := range e.Images {
		e.Images[i] = byte(random.Uint32()) &^ 7
	}
	for i := range e.Rewards {
		e.Continues[i] = 1
		if i > 0 {
			e.Actions[i], e.Rewards[i] = random.Float32(), random.Float32()
		}
	}
	return e
}

// residentMiB is what Linux says that this process occupies.
func residentMiB(t *testing.T) float64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("only Linux, on which CI runs, says how much memory a process occupies: ", err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

func writeSoak(t *testing.T, dir string, points []soakPoint) {
	t.Helper()
	csv := bytes.NewBufferString("frames,process_mib,replay_images_mib\n")
	process, images := plotsvg.Series{Name: "process"}, plotsvg.Series{Name: "images kept by the replay"}
	for _, p := range points {
		fmt.Fprintf(csv, "%.0f,%.2f,%.2f\n", p.frames, p.rss, p.replay)
		for _, s := range []*plotsvg.Series{&process, &images} {
			s.X = append(s.X, p.frames)
		}
		process.Y, images.Y = append(process.Y, p.rss), append(images.Y, p.replay)
	}
	var svg bytes.Buffer
	plot := plotsvg.Plot{Title: "Memory over 100,000 frames and 4000 updates", XLabel: "frames", YLabel: "MiB", Series: []plotsvg.Series{process, images}, ZeroY: true}
	if err := plot.Write(&svg); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"memory.csv": csv.Bytes(), "memory.svg": svg.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
