package httpguard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Server is a guarded HTTP server that listens already; Serve answers.
type Server struct {
	cfg      Config
	listener net.Listener
	loopback bool
	port     int
}

// Listen opens the address. The error of a setting that cannot work matches
// [ErrConfig]. The caller calls Serve, or Close if it does not come to that.
func Listen(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := checkToken(cfg.Token); err != nil {
		return nil, err
	}
	ln, err := cfg.listen()
	if err != nil {
		return nil, err
	}
	at, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: address %q is not one of TCP", ErrConfig, cfg.Addr), ln.Close())
	}
	s := &Server{cfg: cfg, listener: ln, loopback: at.IP.IsLoopback(), port: at.Port}
	if !s.loopback && s.cfg.Token == "" {
		s.cfg.Token = newToken()
	}
	return s, nil
}

// Loopback reports whether only this machine reaches the server.
func (s *Server) Loopback() bool { return s.loopback }

// Port is the port it listens on.
func (s *Server) Port() int { return s.port }

// URL is where a browser finds the server, with the token if one is needed.
func (s *Server) URL() string {
	host, _, err := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); err != nil || ip.IsUnspecified() {
		host = outwardHost()
	}
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(s.port)) + "/"
	if s.cfg.Token != "" {
		url += "?" + tokenParameter + "=" + s.cfg.Token
	}
	return url
}

// outwardHost is an address of this machine that others may know: the first
// that is not a loopback address.
func outwardHost() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "localhost"
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "localhost"
}

// shutdownGrace is how long answers may take to end when the server stops.
const shutdownGrace = 2 * time.Second

// Serve answers requests with h until ctx is cancelled, then ends every
// connection and returns nil. Contexts of requests derive from ctx. It returns
// when nothing of the server runs any more.
func (s *Server) Serve(ctx context.Context, h http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           s.guard(h),
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(limited(s.listener, s.cfg.MaxConnections)) }()
	select {
	case err := <-served: // the listener broke
		return errors.Join(fmt.Errorf("httpguard: %w", err), server.Close())
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer stop()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-served
	return err
}

// Close stops listening, for servers that never served.
func (s *Server) Close() error { return s.listener.Close() }

// Stream prepares a response that goes on as long as the client stays: it takes
// the time limits of the request away. Each write must be preceded by
// [StreamWrite].
func Stream(w http.ResponseWriter) error {
	c := http.NewResponseController(w)
	return errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
}

// StreamWrite writes a piece of a stream and sends it. A client that does not
// take it within the limit gets an error; the handler then returns, which ends
// the connection.
func StreamWrite(w http.ResponseWriter, data []byte, limit time.Duration) error {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	return c.Flush()
}
