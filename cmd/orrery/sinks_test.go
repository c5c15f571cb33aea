package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/checkpoint"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
)

// boardFile is the one event file in a directory.
func boardFile(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*tfevents*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v; want one file", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTensorBoardFollowsARunThatGoesOn, and equals what is made afterwards.
func TestTensorBoardFollowsARunThatGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--tensorboard")...)
	live := filepath.Join(dir, tensorboardDir)
	before := boardFile(t, live)
	must(t, tiny(dir, "--episodes", "5", "--tensorboard")...)
	after := boardFile(t, live)
	if len(after) <= len(before) {
		t.Errorf("%d bytes after %d", len(after), len(before))
	}
	for _, want := range []string{"return/train:reward", "episode/strip", "\x89PNG", "preset: tiny", "run/process:text"} {
		if !bytes.Contains(after, []byte(want)) {
			t.Errorf("%q is missing", want)
		}
	}
	other := filepath.Join(t.TempDir(), "board")
	if out := must(t, "tensorboard", dir, "-o", other); !strings.Contains(out, "tensorboard --logdir "+other) {
		t.Errorf("it prints %s", out)
	}
	if !bytes.Equal(after, boardFile(t, other)) {
		t.Error("the file written while training and the one made of the run differ")
	}
	must(t, "tensorboard", dir, "--dream")
	if !bytes.Contains(boardFile(t, live), []byte("dream/strip")) {
		t.Error("no dream")
	}
}

// TestSinksDoNotChangeTheRun: the same events with and without them.
func TestSinksDoNotChangeTheRun(t *testing.T) {
	plain, watched := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	must(t, tiny(plain, "--quiet")...)
	must(t, tiny(watched, "--quiet", "--tensorboard", "--prometheus", "0")...)
	sameEvents(t, measured(t, watched), measured(t, plain))
}

func sameEvents(t *testing.T, got, want []metrics.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		g, _ := got[i].MarshalJSON()
		w, _ := want[i].MarshalJSON()
		if !bytes.Equal(g, w) {
			t.Fatalf("event %d is %s, want %s", i, g, w)
		}
	}
}

// scraped starts a process that trains, waits until it has trained a little, and
// returns the address that it prints.
func scraped(t *testing.T, address string) string {
	t.Helper()
	cmd := command(tiny(filepath.Join(t.TempDir(), "run"), "--episodes", "10000", "--prometheus", address)...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	printed := regexp.MustCompile(`http://\S+/metrics\S*`)
	found := ""
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if at := printed.FindString(lines.Text()); at != "" {
			found = at
		}
		if strings.HasPrefix(lines.Text(), "episode 3/") {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, pipe) }()
	if found == "" {
		t.Fatal("no address was printed")
	}
	return found
}

// get is the status and the text of an address, asked for with a token unless
// that is empty.
func get(t *testing.T, address, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// TestPrometheusScrapesARealProcess while it trains.
func TestPrometheusScrapesARealProcess(t *testing.T) {
	at := scraped(t, "127.0.0.1:0")
	if !strings.HasPrefix(at, "http://127.0.0.1:") || strings.Contains(at, "token") {
		t.Errorf("the address is %s", at)
	}
	status, text := get(t, at, "")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, text)
	}
	for _, want := range []string{"# TYPE orrery_env_steps_total counter", "orrery_return_train_reward ", "orrery_loss_kl_nats ", `env="toy-dot"`, "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	if status, _ := get(t, strings.TrimSuffix(at, "/metrics")+"/", ""); status != http.StatusNotFound {
		t.Errorf("another address has status %d", status)
	}
}

// TestPrometheusForOtherMachinesTakesAToken, in the header as scrapers send it.
func TestPrometheusForOtherMachinesTakesAToken(t *testing.T) {
	const token = "0123456789abcdef-token"
	t.Setenv(tokenVariable, token)
	at := scraped(t, "0.0.0.0:0")
	bare, _, shown := strings.Cut(at, "?token=")
	if !shown || !strings.HasSuffix(at, token) {
		t.Fatalf("the address is %s", at)
	}
	for given, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, token: http.StatusOK} {
		if status, _ := get(t, bare, given); status != want {
			t.Errorf("with the token %q: status %d, want %d", given, status, want)
		}
	}
}

// TestTensorBoardFilesHaveOneWriter: the process that trains.
func TestTensorBoardFilesHaveOneWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--quiet")...)
	lock, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"-o", dir + "/./tensorboard/"}} {
		code, _, errs := orrery(t, append([]string{"tensorboard", dir}, args...)...)
		if code != exitUsage || !strings.Contains(errs, "--out") {
			t.Errorf("with %q: exit code %d: %s", args, code, errs)
		}
	}
	must(t, "tensorboard", dir, "-o", filepath.Join(t.TempDir(), "board"))
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	must(t, "tensorboard", dir)
}

// TestStartIsDescribed: a report later knows what ran, and where.
func TestStartIsDescribed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--episodes", "3", "--seed", "4", "--quiet")...)
	for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, learn.MetricsName)) {
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"env", "backend", "version", "go", "platform", "cores", "precision", "seed", "preset"} {
			if e.Text[key] == "" {
				t.Errorf("the start does not say %s: %v", key, e.Text)
			}
		}
		if e.Text["seed"] != "4" {
			t.Errorf("seed %q", e.Text["seed"])
		}
		return
	}
	t.Fatal("no events")
}

func TestSinkMistakes(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--prometheus":        tiny(filepath.Join(dir, "a"), "--prometheus", "nowhere:x:y"),
		"holds no run":        {"tensorboard", filepath.Join(dir, "absent"), "-o", filepath.Join(dir, "out")},
		"a RUN directory":     {"tensorboard"},
		".gif, .png or .apng": {"video", dir, "-o", "film.avi"},
		"--episodes (0)":      {"video", dir, "-n", "0"},
		"there is no":         {"video", dir},
	} {
		code, _, errs := orrery(t, args...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %d, and %q in:\n%s", strings.Join(args, " "), code, exitUsage, want, errs)
		}
	}
}
