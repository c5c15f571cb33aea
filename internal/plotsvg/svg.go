package plotsvg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// svg is the surface that writes SVG.
type svg struct {
	out *bytes.Buffer
	// classes adds the roles of elements.
	classes bool
}

func newSVG(width, height float64, label string, classes bool) *svg {
	s := &svg{out: &bytes.Buffer{}, classes: classes}
	fmt.Fprintf(s.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" font-family="system-ui, sans-serif" font-size="12"`,
		number(width), number(height), number(width), number(height))
	if classes {
		fmt.Fprintf(s.out, ` role="img" aria-label="%s"`, escape(label))
	}
	s.out.WriteString(">\n")
	if !classes && label != "" {
		fmt.Fprintf(s.out, "<title>%s</title>\n", escape(label))
	}
	return s
}

func (s *svg) close() { s.out.WriteString("</svg>\n") }

// class is the attribute of a role.
func (s *svg) class(p paint) string {
	if !s.classes {
		return ""
	}
	return fmt.Sprintf(` class="%s"`, p.role)
}

func (s *svg) page(p paint) {
	fmt.Fprintf(s.out, `<rect width="100%%" height="100%%" fill="%s"%s/>`+"\n", p.colour, s.class(p))
}

func (s *svg) lines(all [][]point, p paint) {
	var d strings.Builder
	for _, line := range all {
		d.WriteString(trace(line))
	}
	if d.Len() == 0 {
		return
	}
	fmt.Fprintf(s.out, `<path d="%s" fill="none" stroke="%s"`, d.String(), p.colour)
	if p.width != 1 {
		fmt.Fprintf(s.out, ` stroke-width="%s" stroke-linejoin="round"`, number(p.width))
	}
	if p.dashed {
		s.out.WriteString(` stroke-dasharray="5 4"`)
	}
	fmt.Fprintf(s.out, "%s/>\n", s.class(p))
}

// trace is a polyline in the language of paths.
func trace(line []point) string {
	var d strings.Builder
	for i, p := range line {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		d.WriteString(verb + number(p.x) + " " + number(p.y))
	}
	return d.String()
}

func (s *svg) area(points []point, p paint) {
	fmt.Fprintf(s.out, `<path d="%sZ" fill="%s" fill-opacity="%s"%s/>`+"\n", trace(points), p.colour, number(opaque(p.opacity)), s.class(p))
}

func (s *svg) dot(at point, radius float64, p paint) {
	fmt.Fprintf(s.out, `<circle cx="%s" cy="%s" r="%s" fill="%s"%s/>`+"\n", number(at.x), number(at.y), number(radius), p.colour, s.class(p))
}

func (s *svg) text(at point, l lettering, p paint, text string) {
	fmt.Fprintf(s.out, `<text x="%s" y="%s" text-anchor="%s" fill="%s"`, number(at.x), number(at.y), l.anchor, p.colour)
	if l.size != textSize {
		fmt.Fprintf(s.out, ` font-size="%s"`, number(l.size))
	}
	if l.bold {
		s.out.WriteString(` font-weight="600"`)
	}
	if l.upward {
		fmt.Fprintf(s.out, ` transform="rotate(-90 %s %s)"`, number(at.x), number(at.y))
	}
	fmt.Fprintf(s.out, "%s>%s</text>\n", s.class(p), escape(text))
}

func escape(text string) string {
	var buf bytes.Buffer
	_ = xml.EscapeText(&buf, []byte(text)) // a bytes.Buffer does not fail
	return buf.String()
}

func opaque(opacity float64) float64 {
	if opacity == 0 {
		return 1
	}
	return opacity
}

// number formats a coordinate with at most two decimals and no negative zero.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", math.Round(v*100)/100+0), "0"), ".")
}
