package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

func htmlOf(t testing.TB, d *Document) string {
	t.Helper()
	var buf bytes.Buffer
	if err := d.HTML(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func markdownOf(t testing.TB, d *Document) (string, []File) {
	t.Helper()
	var buf bytes.Buffer
	files, err := d.Markdown(&buf, "page-files")
	if err != nil {
		t.Fatal(err)
	}
	return buf.String(), files
}

// allowed are the elements of a page, and their attributes.
var allowed = map[string]string{
	"html": "lang", "head": "", "meta": "charset http-equiv content name", "title": "", "style": "", "body": "", "main": "", "nav": "aria-label",
	"h1": "", "h2": "id", "h3": "", "p": "class", "a": "href", "div": "class", "span": "", "b": "", "small": "", "table": "", "caption": "",
	"thead": "", "tbody": "", "tr": "", "th": "scope class", "td": "class", "figure": "", "figcaption": "", "img": "src alt", "pre": "", "code": "",
	"details": "class", "summary": "", "ul": "", "li": "", "svg": "", "path": "", "text": "", "rect": "", "circle": "",
}

// inspect parses a page strictly and returns its text. Elements and attributes that a page never has fail the test.
func inspect(t testing.TB, page string) string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(page))
	var text strings.Builder
	ids, links := map[string]bool{}, map[string]bool{}
	style := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.CharData:
			if !style {
				text.Write(token)
			}
		case xml.EndElement:
			style = false
		case xml.StartElement:
			style = token.Name.Local == "style"
			attributes, ok := allowed[token.Name.Local]
			if !ok {
				t.Fatalf("an element %s", token.Name.Local)
			}
			svg := token.Name.Space != "" || strings.Contains("svg path text rect circle", token.Name.Local)
			for _, a := range token.Attr {
				name := a.Name.Local
				switch {
				case !svg && !strings.Contains(" "+attributes+" ", " "+name+" "), strings.HasPrefix(name, "on"):
					t.Errorf("<%s> has an attribute %s=%q", token.Name.Local, name, a.Value)
				case name == "id" && ids[a.Value]:
					t.Errorf("two elements have the id %s", a.Value)
				case name == "id":
					ids[a.Value] = true
				case name == "href":
					links[a.Value] = true
				case name == "src" && !strings.HasPrefix(a.Value, "data:image/"):
					t.Errorf("an image from %.40s", a.Value)
				}
			}
		}
	}
	for link := range links {
		if !ids[strings.TrimPrefix(link, "#")] || link[0] != '#' {
			t.Errorf("a link to %s, which is not on the page", link)
		}
	}
	return text.String()
}

