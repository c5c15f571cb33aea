package dashboard

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// decoded is a table as a browser reads it.
type decoded struct {
	From   int                  `json:"from"`
	Merges int                  `json:"merges"`
	X      map[string][]float64 `json:"x"`
	Values map[string]struct {
		Mean, Low, High []*float64
	} `json:"values"`
	Odd map[string]int `json:"odd"`
}

func decode(t interface{ Fatal(...any) }, data []byte) decoded {
	var d decoded
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err, string(data))
	}
	return d
}

func TestTableKeepsMeansAndSpikesInBoundedMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 7, maxRows - 1, maxRows, maxRows + 1, 3*maxRows + 5, 20_000}).Draw(t, "events")
		spike := rapid.IntRange(0, n-1).Draw(t, "spike")
		table := newTable()
		sum := 0.0
		for i := range n {
			v := float64(i % 17)
			if i == spike {
				v = 1e6
			}
			sum += v
			table.add([...]float64{float64(8 * i), float64(i), 0, 0, float64(i) / 2}, map[string]float64{"a/b:1": v})
		}
		if len(table.rows) > maxRows || n > 2*maxRows && len(table.rows) < maxRows/2 {
			t.Fatalf("%d events are in %d rows", n, len(table.rows))
		}
		total, high, before := 0.0, 0.0, -1.0
		for _, r := range table.rows {
			total += r.cells[0].mean * float64(r.cells[0].count)
			high = max(high, r.cells[0].high)
			if r.at[0] <= before || r.events > table.stride {
				t.Fatalf("a row of %d events at %v after one at %v", r.events, r.at[0], before)
			}
			before = r.at[0]
		}
		if math.Abs(total-sum) > 1e-6*sum || high != 1e6 {
			t.Fatalf("the sum is %v, not %v; the highest is %v", total, sum, high)
		}
	})
}

func TestTableLeavesOutWhatWasNotMeasured(t *testing.T) {
	table := newTable()
	table.add([5]float64{1}, map[string]float64{"a/b:1": 1, "a/nan:1": math.NaN()})
	table.add([5]float64{2}, map[string]float64{"a/c:1": 2, "a/nan:1": math.Inf(-1)})
	d := decode(t, table.appendJSON(nil, 0))
	if v := d.Values["a/b:1"]; *v.Mean[0] != 1 || v.Mean[1] != nil || v.Low != nil {
		t.Errorf("a/b:1 is %v", v)
	}
	if d.Odd["a/nan:1"] != 2 || len(d.X["env_steps"]) != 2 {
		t.Errorf("decoded %v", d)
	}
	if tail := decode(t, table.appendJSON(nil, 1)); tail.From != 1 || *tail.Values["a/c:1"].Mean[0] != 2 {
		t.Errorf("the second row alone is %v", tail)
	}
}

func TestTableBoundsItsColumns(t *testing.T) {
	table := newTable()
	for i := range 10 * maxColumns {
		name := "a/" + strings.Repeat("x", i%maxName) + string(rune('a'+i%26)) + ":1"
		table.add([5]float64{}, map[string]float64{name: 1, name + "nan": math.NaN()})
	}
	if len(table.names) > maxColumns || len(table.odd) > maxColumns {
		t.Errorf("%d columns, %d odd", len(table.names), len(table.odd))
	}
	table = newTable()
	long := "a/" + strings.Repeat("x", maxName) + ":1"
	table.add([5]float64{}, map[string]float64{long: 1, long + "nan": math.NaN()})
	if len(table.names)+len(table.odd) > 0 {
		t.Errorf("%d columns and %d odd of names that are too long", len(table.names), len(table.odd))
	}
}

func TestTableTellsWhatChanged(t *testing.T) {
	table := newTable()
	add := func() { table.add([5]float64{}, map[string]float64{"a/b:1": 1}) }
	add()
	add()
	if from := table.changed(); from != 0 {
		t.Errorf("first: %d", from)
	}
	if from := table.changed(); from != 2 {
		t.Errorf("nothing new: %d", from)
	}
	add()
	if from := table.changed(); from != 2 {
		t.Errorf("one more: %d", from)
	}
	for len(table.rows) < maxRows || table.merges == 0 {
		add()
	}
	table.changed()
	add()
	last := len(table.rows) - 1
	if from := table.changed(); from != last {
		t.Errorf("a row that fills up: %d of %d", from, last)
	}
}
