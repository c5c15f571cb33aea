package theory

import "math"

// Autoencoder is a variational autoencoder of one latent variable and one
// pattern in the image, all linear:
//
//	z ~ N(0, 1),  o ~ N(Decode z, ImageVar) along the pattern,  q(z|o) = N(Encode o, Var)
//
// trained on the reconstruction minus Beta times the KL. Power is the variance
// of the data along the pattern, summed over all pixels it touches.
type Autoencoder struct {
	Power, ImageVar, Beta float64
	Decode, Encode, Var   float64
}

// Objective is E ln p(o|z) - Beta KL(q || N(0, 1)) in nats, without the
// constant of the likelihood (equation 20).
func (a Autoencoder) Objective() float64 {
	miss := 1 - a.Decode*a.Encode
	error2 := a.Power*miss*miss + a.Decode*a.Decode*a.Var
	return -error2/(2*a.ImageVar) - a.Beta*a.Rate()
}

// Rate is the mean KL(q || N(0, 1)): what the latent says about the image.
func (a Autoencoder) Rate() float64 {
	return 0.5 * (a.Encode*a.Encode*a.Power + a.Var - math.Log(a.Var) - 1)
}

// Trained is a with the decoder and encoder that maximise the objective
// (equation 21). A pattern weaker than Beta*ImageVar is ignored: Decode and
// Encode are 0, and so is the rate.
func (a Autoencoder) Trained() Autoencoder {
	threshold := a.Beta * a.ImageVar
	kept := max(0, a.Power-threshold)
	a.Decode = math.Sqrt(kept)
	a.Encode = a.Decode / (kept + threshold)
	a.Var = threshold / (kept + threshold)
	return a
}