func TestPageSaysWhatTheRunDid(t *testing.T) {
	r := stored(t, "swingup-3", 3, 12, 20)
	r.Config.Plan.Candidates = 77
	r.Events[0].Text["commit"], r.Events[0].Text["cpu"] = "0123abcd", "AMD EPYC"
	page := htmlOf(t, Page([]*Run{r}, Options{}))
	text := inspect(t, page)
	for _, want := range []string{
		"swingup-3: cartpole-swingup", "2026-01-02 03:04:05", "12 of 130", "12,000", "1,500 decisions", "126.7", "111.7 to 141.7", // 126.67 ± 3.182 * 9.428 / sqrt 4
		"learn", "plan.candidates", "77", "Where the time went", "updates", "68.9 %", "AMD EPYC", "git checkout 0123abcd", "orrery train --preset small --set plan.candidates=77 --seed 3",
		"The run has 12 of 130 episodes", "KL divergence of the posterior", "Healthy:", "Reproduce",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 4 { // returns, two losses, clipped gradients
		t.Errorf("%d drawings", n)
	}
	for _, want := range []string{`<nav aria-label="Sections">`, `<th scope="row">plan.candidates</th><td>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s for those who do not see it", want)
		}
	}
	if page != htmlOf(t, Page([]*Run{r}, Options{})) {
		t.Error("two pages of the same run differ")
	}
	for _, bad := range []string{"http://", "https://", "<script", "url("} {
		if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestPageDoesNotInventPrecision: few episodes have no interval, and a run that
// went beyond its goal did not do 8 of 3 episodes.
func TestPageDoesNotInventPrecision(t *testing.T) {
	r := stored(t, "short", 1, 8, 20)
	r.Config.Learn.Episodes = 3
	r.Events[len(r.Events)-1].Text["returns"] = "-500 800"
	text := inspect(t, htmlOf(t, Page([]*Run{r}, Options{})))
	for want, there := range map[string]bool{"too few episodes for an interval": true, "8 of 8": true, "8 of 3": false, "95 %: ": false} {
		if strings.Contains(text, want) != there {
			t.Errorf("%q is on the page: %v", want, !there)
		}
	}
}

func TestSeveralRunsAreCompared(t *testing.T) {
	a, b, c := stored(t, "run-1", 1, 12, 10), stored(t, "run-2", 2, 12, 40), stored(t, "other", 1, 12, 5)
	c.Config.Model.FreeNats = 1
	text := inspect(t, htmlOf(t, Page([]*Run{a, b, c}, Options{})))
	for _, want := range []string{
		"3 runs: cartpole-swingup", "run-1, run-2, other", "Over seeds", "run (2 runs)", "model.free_nats", "seed",
		"128.3", // of 123.33 and 133.33
		"64.8 to 191.9",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	text = inspect(t, htmlOf(t, Page([]*Run{a, c}, Options{})))
	if strings.Contains(text, "Over seeds") || !strings.Contains(text, "do not take a gap between two runs for a finding") {
		t.Error("two settings with a seed each are taken for a comparison over seeds")
	}
}

// hostile are texts that mean something to HTML, SVG, Markdown or a shell.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; rm -rf / #`, "</style></title>", `&lt;b&gt; & &amp;`, "a\nb\r\n| c |\n\n# x", "```\nend\n```",
	`![x](http://evil/x.png)`, "[a](javascript:alert(1))", "<details open ontoggle=alert(1)>", "\x00\x01\u202e", "--><!--", "]]>", "$(reboot)`reboot`", "=1+1|cmd",
}

// hostileRun is one whose every text is hostile.
func hostileRun(t testing.TB, name, evil string) *Run {
	t.Helper()
	h := newHistory(map[string]string{"env": evil, "backend": evil, evil: evil, "commit": evil + " x"})
	h.iteration(3)
	h.evaluation(1, 2)
	cfg := small(t, 1)
	cfg.Env.Name, cfg.Learn.From, cfg.Learn.Freeze = evil, evil, []string{evil}
	return &Run{Name: name, Path: evil, Dir: evil, Events: h.events, Config: cfg, Damaged: []error{errors.New(evil)}, Problems: []string{evil}}
}

func TestHostileTextsStayText(t *testing.T) {
	for _, evil := range hostile {
		o := Options{Media: map[string]Media{}}
		o.Media[evil] = Media{Dream: []byte{1, 2}, MIME: "image/png", OpenLoopNote: evil, OpenLoop: []OpenLoop{{1, 2, 3}}, Missing: evil, OpenLoopMissing: evil}
		for _, runs := range [][]*Run{{hostileRun(t, evil, evil)}, {hostileRun(t, evil, evil), hostileRun(t, evil+"2", evil)}} {
			page := htmlOf(t, Page(runs, o))
			// XML forbids control characters that HTML merely shows as nothing.
			inspect(t, strings.Map(func(r rune) rune {
				if r < ' ' && r != '\n' && r != '\t' {
					return -1
				}
				return r
			}, page))
			text, files := markdownOf(t, Page(runs, o))
			checkMarkdown(t, evil, text, files)
		}
	}
}

// checkMarkdown demands that no line of a page outside code begins or holds
// markup that the page did not make.
func checkMarkdown(t *testing.T, evil, text string, files []File) {
	t.Helper()
	names := map[string]bool{}
	for _, f := range files {
		if names[f.Name] || strings.ContainsAny(f.Name, `/\ .`) && strings.Count(f.Name, ".") != 1 {
			t.Errorf("%q: a file %q", evil, f.Name)
		}
		names[f.Name] = true
	}
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			}
			continue
		case strings.HasPrefix(line, "```"):
			fence = line[:len(line)-len(strings.TrimLeft(line, "`"))]
			continue
		}
		bare := strings.NewReplacer(`\\`, "", `\<`, "", `\[`, "", `\]`, "", "\\`", "", `\|`, "", `\#`, "").Replace(line)
		for _, tag := range []string{"<details>", "</details>", "<summary>", "</summary>"} {
			bare = strings.ReplaceAll(bare, tag, "")
		}
		if strings.Contains(bare, "<") || strings.Contains(bare, "`") {
			t.Errorf("%q: markup in the line %q", evil, line)
		}
		if i := strings.Index(bare, "]("); i >= 0 && !strings.HasPrefix(bare[i:], "](page-files/") {
			t.Errorf("%q: a link in the line %q", evil, line)
		}
	}
	if fence != "" {
		t.Errorf("%q: a block of code that does not end", evil)
	}
}

