package diagnose

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/metrics"
)

// judged returns a curve of a metric of updates that is long enough to be judged.
func (h *history) judged(name string) (curve, bool) {
	c, ok := h.curve(name, few)
	return c.finite(), ok && h.last.Updates >= warmUp && len(c.finite().points) >= few
}

func checkFinite(h *history) verdict {
	for _, e := range h.events {
		for _, name := range slices.Sorted(maps.Keys(e.Values)) {
			if v := e.Values[name]; math.IsNaN(v) || math.IsInf(v, 0) {
				return finding(fmt.Sprintf("%s is %v at update %d, episode %d: the first", name, v, e.Counters.Updates, e.Counters.Episodes))
			}
		}
	}
	if len(h.events) == 0 {
		return verdict{outcome: tooEarly}
	}
	return isFine()
}

// patience is the least that counts as a long time.
const patience = 10 * time.Minute

func checkStalled(h *history) verdict {
	switch {
	case len(h.events) < few:
		return verdict{outcome: tooEarly}
	case h.Episodes == 0 && h.Updates == 0:
		return verdict{outcome: notMeasured}
	}
	complete := h.Updates > 0 && h.last.Updates >= int64(h.Updates) || h.Updates == 0 && h.last.Episodes >= int64(h.Episodes)
	var gaps []float64
	for i := 1; i < len(h.events); i++ {
		gaps = append(gaps, h.events[i].Time.Sub(h.events[i-1].Time).Seconds())
	}
	last := h.events[len(h.events)-1].Time
	age, usual := h.now.Sub(last), time.Duration(median(gaps)*float64(time.Second))
	if complete || age < patience || age < 20*usual {
		return isFine()
	}
	target := fmt.Sprintf("%d of %d episodes", h.last.Episodes, h.Episodes)
	if h.Updates > 0 {
		target = fmt.Sprintf("%d of %d updates", h.last.Updates, h.Updates)
	}
	return finding(fmt.Sprintf("the last event, after %s, is from %s, %s ago; %s usually lie between events",
		target, last.UTC().Format(time.DateTime), age.Round(time.Minute), usual.Round(100*time.Millisecond)))
}

func checkDamaged(h *history) verdict {
	if h.DamagedLines > 0 {
		return finding(fmt.Sprintf("%d %s", h.DamagedLines, plural("line", h.DamagedLines)))
	}
	return isFine()
}

// ranged is a metric's range in words, with its bounds.
func ranged(name string) (low, high float64, text string) {
	m, _ := metrics.Lookup(name)
	return m.Low, m.High, fmt.Sprintf("its range is %g to %g", m.Low, m.High)
}

const klName = "loss/kl:nats"

func checkPosterior(h *history) verdict {
	kl, ok := h.judged(klName)
	image, seen := h.judged("loss/image:nats")
	if !ok || !seen {
		return h.absent("loss/image:nats")
	}
	low, _, text := ranged(klName)
	before, after := image.early(), image.tail()
	if kl.tail().median() >= low || after.median() < 0.7*before.median() {
		return isFine()
	}
	return finding(kl.tail().said()+"; "+text, after.said(), "before: "+before.said())
}

func checkPrior(h *history) verdict {
	kl, ok := h.judged(klName)
	if !ok {
		return h.absent(klName)
	}
	_, high, text := ranged(klName)
	tail, middle := kl.tail(), kl.middle()
	rising := tail.median() > 10 && tail.median() > 1.5*middle.median()
	if tail.median() <= high && !rising {
		return isFine()
	}
	return finding(tail.said()+"; "+text, "before: "+middle.said())
}

func checkFreeNats(h *history) verdict {
	const name = "loss/kl_clipped:nats"
	c, ok := h.judged(name)
	switch {
	case !ok:
		return h.absent(name)
	case h.FreeNats == 0:
		return verdict{outcome: notMeasured}
	case slices.Max(c.tail().values()) > 0:
		return isFine()
	}
	evidence := []string{fmt.Sprintf("%s is exactly 0 (%s)", name, c.tail().where())}
	if kl, ok := h.judged(klName); ok {
		evidence = append(evidence, fmt.Sprintf("%s; model.free_nats is %g", kl.tail().said(), h.FreeNats))
	}
	return finding(evidence...)
}

