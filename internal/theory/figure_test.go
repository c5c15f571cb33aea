package theory

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/orrery-rl/orrery/internal/plotsvg"
)

var update = flag.Bool("update", false, "rewrite the figures of docs/theory.md")

// TestFigures draws the figures of docs/theory.md and compares them with those
// in the repository.
func TestFigures(t *testing.T) {
	for name, plot := range map[string]plotsvg.Plot{
		"theory-multistep.svg": multiStepFigure(),
		"theory-gap.svg":       gapFigure(),
	} {
		var want bytes.Buffer
		if err := plot.Write(&want); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("..", "..", "docs", "images", name)
		if *update {
			if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// A checkout on Windows may have changed the line ends.
		if got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is out of date; run: go test ./internal/theory -run TestFigures -update", name)
		}
	}
}

// multiStepFigure shows how far the multi-step evidence and its two bounds stay
// below the evidence, on average over data of the model itself, with the filter
// as encoder.
func multiStepFigure() plotsvg.Plot {
	m := Chain(12, 0.9, 0.3, 0.5, 0)
	own := must(m.ExpectedEvidence(m))
	mean, cov := m.Observations()
	bound := plotsvg.Series{Name: "ln p - L_d: two Jensen steps"}
	middle := plotsvg.Series{Name: "ln p - M_d: one"}
	evidence := plotsvg.Series{Name: "ln p - ln p_d: none"}
	for d := 1; d <= 8; d++ {
		far := m.MultiStep(d)
		filtered := func(model Model, steps int) float64 {
			return exactAverage(func(o []float64) float64 {
				return model.Bound(must(m.Filter(o)), o, steps)
			}, mean, cov)
		}
		add(&bound, float64(d), own-filtered(m, d))
		add(&middle, float64(d), own-filtered(far, 1))
		add(&evidence, float64(d), own-must(far.ExpectedEvidence(m)))
	}
	return plotsvg.Plot{
		Title:  "What multi-step bounds lose, mean over data of the model",
		XLabel: "steps predicted (d)", YLabel: "nats per sequence of 12", ZeroY: true,
		Series: []plotsvg.Series{bound, middle, evidence},
	}
}

// gapFigure shows the gap of the variational bound against how sure the
// encoder is.
func gapFigure() plotsvg.Plot {
	m, o := example()
	evidence := must(m.Evidence(o))
	smoother, filter := must(m.Posterior(o)), must(m.Filter(o))
	smooth, filtered := plotsvg.Series{Name: "smoothing encoder: all of o"}, plotsvg.Series{Name: "filtering encoder: o up to t"}
	for i := -30; i <= 30; i++ {
		log10 := float64(i) / 50
		factor := math.Pow(10, log10)
		add(&smooth, log10, evidence-m.Bound(smoother.Widened(factor), o, 1))
		add(&filtered, log10, evidence-m.Bound(filter.Widened(factor), o, 1))
	}
	return plotsvg.Plot{
		Title:  "The gap of the bound, for encoders too sure and not sure enough",
		XLabel: "log10 of the factor on the encoder's variances", YLabel: "ln p - L_1 in nats", ZeroY: true,
		Series: []plotsvg.Series{smooth, filtered},
	}
}

func add(s *plotsvg.Series, x, y float64) {
	s.X, s.Y = append(s.X, x), append(s.Y, y)
}
