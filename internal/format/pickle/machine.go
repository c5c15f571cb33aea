package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// machine executes a pickle.
type machine struct {
	data    []byte
	at      int // the next byte
	allowed map[Class]bool

	stack   []any
	marks   []int // positions in the stack
	memo    map[uint32]any
	result  any
	stopped bool
}

// run executes the program to its STOP.
func (m *machine) run() (any, error) {
	if len(m.data) < 2 || m.data[0] != 0x80 {
		return nil, fmt.Errorf("%w: it does not begin with a protocol of at least 2", ErrCorrupt)
	}
	for !m.stopped {
		if err := m.step(); err != nil {
			return nil, err
		}
	}
	return m.result, nil
}

func (m *machine) step() error {
	start := m.at
	code, err := m.take(1)
	if err != nil {
		return &Error{start, "instruction", err}
	}
	op, ok := opcodeOf(code[0])
	switch {
	case !ok:
		return &Error{start, fmt.Sprintf("instruction %#02x", code[0]), errors.New("there is none with this code")}
	case op.do == nil:
		return &Error{start, op.name, fmt.Errorf("%w or uses what torch.save does not", ErrForbidden)}
	}
	if err := op.do(m); err != nil {
		return &Error{start, op.name, err}
	}
	return nil
}

// take returns the next n bytes of the input, which stay part of it.
func (m *machine) take(n uint64) ([]byte, error) {
	if left := uint64(len(m.data) - m.at); n > left {
		return nil, fmt.Errorf("it needs %d bytes, %d are left: %w", n, left, io.ErrUnexpectedEOF)
	}
	out := m.data[m.at:][:n:n]
	m.at += int(n)
	return out, nil
}

// number reads a little-endian number of width bytes, at most 8.
func (m *machine) number(width int) (uint64, error) {
	raw, err := m.take(uint64(width))
	if err != nil {
		return 0, err
	}
	var buf [8]byte
	copy(buf[:], raw)
	return binary.LittleEndian.Uint64(buf[:]), nil
}

// counted reads a length of width bytes and as many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

func (m *machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("more than %d values wait to be used", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

var errEmpty = errors.New("the value it needs is not on the stack")

// floor is the position in the stack that instructions may reach down to.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// top returns the last value without taking it.
func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errEmpty
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popN takes the last n values, in their order.
func (m *machine) popN(n int) ([]any, error) {
	from := len(m.stack) - n
	if from < m.floor() {
		return nil, errEmpty
	}
	out := slices.Clone(m.stack[from:])
	m.stack = m.stack[:from]
	return out, nil
}

// popMark takes the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("there is no mark")
	}
	out, err := m.popN(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return out, err
}

func (m *machine) mark() error {
	if len(m.marks) == maxMarks {
		return fmt.Errorf("containers are nested deeper than %d", maxMarks)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) dup() error {
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}

// keep stores the last value under a number.
func (m *machine) keep(index uint32) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if _, again := m.memo[index]; !again && len(m.memo) == maxMemo {
		return fmt.Errorf("more than %d values are kept", maxMemo)
	}
	m.memo[index] = v
	return nil
}

func (m *machine) put(width int) error {
	index, err := m.number(width)
	if err != nil {
		return err
	}
	return m.keep(uint32(index))
}

func (m *machine) get(width int) error {
	index, err := m.number(width)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(index)]
	if !ok {
		return fmt.Errorf("nothing is kept under %d", index)
	}
	return m.push(v)
}

func (m *machine) proto() error {
	version, err := m.number(1)
	if err == nil && (version < 2 || version > 5) {
		return fmt.Errorf("protocol %d; protocols 2 to 5 are supported", version)
	}
	return err
}

// frame announces how many bytes follow; nothing depends on it.
func (m *machine) frame() error {
	n, err := m.number(8)
	if left := uint64(len(m.data) - m.at); err == nil && n > left {
		return fmt.Errorf("it announces %d bytes, %d are left: %w", n, left, io.ErrUnexpectedEOF)
	}
	return err
}

func (m *machine) stop() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	m.result, m.stopped = v, true
	return nil
}
