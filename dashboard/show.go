package dashboard

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
)

// liveCache keeps what a run shows of itself, read and encoded once for all
// browsers, and only when one asks.
type liveCache struct {
	mu              sync.Mutex
	decisionVersion string
	decision        *live.Decision
	episodeVersion  string
	episode         *live.Episode
	sheets          map[string][]byte // of the episode and the decision's image
}

func (d *Dashboard) cacheOf(r *run) *liveCache {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.live[r.id]
	if c == nil {
		c = &liveCache{sheets: map[string][]byte{}}
		d.live[r.id] = c
	}
	return c
}

// readDecision returns the decision, from the cache if the file has not changed.
func (c *liveCache) readDecision(r *run) (*live.Decision, error) {
	version := versionOf(live.DecisionPath(r.dir))
	if version == "" {
		return nil, fs.ErrNotExist
	}
	if c.decision != nil && version == c.decisionVersion {
		return c.decision, nil
	}
	decision, err := live.ReadDecision(vfs.OS(), r.dir)
	if err != nil {
		return nil, err
	}
	c.decision, c.decisionVersion = decision, version
	delete(c.sheets, decisionSheet)
	return decision, nil
}

// readEpisode is readDecision for the episode.
func (c *liveCache) readEpisode(r *run) (*live.Episode, error) {
	version := versionOf(live.EpisodePath(r.dir))
	if version == "" {
		return nil, fs.ErrNotExist
	}
	if c.episode != nil && version == c.episodeVersion {
		return c.episode, nil
	}
	episode, err := live.ReadEpisode(vfs.OS(), r.dir)
	if err != nil {
		return nil, err
	}
	c.episode, c.episodeVersion = episode, version
	for _, name := range []string{"real", "reconstruction", "dream"} {
		delete(c.sheets, name)
	}
	return episode, nil
}

// decisionSheet is the key of the decision's image.
const decisionSheet = "decision"

// png encodes frames once.
func (c *liveCache) png(name string, frames [][]byte, size live.Size) (content, error) {
	if data := c.sheets[name]; data != nil {
		return content{"image/png", data}, nil
	}
	data, err := sheet(frames, size)
	if err == nil {
		c.sheets[name] = data
	}
	return content{"image/png", data}, err
}

// content is an answer, ready to be sent.
type content struct {
	kind string
	data []byte
}

// with answers with what f makes of the run that was asked for and its cache,
// which is locked meanwhile, but not while the answer is sent.
func (d *Dashboard) with(w http.ResponseWriter, req *http.Request, f func(*run, *liveCache) (content, error)) {
	out, err := d.prepare(req.PathValue("id"), f)
	switch {
	case err == nil:
		w.Header().Set("Content-Type", out.kind)
		_, _ = w.Write(out.data) // the client may be gone
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoRun):
		http.Error(w, "the run shows nothing of itself", http.StatusNotFound)
	case errors.Is(err, live.ErrCorrupt), errors.Is(err, vfs.ErrTooLarge):
		http.Error(w, "what the run shows of itself is damaged", http.StatusUnprocessableEntity)
	default:
		http.Error(w, "what the run shows of itself cannot be read", http.StatusInternalServerError)
	}
}

func (d *Dashboard) prepare(id string, f func(*run, *liveCache) (content, error)) (content, error) {
	r, err := d.find(id)
	if err != nil {
		return content{}, err
	}
	if r.dir == "" {
		return content{}, fs.ErrNotExist
	}
	c := d.cacheOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	return f(r, c)
}

func jsonOf(v any) (content, error) {
	data, err := json.Marshal(v)
	return content{"application/json", data}, err
}

// bins is the number of bars of the histogram of scores.
const bins = 24

// decisionView is a decision as the page draws it.
type decisionView struct {
	Counters  metrics.Counters `json:"counters"`
	Number    int64            `json:"number"`
	Size      live.Size        `json:"size"`
	Action    []number         `json:"action"`
	Reward    number           `json:"reward"`
	Predicted number           `json:"predicted"`
	Scores    histogram        `json:"scores"`
	Mean      [][]number       `json:"mean"`
	Std       [][]number       `json:"std"`
}

func (d *Dashboard) serveDecision(w http.ResponseWriter, req *http.Request) {
	d.with(w, req, func(r *run, c *liveCache) (content, error) {
		x, err := c.readDecision(r)
		if err != nil {
			return content{}, err
		}
		return jsonOf(decisionView{
			Counters: x.Counters, Number: x.Number, Size: x.Size, Action: numbers(x.Action),
			Reward: number(x.Reward), Predicted: number(x.Predicted), Scores: histogramOf(x.Scores),
			Mean: matrix(x.Mean), Std: matrix(x.Std),
		})
	})
}

func matrix(m [][]float32) [][]number {
	out := make([][]number, len(m))
	for i, row := range m {
		out[i] = numbers(row)
	}
	return out
}

func (d *Dashboard) serveDecisionImage(w http.ResponseWriter, req *http.Request) {
	d.with(w, req, func(r *run, c *liveCache) (content, error) {
		x, err := c.readDecision(r)
		if err != nil {
			return content{}, err
		}
		if len(x.Image) == 0 {
			return content{}, fs.ErrNotExist
		}
		return c.png(decisionSheet, [][]byte{x.Image}, x.Size)
	})
}

// episodeView is an episode as the page draws it; frames come as sheets of
// Columns images in a row.
type episodeView struct {
	Counters       metrics.Counters `json:"counters"`
	Number         int64            `json:"number"`
	First          int64            `json:"first"`
	Size           live.Size        `json:"size"`
	Frames         int              `json:"frames"`
	Columns        int              `json:"columns"`
	Context        int              `json:"context"`
	Reconstruction []number         `json:"reconstruction"`
	Dream          []number         `json:"dream"`
	Rewards        []number         `json:"rewards"`
	Predicted      []number         `json:"predicted"`
}

func (d *Dashboard) serveEpisode(w http.ResponseWriter, req *http.Request) {
	d.with(w, req, func(r *run, c *liveCache) (content, error) {
		x, err := c.readEpisode(r)
		if err != nil {
			return content{}, err
		}
		return jsonOf(episodeView{
			Counters: x.Counters, Number: x.Number, First: x.First, Size: x.Size,
			Frames: len(x.Real), Columns: columnsOf(len(x.Real)), Context: x.Context,
			Reconstruction: distances(x.Real, x.Reconstruction), Dream: distances(x.Real, x.Dream),
			Rewards: numbers(x.Rewards), Predicted: numbers(x.Predicted),
		})
	})
}

func (d *Dashboard) serveEpisodeImage(w http.ResponseWriter, req *http.Request) {
	d.with(w, req, func(r *run, c *liveCache) (content, error) {
		x, err := c.readEpisode(r)
		if err != nil {
			return content{}, err
		}
		name, ok := strings.CutSuffix(req.PathValue("frames"), ".png")
		frames := map[string][][]byte{"real": x.Real, "reconstruction": x.Reconstruction, "dream": x.Dream}[name]
		if !ok || frames == nil {
			return content{}, fs.ErrNotExist
		}
		return c.png(name, frames, x.Size)
	})
}