func checkReward(h *history) verdict {
	const name = "loss/reward:nats"
	c, ok := h.judged(name)
	if !ok {
		return h.absent(name)
	}
	negative := curve{name, slices.Clone(c.points)}
	for i := range negative.points {
		negative.points[i].value *= -1
	}
	peak := negative.lowest()
	peak.value *= -1
	tail := c.tail()
	old := float64(peak.at.Updates) <= 2.0/3*float64(h.last.Updates)
	if peak.value < 1e-4 || !old || tail.median() < 0.6*peak.value {
		return isFine()
	}
	return finding(tail.said(), fmt.Sprintf("its highest level was %s, at update %d", number(peak.value), peak.at.Updates))
}

func checkNoReward(h *history) verdict {
	c, ok := h.curve("return/train:reward", 20)
	if !ok {
		return h.absent("return/train:reward")
	}
	for _, v := range c.values() {
		if v != 0 {
			return isFine()
		}
	}
	return finding(fmt.Sprintf("return/train:reward is 0 in all of %d episodes", len(c.points)))
}

func checkLearningRate(h *history) verdict {
	norm, ok := h.judged("grad/norm:1")
	total, seen := h.judged("loss/total:nats")
	if !ok || !seen {
		return h.absent("grad/norm:1")
	}
	var evidence []string
	if clipped, ok := h.judged("grad/clipped:ratio"); ok {
		_, high, text := ranged("grad/clipped:ratio")
		if share := mean(clipped.tail().values()); share > high {
			evidence = append(evidence, fmt.Sprintf("grad/clipped:ratio is %s (mean, %s); %s", number(share), clipped.tail().where(), text))
		}
	}
	if tail, middle := norm.tail(), norm.middle(); tail.median() > 3*middle.median() {
		evidence = append(evidence, tail.said()+"; before: "+middle.said())
	}
	if spikes := spikes(total); len(spikes) >= 3 {
		last := spikes[len(spikes)-1]
		evidence = append(evidence, fmt.Sprintf("loss/total:nats has %d spikes, the last to %s at update %d", len(spikes), number(last.value), last.at.Updates))
	}
	after := total.part(0.1, 1)
	if tail, low := total.tail(), after.lowest(); low.value > 0 && tail.median() > 3*low.value {
		evidence = append(evidence, fmt.Sprintf("%s; its lowest level was %s, at update %d", tail.said(), number(low.value), low.at.Updates))
	}
	switch {
	case len(evidence) == 0:
		return isFine()
	case len(evidence) == 1:
		return finding(evidence...).as(Warning)
	}
	return finding(evidence...)
}

// spikes are the points, after the first tenth, that lie three times above the
// median of the ten before.
func spikes(c curve) []point {
	var out []point
	for i := max(few, len(c.points)/10); i < len(c.points); i++ {
		if around := median(curve{c.name, c.points[i-few : i]}.values()); c.points[i].value > 3*math.Abs(around) {
			out = append(out, c.points[i])
		}
	}
	return out
}

