package dashboard

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// appendKey appends the i-th key of an object.
func appendKey(b []byte, name string, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	quoted, err := json.Marshal(name)
	if err != nil { // a string always has a form
		quoted = []byte(`""`)
	}
	return append(append(b, quoted...), ':')
}

func appendList(b []byte, n int, item func(b []byte, k int) []byte) []byte {
	b = append(b, '[')
	for k := range n {
		if k > 0 {
			b = append(b, ',')
		}
		b = item(b, k)
	}
	return append(b, ']')
}

// appendNumber appends a number with so many digits, and null for what is none.
func appendNumber(b []byte, v float64, digits int) []byte {
	if !finite(v) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', digits, 64)
}

// number is a value in JSON, null where it is not a finite one.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(n), 6), nil }

func numbers(x []float32) []number {
	out := make([]number, len(x))
	for i, v := range x {
		out[i] = number(v)
	}
	return out
}
