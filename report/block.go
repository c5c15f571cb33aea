package report

import "github.com/orrery-rl/orrery/internal/plotsvg"

// Document is a page as a list of blocks, which [Document.HTML] and
// [Document.Markdown] write.
type Document struct {
	title, subtitle string
	blocks          []block
}

// block is one of the types below. All their texts are plain.
type block interface{}

// heading begins a section (level 2) or a part of one (level 3).
type heading struct {
	level int
	text  string
}

type paragraph string

// notice is something that deserves attention.
type notice struct {
	severity Severity
	text     string
}

// card is one number that says much.
type card struct{ label, value, note string }

type cards []card

// table has columns that are aligned right from number left on.
type table struct {
	caption string
	header  []string
	left    int
	rows    [][]string
}

// chart is a drawing; several beside each other are a grid.
type chart struct {
	name, caption string
	figure        plotsvg.Figure
}

type grid []chart

// picture is an image, animated or not.
type picture struct {
	name, alt, caption string
	mime               string
	data               []byte
}

// list are sentences, each for itself.
type list []string

// code is text to be copied.
type code struct{ language, text string }

// folded is what is shown when asked for.
type folded struct {
	summary string
	inside  []block
}

func (d *Document) add(blocks ...block) { d.blocks = append(d.blocks, blocks...) }
