package dashboard

import "sync"

// hub tells browsers what is new. Telling never waits: a browser that has not
// taken the last message yet misses this one, and is told to ask for everything
// once it has.
type hub struct {
	mu      sync.Mutex
	clients map[*client]bool
	pending []byte // not yet sent
}

// client is one open stream.
type client struct {
	messages chan []byte
	missed   bool // set under the hub's lock
}

// queued is how many messages wait for a browser.
const queued = 4

func (h *hub) join() *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &client{messages: make(chan []byte, queued)}
	if h.clients == nil {
		h.clients = map[*client]bool{}
	}
	h.clients[c] = true
	return c
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// tell adds to what the next flush sends.
func (h *hub) tell(data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending = appendMessage(h.pending, "run", data)
}

// again makes the next flush tell everyone to ask for everything.
func (h *hub) again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending = append(h.pending, resync...)
}

// appendMessage appends a server-sent event; data must have no line end.
func appendMessage(b []byte, event string, data []byte) []byte {
	b = append(append(b, "event: "...), event...)
	b = append(append(b, "\ndata: "...), data...)
	return append(b, "\n\n"...)
}

// flush sends to every browser that is ready. All share the bytes.
func (h *hub) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.pending) == 0 {
		return
	}
	message := h.pending
	h.pending = nil
	for c := range h.clients {
		c.offer(message)
	}
}

var resync = appendMessage(nil, "resync", []byte("{}"))

func (c *client) offer(message []byte) {
	if c.missed {
		message = resync // it would not know what the message goes on from
	}
	select {
	case c.messages <- message:
		c.missed = false
	default:
		c.missed = true
	}
}
