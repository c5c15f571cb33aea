// Package fuse evaluates element-wise programs in one pass over their operands, and reduces
// tensors whose elements may come from such a program.
//
// A [Program] is a list of kernel calls on registers of about a thousand elements, which stay
// in the first-level cache: whatever the number of operations, memory is read once and
// written once. A [ReducePlan] adds up, or takes the extremes, along axes of a row-major
// tensor. Both give the same result for any number of workers.
package fuse

import (
	"context"
	"errors"
)

// ErrInvalid is wrapped by the errors of this package: what was built or passed contradicts
// itself.
var ErrInvalid = errors.New("fuse: invalid")

// Pool runs tasks on workers; see package pool.
type Pool interface {
	// Run calls f for every task in [0, tasks); worker is in [0, Workers).
	Run(ctx context.Context, tasks int, f func(task, worker int)) error
	// Workers is the number of workers.
	Workers() int
}

// DType is the type of elements in memory. Registers hold float32, booleans as 0 and 1.
type DType uint8

// The types.
const (
	F32  DType = iota // float32
	Bool              // one byte, 0 or 1
)

// Ref is memory of a caller. The slice of the type that the program declares is used.
type Ref struct {
	F32  []float32
	Bool []byte
}

func (r Ref) len(t DType) int {
	if t == Bool {
		return len(r.Bool)
	}
	return len(r.F32)
}

// Access says which element of an input belongs to element i of the output: (i/Repeat)%Period,
// where a Repeat of 0 counts as 1 and a Period of 0 stands for no limit.
type Access struct{ Repeat, Period int }

// Full is element i of the input.
func Full() Access { return Access{1, 0} }

// Scalar is the only element.
func Scalar() Access { return Access{1, 1} }

// Suffix is element i%period: a [C] vector seen as [..., C].
func Suffix(period int) Access { return Access{1, period} }

// Prefix is element i/repeat: a [B] vector seen as [B, ...] with repeat elements behind each.
func Prefix(repeat int) Access { return Access{repeat, 0} }

func (a Access) full() bool   { return a.Repeat <= 1 && a.Period == 0 }
func (a Access) scalar() bool { return a.Period == 1 }

// at is the input element of output element i.
func (a Access) at(i int) int {
	if a.Repeat > 1 {
		i /= a.Repeat
	}
	if a.Period > 0 {
		i %= a.Period
	}
	return i
}

// need is how many elements an input must have for output elements below n.
func (a Access) need(n int) int {
	if n == 0 {
		return 0
	}
	last := (n - 1) / max(1, a.Repeat)
	if a.Period > 0 {
		last = min(last, a.Period-1)
	}
	return last + 1
}
