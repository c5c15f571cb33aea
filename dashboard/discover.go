package dashboard

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxRuns bounds how many runs are followed.
const maxRuns = 200

// discover adds the runs of the configuration, and those that have appeared
// below the root, and counts those that are too many.
func (d *Dashboard) discover() {
	paths := slices.Clone(d.cfg.Runs)
	if d.cfg.Root != "" {
		paths = append(paths, runsBelow(d.cfg.Root)...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	more := 0
	for _, path := range paths {
		path = filepath.Clean(path)
		known := slices.ContainsFunc(d.runs, func(r *run) bool { return r.dir == path || r.tail.path == path })
		if known {
			continue
		}
		if len(d.runs) >= maxRuns {
			more++
			continue
		}
		r := newRun(fmt.Sprintf("r%d", len(d.runs)+1), path)
		r.name = d.distinctLocked(r.name)
		d.runs = append(d.runs, r)
	}
	if more != d.more {
		d.more = more
		d.hub.again()
	}
}

// distinctLocked is a name that no other run has.
func (d *Dashboard) distinctLocked(name string) string {
	for n, base := 2, name; ; n++ {
		if !slices.ContainsFunc(d.runs, func(r *run) bool { return r.name == name }) {
			return name
		}
		name = fmt.Sprintf("%s (%d)", base, n)
	}
}

// runsBelow are the directories in root, and in these, that hold a run.
func runsBelow(root string) []string {
	var found []string
	for _, pattern := range []string{"*", filepath.Join("*", "*")} {
		for _, name := range []string{eventsName, settingsName} {
			matches, err := filepath.Glob(filepath.Join(root, pattern, name))
			if err != nil { // a root with a bracket in its name
				continue
			}
			for _, m := range matches {
				if dir := filepath.Dir(m); !slices.Contains(found, dir) && isDir(dir) {
					found = append(found, dir)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
