package httpguard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "0123456789abcdef-secret"

// start serves h until the test ends and returns the server.
func start(t *testing.T, cfg Config, h http.HandlerFunc) *Server {
	t.Helper()
	if h == nil {
		h = func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "served %s", r.URL) }
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// ask makes a request and returns the answer with its text.
func ask(t *testing.T, s *Server, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/page?x=1", s.port), nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return res, string(body)
}

func TestLoopbackNeedsNoToken(t *testing.T) {
	s := start(t, Config{Addr: ":0"}, nil)
	if !s.Loopback() || strings.Contains(s.URL(), "token") {
		t.Errorf("listens on %s, %s", s.listener.Addr(), s.URL())
	}
	res, body := ask(t, s, nil)
	if res.StatusCode != http.StatusOK || body != "served /page?x=1" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAddressesWithoutHostAreLoopback(t *testing.T) {
	for addr, want := range map[string]string{
		":80": "127.0.0.1:80", "6006": "127.0.0.1:6006", "localhost:1": "127.0.0.1:1",
		"0.0.0.0:1": "0.0.0.0:1", "[::]:1": "[::]:1", "example.org:1": "example.org:1",
	} {
		if got, err := normalise(addr); err != nil || got != want {
			t.Errorf("%s: %s, %v", addr, got, err)
		}
	}
	for _, addr := range []string{"host", "1.2.3.4", "a:b", ":99999", "70000"} {
		if _, err := Listen(Config{Addr: addr}); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestEmptyAddressTakesTheNextFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	first := taken.Addr().(*net.TCPAddr).Port
	s, err := Listen(Config{FirstPort: first})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Port() == first {
		t.Errorf("took port %d, which is in use", first)
	}
}

func TestOtherAddressesDemandAToken(t *testing.T) {
	s := start(t, Config{Addr: "0.0.0.0:0"}, nil)
	if s.Loopback() || len(s.cfg.Token) < minToken || !strings.HasSuffix(s.URL(), "/?token="+s.cfg.Token) {
		t.Fatalf("token %q, URL %s", s.cfg.Token, s.URL())
	}
	if res, _ := ask(t, s, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", res.StatusCode)
	}
}

func TestTokenIsTakenInThreeWays(t *testing.T) {
	s := start(t, Config{Addr: ":0", Token: secret}, nil)
	right := map[string]func(*http.Request){
		"header": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) },
		"query":  func(r *http.Request) { r.URL.RawQuery = "token=" + secret },
		"cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: s.cookieName(), Value: secret}) },
	}
	for name, change := range right {
		if res, body := ask(t, s, change); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
	wrong := map[string]func(*http.Request){
		"none":         nil,
		"empty":        func(r *http.Request) { r.URL.RawQuery = "token=" },
		"prefix":       func(r *http.Request) { r.URL.RawQuery = "token=" + secret[:20] },
		"longer":       func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret+"x") },
		"other cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "orrery-1", Value: secret}) },
	}
	for name, change := range wrong {
		if res, _ := ask(t, s, change); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestBrowserGetsACookieAndAnAddressWithoutToken(t *testing.T) {
	s := start(t, Config{Addr: ":0", Token: secret}, nil)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d//evil.example/p?token=%s&x=1", s.port, secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,*/*")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.RawQuery != "x=1" || res.Request.URL.Hostname() != "127.0.0.1" {
		t.Errorf("%d at %s", res.StatusCode, res.Request.URL)
	}
	cookies := res.Request.Response.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", cookies)
	}
}

func TestWeakTokensAreRefused(t *testing.T) {
	for _, token := range []string{"short", "with spaces in it 0123456789", strings.Repeat("x", 257)} {
		if _, err := Listen(Config{Addr: ":0", Token: token}); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestForeignRequestsAreRefused(t *testing.T) {
	s := start(t, Config{Addr: ":0", Hosts: []string{"runs.example"}}, nil)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"a name pointed here":       {host("attacker.example:80"), http.StatusMisdirectedRequest},
		"a name that begins alike":  {host("localhost.attacker.example"), http.StatusMisdirectedRequest},
		"another machine's address": {host("192.0.2.1"), http.StatusMisdirectedRequest},
		"a port forwarded":          {host("localhost:9999"), http.StatusOK},
		"a name with a final dot":   {host("localhost."), http.StatusOK},
		"IPv6":                      {host("[::1]:80"), http.StatusOK},
		"the name of a proxy":       {host("Runs.Example"), http.StatusOK},
		"another origin":            {set("Origin", "http://attacker.example"), http.StatusForbidden},
		"no origin":                 {set("Origin", "null"), http.StatusForbidden},
		"another port's page":       {set("Origin", "http://127.0.0.1:1"), http.StatusForbidden},
		"another site's image":      {set("Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"its own page":              {set("Sec-Fetch-Site", "same-origin"), http.StatusOK},
		"a link": {func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}, http.StatusOK},
		"writing":  {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"deleting": {func(r *http.Request) { r.Method = http.MethodDelete }, http.StatusMethodNotAllowed},
		"a body": {func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1
		}, http.StatusRequestEntityTooLarge},
	} {
		res, body := ask(t, s, c.change)
		if res.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, body, c.want)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no policy", name)
		}
	}
}

