package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/orrery-rl/orrery/internal/httpguard"
)

// Config says what is shown. Zero fields take the defaults in parentheses.
type Config struct {
	// Runs are directories of runs or files of events. One that does not exist yet
	// is shown when it does.
	Runs []string
	// Root is a directory whose runs are shown, too, whenever they appear; empty
	// for none.
	Root string
	// Poll (500 ms) is the time between two looks at the files, and the shortest
	// between two messages to a browser. With many browsers it gets longer, so that
	// telling them never costs much.
	Poll time.Duration
	// Log receives what deserves attention; nil discards it.
	Log *slog.Logger
}

// Dashboard follows runs and serves the page. Make it with New, let Watch run,
// and serve Handler.
type Dashboard struct {
	cfg Config
	hub hub

	mu   sync.Mutex
	runs []*run
	more int // runs that are not followed
	live map[string]*liveCache
}

// New returns a dashboard that has looked at nothing yet.
func New(cfg Config) *Dashboard {
	if cfg.Poll <= 0 {
		cfg.Poll = 500 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Dashboard{cfg: cfg, live: map[string]*liveCache{}}
}

// Serve shows the runs of a configuration on a server until ctx is cancelled.
func Serve(ctx context.Context, server *httpguard.Server, cfg Config) error {
	d := New(cfg)
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.Watch(ctx)
	}()
	err := server.Serve(ctx, d.Handler())
	cancel()
	<-watched
	return err
}

// Watch follows the files until ctx is cancelled.
func (d *Dashboard) Watch(ctx context.Context) {
	for {
		d.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.pause()):
		}
	}
}

// perClient is what telling one browser something, which takes about 20
// microseconds, may cost of the time: with 500 of them there are four seconds
// between two messages.
const perClient = 8 * time.Millisecond

func (d *Dashboard) pause() time.Duration {
	return max(d.cfg.Poll, time.Duration(d.hub.size())*perClient)
}

// look reads what is new in all files and tells it to every browser.
func (d *Dashboard) look(ctx context.Context) {
	d.discover()
	for _, r := range d.all() {
		for r.poll() && ctx.Err() == nil {
		}
		message, err := r.changes()
		if err != nil {
			d.cfg.Log.Warn("a run could not be told to the browsers", "run", r.name, "error", err)
		}
		if message != nil {
			d.hub.tell(message)
		}
	}
	d.hub.flush()
}

// all is a copy of the list of runs.
func (d *Dashboard) all() []*run {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*run(nil), d.runs...)
}

// beyond is how many runs there are that are not followed.
func (d *Dashboard) beyond() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.more
}

// errNoRun is what asking for an unknown run gives.
var errNoRun = errors.New("there is no such run")

func (d *Dashboard) find(id string) (*run, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		if r.id == id {
			return r, nil
		}
	}
	return nil, errNoRun
}

// Handler serves the page and what it asks for.
func (d *Dashboard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", files())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /api/runs", d.serveRuns)
	mux.HandleFunc("GET /api/catalogue", serveCatalogue)
	mux.HandleFunc("GET /api/run/{id}", d.serveRun)
	mux.HandleFunc("GET /api/run/{id}/decision", d.serveDecision)
	mux.HandleFunc("GET /api/run/{id}/decision.png", d.serveDecisionImage)
	mux.HandleFunc("GET /api/run/{id}/episode", d.serveEpisode)
	mux.HandleFunc("GET /api/run/{id}/episode/{frames}", d.serveEpisodeImage)
	mux.HandleFunc("GET /api/stream", d.serveStream)
	return mux
}
