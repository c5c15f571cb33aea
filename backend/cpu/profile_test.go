package cpu_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/backend/cpu"
)

func TestPeakOfVectorsIsAboveGeneric(t *testing.T) {
	paths := cpu.Paths()
	rates := make([]float64, len(paths))
	for i, path := range paths {
		b, err := cpu.New(cpu.Config{Path: path, Threads: 1})
		check(t, err)
		rates[i], err = b.MeasurePeak(context.Background(), 1, 10*time.Millisecond)
		check(t, err)
		if b.Finalize(); rates[i] < 1e7 {
			t.Errorf("%s: %.3g FLOP/s", path, rates[i])
		}
	}
	if last := len(paths) - 1; last > 0 && rates[last] < 2*rates[0] {
		t.Errorf("%v: %.3g FLOP/s", paths, rates)
	}
}

func TestPeakRefusesNonsenseAndStops(t *testing.T) {
	b, err := cpu.New(cpu.Config{Threads: 1})
	check(t, err)
	defer b.Finalize()
	if _, err := b.MeasurePeak(context.Background(), 0, time.Second); err == nil {
		t.Error("no threads, no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.MeasurePeak(ctx, 1, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