func TestRequestsAreRateLimited(t *testing.T) {
	at := time.Unix(1, 0)
	l := newLimiter(2, 3, func() time.Time { return at })
	count := func(client string) (allowed int) {
		for range 10 {
			if l.allow(netip.MustParseAddr(client)) {
				allowed++
			}
		}
		return allowed
	}
	if got := count("192.0.2.1"); got != 3 {
		t.Errorf("%d of a burst of 3", got)
	}
	if got := count("192.0.2.2"); got != 3 {
		t.Errorf("another client has %d of a burst of 3", got)
	}
	at = at.Add(time.Second)
	if got := count("192.0.2.1"); got != 2 {
		t.Errorf("%d a second later at a rate of 2", got)
	}
	s := start(t, Config{Addr: ":0", Burst: 1, Rate: 0.001}, nil)
	ask(t, s, nil)
	if res, _ := ask(t, s, nil); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("second request: %d", res.StatusCode)
	}
}

func TestLimiterForgetsClients(t *testing.T) {
	l := newLimiter(1, 1, time.Now)
	for i := range 3 * maxClients {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(l.clients) > maxClients {
		t.Errorf("remembers %d clients", len(l.clients))
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	s := start(t, Config{Addr: ":0", MaxConnections: 2}, nil)
	dial := func() (net.Conn, string) {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		line, _ := bufio.NewReader(c).ReadString('\n')
		return c, line
	}
	first, line := dial()
	defer first.Close()
	second, _ := dial()
	defer second.Close()
	if !strings.Contains(line, "200") {
		t.Fatalf("first: %q", line)
	}
	third, line := dial()
	third.Close()
	if line != "" {
		t.Errorf("third: %q", line)
	}
	first.Close()
	for range 200 { // the server notices the end soon
		c, line := dial()
		c.Close()
		if strings.Contains(line, "200") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a free place is not given again")
}

func TestSlowHeadersEnd(t *testing.T) {
	s := start(t, Config{Addr: ":0", HeaderTimeout: 50 * time.Millisecond}, nil)
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localh")
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a client that stops in its header keeps the connection")
	}
}

func TestLongHeadersAreNotServed(t *testing.T) {
	served := make(chan struct{}, 2)
	s := start(t, Config{Addr: ":0", MaxHeader: 1 << 10}, func(http.ResponseWriter, *http.Request) { served <- struct{}{} })
	for _, size := range []int{100, 64 << 10} {
		r, err := http.NewRequest(http.MethodGet, s.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X", strings.Repeat("x", size))
		// The answer to the second may be lost when the connection is closed.
		if res, err := http.DefaultTransport.RoundTrip(r); err == nil {
			res.Body.Close()
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if len(served) != 1 {
		t.Errorf("served %d of a short header and one of 64 KiB", len(served))
	}
}

func TestStreamsOutliveTheTimeoutsAndEndWithTheServer(t *testing.T) {
	s := start(t, Config{Addr: ":0", ReadTimeout: 30 * time.Millisecond, WriteTimeout: 30 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if err := Stream(w); err != nil {
			t.Error(err)
		}
		for range 4 {
			if err := StreamWrite(w, []byte("tick\n"), time.Second); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(40 * time.Millisecond):
			}
		}
		<-r.Context().Done() // the server's end, or the client's
	})
	res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for i := range 4 {
		if line, err := in.ReadString('\n'); line != "tick\n" {
			t.Fatalf("tick %d: %q, %v", i, line, err)
		}
	}
}

func TestStreamDropsAClientThatDoesNotRead(t *testing.T) {
	dropped := make(chan error, 1)
	s := start(t, Config{Addr: ":0"}, func(w http.ResponseWriter, r *http.Request) {
		if err := Stream(w); err != nil {
			t.Error(err)
		}
		for {
			if err := StreamWrite(w, make([]byte, 1<<20), 50*time.Millisecond); err != nil {
				dropped <- err
				return
			}
		}
	})
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case <-dropped:
	case <-time.After(20 * time.Second):
		t.Error("a client that does not read holds the handler")
	}
}
