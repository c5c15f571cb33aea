package cpu

import (
	"fmt"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// withPrecision returns the table whose products have the named precision. auto is bf16
// where the processor has AMX, on which an update of the paper's size was measured to be
// 1.5 times as fast (by kernels that have changed since), and f32 elsewhere.
func withPrecision(table *kernel.Table, precision string) (*kernel.Table, error) {
	switch precision {
	case "", "auto":
		if table.Pairs != nil && table.Pairs.Blocks != nil {
			return table, nil
		}
		return table.Exact(), nil
	case "f32":
		return table.Exact(), nil
	case "bf16":
		if table.Pairs == nil {
			return nil, fmt.Errorf("cpu: precision bf16 needs instructions for it (AVX512_BF16), which %s kernels on this CPU do not have; choose f32 or auto", table.Path)
		}
		return table, nil
	}
	return nil, fmt.Errorf("cpu: unknown precision %q; choose f32, bf16 or auto", precision)
}

// Precision names the precision of large products, f32 or bf16.
func (b *Backend) Precision() string {
	if b.table.Pairs != nil {
		return "bf16"
	}
	return "f32"
}