// TestMarkdownEscapesWhatMeansSomething and nothing else: a page is read as it is,
// too. What GFM makes of each was looked at with cmark-gfm.
func TestMarkdownEscapesWhatMeansSomething(t *testing.T) {
	for in, want := range map[string]string{
		"20.3": "20.3", "2026-11-27 23:44:25": "2026-11-27 23:44:25", "-0.5 to +3.1": "-0.5 to +3.1", "env_steps": "env_steps", "a__b": "a__b",
		"runs/my_run-1": "runs/my_run-1", "orrery eval -n 10 > out": "orrery eval -n 10 > out", "R & D": "R & D", "C#": "C#", "1.5e-3": "1.5e-3", "=1+1": "=1+1", "f(x) = 3": "f(x) = 3",
		"_a_": `\_a\_`, "a _b": `a \_b`, "(_)": `(\_)`, "a_": `a\_`, "_": `\_`, "__init__": `\_\_init\_\_`,
		"# a": `\# a`, "a #": `a \#`, "&lt;": `\&lt;`, "&#60;": `\&#60;`, "<b>": `\<b>`, "[a](b)": `\[a\](b)`, "a*b": `a\*b`,
		"> a": `\> a`, ">": `\>`, "- a": `\- a`, "+ a": `\+ a`, "---": `\---`, "===": `\===`, "- - -": `\- - -`, "-": `\-`, "1. a": `1\. a`, "12)": `12\)`, "    code": "code", "\t1. a": `1\. a`,
	} {
		if got := markdownLine(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := markdown("20. "); got != "20. " {
		t.Errorf("within a line, it becomes %q", got)
	}
}

// TestAnyTextStaysText, with bytes of any kind.
func TestAnyTextStaysText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		evil := rapid.String().Draw(rt, "text")
		if strings.ContainsAny(string(text(evil)), `<>"'`) {
			rt.Fatalf("%q becomes %q", evil, text(evil))
		}
		if got := markdown(evil); strings.ContainsAny(got, "\n\r") {
			rt.Fatalf("%q becomes %q", evil, got)
		}
	})
}

// TestReturnsAreDrawnOfTheRunsThatHaveSome, in the colours of the other drawings.
func TestReturnsAreDrawnOfTheRunsThatHaveSome(t *testing.T) {
	none := &Run{Name: "none", Path: "none", Events: []metrics.Event{
		{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: 5}, Values: map[string]float64{"loss/kl:nats": 3}},
	}}
	blocks := curves([]*Run{none, stored(t, "swing", 1, 3, 0)})
	c, ok := blocks[0].(chart)
	if !ok || len(c.figure[0].Series) != 2 || c.figure[0].Series[0].Name != "" || c.figure[0].Series[1].Name != "swing" {
		t.Errorf("drawn: %+v", blocks[0])
	}
	if !ok || !strings.Contains(c.caption, "none has no returns") {
		t.Errorf("the caption does not say what is missing: %q", c.caption)
	}
	none.Events = append(none.Events, metrics.Event{Kind: metrics.KindEvaluation, Values: map[string]float64{evalReturn: 5}})
	if c := curves([]*Run{none, stored(t, "swing", 1, 3, 0)})[0].(chart); c.caption != "What the evaluations returned, without exploration noise." {
		t.Errorf("the caption of evaluations is %q", c.caption)
	}
}

