package report

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// File is one that lies beside a Markdown page.
type File struct {
	// Name is what the page calls it, without its directory.
	Name string
	Data []byte
}

// Markdown writes the document as Markdown, and returns the drawings and images
// that it shows from the directory dir beside it.
func (d *Document) Markdown(w io.Writer, dir string) ([]File, error) {
	p := &markdownWriter{dir: dir, taken: map[string]int{}}
	p.printf("# %s\n\n%s\n\n", markdown(d.title), markdownLine(d.subtitle))
	p.blocks(d.blocks)
	if p.err != nil {
		return nil, p.err
	}
	_, err := w.Write(append(bytes.TrimRight(p.out.Bytes(), "\n"), '\n'))
	return p.files, err
}

// markdownWriter writes blocks and remembers the first error.
type markdownWriter struct {
	out   bytes.Buffer
	dir   string
	files []File
	taken map[string]int
	err   error
}

func (p *markdownWriter) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// markdown makes any text safe within a line, a cell or a link's text, and leaves
// alone what means nothing there.
func markdown(s string) string {
	text := []rune(s)
	for i, r := range text {
		if r < ' ' {
			text[i] = ' '
		}
	}
	var b strings.Builder
	for i, r := range text {
		if meansSomething(text, i) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// meansSomething reports whether a character of a text may be markup where it
// stands.
func meansSomething(text []rune, i int) bool {
	switch text[i] {
	case '\\', '`', '*', '{', '}', '[', ']', '<', '|', '~', '$', '^':
		return true
	case '_': // within a word it is none
		before, after := i-1, i+1
		for before >= 0 && text[before] == '_' {
			before--
		}
		for after < len(text) && text[after] == '_' {
			after++
		}
		return before < 0 || after == len(text) || !inWord(text[before]) || !inWord(text[after])
	case '#': // begins a heading, or ends one
		return i == 0 || text[i-1] == ' '
	case '&': // begins an entity
		return i+1 < len(text) && (text[i+1] == '#' || unicode.IsLetter(text[i+1]))
	}
	return false
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// lineStart matches what else is markup at the beginning of a line: quotations,
// lists and rules.
var lineStart = regexp.MustCompile(`^(?:>|[-+](?: |$)|[-=][-= ]*$|\d+[.)](?: |$))`)

// markdownLine is markdown for a text that a line begins with. It loses its
// indentation, which would make it code.
func markdownLine(s string) string {
	s = strings.TrimLeft(markdown(s), " ")
	if lineStart.MatchString(s) {
		at := strings.IndexAny(s, ">-+=.)")
		s = s[:at] + `\` + s[at:]
	}
	return s
}

func (p *markdownWriter) blocks(blocks []block) {
	for _, b := range blocks {
		p.block(b)
	}
}

func (p *markdownWriter) block(b block) {
	switch b := b.(type) {
	case heading:
		p.printf("%s %s\n\n", strings.Repeat("#", b.level), markdown(b.text))
	case paragraph:
		p.printf("%s\n\n", markdownLine(string(b)))
	case notice:
		label := map[Severity]string{Warning: "Warning", Error: "Error"}[b.severity]
		if label == "" {
			label = "Note"
		}
		p.printf("> **%s:** %s\n\n", label, markdown(b.text))
	case cards:
		t := table{header: []string{"", "", ""}, left: 1}
		for _, c := range b {
			t.rows = append(t.rows, []string{c.label, c.value, c.note})
		}
		p.table(t)
	case table:
		p.table(b)
	case chart:
		p.chart(b)
	case grid:
		for _, c := range b {
			p.chart(c)
		}
	case picture:
		ending := map[string]string{"image/gif": ".gif"}[b.mime]
		if ending == "" {
			ending = ".png"
		}
		p.image(b.alt, b.name, ending, b.data)
		p.printf("*%s*\n\n", markdown(b.caption))
	case list:
		for _, item := range b {
			p.printf("- %s\n", markdownLine(item))
		}
		p.printf("\n")
	case code:
		fence := fenceFor(b.text)
		p.printf("%s%s\n%s\n%s\n\n", fence, b.language, strings.TrimRight(b.text, "\n"), fence)
	case folded:
		p.printf("<details>\n<summary>%s</summary>\n\n", entities(b.summary))
		p.blocks(b.inside)
		p.printf("</details>\n\n")
	default:
		p.err = fmt.Errorf("report: a block of type %T", b)
	}
}

// entities makes any text safe within an element of HTML in Markdown, where
// renderers differ in what they take for markup.
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ':
			b.WriteByte(' ')
		case r > '~' || r == ' ' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// fenceFor is longer than any run of backticks in the text.
func fenceFor(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}

func (p *markdownWriter) table(t table) {
	if t.caption != "" {
		p.printf("%s:\n\n", markdownLine(t.caption))
	}
	p.row(t.header)
	rule := make([]string, len(t.header))
	for i := range rule {
		if rule[i] = "---"; i >= t.left {
			rule[i] = "---:"
		}
	}
	p.printf("|%s|\n", strings.Join(rule, "|"))
	for _, row := range t.rows {
		p.row(row)
	}
	p.printf("\n")
}

func (p *markdownWriter) row(cells []string) {
	for _, c := range cells {
		p.printf("| %s ", markdown(c))
	}
	p.printf("|\n")
}

func (p *markdownWriter) chart(c chart) {
	var svg bytes.Buffer
	if err := c.figure.Write(&svg); err != nil {
		p.err = fmt.Errorf("report: chart %s: %w", c.name, err)
		return
	}
	p.image(c.caption, c.name, ".svg", svg.Bytes())
}

// image shows a file beside the page, under a name that no other has.
func (p *markdownWriter) image(alt, name, ending string, data []byte) {
	p.taken[name+ending]++
	if n := p.taken[name+ending]; n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	file := safeName(name) + ending
	p.files = append(p.files, File{file, data})
	p.printf("![%s](%s/%s)\n\n", markdown(alt), url.PathEscape(p.dir), file)
}

// safeName keeps letters, digits and dashes.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}
