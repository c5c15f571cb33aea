package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestEveryTaskRunsOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, workers := range []int{1, 2, 3, 8} {
		p := New(workers)
		for tasks := range 200 {
			counts := make([]atomic.Int32, tasks)
			err := p.Run(context.Background(), tasks, func(task, worker int) {
				if worker < 0 || worker >= workers {
					t.Errorf("worker %d of %d", worker, workers)
				}
				counts[task].Add(1)
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range counts {
				if n := counts[i].Load(); n != 1 {
					t.Fatalf("%d workers: task %d of %d ran %d times", workers, i, tasks, n)
				}
			}
			if tasks%50 == 0 {
				time.Sleep(2 * time.Millisecond) // lets the workers fall asleep
			}
		}
		p.Close()
	}
}

func TestWorkersAreNotShared(t *testing.T) {
	p := New(4)
	defer p.Close()
	var inUse [4]atomic.Bool
	for range 200 {
		if err := p.Run(context.Background(), 32, func(_, worker int) {
			if inUse[worker].Swap(true) {
				t.Error("two tasks share a worker")
			}
			inUse[worker].Store(false)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunFromManyGoroutines(t *testing.T) {
	p := New(3)
	defer p.Close()
	var wg sync.WaitGroup
	var total atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if err := p.Run(context.Background(), 5, func(task, _ int) { total.Add(int64(task)) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if total.Load() != 8*100*10 {
		t.Fatalf("sum %d", total.Load())
	}
}

func TestCancelledContextStopsBetweenTasks(t *testing.T) {
	p := New(2)
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var ran atomic.Int32
	err := p.Run(ctx, 1000, func(int, int) {
		if ran.Add(1) == 10 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || ran.Load() > 12 {
		t.Fatalf("%v after %d tasks", err, ran.Load())
	}
	if err := p.Run(context.Background(), 4, func(int, int) {}); err != nil {
		t.Fatalf("the next run: %v", err)
	}
}
