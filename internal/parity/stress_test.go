package parity

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// stressRuns is how many executions TestStress makes; ORRERY_STRESS=10000 makes it long.
func stressRuns(t *testing.T) int {
	if s := os.Getenv("ORRERY_STRESS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("ORRERY_STRESS is %q; it must be a positive number of executions", s)
		}
		return n
	}
	return 120
}

// TestStress executes update and planning graphs on every path and precision from
// several goroutines at once, while others collect garbage, allocate and preempt: every
// result must have the bits of a quiet execution, and nothing may be left behind.
func TestStress(t *testing.T) {
	before := runtime.NumGoroutine()
	jobs, finalize := stressJobs(t)
	disturb := disturbance()
	var wg sync.WaitGroup
	each := stressRuns(t) / stressWorkers
	for w := range stressWorkers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range each {
				if err := jobs[r.IntN(len(jobs))].check(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	disturb()
	heap := liveHeap()
	for _, j := range jobs {
		for range 5 {
			if err := j.check(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if grown := liveHeap() - heap; grown > 1<<20 {
		t.Errorf("%d executions left %d bytes behind", 5*len(jobs), grown)
	}
	finalize()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

const stressWorkers = 3

// stressJob is a program, its inputs and what it must return.
type stressJob struct {
	name string
	p    *gx.Program
	in   []compute.Buffer
	want [][]float32
}

func (j *stressJob) check(ctx context.Context) error {
	out, err := j.p.Run(ctx, j.in, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	for i, b := range out {
		got, err := gx.Download(b)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		if !slices.Equal(got, j.want[i]) {
			return fmt.Errorf("%s: output %d differs from a quiet execution", j.name, i)
		}
	}
	return gx.Finalize(out...)
}

// stressJobs compiles the graphs; finalize releases everything.
func stressJobs(t *testing.T) (jobs []*stressJob, finalize func()) {
	m := model(t, "tiny", 32)
	cfg, err := plan.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	var backends []*cpu.Backend
	for _, path := range cpu.Paths() {
		for _, precision := range []string{"f32", "bf16"} {
			b, err := cpu.New(cpu.Config{Path: path, Precision: precision, Threads: 2})
			if err != nil {
				t.Log(err)
				continue
			}
			backends = append(backends, b)
			add := func(name string, p *gx.Program) {
				data := fill(m, p)
				j := &stressJob{name: path + "/" + precision + "/" + name, p: p, in: upload(t, b, p, data)}
				j.want = run(t, b, p, data)
				jobs = append(jobs, j)
			}
			add("update", updateGraph(t, b, m, 2, 3))
			add("plan", planGraph(t, b, m, cfg, 2))
		}
	}
	return jobs, func() {
		for _, j := range jobs {
			if err := gx.Finalize(j.in...); err != nil {
				t.Error(err)
			}
		}
		for _, b := range backends {
			b.Finalize()
		}
	}
}

// disturbance starts goroutines that collect garbage and allocate; stop ends them. The
// collector preempts by signal, so that signals arrive inside of the kernels as well.
func disturbance() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			runtime.GC()
		}
	})
	wg.Go(func() {
		var keep [16][]byte
		for i := 0; ctx.Err() == nil; i++ {
			keep[i%len(keep)] = make([]byte, 1<<(8+i%12))
			runtime.Gosched()
		}
	})
	return func() { cancel(); wg.Wait() }
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
