package theory

import "testing"

func TestMismatchedObservationsAreReported(t *testing.T) {
	m, o := example()
	if _, err := m.Evidence(o[:2]); err == nil {
		t.Error("Evidence accepts two observations of three")
	}
	if _, err := m.Posterior(nil); err == nil {
		t.Error("Posterior accepts no observations")
	}
	if _, err := m.Filter(append(o, 1)); err == nil {
		t.Error("Filter accepts four observations of three")
	}
}

func TestSingularCovarianceIsReported(t *testing.T) {
	if _, err := LogJoint([]float64{0, 0}, []float64{0, 0}, [][]float64{{1, 1}, {1, 1}}); err == nil {
		t.Error("a singular covariance has a density")
	}
}
