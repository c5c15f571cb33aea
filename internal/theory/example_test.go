package theory_test

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/theory"
)

// The bounds of a system whose evidence is known.
func Example() {
	m := theory.Chain(3, 0.9, 0.3, 0.5, 0)
	o := []float64{0.7, -0.2, 0.5}
	q, err := m.Filter(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	for d := 1; d <= 3; d++ {
		far := m.MultiStep(d)
		evidence, err := far.Evidence(o)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("d=%d: L_d = %.3f  M_d = %.3f  ln p_d = %.3f\n", d, m.Bound(q, o, d), far.Bound(q, o, 1), evidence)
	}
	// Output:
	// d=1: L_d = -3.185  M_d = -3.185  ln p_d = -3.136
	// d=2: L_d = -4.107  M_d = -3.484  ln p_d = -3.104
	// d=3: L_d = -4.477  M_d = -3.584  ln p_d = -3.200
}

// A multi-step bound above the evidence: a random walk that data contradict.
func Example_counterexample() {
	m := theory.Chain(4, 1, 0.25, 0.01, -1)
	o := []float64{1, -1, 1, -1}
	q := theory.Direct(o, 0.01)
	for d := 1; d <= 2; d++ {
		evidence, err := m.MultiStep(d).Evidence(o)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("d=%d: L_d = %.2f  ln p_d = %.2f\n", d, m.Bound(q, o, d), evidence)
	}
	// Output:
	// d=1: L_d = -33.04  ln p_d = -29.38
	// d=2: L_d = -10.52  ln p_d = -9.71
}

// When a pattern in the image is worth encoding: variance 10, summed over the
// pixels it touches, with an error that is summed, and averaged, over pixels.
func ExampleAutoencoder() {
	for _, variance := range []float64{0.01, 1, 9, 12288} {
		a := theory.Autoencoder{Power: 10, ImageVar: variance, Beta: 1}.Trained()
		fmt.Printf("image variance %v: %.2f nats\n", variance, a.Rate())
	}
	// Output:
	// image variance 0.01: 3.45 nats
	// image variance 1: 1.15 nats
	// image variance 9: 0.05 nats
	// image variance 12288: 0.00 nats
}
