package dashboard

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
)

const (
	// eventsName and settingsName are files in a run's directory.
	eventsName   = "metrics.jsonl"
	settingsName = "config.yaml"
	// maxKinds bounds the kinds of events of a file.
	maxKinds = 12
)

// run is one run that is followed.
type run struct {
	id, name string
	dir      string // empty for a file of events alone
	settings string // path of its settings
	tail     tail

	mu       sync.Mutex
	gen      int // histories begun
	tables   map[string]*table
	told     map[string]int // merges of each table when changes were last told
	flat     map[string]string
	flatAt   time.Time
	counters metrics.Counters
	text     map[string]string // of the last run event
	first    time.Time
	last     time.Time
	wall     float64 // seconds that events show the run at work
	paces    [2]metrics.Pace
	damaged  int
	problem  string
	fresh    bool // something changed since changes was last called
	shown    [2]string
	encoded  []byte // of the whole, until something changes
}

// newRun follows a directory or a file of events; neither needs to exist yet.
func newRun(id, path string) *run {
	r := &run{id: id, name: filepath.Base(path), dir: path, settings: filepath.Join(path, settingsName), fresh: true}
	r.tail.path = filepath.Join(path, eventsName)
	if filepath.Ext(path) == ".jsonl" {
		r.dir, r.tail.path = "", path
		r.settings = strings.TrimSuffix(path, ".jsonl") + ".yaml"
		if filepath.Base(path) == eventsName {
			r.name = filepath.Base(filepath.Dir(path))
			r.settings = filepath.Join(filepath.Dir(path), settingsName)
		}
	}
	r.name = strings.TrimSuffix(r.name, ".jsonl")
	r.beginLocked()
	return r
}

// beginLocked forgets the history.
func (r *run) beginLocked() {
	r.gen++
	r.tables, r.told = map[string]*table{}, map[string]int{}
	r.counters, r.text = metrics.Counters{}, nil
	r.first, r.last, r.wall, r.damaged = time.Time{}, time.Time{}, 0, 0
	r.paces = [...]metrics.Pace{{Kind: metrics.KindEpisode}, {Kind: metrics.KindUpdate}}
	r.touchLocked()
}

func (r *run) touchLocked() { r.fresh, r.encoded = true, nil }

// poll reads what is new and reports whether there is more.
func (r *run) poll() (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	more, damaged, err := r.tail.read(r.beginLocked, r.addLocked)
	problem := problemOf(err)
	if damaged > 0 || problem != r.problem {
		r.damaged += damaged
		r.problem = problem
		r.touchLocked()
	}
	r.pollSettingsLocked()
	r.pollShownLocked()
	return more
}

func problemOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "There are no events yet: the run has not begun to write."
	case errors.Is(err, fs.ErrPermission):
		return "The event file may not be read: permission denied."
	}
	return clip("The event file cannot be read: " + err.Error())
}

// pollSettingsLocked reads the settings when they change.
func (r *run) pollSettingsLocked() {
	info, err := os.Stat(r.settings)
	if err != nil || !info.Mode().IsRegular() || info.ModTime().Equal(r.flatAt) {
		return
	}
	r.flatAt = info.ModTime()
	flat, err := readSettings(r.settings)
	if err != nil {
		flat = nil
	}
	if !maps.Equal(flat, r.flat) {
		r.flat = flat
		r.touchLocked()
	}
}

// pollShownLocked notices when the run shows something else of itself.
func (r *run) pollShownLocked() {
	shown := [2]string{versionOf(live.DecisionPath(r.dir)), versionOf(live.EpisodePath(r.dir))}
	if r.dir != "" && shown != r.shown {
		r.shown = shown
		r.fresh = true
	}
}

// versionOf tells the contents of a file apart; empty if there is none.
func versionOf(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36)
}

