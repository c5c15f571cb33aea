package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// maxName bounds the name of a class.
const maxName = 256

func (m *machine) signed() error {
	v, err := m.number(4)
	if err != nil {
		return err
	}
	return m.push(int64(int32(v)))
}

func (m *machine) unsigned(width int) error {
	v, err := m.number(width)
	if err != nil {
		return err
	}
	return m.push(int64(v))
}

// long reads a two's complement number of a given number of bytes.
func (m *machine) long(width int) error {
	raw, err := m.counted(width)
	if err != nil {
		return err
	}
	if len(raw) > 8 {
		return fmt.Errorf("an integer of %d bytes; at most 8 are supported", len(raw))
	}
	var buf [8]byte
	if n := copy(buf[:], raw); n > 0 && raw[n-1] >= 0x80 {
		copy(buf[n:], bytes.Repeat([]byte{0xff}, 8-n))
	}
	return m.push(int64(binary.LittleEndian.Uint64(buf[:])))
}

func (m *machine) float() error {
	raw, err := m.take(8)
	if err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(raw)))
}

func (m *machine) text(width int) error {
	raw, err := m.counted(width)
	if err != nil {
		return err
	}
	if !utf8.Valid(raw) {
		return errors.New("the text is not UTF-8")
	}
	return m.push(string(raw))
}

func (m *machine) bytes(width int) error {
	raw, err := m.counted(width)
	if err != nil {
		return err
	}
	return m.push(slices.Clone(raw))
}

func (m *machine) tuple() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(Tuple(items))
}

func (m *machine) tupleOf(n int) error {
	items, err := m.popN(n)
	if err != nil {
		return err
	}
	return m.push(Tuple(items))
}

// topAs returns the last value, which must be a T.
func topAs[T any](m *machine) (T, error) {
	var none T
	v, err := m.top()
	if err != nil {
		return none, err
	}
	out, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("it applies to a %T, not to a %T", none, v)
	}
	return out, nil
}

func (m *machine) appendOne() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	return m.extend([]any{v})
}

func (m *machine) appendMany() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.extend(items)
}

func (m *machine) extend(items []any) error {
	list, err := topAs[*List](m)
	if err != nil {
		return err
	}
	list.Items = append(list.Items, items...)
	return nil
}

func (m *machine) setOne() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	return m.setItems(items)
}

func (m *machine) setMany() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.setItems(items)
}

func (m *machine) setItems(items []any) error {
	dict, err := topAs[*Dict](m)
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errors.New("a key has no value")
	}
	for pair := range slices.Chunk(items, 2) {
		if err := dict.set(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// global reads two lines: module and name.
func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.class(module, name)
}

func (m *machine) line() (string, error) {
	rest := m.data[m.at:]
	end := bytes.IndexByte(rest[:min(len(rest), maxName)], '\n')
	if end < 0 {
		return "", fmt.Errorf("a name does not end within %d bytes", maxName)
	}
	m.at += end + 1
	return string(rest[:end]), nil
}

func (m *machine) stackGlobal() error {
	names, err := m.popN(2)
	if err != nil {
		return err
	}
	module, isText := names[0].(string)
	name, isTextToo := names[1].(string)
	if !isText || !isTextToo {
		return fmt.Errorf("module and name are a %T and a %T", names[0], names[1])
	}
	return m.class(module, name)
}

func (m *machine) class(module, name string) error {
	c := Class(module + "." + name)
	if !m.allowed[c] {
		return fmt.Errorf("%w: %.*q is not among what it may use", ErrForbidden, maxName, string(c))
	}
	return m.push(c)
}

// reduce would call a class or function in Python.
func (m *machine) reduce() error {
	parts, err := m.popN(2)
	if err != nil {
		return err
	}
	class, isClass := parts[0].(Class)
	args, isTuple := parts[1].(Tuple)
	switch {
	case !isClass || !isTuple:
		return fmt.Errorf("it calls a %T with a %T", parts[0], parts[1])
	case class != orderedDict:
		return m.push(&Object{class, args})
	case len(args) > 0:
		return fmt.Errorf("%s with arguments is not supported", orderedDict)
	}
	return m.push(&Dict{})
}

// build would set attributes of an object in Python. Those of a dict, as the
// versions of its modules that PyTorch attaches, are dropped.
func (m *machine) build() error {
	if _, err := m.pop(); err != nil {
		return err
	}
	_, err := topAs[*Dict](m)
	return err
}

func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	return m.push(&Persistent{id})
}