// TestBlankFactsAreNone: a process may say nothing in many spaces.
func TestBlankFactsAreNone(t *testing.T) {
	r := stored(t, "blank-1", 1, 3, 0)
	r.Events[0].Text["commit"] = " \t "
	text := inspect(t, htmlOf(t, Page([]*Run{r}, Options{})))
	if strings.Contains(text, "git checkout") || !strings.Contains(text, "The commit is not recorded: go run records no commit") {
		t.Errorf("a blank commit is taken for one:\n%s", text)
	}
}

func TestRunsWithoutAnythingAreTold(t *testing.T) {
	fsys := vfstest.NewMem()
	put(t, fsys, "empty/metrics.jsonl", "")
	put(t, fsys, "broken/metrics.jsonl", "nonsense\n\x00\x01\nmore\n")
	put(t, fsys, "bare/metrics.jsonl", `{"kind":"episode","time":"2026-01-02T03:04:05Z","env_steps":5,"decisions":1,"updates":0,"episodes":1,"values":{"return/train:reward":null,"loss/kl:nats":null},"nonfinite":{"loss/kl:nats":"+Inf"}}`+"\n")
	for dir, want := range map[string]string{"empty": "nothing was recorded", "broken": "3 damaged lines of the event file", "bare": "not evaluated yet"} {
		r, err := Load(fsys, dir)
		if err != nil {
			t.Fatal(err)
		}
		text := inspect(t, htmlOf(t, Page([]*Run{r}, Options{FS: fsys})))
		if !strings.Contains(text, want) || !strings.Contains(text, "the configuration is not there") {
			t.Errorf("%s: %q is missing from %s", dir, want, text)
		}
		markdownOf(t, Page([]*Run{r, r}, Options{FS: fsys}))
	}
}

func TestFindings(t *testing.T) {
	h := newHistory(map[string]string{"commit": "abc with changes", "cores": "2"})
	h.iteration(5)
	h.counters.Updates += 10
	h.add(metrics.KindUpdate, time.Second, map[string]float64{"loss/kl:nats": 90}, nil)
	h.add(metrics.KindUpdate, time.Second, map[string]float64{"loss/kl:nats": 95}, nil)
	h.add(metrics.KindRun, time.Hour, nil, map[string]string{"commit": "abc with changes", "cores": "8"})
	h.add(metrics.KindUpdate, time.Second, map[string]float64{"loss/image:nats": math.NaN()}, nil)
	r := &Run{Events: h.events, Config: small(t, 1)}
	var all strings.Builder
	for _, f := range r.Findings() {
		fmt.Fprintln(&all, f.Severity, f.Text)
	}
	for _, want := range []string{
		"info Nothing worked on the run for 1.0 h in 1 gap",
		"differ in: cores", "changes that were not committed", "has 1 of 130 episodes", "not evaluated yet",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q is missing from\n%s", want, all.String())
		}
	}
	good := stored(t, "a", 1, 130, 1)
	good.Events[len(good.Events)-1].Text["returns"] = "1 2 3 4 5 6 7 8 9 10"
	if found := good.Findings(); len(found) > 0 {
		t.Errorf("a finished, healthy run: %v", found)
	}
}

