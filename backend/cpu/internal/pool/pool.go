// Package pool runs small tasks on a fixed set of workers. A worker that has
// nothing to do spins for a short while, because the next operation of a graph
// usually follows within microseconds, and then sleeps, so that an idle backend
// costs nothing.
package pool

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// spins is how often a waiting worker looks for work before it sleeps: some
// tens of microseconds.
const spins = 4000

// Pool is a set of workers; the goroutine that calls Run is one of them. Run
// may be called by several goroutines, which then take turns.
type Pool struct {
	workers int
	turn    sync.Mutex // one Run at a time

	f     func(task, worker int)
	tasks int64
	next  atomic.Int64 // the next task to hand out
	busy  atomic.Int64 // helpers that have not finished the current job
	stop  <-chan struct{}

	job  atomic.Uint64 // the number of the current job
	wake []chan struct{}
	idle []atomic.Bool
	quit atomic.Bool
	done sync.WaitGroup
}

// New starts a pool of n workers, at least 1: the caller of Run and n-1
// goroutines. Close ends them.
func New(n int) *Pool {
	n = max(n, 1)
	p := &Pool{workers: n, wake: make([]chan struct{}, n), idle: make([]atomic.Bool, n)}
	for i := 1; i < n; i++ {
		p.wake[i] = make(chan struct{}, 1)
		p.done.Add(1)
		go p.help(i)
	}
	return p
}

// Workers is the number of workers.
func (p *Pool) Workers() int { return p.workers }

// Run calls f once for every task in [0, tasks) and returns when all calls have
// returned. Tasks are handed out one by one in order; worker, in [0, Workers),
// says which worker runs the task, and no two tasks of this Run share one at a
// time; tasks of another Run may, so memory that workers use belongs to a Run.
// When ctx is cancelled no more tasks are handed out, and the error is ctx.Err().
// A single task runs on the caller's goroutine.
func (p *Pool) Run(ctx context.Context, tasks int, f func(task, worker int)) error {
	if tasks <= 1 || p.workers == 1 {
		for task := range tasks {
			if err := ctx.Err(); err != nil {
				return err
			}
			f(task, 0)
		}
		return nil
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	p.f, p.tasks, p.stop = f, int64(tasks), ctx.Done()
	p.next.Store(0)
	p.busy.Store(int64(p.workers - 1))
	p.job.Add(1)
	for i := 1; i < p.workers; i++ {
		if p.idle[i].Load() {
			select {
			case p.wake[i] <- struct{}{}:
			default: // it has been told already
			}
		}
	}
	p.work(0)
	for p.busy.Load() > 0 {
		runtime.Gosched()
	}
	p.f = nil
	if p.next.Load() < p.tasks {
		return ctx.Err()
	}
	return nil
}

// work runs tasks until there are none or the context is cancelled.
func (p *Pool) work(worker int) {
	for {
		select {
		case <-p.stop:
			return
		default:
		}
		task := p.next.Add(1) - 1
		if task >= p.tasks {
			return
		}
		p.f(int(task), worker)
	}
}

// help is the life of a worker that is not the caller.
func (p *Pool) help(worker int) {
	defer p.done.Done()
	for seen := uint64(0); ; {
		job, ok := p.await(worker, seen)
		if !ok {
			return
		}
		seen = job
		p.work(worker)
		p.busy.Add(-1)
	}
}

// await returns the number of the next job after seen, or false at the end.
func (p *Pool) await(worker int, seen uint64) (uint64, bool) {
	for {
		for i := range spins {
			if p.quit.Load() {
				return 0, false
			}
			if job := p.job.Load(); job != seen {
				return job, true
			}
			if i%64 == 63 {
				runtime.Gosched()
			}
		}
		p.idle[worker].Store(true)
		// A job may have come between the last look and the announcement.
		if p.job.Load() == seen && !p.quit.Load() {
			<-p.wake[worker]
		}
		p.idle[worker].Store(false)
	}
}

// Close ends the workers and waits for them. No Run may be under way or follow.
func (p *Pool) Close() {
	p.quit.Store(true)
	for i := 1; i < p.workers; i++ {
		select {
		case p.wake[i] <- struct{}{}:
		default:
		}
	}
	p.done.Wait()
}
