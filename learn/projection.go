package learn

import (
	"context"
	"path/filepath"
	"runtime/metrics"
)

// Projection is what a run will take, estimated from its sizes and its compiled
// graphs before anything is computed or written. All are bytes.
type Projection struct {
	// Graphs are intermediate results, which a graph keeps from its first execution
	// on; only our own CPU backend tells how many there are.
	Graphs int64
	// State is parameters and moments: kept, being replaced, and being saved.
	State int64
	// Batch is what an update learns from, and Acting what planning and the episodes
	// being played take.
	Batch, Acting int64
	// Replay is images in memory, and what is kept of each record beside them.
	Replay int64
	// Memory is the peak of the process: all of the above, the program itself, and
	// the garbage that Go lets grow before it collects, as much again with GOGC=100.
	Memory int64

	// Episodes, Snapshots and Events are files; Disk is what they take together
	// beyond what is there already.
	Episodes, Snapshots, Events, Disk int64
}

// programSize is what the process takes with no graph and no data, building the graphs
// included: 65 to 80 MiB, as the collector has it.
const programSize = 80 << 20

// eventSize is about the size of an event.
const eventSize = 1200

// project estimates what the run takes once its graphs are compiled.
func (r *Run) project() Projection {
	var p Projection
	if b, ok := r.Backend.(interface{ Memory() int64 }); ok {
		p.Graphs = b.Memory()
	}
	params := 4 * int64(r.Model.NumParams())
	p.State = 3 * params * 3
	for _, d := range r.learner.data {
		p.Batch += 4 * int64(len(d.Data))
	}
	p.Acting = r.CollectingMemory() + r.searchMemory(r.cfg.EvalEpisodes)
	spec, episodes := r.Env.Spec(), int64(r.cfg.Episodes)
	images := int64(spec.Decisions()+1) * int64(spec.Image.Size())
	p.Replay = min(episodes*images, max(r.ReplayMemory, images)) + episodes*(r.episodeSize()-images)
	live := p.Graphs + p.State + p.Batch + p.Acting + p.Replay
	p.Memory = programSize + live + live*garbagePercent()/100

	p.Episodes = int64(r.cfg.Episodes) * (r.episodeSize() + 1024)
	p.Snapshots = 3 * (3*params + 64<<10) // two are kept while the third is written
	updates := int64(r.cfg.Episodes-r.cfg.SeedEpisodes) * int64(r.cfg.UpdatesPerCollect)
	p.Events = eventSize * (2*int64(r.cfg.Episodes) + updates/int64(r.cfg.LogEvery))
	p.Disk = max(0, p.Episodes+p.Snapshots+p.Events-r.written())
	return p
}

// garbagePercent is GOGC: how much of the live memory may be garbage.
func garbagePercent() int64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 || sample[0].Value.Uint64() > 1000 {
		return 100 // switched off; a limit then stands for it
	}
	return int64(sample[0].Value.Uint64())
}

// written is the size of the files that the run has already.
func (r *Run) written() (total int64) {
	for _, name := range []string{episodesDir, snapshotsDir} {
		entries, err := r.FS.ReadDir(filepath.Join(r.Dir, name))
		if err != nil {
			continue // not there yet
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
	}
	return total
}

// accept lets the owner of the run refuse what it will take.
func (r *Run) accept(context.Context) error {
	if r.Accept == nil {
		return nil
	}
	return r.Accept(r.project())
}
