package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// thousands writes a number with commas.
func thousands(v int64) string {
	text := strconv.FormatInt(v, 10)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "\u2212", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// decimal writes a value with one decimal, or a dash where there is none.
func decimal(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strings.Replace(strconv.FormatFloat(v, 'f', 1, 64), "-", "\u2212", 1)
}

// duration writes a time as people say it.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.1f min", d.Minutes())
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}

// moment writes a time in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
