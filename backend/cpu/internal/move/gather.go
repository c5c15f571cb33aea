package move

import (
	"context"
	"fmt"
)

// Gather copies row indices[i] of src, rowLen elements long, to row i of dst. An index that
// names no row is an error that says which, and dst is undefined.
func Gather[T Element, I ~int32 | ~int64](ctx context.Context, pool Pool, dst, src []T, indices []I, rowLen int) error {
	if rowLen < 0 || len(dst) < len(indices)*rowLen {
		return fmt.Errorf("%w: %d elements for %d rows of %d", ErrShape, len(dst), len(indices), rowLen)
	}
	if rowLen == 0 {
		return nil
	}
	rows := len(src) / rowLen
	for i, at := range indices {
		if at < 0 || int64(at) >= int64(rows) {
			return fmt.Errorf("%w: index %d is row %d of %d", ErrShape, i, at, rows)
		}
	}
	perTask := max(1, taskElements/rowLen)
	tasks := (len(indices) + perTask - 1) / perTask
	return pool.Run(ctx, tasks, func(task, _ int) {
		for i := task * perTask; i < min(len(indices), (task+1)*perTask); i++ {
			copy(dst[i*rowLen:(i+1)*rowLen], src[int(indices[i])*rowLen:][:rowLen])
		}
	})
}
