package dashboard

import (
	"encoding/json"
	"strconv"
)

// maxTold is how many rows are told as a change; when there are more, the page
// reads the run again.
const maxTold = 300

// whole is everything of the run: its summary and all rows. It is kept until
// something changes, so that many pages that ask at once cost as much as one.
func (r *run) whole() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.encoded == nil {
		b, err := r.appendLocked(nil, func(*table) int { return 0 }, r.kindsLocked())
		if err != nil {
			return nil, err
		}
		r.encoded = b
	}
	return r.encoded, nil
}

func (r *run) kindsLocked() []string { return sortedNames(r.tables) }

// changes is what is new since the last call, nil if nothing is. A history that
// began anew, rows that were merged, and more rows than are worth telling are
// told as "again": the page then asks for the whole.
func (r *run) changes() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fresh {
		return nil, nil
	}
	r.fresh = false
	from := map[*table]int{}
	var kinds []string
	again := false
	for _, kind := range r.kindsLocked() {
		t := r.tables[kind]
		merges, known := r.told[kind]
		from[t] = t.changed()
		again = again || known && merges != t.merges || len(t.rows)-from[t] > maxTold
		if from[t] < len(t.rows) {
			kinds = append(kinds, kind)
		}
		r.told[kind] = t.merges
	}
	if again {
		return r.appendLocked(nil, nil, nil)
	}
	return r.appendLocked(nil, func(t *table) int { return from[t] }, kinds)
}

// appendLocked appends the run as JSON with the given rows of some kinds; with
// no function it says that the page must ask for them.
func (r *run) appendLocked(b []byte, from func(*table) int, kinds []string) ([]byte, error) {
	s, err := json.Marshal(r.summaryLocked())
	if err != nil {
		return nil, err
	}
	b = append(append(b, `{"run":`...), s...)
	b = strconv.AppendBool(append(b, `,"again":`...), from == nil)
	b = append(b, `,"tables":{`...)
	for i, kind := range kinds {
		b = appendKey(b, kind, i)
		b = r.tables[kind].appendJSON(b, from(r.tables[kind]))
	}
	return append(b, "}}"...), nil
}
