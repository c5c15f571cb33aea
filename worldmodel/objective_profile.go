package worldmodel

import (
	"fmt"
	"strings"
)

// ProfileNames lists the names [Config.WithProfile] knows.
func ProfileNames() []string {
	return []string{"default", "paper", "google", "google_camera_ready", "kaixhin", "cross32768", "dreamer", "dreamer_v2", "dreamer_v3"}
}

// WithProfile returns the configuration with the complete objective, weights
// included, of a published text or code. I is half the squared error of the
// image, R that of the reward, F the free nats:
//
//	default              I + 10 R + max(0, KL-3): the paper's code, c04226b
//	paper                I + R + max(0, KL-3), summed over time: the text
//	google               2 I + 20 R + max(2, KL) + 0.1 global KL, google overshooting
//	                     of 50 steps with rewards x200: its first release, b33f0d5
//	google_camera_ready  I + 10 R + max(3, KL): 0c6f7d3
//	kaixhin              2 I + 2 R + max(3, KL): Kaixhin/PlaNet, and mbrl-lib's PlaNet
//	cross32768           I + R + max(3, KL(p || q)): cross32768/PlaNet_PyTorch
//	dreamer              I + R + max(3, mean KL): danijar/dreamer
//	dreamer_v2           I + R + balanced KL, a = 0.8, max(1, mean) of each part
//	dreamer_v3           I + R + KL(sg q || p) + 0.1 KL(q || sg p), max(1, .) of each
//	                     record: a = 1/1.1 and KLScale 1.1
//
// The Dreamer profiles are objectives only; those agents differ in much else.
func (c Config) WithProfile(name string) (Config, error) {
	o := defaultObjective()
	c.RewardScale, c.KLScale, c.FreeNats = 10, 1, 3
	switch name {
	case "default":
	case "paper":
		o.Time, c.RewardScale = TimeSum, 1
	case "google":
		o.ImageScale, c.RewardScale, c.FreeNats, o.FreeNatsForm, o.GlobalKLScale = 2, 20, 2, Floor, 0.1
		o.Overshooting, o.OvershootingDistance, o.OvershootingRewardScale = OvershootingGoogle, 50, 200
	case "google_camera_ready":
		o.FreeNatsForm = Floor
	case "kaixhin":
		o.ImageScale, c.RewardScale, o.FreeNatsForm = 2, 2, Floor
	case "cross32768":
		c.RewardScale, o.FreeNatsForm, o.KLDirection = 1, Floor, PriorPosterior
	case "dreamer":
		c.RewardScale, o.FreeNatsForm, o.FreeNatsOn = 1, Floor, OnMean
	case "dreamer_v2":
		c.RewardScale, c.FreeNats, o.FreeNatsForm, o.FreeNatsOn, o.KLBalance = 1, 1, Floor, OnMean, 0.8
	case "dreamer_v3":
		c.RewardScale, c.FreeNats, o.FreeNatsForm, c.KLScale, o.KLBalance = 1, 1, Floor, 1.1, 1/1.1
	default:
		return Config{}, fmt.Errorf("worldmodel: no objective profile %q; there are %s", name, strings.Join(ProfileNames(), ", "))
	}
	c.Objective, c.VectorScale = o, o.ImageScale
	return c, nil
}
