package dashboard

import (
	"slices"
	"strconv"
)

// Limits on what is kept of the events of one kind, whatever the file holds.
const (
	maxRows    = 2000
	maxColumns = 200
	maxName    = 100
)

// axes are what a curve can be drawn against.
var axes = [...]string{"env_steps", "decisions", "updates", "episodes", "wall"}

// table holds the events of one kind in bounded memory. While there are few,
// each is a row; when there are maxRows, neighbours are merged, and from then on
// a row takes twice as many events. A merged row keeps the mean, the lowest and
// the highest of each value, so no spike is lost.
type table struct {
	names  []string
	index  map[string]int
	rows   []row
	stride int // events in a full row
	merges int // how often neighbours were merged
	from   int // first row that changed since changed was last called
	odd    map[string]int
}

// row is one event, or several neighbours.
type row struct {
	events int
	at     [len(axes)]float64 // mean over the events
	cells  []cell             // by column; may be shorter than names
}

// cell is one value of a row, from count events.
type cell struct {
	count           int
	mean, low, high float64
}

func newTable() *table { return &table{index: map[string]int{}, stride: 1, odd: map[string]int{}} }

// add takes an event at the given place on the axes.
func (t *table) add(at [len(axes)]float64, values map[string]float64) {
	if len(t.rows) == 0 || t.rows[len(t.rows)-1].events >= t.stride {
		if len(t.rows) == maxRows {
			t.merge()
		}
		t.rows = append(t.rows, row{})
	}
	last := len(t.rows) - 1
	t.from = min(t.from, last)
	one := row{events: 1, at: at}
	for _, name := range sortedNames(values) {
		v := values[name]
		if !finite(v) {
			t.count(name)
			continue
		}
		if i, ok := t.column(name); ok {
			one.set(i, cell{1, v, v, v})
		}
	}
	t.rows[last].join(one)
}

// count notes a value that is not a number, which no curve can show.
func (t *table) count(name string) {
	if _, known := t.odd[name]; known || len(t.odd) < maxColumns && len(name) <= maxName {
		t.odd[name]++
	}
}

// column is the place of a name, unless there are too many.
func (t *table) column(name string) (int, bool) {
	i, ok := t.index[name]
	if ok {
		return i, true
	}
	if len(t.names) == maxColumns || len(name) > maxName {
		return 0, false
	}
	t.index[name] = len(t.names)
	t.names = append(t.names, name)
	return len(t.names) - 1, true
}

// merge joins neighbours, so that half of the rows remain.
func (t *table) merge() {
	half := t.rows[:0]
	for pair := range slices.Chunk(t.rows, 2) {
		first := pair[0]
		if len(pair) == 2 {
			first.join(pair[1])
		}
		half = append(half, first)
	}
	clear(t.rows[len(half):])
	t.rows = half
	t.stride *= 2
	t.merges++
	t.from = 0
}

func (r *row) set(i int, c cell) {
	for len(r.cells) <= i {
		r.cells = append(r.cells, cell{})
	}
	r.cells[i] = c
}

// join adds the events of another row.
func (r *row) join(o row) {
	all := float64(r.events + o.events)
	for i := range r.at {
		r.at[i] += (o.at[i] - r.at[i]) * float64(o.events) / all
	}
	r.events += o.events
	for i, c := range o.cells {
		if c.count == 0 {
			continue
		}
		if i >= len(r.cells) || r.cells[i].count == 0 {
			r.set(i, c)
			continue
		}
		mine := &r.cells[i]
		n := mine.count + c.count
		// Weighted like this no sum overflows.
		mine.mean = mine.mean*(float64(mine.count)/float64(n)) + c.mean*(float64(c.count)/float64(n))
		mine.low, mine.high, mine.count = min(mine.low, c.low), max(mine.high, c.high), n
	}
}

// changed returns the first row that changed since the last call.
func (t *table) changed() int {
	from := t.from
	t.from = len(t.rows)
	return from
}

// appendJSON appends the rows from one on: the axes, and for each value the mean
// and, where rows have several events, the lowest and the highest. What was not
// measured is null.
func (t *table) appendJSON(b []byte, from int) []byte {
	rows := t.rows[min(from, len(t.rows)):]
	merged := slices.ContainsFunc(rows, func(r row) bool { return r.events > 1 })
	b = append(b, `{"from":`...)
	b = strconv.AppendInt(b, int64(from), 10)
	b = append(b, `,"merges":`...)
	b = strconv.AppendInt(b, int64(t.merges), 10)
	b = append(b, `,"x":{`...)
	for i, name := range axes {
		b = appendKey(b, name, i)
		b = appendList(b, len(rows), func(b []byte, k int) []byte { return appendNumber(b, rows[k].at[i], 10) })
	}
	b = append(b, `},"values":{`...)
	for i, name := range t.names {
		b = appendKey(b, name, i)
		b = appendColumn(b, rows, i, merged)
	}
	b = append(b, `},"odd":{`...)
	for i, name := range sortedNames(t.odd) {
		b = appendKey(b, name, i)
		b = strconv.AppendInt(b, int64(t.odd[name]), 10)
	}
	return append(b, "}}"...)
}

func appendColumn(b []byte, rows []row, i int, merged bool) []byte {
	part := func(b []byte, key string, of func(cell) float64) []byte {
		b = append(b, key...)
		return appendList(b, len(rows), func(b []byte, k int) []byte {
			if i >= len(rows[k].cells) || rows[k].cells[i].count == 0 {
				return append(b, "null"...)
			}
			return appendNumber(b, of(rows[k].cells[i]), 6)
		})
	}
	b = part(b, `{"mean":`, func(c cell) float64 { return c.mean })
	if merged {
		b = part(b, `,"low":`, func(c cell) float64 { return c.low })
		b = part(b, `,"high":`, func(c cell) float64 { return c.high })
	}
	return append(b, '}')
}
