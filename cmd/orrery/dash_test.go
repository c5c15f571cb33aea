package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var dashboardURL = regexp.MustCompile(`dashboard at (http://\S+)`)

// shownAt waits for the line of a command that says where the dashboard is.
func shownAt(t *testing.T, out io.Reader) string {
	t.Helper()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := dashboardURL.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatal("the command ended without saying where the dashboard is")
	return ""
}

// fetched asks for a page until it holds a text.
func fetched(t *testing.T, url, want string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if last = string(text); strings.Contains(last, want) {
			return
		}
	}
	t.Fatalf("%s never held %q; it holds %.1000s", url, want, last)
}

// started runs a command in this process until the test ends.
func started(t *testing.T, args ...string) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx, args, in, in)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		http.DefaultClient.CloseIdleConnections()
	})
	url = shownAt(t, out)
	go io.Copy(io.Discard, out) // ends when the command does
	return url
}

func TestDashShowsAFinishedRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "swing")
	must(t, tiny(dir, "--episodes", "3")...)
	url := started(t, "dash", dir, "--addr", ":0")
	fetched(t, url, "<title>Orrery</title>")
	fetched(t, url+"api/run/r1", `"return/eval:reward"`)
}

func TestTrainServesItsDashboardWhileItTrains(t *testing.T) {
	url := started(t, tiny(filepath.Join(t.TempDir(), "dot"), "--episodes", "10000", "--dash=:0")...)
	fetched(t, url+"api/run/r1", `"loss/total:nats"`)
	fetched(t, url+"api/run/r1/decision", `"mean":[[`)
	fetched(t, url+"api/run/r1/episode", `"dream":[`)
}

// TestDashTakesItsTokenFromTheEnvironment: others on the machine see command lines.
func TestDashTakesItsTokenFromTheEnvironment(t *testing.T) {
	const token = "0123456789abcdef-token"
	t.Setenv(tokenVariable, token)
	for _, args := range [][]string{
		{"dash", t.TempDir(), "--addr", ":0"},
		tiny(filepath.Join(t.TempDir(), "dot"), "--episodes", "10000", "--dash=:0"),
	} {
		url := started(t, args...)
		bare, shown, _ := strings.Cut(url, "?token=")
		if shown != token {
			t.Fatalf("%s prints %s, want the token of the environment", args[0], url)
		}
		if status, _ := get(t, bare, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without the token: status %d", args[0], status)
		}
		fetched(t, url, "<title>Orrery</title>")
	}
	if url := started(t, "dash", t.TempDir(), "--addr", ":0", "--token", token+"-2"); !strings.HasSuffix(url, token+"-2") {
		t.Errorf("the address is %s, want the token of the flag", url)
	}
}

func TestDashRefusesWhatIsUnsafe(t *testing.T) {
	for want, args := range map[string][]string{
		"write HOST:PORT":     {"dash", "--addr", "nowhere"},
		"16 to 256":           {"dash", "--token", "short"},
		"--dash: httpguard: ": tiny(filepath.Join(t.TempDir(), "run"), "--dash=a:b:c"),
	} {
		if code, _, errs := orrery(t, args...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d, %s", args, code, errs)
		}
	}
}
