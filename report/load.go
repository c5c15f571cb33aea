package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/stats"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

// ErrNoRun marks a path where there is no run.
var ErrNoRun = errors.New("report: no run")

// Run is what the files of a training run say.
type Run struct {
	// Name is that of the directory or the file.
	Name string
	// Path is what was loaded, Dir the directory it lies in.
	Path, Dir string
	// Events are the run's, in order.
	Events []metrics.Event
	// Damaged are the lines of the event file that are no events.
	Damaged []error
	// Config is the configuration, or nil if it is not there or not readable.
	Config *config.Run
	// Afterwards are evaluations of the trained agent that orrery eval --json
	// printed and that were kept beside the run.
	Afterwards []Evaluation
	// Problems say what else could not be read.
	Problems []string
}

// Evaluation is the outcome of noise-free episodes.
type Evaluation struct {
	At metrics.Counters
	// Returns are those of the episodes, where they were kept; Summary describes
	// them in any case. Its N is 0 where it is not known how many there were.
	Returns []float64
	Summary stats.Summary
}

// The files of a run.
const (
	configName = "config.yaml"
	evalName   = "eval.json"
	// maxSmall bounds files that are read at once.
	maxSmall = 4 << 20
)

// Load reads the run in a directory, or the one whose events are in a file
// NAME.jsonl; then NAME.yaml and NAME-eval.json beside it belong to it.
func Load(fsys vfs.FS, path string) (*Run, error) {
	info, err := fsys.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRun, err)
	}
	clean := filepath.Clean(path)
	r := &Run{Name: filepath.Base(clean), Path: path, Dir: clean}
	events, settings, evaluation := filepath.Join(clean, learn.MetricsName), configName, evalName
	if !info.IsDir() {
		r.Dir, events = filepath.Dir(clean), clean
		if base := strings.TrimSuffix(r.Name, ".jsonl"); r.Name != learn.MetricsName {
			r.Name, settings, evaluation = base, base+".yaml", base+"-"+evalName
		} else {
			r.Name = filepath.Base(r.Dir)
		}
	}
	if err := r.readEvents(fsys, events); err != nil {
		return nil, err
	}
	r.readConfig(fsys, filepath.Join(r.Dir, settings))
	r.readEvaluation(fsys, filepath.Join(r.Dir, evaluation))
	return r, nil
}

func (r *Run) readEvents(fsys vfs.FS, path string) error {
	for e, err := range metrics.ReadFile(fsys, path) {
		switch {
		case err == nil:
			r.Events = append(r.Events, e)
		case errors.Is(err, metrics.ErrCorrupt):
			r.Damaged = append(r.Damaged, err)
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w in %s: there is no %s (train one with: orrery train --run %s)", ErrNoRun, r.Path, filepath.Base(path), r.Path)
		default:
			return fmt.Errorf("report: %w", err)
		}
	}
	if len(r.Events) == 0 && len(r.Damaged) == 0 {
		r.problem("%s is empty: nothing was recorded yet", filepath.Base(path))
	}
	return nil
}

func (r *Run) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *Run) readConfig(fsys vfs.FS, path string) {
	f, err := fsys.Open(path)
	if err != nil {
		r.problem("the configuration is not there: %v", err)
		return
	}
	defer f.Close()
	run, err := config.ReadStored(filepath.Base(path), f)
	if err != nil {
		r.problem("the configuration cannot be read: %v", err)
		return
	}
	r.Config = &run
}

// readEvaluation reads what orrery eval --json printed, if it was kept.
func (r *Run) readEvaluation(fsys vfs.FS, path string) {
	data, err := vfs.ReadFile(fsys, path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var kept struct {
		Returns []float64        `json:"returns"`
		Trained metrics.Counters `json:"trained"`
	}
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		r.problem("the evaluation %s cannot be read: %v", filepath.Base(path), err)
		return
	}
	if len(kept.Returns) > 0 {
		r.Afterwards = append(r.Afterwards, Evaluation{At: kept.Trained, Returns: kept.Returns, Summary: stats.Summarise(kept.Returns)})
	}
}

// Last are the counters of the last event.
func (r *Run) Last() metrics.Counters {
	if len(r.Events) == 0 {
		return metrics.Counters{}
	}
	return r.Events[len(r.Events)-1].Counters
}

// Env is the environment's name, or empty.
func (r *Run) Env() string {
	for _, e := range r.Events {
		if e.Kind == metrics.KindRun && e.Text["env"] != "" {
			return e.Text["env"]
		}
	}
	if r.Config != nil {
		return r.Config.Env.Name
	}
	return ""
}

// Offline reports whether the run learned from given episodes.
func (r *Run) Offline() bool {
	for _, e := range r.Events {
		if e.Kind == metrics.KindRun {
			return e.Text["mode"] == "offline"
		}
	}
	return false
}

// Evaluations are those that the run made as it trained.
func (r *Run) Evaluations() (out []Evaluation) {
	for _, e := range r.Events {
		if e.Kind != metrics.KindEvaluation {
			continue
		}
		ev := Evaluation{At: e.Counters, Returns: parseReturns(e.Text["returns"])}
		if len(ev.Returns) > 0 {
			ev.Summary = stats.Summarise(ev.Returns)
		} else {
			ev.Summary = r.toldSummary(e)
		}
		out = append(out, ev)
	}
	return out
}

// toldSummary describes an evaluation whose returns were not kept one by one.
func (r *Run) toldSummary(e metrics.Event) stats.Summary {
	value := func(name string) float64 {
		if v, ok := e.Values[name]; ok {
			return v
		}
		return math.NaN()
	}
	s := stats.Summary{
		Mean: value("return/eval:reward"), Std: value("return/eval_std:reward"), Median: math.NaN(),
		Min: value("return/eval_min:reward"), Max: value("return/eval_max:reward"),
	}
	if r.Config != nil {
		s.N = r.Config.Learn.EvalEpisodes
	}
	return s
}

// parseReturns reads numbers with spaces between; anything else is no list.
func parseReturns(text string) (out []float64) {
	for field := range strings.FieldsSeq(text) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}
