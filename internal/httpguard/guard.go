package httpguard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// tokenParameter is the token's name in an address.
const tokenParameter = "token"

// contentPolicy allows files of the server and nothing else: no inline scripts
// or styles, no other origin, no frames around the page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses what the rule forbids and hands the rest to h.
func (s *Server) guard(h http.Handler) http.Handler {
	rate := newLimiter(s.cfg.Rate, s.cfg.Burst, s.cfg.Now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		switch {
		case !rate.allow(clientOf(r)):
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many requests from this address")
		case !s.knows(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this server does not answer for that host name")
		case foreign(r):
			refuse(w, http.StatusForbidden, "requests from other sites' pages are not answered")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "this server only answers reading")
		case r.ContentLength != 0:
			refuse(w, http.StatusRequestEntityTooLarge, "requests have no body here")
		case !s.admits(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "a token is needed: open the address that was printed when the server started")
		case s.arrives(w, r):
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// refuse answers with an error and closes the connection, which costs the
// client more than the server.
func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Connection", "close")
	http.Error(w, why, code)
}

// secure sets the headers that every response carries; a handler may set
// another Cache-Control.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
}

// clientOf is the address that a request comes from.
func clientOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// knows reports whether a Host header is one of the server's. An IP address
// always is: nobody can make a browser take one for another.
func (s *Server) knows(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || !s.loopback
	}
	own, _, _ := net.SplitHostPort(s.cfg.Addr)
	return host == "localhost" || host != "" && strings.EqualFold(host, own) ||
		slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// foreign reports whether a page of another origin makes the request. Following
// a link from there is fine.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err != nil || u.Host != r.Host
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// cookieName differs between servers on one machine, whose cookies browsers
// share.
func (s *Server) cookieName() string { return "orrery-" + strconv.Itoa(s.port) }

// admits reports whether a request shows the token, if one is needed: in the
// header, in the cookie, or in the address.
func (s *Server) admits(r *http.Request) bool {
	if s.cfg.Token == "" {
		return true
	}
	shown := []string{r.URL.Query().Get(tokenParameter), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
	if c, err := r.Cookie(s.cookieName()); err == nil {
		shown = append(shown, c.Value)
	}
	ok := 0
	for _, t := range shown {
		ok |= same(t, s.cfg.Token)
	}
	return ok == 1
}

// same compares in a time that does not depend on where two texts differ, nor
// on their lengths.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// arrives handles a browser that opens the address with the token: it is given
// the cookie, and sent to the address without it, so that the token stays out
// of its history. It reports whether it answered.
func (s *Server) arrives(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if s.cfg.Token == "" || !query.Has(tokenParameter) || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: s.cfg.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	query.Del(tokenParameter)
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, `/\`), RawQuery: query.Encode()}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusSeeOther)
	return true
}
