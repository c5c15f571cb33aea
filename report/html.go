package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"io"
)

//go:embed style.css
var style string

// policy forbids a page to load or run anything: it holds all it shows.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

// HTML writes the document as one file that needs no other: drawings and images
// are in it, and there are no scripts.
func (d *Document) HTML(w io.Writer) error {
	p := &htmlWriter{}
	p.printf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
	p.printf("<meta http-equiv=\"Content-Security-Policy\" content=\"%s\"/>\n", policy)
	p.printf("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n")
	p.printf("<title>%s</title>\n<style>\n", text(d.title))
	p.out.WriteString(style)
	p.printf("</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n<p class=\"sub\">%s</p>\n", text(d.title), text(d.subtitle))
	p.contents(d.blocks)
	p.blocks(d.blocks)
	p.printf("</main>\n</body>\n</html>\n")
	if p.err != nil {
		return p.err
	}
	_, err := w.Write(p.out.Bytes())
	return err
}

// htmlWriter writes blocks and remembers the first error.
type htmlWriter struct {
	out      bytes.Buffer
	sections int
	err      error
}

// safe is text in which nothing is markup any more.
type safe string

// text makes any text safe, within elements and within quoted attributes.
func text(s string) safe { return safe(html.EscapeString(s)) }

// printf writes what is safe, numbers, and constants of this package.
func (p *htmlWriter) printf(format string, args ...any) {
	for _, a := range args {
		switch a.(type) {
		case safe, int:
		case string: // only ours; see the callers
		default:
			panic(fmt.Sprintf("report: a %T in HTML", a))
		}
	}
	fmt.Fprintf(&p.out, format, args...)
}

// contents links to the sections.
func (p *htmlWriter) contents(blocks []block) {
	p.printf("<nav aria-label=\"Sections\">\n")
	n := 0
	for _, b := range blocks {
		if h, ok := b.(heading); ok && h.level == 2 {
			n++
			p.printf("<a href=\"#s%d\">%s</a>\n", n, text(h.text))
		}
	}
	p.printf("</nav>\n")
}

func (p *htmlWriter) blocks(blocks []block) {
	for _, b := range blocks {
		p.block(b)
	}
}

func (p *htmlWriter) block(b block) {
	switch b := b.(type) {
	case heading:
		p.heading(b)
	case paragraph:
		p.printf("<p>%s</p>\n", text(string(b)))
	case notice:
		p.notice(b)
	case cards:
		p.cards(b)
	case table:
		p.table(b)
	case chart:
		p.chart(b)
	case grid:
		p.printf("<div class=\"grid\">\n")
		for _, c := range b {
			p.chart(c)
		}
		p.printf("</div>\n")
	case picture:
		p.picture(b)
	case list:
		p.printf("<ul>\n")
		for _, item := range b {
			p.printf("<li>%s</li>\n", text(item))
		}
		p.printf("</ul>\n")
	case code:
		p.printf("<pre><code>%s</code></pre>\n", text(b.text))
	case folded:
		p.folded(b)
	default:
		p.err = fmt.Errorf("report: a block of type %T", b)
	}
}

func (p *htmlWriter) heading(h heading) {
	if h.level == 2 {
		p.sections++
		p.printf("<h2 id=\"s%d\">%s</h2>\n", p.sections, text(h.text))
		return
	}
	p.printf("<h3>%s</h3>\n", text(h.text))
}

func (p *htmlWriter) notice(n notice) {
	class, label := "info", "Note:"
	switch n.severity {
	case Warning:
		class, label = "warning", "Warning:"
	case Error:
		class, label = "error", "Error:"
	}
	p.printf("<div class=\"notice %s\"><b>%s</b>%s</div>\n", class, label, text(n.text))
}

func (p *htmlWriter) cards(all cards) {
	p.printf("<div class=\"cards\">\n")
	for _, c := range all {
		p.printf("<div class=\"card\"><span>%s</span><b>%s</b><small>%s</small></div>\n", text(c.label), text(c.value), text(c.note))
	}
	p.printf("</div>\n")
}

func (p *htmlWriter) table(t table) {
	p.printf("<div class=\"scroll\"><table>\n")
	if t.caption != "" {
		p.printf("<caption>%s</caption>\n", text(t.caption))
	}
	if !t.headless() {
		p.printf("<thead><tr>")
		for i, cell := range t.header {
			p.printf("<th scope=\"col\"%s>%s</th>", align(i, t.left), text(cell))
		}
		p.printf("</tr></thead>\n")
	}
	p.printf("<tbody>\n")
	for _, row := range t.rows {
		p.printf("<tr>")
		for i, cell := range row {
			if i == 0 {
				p.printf("<th scope=\"row\"%s>%s</th>", align(i, t.left), text(cell))
				continue
			}
			p.printf("<td%s>%s</td>", align(i, t.left), text(cell))
		}
		p.printf("</tr>\n")
	}
	p.printf("</tbody></table></div>\n")
}

// headless reports whether the table has no words above its columns.
func (t table) headless() bool {
	for _, cell := range t.header {
		if cell != "" {
			return false
		}
	}
	return true
}

func align(column, left int) string {
	if column >= left {
		return " class=\"r\""
	}
	return ""
}

func (p *htmlWriter) chart(c chart) {
	var svg bytes.Buffer
	if err := c.figure.WriteStyled(&svg); err != nil {
		p.err = fmt.Errorf("report: chart %s: %w", c.name, err)
		return
	}
	p.printf("<figure>\n")
	p.out.Write(svg.Bytes())
	p.printf("<figcaption>%s</figcaption>\n</figure>\n", text(c.caption))
}

func (p *htmlWriter) picture(pic picture) {
	p.printf("<figure>\n<img src=\"data:%s;base64,%s\" alt=\"%s\"/>\n<figcaption>%s</figcaption>\n</figure>\n",
		text(pic.mime), safe(base64.StdEncoding.EncodeToString(pic.data)), text(pic.alt), text(pic.caption))
}

func (p *htmlWriter) folded(f folded) {
	p.printf("<details class=\"run\"><summary>%s</summary>\n", text(f.summary))
	p.blocks(f.inside)
	p.printf("</details>\n")
}
