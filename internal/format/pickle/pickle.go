// Package pickle reads Python's pickle format, protocols 2 to 5, as data: what
// torch.save puts around its tensors.
//
// In Python a pickle is a program that may call anything. Here nothing is ever
// called. A class must be on the reader's list; an instance of it becomes an
// inert [Object], and a reference to something outside the pickle a
// [Persistent]. Everything else that could run code is refused by name.
//
// Files are untrusted. No length in them is believed before it is compared with
// what is there, and memory stays within a small multiple of the input. That is
// also why this is not nlpodyssey/gopickle (v0.2.0, 2023): it allocates what a
// file claims and panics on some files.
package pickle

import (
	"errors"
	"fmt"
)

// ErrCorrupt is matched by every error about the contents of a pickle.
var ErrCorrupt = errors.New("pickle: damaged or unsupported")

// ErrForbidden is matched, beside ErrCorrupt, by errors about a pickle that
// wants to use a class that is not on the list, or to run code in another way.
var ErrForbidden = errors.New("pickle: it wants to run code")

// Error says where a pickle is wrong. It matches [ErrCorrupt].
type Error struct {
	// Offset is that of the instruction, in bytes.
	Offset int
	// Op is the instruction's name in Python's pickletools.
	Op string
	// Err is the cause.
	Err error
}

// Error names the instruction, where it is, and the cause.
func (e *Error) Error() string {
	return fmt.Sprintf("%v: %s at byte %d: %v", ErrCorrupt, e.Op, e.Offset, e.Err)
}

// Unwrap returns ErrCorrupt and the cause.
func (e *Error) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// A value is nil, a bool, an int64, a float64, a string, a []byte, or one of
// the types below. Values may share parts and may contain themselves, as in
// Python: nothing should walk them without a bound of its own.
type (
	// Tuple is a Python tuple.
	Tuple []any
	// List is a Python list.
	List struct{ Items []any }
	// Class is the full name of a class or function, as "torch.Size".
	Class string
	// Object is what calling Class with Args would have made.
	Object struct {
		Class Class
		Args  Tuple
	}
	// Persistent is what the writer stored elsewhere under ID.
	Persistent struct{ ID any }
)

// Dict is a Python dict or collections.OrderedDict, in the order of insertion.
// Its keys are strings and int64s.
type Dict struct {
	keys  []any
	items map[any]any
}

// Len is the number of items.
func (d *Dict) Len() int { return len(d.keys) }

// Keys returns the keys in the order of their first insertion; the caller must
// not change them.
func (d *Dict) Keys() []any { return d.keys }

// Get returns the value of a key.
func (d *Dict) Get(key any) (value any, ok bool) {
	value, ok = d.items[key]
	return value, ok
}

func (d *Dict) set(key, value any) error {
	switch key.(type) {
	case string, int64:
	default:
		return fmt.Errorf("a key of type %T; only strings and integers are supported", key)
	}
	if d.items == nil {
		d.items = map[any]any{}
	}
	if _, ok := d.items[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.items[key] = value
	return nil
}

// Limits of what a pickle may use; torch.save stays far below.
const (
	// maxStack bounds the values that wait to be used.
	maxStack = 1 << 18
	// maxMarks bounds how deep containers are nested while they are read.
	maxMarks = 1 << 10
	// maxMemo bounds the values that are kept for later reference.
	maxMemo = 1 << 18
)

// orderedDict is the one class whose instances are values of their own.
const orderedDict Class = "collections.OrderedDict"

// Decode reads the pickle that data begin with; what follows it is ignored.
// classes are the full names of the classes and functions that it may refer to,
// beside collections.OrderedDict.
func Decode(data []byte, classes []string) (any, error) {
	m := &machine{data: data, memo: map[uint32]any{}, allowed: map[Class]bool{orderedDict: true}}
	for _, name := range classes {
		m.allowed[Class(name)] = true
	}
	return m.run()
}
