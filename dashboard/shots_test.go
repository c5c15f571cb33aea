package dashboard

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/orrery-rl/orrery/internal/httpguard"
)

// TestPictures draws the page for a person to look at, in the directory
// $ORRERY_SHOTS; the runs are those in $ORRERY_SHOT_RUNS, or made up.
func TestPictures(t *testing.T) {
	if os.Getenv("ORRERY_SHOTS") == "" {
		t.Skip("draws pictures for people; set ORRERY_SHOTS to a directory, as CI does")
	}
	runs := filepath.SplitList(os.Getenv("ORRERY_SHOT_RUNS"))
	if len(runs) == 0 {
		for i, name := range []string{"rssm", "ssm"} {
			f := going(t, name, 90-20*i, fmt.Sprintf("  batch_size: %d\n", 32+i))
			f.at = time.Now()
			f.episode()
			runs = append(runs, f.dir)
		}
	}
	one := serve(t, Config{Runs: runs[:1]}, httpguard.Config{})
	all := serve(t, Config{Runs: runs}, httpguard.Config{})
	b := open(t, one, 1400, 900)
	tour := func(name string, sections ...string) {
		for _, s := range sections {
			b.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.getElementById(%q).scrollIntoView({behavior: 'instant'})", s)))
			value[bool](b, "new Promise((done) => setTimeout(() => done(true), 500))")
			b.view(name + "-" + s)
		}
	}
	b.Do(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"))
	value[bool](b, "new Promise((done) => setTimeout(() => done(true), 500))")
	b.view("light-top")
	tour("light", "live", "model", "planner", "machine", "compare", "glossary")
	b.Do(chromedp.Click(chromedp.CSS("#theme")))
	tour("dark", "returns", "live", "model")
	b.Do(chromedp.EmulateViewport(360, 780))
	tour("phone", "runs", "returns", "live", "machine")
	b = open(t, all, 1400, 900)
	tour("all", "runs", "returns", "live", "model", "compare")
}
