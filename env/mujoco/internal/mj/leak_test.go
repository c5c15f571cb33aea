//go:build mujoco

package mj

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// resident is the memory of this process in MB.
func resident(t *testing.T) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("no memory figures on %s: %v; CI runs on Linux, which has them", runtime.GOOS, err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kb, err := strconv.Atoi(f[1])
			must(t, err)
			return float64(kb) / 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// cycle makes and closes one of everything.
func cycle(t *testing.T) {
	m, err := Load(testXML, nil)
	must(t, err)
	d, err := NewData(m)
	must(t, err)
	must(t, d.Step(1))
	r, err := NewRenderer(m, Options{Width: 64, Height: 64, GL: os.Getenv(glVariable)})
	must(t, err)
	draw(t, r, d, 0)
	c, err := NewCaster(m, Options{Width: 16, Height: 16})
	must(t, err)
	if _, err := c.Render(d, 0); err != nil {
		t.Fatal(err)
	}
	m.Close() // in an order that needs the counting of users
	c.Close()
	d.Close()
	r.Close()
}

// A model, a state and a renderer hold 20 MB and more; dozens of them leave nothing.
// A process of its own, because others' garbage counts as well.
func TestNothingLeaks(t *testing.T) {
	if !inChild() {
		child(t, "TestNothingLeaks")
		return
	}
	newRenderer(t, load(t, testXML, nil), Options{Width: 8, Height: 8}) // or skip
	round := func() float64 {
		before := resident(t)
		for range 20 {
			cycle(t)
		}
		debug.FreeOSMemory()
		return resident(t) - before
	}
	t.Logf("the first 20 cycles settle at %+.1f MB", round())
	first, second := round(), round()
	t.Logf("20 more cycles: %+.1f MB, and 20 more: %+.1f MB", first, second)
	// The heaps of threads grow once in a while; a leak grows every time.
	if min(first, second) > 5 {
		t.Errorf("20 cycles cost %.1f MB", min(first, second))
	}
}

// Failing loads leave nothing either.
func TestFailuresLeakNothing(t *testing.T) {
	if !inChild() {
		child(t, "TestFailuresLeakNothing")
		return
	}
	fail := func() {
		if _, err := Load(`<mujoco><worldbody><gem/></worldbody></mujoco>`, map[string][]byte{"a": make([]byte, 1<<20)}); err == nil {
			t.Fatal("no error")
		}
	}
	for range 20 {
		fail()
	}
	before := resident(t)
	for range 200 {
		fail()
	}
	if grown := resident(t) - before; grown > 30 {
		t.Errorf("200 failures cost %.1f MB", grown)
	}
}

// Goroutines with models, states and renderers of their own, and with states of a
// shared model, get what one alone gets.
func TestGoroutinesDoNotDisturbEachOther(t *testing.T) {
	shared := load(t, testXML, nil)
	run := func(m *Model) (qpos []float64, picture []byte) {
		d, err := NewData(m)
		must(t, err)
		defer d.Close()
		for i := range 200 {
			d.Ctrl()[0] = float64(i%7) / 7
			must(t, d.Step(2))
		}
		must(t, d.Forward())
		r, err := NewRenderer(m, Options{Width: 32, Height: 32, GL: os.Getenv(glVariable)})
		must(t, err)
		defer r.Close()
		picture, err = r.Render(d, 0)
		must(t, err)
		return append(qpos, d.Qpos()...), picture
	}
	newRenderer(t, shared, Options{Width: 8, Height: 8}) // or skip
	wantState, wantPicture := run(shared)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			m := shared
			if i%2 == 0 {
				own, err := Load(testXML, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer own.Close()
				m = own
			}
			state, picture := run(m)
			for k := range state {
				if state[k] != wantState[k] {
					t.Errorf("goroutine %d: position %d is %g, want %g", i, k, state[k], wantState[k])
				}
			}
			if !bytes.Equal(picture, wantPicture) {
				t.Errorf("goroutine %d draws another picture", i)
			}
		})
	}
	group.Wait()
}
