package dashboard

import (
	"net/http"
	"time"

	"github.com/orrery-rl/orrery/internal/httpguard"
)

const (
	// heartbeat is how often a stream says that it is alive.
	heartbeat = 20 * time.Second
	// patience is how long a browser may take to accept a message.
	patience = 5 * time.Second
)

// serveStream tells a browser what is new, for as long as it stays.
func (d *Dashboard) serveStream(w http.ResponseWriter, r *http.Request) {
	if err := httpguard.Stream(w); err != nil {
		http.Error(w, "this connection cannot be kept open", http.StatusInternalServerError)
		return
	}
	c := d.hub.join()
	defer d.hub.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	message := appendMessage([]byte("retry: 2000\n"), "hello", []byte("{}"))
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		if err := httpguard.StreamWrite(w, message, patience); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case message = <-c.messages:
		case <-beat.C:
			message = []byte(": \n\n")
		}
	}
}
