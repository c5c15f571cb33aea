package httpguard

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// ErrConfig is matched by errors about settings that cannot work.
var ErrConfig = errors.New("httpguard: invalid setting")

// minToken is the length of a token that is not easily guessed.
const minToken = 16

// Config says where a server listens and what it allows. Zero fields take the
// defaults in parentheses.
type Config struct {
	// Addr is host:port. Without a host it is the loopback interface, so ":6006"
	// and "6006" are not reachable from elsewhere; "0.0.0.0:6006" is. Empty, it is
	// the first free port of FirstPort and the nine after it, or any.
	Addr string
	// FirstPort (6006) is the port to try first when Addr is empty.
	FirstPort int
	// Token is what a client must show; at least 16 characters. Empty, one is made
	// if the address is not a loopback address; there a token is not needed.
	Token string
	// Hosts are names under which the server may be asked for, beside localhost,
	// the name in Addr and every IP address: a name behind which a proxy stands.
	Hosts []string
	// MaxConnections (1024) is the number of connections at a time; what comes
	// beyond is closed at once.
	MaxConnections int
	// Rate (200) is the number of requests that one client address may make in a
	// second, Burst (1000) how many at once.
	Rate, Burst float64
	// MaxHeader (16 KiB) is the size of a request's header. Bodies are not allowed.
	MaxHeader int
	// HeaderTimeout (5 s), ReadTimeout (10 s), WriteTimeout (30 s) and IdleTimeout
	// (60 s) are those of http.Server. Streams have their own; see [Stream].
	HeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// Log receives errors of connections; nil discards them.
	Log *slog.Logger
	// Now is the clock of the rate limit; nil is time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	orInt(&c.FirstPort, 6006)
	orInt(&c.MaxConnections, 1024)
	orInt(&c.MaxHeader, 16<<10)
	if c.Rate == 0 {
		c.Rate = 200
	}
	if c.Burst == 0 {
		c.Burst = 1000
	}
	orDuration(&c.HeaderTimeout, 5*time.Second)
	orDuration(&c.ReadTimeout, 10*time.Second)
	orDuration(&c.WriteTimeout, 30*time.Second)
	orDuration(&c.IdleTimeout, time.Minute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func orInt(p *int, v int) {
	if *p == 0 {
		*p = v
	}
}

func orDuration(p *time.Duration, v time.Duration) {
	if *p == 0 {
		*p = v
	}
}

// checkToken refuses a token that is short or cannot travel in a cookie.
func checkToken(token string) error {
	if token == "" {
		return nil
	}
	if len(token) < minToken || len(token) > 256 {
		return fmt.Errorf("%w: a token of %d characters; give 16 to 256, or none and one is made", ErrConfig, len(token))
	}
	for _, c := range token {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", c) {
			return fmt.Errorf("%w: the token contains %q; use letters, digits and - _ . ~", ErrConfig, c)
		}
	}
	return nil
}

// newToken is one that cannot be guessed: 130 random bits.
func newToken() string { return rand.Text() }

// listen opens the address of the configuration.
func (c Config) listen() (net.Listener, error) {
	if c.Addr == "" {
		return listenFree(c.FirstPort)
	}
	addr, err := normalise(c.Addr)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("httpguard: %w (give another port, or 0 for any that is free)", err)
	}
	return ln, nil
}

// listenFree takes the first free port of ten on the loopback interface, or any.
func listenFree(first int) (net.Listener, error) {
	for port := first; port < first+10; port++ {
		if ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return ln, nil
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("httpguard: %w", err)
	}
	return ln, nil
}

// normalise makes an address without a host one of the loopback interface.
func normalise(addr string) (string, error) {
	if _, err := strconv.ParseUint(addr, 10, 16); err == nil {
		addr = ":" + addr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("%w: address %q; write HOST:PORT, or PORT alone", ErrConfig, addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%w: port %q of address %q; it must be a number from 0 to 65535", ErrConfig, port, addr)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
