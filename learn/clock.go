package learn

import "time"

// phase is what the wall-clock time of a run is attributed to.
type phase int

const (
	phaseEnv    phase = iota // simulating and drawing, when nothing is planned meanwhile
	phasePlan                // filtering and planning
	phaseUpdate              // gradient steps
	phaseIO                  // sampling, episodes and snapshots
	phases
)

var phaseNames = [phases]string{"env", "plan", "update", "io"}

// stopwatch sums the time spent in each phase.
type stopwatch struct {
	now   func() time.Time
	total [phases]time.Duration
}

// time runs f and adds its duration to phase p.
func (s *stopwatch) time(p phase, f func() error) error {
	start := s.now()
	err := f()
	s.total[p] += s.now().Sub(start)
	return err
}

// rest runs f, in which time is added to phase less, and adds what is left of its
// duration to phase p.
func (s *stopwatch) rest(p, less phase, f func() error) error {
	before := s.total[less]
	err := s.time(p, f)
	s.total[p] -= s.total[less] - before
	return err
}

// take returns the sums since the last call and starts again at zero.
func (s *stopwatch) take() [phases]time.Duration {
	total := s.total
	s.total = [phases]time.Duration{}
	return total
}