func TestFramesAndDreamsAreOnThePage(t *testing.T) {
	fsys := vfs.OS()
	r := stored(t, "a", 1, 3, 1)
	r.Dir = t.TempDir()
	for _, name := range []string{"000000.npz", "000002.npz"} { // the middle one is missing
		path := filepath.Join(r.Dir, "episodes", name)
		if err := fsys.MkdirAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		err := vfs.WriteFileDurable(fsys, path, func(w io.Writer) error {
			return npz.Write(w, []npz.Array{{Name: "image", Dims: []int{2, 4, 4, 3}, Data: make([]byte, 96)}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	o := Options{FS: fsys, Media: map[string]Media{r.Path: {Dream: []byte("GIF89a"), MIME: "image/gif", Context: 5, Length: 60, OpenLoop: []OpenLoop{{10, 12.5, 4}}, OpenLoopNote: "on an episode"}}}
	page := htmlOf(t, Page([]*Run{r}, o))
	text := inspect(t, page)
	for _, want := range []string{"What it sees", "the first 5 of 60 frames", "Training episode 3, from", "records ahead", "12.5"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(page, "data:image/png;base64,"); n != 2 || !strings.Contains(page, "data:image/gif;base64,R0lGODlh") {
		t.Errorf("%d strips", n)
	}
	md, files := markdownOf(t, Page([]*Run{r}, o))
	kinds := map[string]int{}
	for _, f := range files {
		kinds[filepath.Ext(f.Name)]++
		if !strings.Contains(md, "](page-files/"+f.Name+")") {
			t.Errorf("%s is not shown", f.Name)
		}
	}
	if kinds[".gif"] != 1 || kinds[".png"] != 2 || kinds[".svg"] != 4 {
		t.Errorf("files %v", kinds)
	}
}

func TestDiagnosisIsOnThePage(t *testing.T) {
	r := stored(t, "a", 1, 40, 1)
	if text := inspect(t, htmlOf(t, Page([]*Run{r}, Options{}))); !strings.Contains(text, "Diagnosis") || !strings.Contains(text, "posterior-ignored") {
		t.Error("no diagnosis")
	}
	for _, e := range r.Events {
		if e.Kind == metrics.KindUpdate && e.Counters.Updates > 200 {
			e.Values["loss/kl:nats"] = math.NaN()
		}
	}
	text := inspect(t, htmlOf(t, Page([]*Run{r}, Options{})))
	if !strings.Contains(text, "Error:A value is not a number, or infinite.") || !strings.Contains(text, "Likely: ") {
		t.Errorf("the finding is missing from %s", text)
	}
	if md, _ := markdownOf(t, Page([]*Run{r}, Options{})); !strings.Contains(md, "> **Error:** A value is not a number") {
		t.Error("the finding is missing from the Markdown page")
	}
}

// TestCommandMakesTheSameConfiguration, as a shell and the program read it.
func TestCommandMakesTheSameConfiguration(t *testing.T) {
	for name, change := range map[string]func(*config.Run){
		"nothing": func(*config.Run) {},
		"numbers": func(r *config.Run) { r.Seed, r.Learn.Episodes, r.Plan.Horizon = 1<<63+1, 7, 5 },
		"words":   func(r *config.Run) { r.Plan.Method, r.Env.Name = "icem", "exec:./sim --flag 'x y'" },
		"lists": func(r *config.Run) {
			r.Learn.Freeze = []string{"encoder", "decoder"}
			r.Model.RewardLayers = []int{5, 6, 7}
		},
		"booleans": func(r *config.Run) { r.Learn.RandomCollection, r.Model.ContinueHead = true, true },
	} {
		want := small(t, 0)
		change(want)
		command := (&Run{Config: want}).Command()
		got := small(t, 0)
		words := shellWords(t, command)
		for i := 2; i < len(words); i += 2 {
			assignment := words[i+1]
			for setting, flag := range flags {
				if flag == words[i] {
					assignment = setting + "=" + words[i+1]
				}
			}
			if words[i] == "--preset" {
				continue
			}
			if err := got.Set(assignment); err != nil {
				t.Errorf("%s: %s: %v", name, command, err)
			}
		}
		if left, err := config.Differences(*want, *got); err != nil || len(left) > 0 {
			t.Errorf("%s: %s leaves %v, %v", name, command, left, err)
		}
	}
	if got := (&Run{}).Command(); got != "" {
		t.Errorf("without a configuration: %s", got)
	}
}

// shellWords splits as a shell does, which knows single quotes and backslashes.
func shellWords(t *testing.T, s string) (words []string) {
	t.Helper()
	var word strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
			word.WriteByte(c)
		case c == '\\':
			i++
			word.WriteByte(s[i])
		case c == ' ':
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteByte(c)
		}
	}
	return append(words, word.String())
}

func TestNumbersReadWell(t *testing.T) {
	for got, want := range map[string]string{
		thousands(0): "0", thousands(999): "999", thousands(1234567): "1,234,567", thousands(-1000): "\u22121,000",
		decimal(-1.25): "\u22121.2", decimal(math.NaN()): "–", duration(90 * time.Second): "1.5 min", duration(3 * time.Hour): "3.0 h", duration(20 * time.Millisecond): "20 ms",
		significant(0.01234): "0.0123", significant(1234.5): "1234", significant(3): "3", plural(1, "gap"): "1 gap", plural(2, "gap"): "2 gaps", plural(2, "process"): "2 processes",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
