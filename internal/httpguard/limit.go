package httpguard

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxClients bounds the memory of a limiter.
const maxClients = 4096

// limiter allows each client a rate of requests.
type limiter struct {
	rate, burst float64
	now         func() time.Time
	mu          sync.Mutex
	clients     map[netip.Addr]bucket
}

// bucket is how many requests a client may still make at once, at a time.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(rate, burst float64, now func() time.Time) *limiter {
	return &limiter{rate: rate, burst: burst, now: now, clients: map[netip.Addr]bucket{}}
}

// allow counts a request and reports whether it is within the rate.
func (l *limiter) allow(client netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.clients[client]
	if !known {
		if len(l.clients) >= maxClients {
			l.forgetLocked(now)
		}
		b = bucket{l.burst, now}
	}
	b.left = min(l.burst, b.left+l.rate*now.Sub(b.at).Seconds())
	b.at = now
	ok := b.left >= 1
	if ok {
		b.left--
	}
	l.clients[client] = b
	return ok
}

// forgetLocked drops clients that have their whole burst again, and all if none
// has: too many addresses at once are nobody's.
func (l *limiter) forgetLocked(now time.Time) {
	for c, b := range l.clients {
		if b.left+l.rate*now.Sub(b.at).Seconds() >= l.burst {
			delete(l.clients, c)
		}
	}
	if len(l.clients) >= maxClients {
		clear(l.clients)
	}
}

// limited is a listener that closes at once what comes beyond n connections.
func limited(ln net.Listener, n int) net.Listener {
	return &limitedListener{Listener: ln, free: make(chan struct{}, n)}
}

type limitedListener struct {
	net.Listener
	free chan struct{} // holds one for each open connection
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = c.Close() // refusing is all there is to say
		}
	}
}

type limitedConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
