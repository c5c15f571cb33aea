package theory

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
)

const pixels = 64 * 64 * 3

// TestReconstructionFloor: not even the decoder that knows the image gets below
// a squared error of 1, because the dequantisation noise is new each time.
func TestReconstructionFloor(t *testing.T) {
	s := rng.New(6, "theory/floor")
	image, seen, centre := make([]byte, pixels), make([]float32, pixels), make([]float32, pixels)
	for i := range image {
		image[i] = byte(s.IntN(256))
		centre[i] = (float32(image[i]>>3)+0.5)/32 - 0.5
	}
	within(t, "squared error", 1, 0.002, 200, func() float64 {
		if err := replay.Dequantise(seen, image, 5, s); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range seen {
			d := float64(seen[i] - centre[i])
			sum += d * d
		}
		return sum
	})
}

// TestDequantisationIsABound: the mean log density over a bin's noise is at
// most the logarithm of the bin's probability plus that of 1/width.
func TestDequantisationIsABound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-2, 2).Draw(t, "low")
		width, sd := rapid.Float64Range(0.01, 3).Draw(t, "width"), rapid.Float64Range(0.05, 2).Draw(t, "sd")
		below := func(x float64) float64 { return 0.5 * math.Erfc(-x/(sd*math.Sqrt2)) }
		mass := below(low+width) - below(low)
		if mass < 1e-12 {
			t.Skip("the mass drowns in rounding: this draw is nothing to test, rapid makes another")
		}
		high := low + width
		square := (high*high*high - low*low*low) / (3 * width) // E (low+u)^2
		bound := -0.5*math.Log(2*math.Pi*sd*sd) - square/(2*sd*sd) + math.Log(width)
		if bound > math.Log(mass)+1e-4*(1+math.Abs(bound)) {
			t.Errorf("the bound %v exceeds ln P = %v", bound, math.Log(mass))
		}
	})
}

// TestBestImageVariance: the variance that maximises a Gaussian likelihood is
// the mean squared error for each pixel.
func TestBestImageVariance(t *testing.T) {
	const squaredError = 40.0
	loss := func(variance float64) float64 {
		return -squaredError/(2*variance) - pixels/2.0*math.Log(2*math.Pi*variance)
	}
	best := math.Exp(maximise(math.Log(1e-5), 0, func(l float64) float64 { return loss(math.Exp(l)) }))
	near(t, "variance", best, squaredError/pixels, 1e-7)
}

// TestTrainedAutoencoderIsOptimal: no other decoder and encoder do better.
func TestTrainedAutoencoderIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		positive := func(name string) float64 { return math.Exp(rapid.Float64Range(-2, 2).Draw(t, name)) }
		best := Autoencoder{Power: positive("power"), ImageVar: positive("variance"), Beta: positive("beta")}.Trained()
		other := best
		other.Decode = rapid.Float64Range(-3, 3).Draw(t, "decode")
		other.Encode = rapid.Float64Range(-3, 3).Draw(t, "encode")
		other.Var = positive("q variance")
		if got, limit := other.Objective(), best.Objective(); got > limit+1e-9*(1+math.Abs(limit)) {
			t.Errorf("%+v reaches %v, above %v of %+v", other, got, limit, best)
		}
		signal := best.Power / (best.Beta * best.ImageVar)
		if (best.Decode == 0) != (signal <= 1) {
			t.Errorf("%+v decodes a pattern %v times as strong as the threshold", best, signal)
		}
		near(t, "rate", best.Rate(), max(0, 0.5*math.Log(signal)), 1e-9)
	})
}

// TestVarianceIsTheWeightOfTheKL: an image variance and a KL weight act only
// through their product, up to the scale of the whole.
func TestVarianceIsTheWeightOfTheKL(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := func(name string) float64 { return math.Exp(rapid.Float64Range(-2, 2).Draw(t, name)) }
		a := Autoencoder{Power: x("power"), ImageVar: x("variance"), Beta: 1, Decode: x("decode"), Encode: x("encode"), Var: x("q variance")}
		b := a
		b.ImageVar, b.Beta = 1, a.ImageVar
		want := a.ImageVar * a.Objective()
		near(t, "scaled objective", b.Objective(), want, 1e-9*(1+math.Abs(want)))
	})
}

// TestMeanOverPixelsIgnoresImages: images in [-1/2, 1/2] cannot vary by more
// than a quarter in each pixel, which is below the threshold when the error is
// averaged over pixels: everything is ignored.
func TestMeanOverPixelsIgnoresImages(t *testing.T) {
	strongest := Autoencoder{Power: pixels / 4.0, ImageVar: 1, Beta: 1}
	if rate := strongest.Trained().Rate(); rate < 3 {
		t.Errorf("summed over pixels, the strongest pattern has rate %v", rate)
	}
	strongest.ImageVar = pixels
	if a := strongest.Trained(); a.Decode != 0 || a.Encode != 0 || a.Rate() != 0 {
		t.Errorf("averaged over pixels, the strongest pattern is encoded: %+v", a)
	}
}

// freeNats averages, over paths of q, the KLs of all steps after free nats: in
// excess of them for each step, floored for each step, and floored on the mean.
func freeNats(m Model, q Encoder, free float64, paths int, s *rng.Stream) (excess, floor, floorOfMean, plain float64) {
	for range paths {
		path := draw(q, s)
		for t := range q {
			kl := KL(q[t].Mean(path), q[t].Var, m.Prior[t].Mean(path), m.Prior[t].Var)
			excess += max(0, kl-free) / float64(paths)
			floor += max(free, kl) / float64(paths)
			plain += kl / float64(paths)
		}
	}
	steps := float64(len(q))
	return excess, floor, steps * max(free, plain/steps), plain
}

// TestFreeNatsOnTheBound: flooring each step is looser than flooring the mean,
// which is looser than not flooring; taking the nats off is no bound at all.
func TestFreeNatsOnTheBound(t *testing.T) {
	const free = 0.4
	m, o := example()
	q := must(m.Filter(o))
	excess, floor, floorOfMean, plain := freeNats(m, q, free, 50_000, rng.New(7, "theory/free"))
	near(t, "KL", plain, m.Divergence(q, 1), 0.01)
	if !(floor > floorOfMean && floorOfMean > plain+0.01) {
		t.Errorf("costs: each %v, mean %v, none %v; they must fall", floor, floorOfMean, plain)
	}
	near(t, "difference of the forms", floor-excess, free*float64(len(q)), 1e-9)
	if value, evidence := m.Reconstruction(q, o)-excess, must(m.Evidence(o)); value <= evidence {
		t.Errorf("the excess form gives %v, not above ln p = %v; choose a telling example", value, evidence)
	}
	if value, evidence := m.Reconstruction(q, o)-floor, must(m.Evidence(o)); value >= evidence {
		t.Errorf("the floor form gives %v, above ln p = %v", value, evidence)
	}
}