// addLocked takes an event.
func (r *run) addLocked(e metrics.Event) {
	t := r.tables[e.Kind]
	if t == nil {
		if len(r.tables) == maxKinds || len(e.Kind) > maxName {
			r.damaged++
			return
		}
		t = newTable()
		r.tables[e.Kind] = t
	}
	r.passLocked(e)
	for i := range r.paces {
		r.paces[i].Add(e)
	}
	t.add([...]float64{float64(e.Counters.EnvSteps), float64(e.Counters.Decisions), float64(e.Counters.Updates), float64(e.Counters.Episodes), r.wall}, e.Values)
	r.counters = e.Counters
	if e.Kind == metrics.KindRun {
		r.text = map[string]string{"env": clip(e.Text["env"]), "backend": clip(e.Text["backend"])}
	}
	r.touchLocked()
}

// passLocked moves the time on. What lies between the last event and a start is
// time at which the run was not at work.
func (r *run) passLocked(e metrics.Event) {
	if e.Time.IsZero() {
		return
	}
	if gap := e.Time.Sub(r.last).Seconds(); !r.last.IsZero() && gap > 0 && e.Kind != metrics.KindRun {
		r.wall += gap
	}
	if r.first.IsZero() {
		r.first = e.Time
	}
	r.last = e.Time
}

// summary is what the page knows of a run beside its curves.
type summary struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	Gen      int               `json:"gen"`
	Env      string            `json:"env"`
	Backend  string            `json:"backend"`
	Counters metrics.Counters  `json:"counters"`
	First    *time.Time        `json:"first"`
	Last     *time.Time        `json:"last"`
	Wall     number            `json:"wall"`
	Pace     map[string]number `json:"pace"` // seconds for each "episodes" or "updates", once they can be told
	Events   int               `json:"events"`
	Damaged  int               `json:"damaged"`
	Problem  string            `json:"problem"`
	Settings map[string]string `json:"settings"`
	Decision string            `json:"decision"`
	Episode  string            `json:"episode"`
	Unseen   string            `json:"unseen"` // why no frames can be shown, if that is known
	Paper    *Reference        `json:"paper"`
}

func (r *run) summaryLocked() summary {
	s := summary{
		ID: r.id, Name: r.name, Path: r.dir, Gen: r.gen, Env: r.text["env"], Backend: r.text["backend"], Counters: r.counters,
		Wall: number(r.wall), Pace: r.paceLocked(), Damaged: r.damaged, Problem: r.problem, Settings: r.flat, Decision: r.shown[0], Episode: r.shown[1],
	}
	if s.Path == "" {
		s.Path = r.tail.path
	}
	if s.Env == "" {
		s.Env = r.flat["env.name"]
	}
	s.Paper, s.Unseen = referenceFor(s.Env), unseen(r.flat)
	if !r.first.IsZero() {
		first, last := r.first, r.last
		s.First, s.Last = &first, &last
	}
	for _, t := range r.tables {
		for _, row := range t.rows {
			s.Events += row.events
		}
	}
	if s.Problem == "" && s.Events == 0 {
		s.Problem = "The event file is empty so far."
		if r.damaged > 0 {
			s.Problem = fmt.Sprintf("None of the %d lines of the event file is an event.", r.damaged)
		}
	}
	return s
}

// unseen says of a run whose settings ask for images that are too large to be
// shown that they are.
func unseen(settings map[string]string) string {
	side, err := strconv.Atoi(settings["env.image_size"])
	if err != nil || side < 1 || side > live.MaxFrame || (live.Size{Height: side, Width: side, Channels: 3}).Bytes() <= live.MaxFrame {
		return ""
	}
	most := int(math.Sqrt(live.MaxFrame / 3))
	return fmt.Sprintf("Its images of %d x %d pixels are too large to be shown here: up to %d x %d are.", side, side, most, most)
}

func (r *run) paceLocked() map[string]number {
	out := map[string]number{}
	for i, name := range [...]string{"episodes", "updates"} {
		if each, ok := r.paces[i].Each(); ok {
			out[name] = number(each.Seconds())
		}
	}
	return out
}

func (r *run) summary() summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.summaryLocked()
}