func checkOverfitting(h *history) verdict {
	const name = "validation/total:nats"
	c, ok := h.curve(name, 5)
	if c = c.finite(); !ok || len(c.points) < 5 {
		return h.absent(name)
	}
	least := slices.MinFunc(c.points, func(a, b point) int { return cmpFloat(a.value, b.value) })
	last := c.points[len(c.points)-1]
	early := float64(least.at.Updates) <= 0.7*float64(last.at.Updates)
	if !early || last.value <= least.value+0.2*math.Abs(least.value) || !h.trainingFellAfter(least.at.Updates) {
		return isFine()
	}
	return finding(fmt.Sprintf("%s is %s at update %d; it was %s at update %d", name, number(last.value), last.at.Updates, number(least.value), least.at.Updates),
		h.curves["loss/total:nats"].finite().tail().said()+", and has fallen since")
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// trainingFellAfter reports whether the training loss is lower now than around an
// update.
func (h *history) trainingFellAfter(update int64) bool {
	total := h.curves["loss/total:nats"].finite()
	var around []float64
	for _, p := range total.points {
		if math.Abs(float64(p.at.Updates-update)) <= 0.1*float64(h.last.Updates) {
			around = append(around, p.value)
		}
	}
	return len(around) > 0 && total.tail().median() < median(around)
}

func checkReplay(h *history) verdict {
	c, ok := h.curve("replay/episodes:episodes", 1)
	if !ok || h.last.Updates < 1000 {
		return h.absent("replay/episodes:episodes")
	}
	last := c.points[len(c.points)-1]
	if last.value >= 10 {
		return isFine()
	}
	text := fmt.Sprintf("replay/episodes:episodes is %s after %d updates", number(last.value), h.last.Updates)
	if r, ok := h.curve("replay/records:records", 1); ok && h.BatchSize > 0 {
		seen := float64(h.last.Updates) * float64(h.BatchSize*h.ChunkLength) / r.points[len(r.points)-1].value
		text += fmt.Sprintf(": every record was learned from %.0f times", seen)
	}
	return finding(text)
}

func returns(events []metrics.Event) []float64 {
	var out []float64
	for _, e := range events {
		if v, ok := e.Values["return/train:reward"]; ok {
			out = append(out, v)
		}
	}
	return out
}

func checkRandom(h *history) verdict {
	seeds, planned := returns(h.seeds), returns(h.planned)
	if len(seeds) < 2 || len(planned) < 40 {
		return h.absent("return/train:reward")
	}
	base, spread := mean(seeds), 0.0
	for _, v := range seeds {
		spread += (v - base) * (v - base) / float64(len(seeds)-1)
	}
	spread = math.Sqrt(spread)
	tail := h.planned[len(h.planned)*4/5:]
	now := mean(returns(tail))
	if now > base+0.5*spread+0.1*math.Abs(base) || base == 0 && now == 0 {
		return isFine()
	}
	return finding(fmt.Sprintf("return/train:reward is %s (mean of episodes %d to %d); that of %d random episodes was %s ± %s",
		number(now), tail[0].Counters.Episodes, tail[len(tail)-1].Counters.Episodes, len(seeds), number(base), number(spread)))
}

func checkEvaluation(h *history) verdict {
	evals, ok := h.curve("return/eval:reward", 3)
	if !ok || len(h.planned) < 20 {
		return h.absent("return/eval:reward")
	}
	evals.points = evals.points[len(evals.points)-3:]
	var near []float64
	for _, p := range evals.points {
		if around := h.around(p.at.Episodes); len(around) > 0 {
			near = append(near, mean(around))
		}
	}
	if len(near) < 3 {
		return verdict{outcome: notMeasured}
	}
	eval, train := mean(evals.values()), mean(near)
	if train-eval <= 0.3*math.Abs(train) || train-eval <= 1e-9 {
		return isFine()
	}
	return finding(fmt.Sprintf("return/eval:reward is %s (mean of the evaluations after episodes %d to %d); return/train:reward around them is %s",
		number(eval), evals.points[0].at.Episodes, evals.points[2].at.Episodes, number(train)))
}

// around are the returns of the planned episodes next to one.
func (h *history) around(episode int64) []float64 {
	var out []metrics.Event
	for _, e := range h.planned {
		if d := e.Counters.Episodes - episode; d > -5 && d <= 5 {
			out = append(out, e)
		}
	}
	return returns(out)
}

func checkGain(h *history) verdict {
	gain, ok := h.curve("plan/gain:reward", 20)
	elite, both := h.curve("plan/elite:reward", 20)
	if !ok || !both {
		return h.absent("plan/gain:reward")
	}
	g, e := gain.finite().tail(), elite.finite().tail()
	if len(g.points) == 0 || len(e.points) == 0 || g.median() >= 0.01*math.Abs(e.median())+1e-6 {
		return isFine()
	}
	evidence := []string{g.said(), e.said()}
	if std, ok := h.curve("plan/std:1", 20); ok {
		evidence = append(evidence, std.tail().said())
	}
	return finding(evidence...)
}

func checkSaturation(h *history) verdict {
	if len(h.planned) < few {
		return h.absent("action/abs:1")
	}
	c := newHistory(h.planned, h.Settings, h.now).curves["action/abs:1"].finite()
	if len(c.points) < few {
		return h.absent("action/abs:1")
	}
	if c.tail().median() <= 0.95 {
		return isFine()
	}
	return finding(c.tail().said() + "; healthy is 0.2 to 0.9")
}

func checkExploitation(h *history) verdict {
	elite, ok := h.curve("plan/elite:reward", 20)
	if !ok || h.Horizon == 0 {
		return h.absent("plan/elite:reward")
	}
	best := math.Inf(-1)
	for _, e := range h.events {
		if e.Kind == metrics.KindEpisode && e.Values["episode/length:decisions"] > 0 {
			best = math.Max(best, e.Values["return/train:reward"]/e.Values["episode/length:decisions"])
		}
	}
	promised := elite.finite().tail().median() / float64(h.Horizon)
	if best <= 0 || !(promised > 2*best) {
		return isFine()
	}
	return finding(fmt.Sprintf("%s: %s for each of %d decisions", elite.finite().tail().said(), number(promised), h.Horizon),
		fmt.Sprintf("the best episode returned %s for each decision", number(best)))
}

// judgedElsewhere are the metrics with a range that have rules of their own.
var judgedElsewhere = []string{klName, "grad/clipped:ratio"}

func checkRanges(h *history) verdict {
	var evidence []string
	some := false
	for _, m := range metrics.Catalogue() {
		// The ranges of returns are those of one suite of tasks.
		if !m.HasRange() || m.Unit() == "reward" || slices.Contains(judgedElsewhere, m.Name) || strings.HasPrefix(m.Name, "validation/") {
			continue
		}
		c, ok := h.curve(m.Name, few)
		if c = c.finite(); !ok || len(c.points) < few {
			continue
		}
		some = true
		if v := c.tail().median(); v < m.Low || v > m.High {
			_, _, text := ranged(m.Name)
			evidence = append(evidence, c.tail().said()+"; "+text)
		}
	}
	switch {
	case len(evidence) > 0:
		return finding(evidence...)
	case !some:
		return verdict{outcome: tooEarly}
	}
	return isFine()
}

var splitNames = []string{"split/env:seconds", "split/plan:seconds", "split/update:seconds", "split/io:seconds"}

// checkSplit judges the share of one part of the time.
func checkSplit(name string, limit float64) func(*history) verdict {
	return func(h *history) verdict {
		planned := newHistory(h.planned, h.Settings, h.now)
		for _, part := range splitNames {
			if _, ok := planned.curve(part, few); !ok {
				return h.absent(part)
			}
		}
		c := planned.curves[name]
		tail := h.planned[len(h.planned)*4/5:]
		sum := map[string]float64{}
		total := 0.0
		for _, e := range tail {
			for _, part := range splitNames {
				sum[part] += e.Values[part]
				total += e.Values[part]
			}
		}
		if total == 0 || sum[name] <= limit*total {
			return isFine()
		}
		return finding(fmt.Sprintf("%s is %.0f %% of the time (%s): %.3g s of %.3g s", name, 100*sum[name]/total, c.tail().where(), sum[name], total))
	}
}

func checkPace(h *history) verdict {
	const name = "time/update:seconds"
	c, ok := h.judged(name)
	if !ok {
		return h.absent(name)
	}
	before, after := c.part(0.05, 1.0/3), c.tail()
	if after.median() <= 1.5*before.median() {
		return isFine()
	}
	return finding(after.said(), "before: "+before.said())
}

func checkMemory(h *history) verdict {
	const name = "process/memory:bytes"
	if c, ok := h.curve(name, 20); !ok || len(c.finite().points) < 20 {
		return h.absent(name)
	}
	own := curve{name: name}
	for _, e := range h.events {
		if v, ok := e.Values[name]; ok {
			own.points = append(own.points, point{e.Counters, e.Time, v - e.Values["replay/memory:bytes"]})
		}
	}
	half := own.part(0.5, 1)
	a, b, c := half.part(0, 1.0/3).median(), half.middle().median(), half.part(2.0/3, 1).median()
	if !(a > 0 && b > 1.05*a && c > 1.05*b && c > 1.25*a) {
		return isFine()
	}
	const mib = 1 << 20
	return finding(fmt.Sprintf("%s less replay/memory:bytes is %.0f MiB, then %.0f, then %.0f (medians of thirds of %s)", name, a/mib, b/mib, c/mib, half.where()))
}
