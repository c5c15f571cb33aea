package main

import (
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/room"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
)

// errDry ends a run that was only to say what it takes.
var errDry = errors.New("dry run")

// fits tells what a run will take, and refuses one that there is no room for.
func (o *trainOptions) fits(tell *progress) func(learn.Projection) error {
	return func(p learn.Projection) error {
		memory, what, knowsMemory := room.Memory()
		disk, knowsDisk := freeBelow(o.dir)
		tell.line("it takes about %s of memory%s and %s of disk%s", size(float64(p.Memory)), compared(memory, what, knowsMemory),
			size(float64(p.Disk)), compared(disk, "free", knowsDisk))
		if o.dryRun {
			return errDry
		}
		if o.force {
			return nil
		}
		if knowsMemory && p.Memory > memory {
			return fmt.Errorf("%w: the run takes about %s of memory (graphs %s, replay %s, batch %s, parameters %s, and as much again for garbage), but only %s are %s: "+
				"lower replay.memory_mib, learn.batch_size or plan.candidates, set GOGC=25, or give --force to try all the same",
				config.ErrInvalid, size(float64(p.Memory)), size(float64(p.Graphs)), size(float64(p.Replay)), size(float64(p.Batch)), size(float64(p.State)),
				size(float64(memory)), what)
		}
		if knowsDisk && p.Disk > disk {
			return fmt.Errorf("%w: the run writes about %s more to %s (episodes %s, snapshots %s), but only %s are free: free some space, choose another --run, "+
				"lower learn.episodes, or give --force to go on until the disk is full", config.ErrInvalid, size(float64(p.Disk)), o.dir,
				size(float64(p.Episodes)), size(float64(p.Snapshots)), size(float64(disk)))
		}
		return nil
	}
}

// freeBelow is how much may be written in a directory, which may be missing yet.
func freeBelow(dir string) (int64, bool) {
	if free, ok := vfs.Free(vfs.OS(), dir); ok {
		return free, true
	}
	return vfs.Free(vfs.OS(), ".")
}

func compared(bytes int64, what string, known bool) string {
	if !known {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", size(float64(bytes)), what)
}
