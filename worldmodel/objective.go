package worldmodel

// Objective selects the variants of the training objective that published codes
// disagree about. The zero value, and every empty string in it, is the
// objective of the paper's code (commit c04226b): old configurations that lack
// the fields keep their meaning. [Config.WithProfile] sets it as a whole.
type Objective struct {
	// ImageScale weighs half the squared error of the image; 0 means 1. Codes
	// that leave the half out have 2, and twice the RewardScale.
	ImageScale float64 `yaml:"image_scale" json:"image_scale"`
	// Time says whether the total sums over the L records of a chunk, as the
	// paper prints it, or averages like every code. Reported terms are means.
	Time TimeReduction `yaml:"time" json:"time"`
	// KLDirection is which of the two divergences is minimised.
	KLDirection KLDirection `yaml:"kl_direction" json:"kl_direction"`
	// FreeNatsForm is what a KL below FreeNats costs: nothing or FreeNats. The
	// gradients are the same.
	FreeNatsForm FreeNatsForm `yaml:"free_nats_form" json:"free_nats_form"`
	// FreeNatsOn is what the allowance is for: the KL of each chunk and step, or
	// the mean over all of them.
	FreeNatsOn FreeNatsOn `yaml:"free_nats_on" json:"free_nats_on"`
	// KLBalance (a), if above 0, splits the KL into
	// a KL(sg q || p) + (1-a) KL(q || sg p), each with free nats of its own, where
	// sg stops gradients: the prior learns with weight a, the posterior with 1-a.
	// 0 is the plain KL; DreamerV2 has 0.8. In [0, 1].
	KLBalance float64 `yaml:"kl_balance" json:"kl_balance"`
	// GlobalKLScale weighs KL(q || N(0, 1)), without free nats. The first release
	// of the paper's code has 0.1; 0 leaves the term out.
	GlobalKLScale float64 `yaml:"global_kl_scale" json:"global_kl_scale"`
	// Overshooting selects the definition of latent overshooting: none, clean,
	// google or kaixhin.
	Overshooting Overshooting `yaml:"overshooting" json:"overshooting"`
	// OvershootingDistance (D) is how many steps predictions go without
	// observations; at least 1. Chunks shorter than D bound it. The cost of an
	// update grows with it.
	OvershootingDistance int `yaml:"overshooting_distance" json:"overshooting_distance"`
	// OvershootingScale (beta) weighs the KL of predictions. 1 gives clean and
	// google the weight of the KL itself; for kaixhin see [OvershootingKaixhin].
	OvershootingScale float64 `yaml:"overshooting_scale" json:"overshooting_scale"`
	// OvershootingRewardScale weighs the reward errors of predictions, in units
	// of half the squared error; 0 leaves the term out.
	OvershootingRewardScale float64 `yaml:"overshooting_reward_scale" json:"overshooting_reward_scale"`
	// OvershootingDetached stops gradients at the states where predictions
	// start, so that overshooting trains the prior's rollout alone. Published
	// codes let them through.
	OvershootingDetached bool `yaml:"overshooting_detached" json:"overshooting_detached"`
}

// TimeReduction selects how records of a chunk are combined; empty means mean.
type TimeReduction string

// The time reductions.
const (
	TimeMean TimeReduction = "mean"
	TimeSum  TimeReduction = "sum"
)

// KLDirection selects a divergence of posterior q and prior p; empty means
// posterior_prior.
type KLDirection string

const (
	// PosteriorPrior is KL(q || p), that of the variational bound.
	PosteriorPrior KLDirection = "posterior_prior"
	// PriorPosterior is KL(p || q), which bounds nothing but works as well
	// (cross32768/PlaNet_PyTorch).
	PriorPosterior KLDirection = "prior_posterior"
)

// FreeNatsForm selects the cost of a KL under the allowance F; empty means
// excess.
type FreeNatsForm string

const (
	// Excess is max(0, KL - F).
	Excess FreeNatsForm = "excess"
	// Floor is max(F, KL), which keeps the value a bound.
	Floor FreeNatsForm = "floor"
)

// FreeNatsOn selects what the allowance applies to; empty means element.
type FreeNatsOn string

const (
	// OnElement is the KL of one record.
	OnElement FreeNatsOn = "element"
	// OnMean is the mean KL of the batch, within which records may trade nats
	// (Dreamer).
	OnMean FreeNatsOn = "mean"
)

// defaultObjective spells out the zero value.
func defaultObjective() Objective { return Objective{OvershootingScale: 1}.resolved() }

// resolved replaces what is empty by what it means.
func (o Objective) resolved() Objective {
	if o.ImageScale == 0 {
		o.ImageScale = 1
	}
	o.Time = orDefault(o.Time, TimeMean)
	o.KLDirection = orDefault(o.KLDirection, PosteriorPrior)
	o.FreeNatsForm = orDefault(o.FreeNatsForm, Excess)
	o.FreeNatsOn = orDefault(o.FreeNatsOn, OnElement)
	o.Overshooting = orDefault(o.Overshooting, OvershootingNone)
	if o.OvershootingDistance == 0 {
		o.OvershootingDistance = 1
	}
	return o
}

func orDefault[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}

// maxDistance bounds OvershootingDistance: a graph has a node for every step.
const maxDistance = 1000

// validate notes every setting that cannot work.
func (o Objective) validate(bad *complaints) {
	oneOf(bad, "objective.time", o.Time, TimeMean, TimeSum)
	oneOf(bad, "objective.kl_direction", o.KLDirection, PosteriorPrior, PriorPosterior)
	oneOf(bad, "objective.free_nats_form", o.FreeNatsForm, Excess, Floor)
	oneOf(bad, "objective.free_nats_on", o.FreeNatsOn, OnElement, OnMean)
	oneOf(bad, "objective.overshooting", o.Overshooting, OvershootingNone, OvershootingClean, OvershootingGoogle, OvershootingKaixhin)
	if d := o.OvershootingDistance; d < 1 || d > maxDistance {
		bad.add("objective.overshooting_distance is %d; it must lie in [1, %d]", d, maxDistance)
	}
	if !(o.KLBalance >= 0 && o.KLBalance <= 1) {
		bad.add("objective.kl_balance is %v; it must lie in [0, 1]", o.KLBalance)
	}
	bad.weight("objective.image_scale", o.ImageScale)
	bad.weight("objective.global_kl_scale", o.GlobalKLScale)
	bad.weight("objective.overshooting_scale", o.OvershootingScale)
	bad.weight("objective.overshooting_reward_scale", o.OvershootingRewardScale)
}
