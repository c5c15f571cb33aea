package dashboard

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"

	"github.com/orrery-rl/orrery/metrics"
)

//go:embed web
var web embed.FS

// files serves the page. It is checked for changes at each visit, since another
// version of the program may be next.
func files() http.Handler {
	root, err := fs.Sub(web, "web")
	if err != nil { // the name is a constant
		return http.NotFoundHandler()
	}
	server := http.FileServerFS(root)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // the client may be gone
}

func encodeJSON(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "it cannot be encoded", http.StatusInternalServerError)
		return
	}
	writeJSON(w, data)
}

// serveRuns lists the runs.
func (d *Dashboard) serveRuns(w http.ResponseWriter, _ *http.Request) {
	list := struct {
		Runs []summary `json:"runs"`
		Root string    `json:"root"`
		More int       `json:"more"` // runs that are not followed
	}{Runs: []summary{}, Root: d.cfg.Root, More: d.beyond()}
	for _, r := range d.all() {
		list.Runs = append(list.Runs, r.summary())
	}
	encodeJSON(w, list)
}

// serveRun is one run with all its rows.
func (d *Dashboard) serveRun(w http.ResponseWriter, r *http.Request) {
	run, err := d.find(r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	data, err := run.whole()
	if err != nil {
		http.Error(w, "the run cannot be encoded", http.StatusInternalServerError)
		return
	}
	writeJSON(w, data)
}

// described is an entry of the catalogue.
type described struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Healthy     string  `json:"healthy"`
	HasRange    bool    `json:"has_range"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
}

// serveCatalogue explains the metrics.
func serveCatalogue(w http.ResponseWriter, _ *http.Request) {
	var all []described
	for _, m := range metrics.Catalogue() {
		all = append(all, described{m.Name, m.Description, m.Healthy, m.HasRange(), m.Low, m.High})
	}
	encodeJSON(w, all)
}
