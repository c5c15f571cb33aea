package remote

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestLinesOfAFailedStartAreToldOnce: by the log, or as the last words of the
// error.
func TestLinesOfAFailedStartAreToldOnce(t *testing.T) {
	for _, lines := range []int{1, tailOfLines, tailOfLines + 1, maxLines, maxLines + 1, maxLines + 100} {
		var log bytes.Buffer
		l := &lineLog{log: slog.New(slog.NewTextHandler(&log, nil)), name: "x"}
		for i := range lines {
			fmt.Fprintf(l, "line %d.\n", i)
		}
		last := l.last()
		for i := range lines {
			line := fmt.Sprintf("line %d.", i)
			logged, told := strings.Count(log.String(), line), strings.Count(last, line)
			if dropped := i >= maxLines; logged+told > 1 && lines <= maxLines || logged+told == 0 && !dropped {
				t.Errorf("%d lines: %q is logged %d times and told %d times", lines, line, logged, told)
			}
		}
	}
}

func TestLinesBeforeTheStartAreLoggedAfterIt(t *testing.T) {
	var log bytes.Buffer
	l := &lineLog{log: slog.New(slog.NewTextHandler(&log, nil)), name: "x"}
	fmt.Fprintln(l, "loading")
	if log.Len() != 0 {
		t.Errorf("logged at once: %s", log.String())
	}
	l.start()
	fmt.Fprintln(l, "running")
	text := log.String()
	if first, second := strings.Index(text, "loading"), strings.Index(text, "running"); first < 0 || second < first {
		t.Errorf("the log is %s", text)
	}
}
