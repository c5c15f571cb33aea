package metrics

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Metric describes one name in the catalogue.
type Metric struct {
	// Name is group/name:unit.
	Name string
	// Description says what is measured and over what it is averaged.
	Description string
	// Healthy says in words what to expect and what a departure means.
	Healthy string
	// Low and High bound the healthy range where one holds for every task; both
	// are 0 where none does.
	Low, High float64
}

// Unit is the part of the name after the colon.
func (m Metric) Unit() string {
	_, unit, _ := strings.Cut(m.Name, ":")
	return unit
}

// HasRange reports whether Low and High mean anything.
func (m Metric) HasRange() bool { return m.Low != 0 || m.High != 0 }

// Lookup returns the catalogue's entry for a name.
func Lookup(name string) (Metric, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return all[i], true
}

// Catalogue returns every metric the project emits, in the order of the
// documentation. The caller owns the slice.
func Catalogue() []Metric {
	return slices.Concat(lossMetrics(), validationMetrics(), gradientMetrics(), returnMetrics(), planMetrics(), openLoopMetrics(), timeMetrics(), resourceMetrics())
}

func lossMetrics() []Metric {
	return []Metric{
		{Name: "loss/total:nats", Description: "The objective that is minimised: image, reward and KL terms with their weights, mean over batch and time.",
			Healthy: "Falls fast in the first hundred updates, then slowly; jumps when new kinds of images enter the replay."},
		{Name: "loss/image:nats", Description: "Half the squared error of the predicted image, summed over pixels and channels, mean over batch and time.",
			Healthy: "Falls towards a floor set by the quantisation noise, about 0.5 for 64x64x3 images of 5 bits. Flat and high from the start: the latent state is ignored."},
		{Name: "loss/vector:nats", Description: "Half the squared error of the predicted vector observation, transformed as configured, summed over components, mean over batch and time; only when vectors are observed.",
			Healthy: "Falls quickly, then slowly."},
		{Name: "loss/reward:nats", Description: "Half the squared error of the predicted reward, without its weight, mean over batch and time.",
			Healthy: "Near 0 while all rewards are; rises when the first rewards are found, then falls."},
		{Name: "loss/continue:nats", Description: "Negative log likelihood of the continue flag, without its weight, mean over batch and time; only with a continue head.",
			Healthy: "Below the entropy of the rate at which episodes end."},
		{Name: "loss/diagnostic:nats", Description: "Half the squared error of the environment's vector as the diagnostic head reads it from the state, transformed as configured; it does not train the model.",
			Healthy: "Falls while the state comes to know what the vector measures."},
		{Name: "loss/kl:nats", Description: "KL divergence of the posterior from the prior, before free nats are taken off, summed over latents, mean over batch and time.",
			Healthy: "At or a little above the free nats early on. Below them with a flat image loss: the posterior is ignored. Far above 10 and rising: the prior does not learn.", Low: 1, High: 30},
		{Name: "loss/kl_clipped:nats", Description: "What loss/kl:nats has above the free nats, clipped for each chunk and time step before the mean: the term that is minimised.",
			Healthy: "Small but above 0; exactly 0 means that nothing pulls prior and posterior together."},
		{Name: "loss/kl_global:nats", Description: "KL divergence of the posterior from the standard normal distribution, summed over latents, mean over batch and time; only with model.objective.global_kl_scale.",
			Healthy: "Rises while the latent state learns to say more, then levels off."},
		{Name: "loss/overshooting:nats", Description: "Latent overshooting: KL between posteriors and multi-step predictions, after free nats, reduced as model.objective.overshooting says, before its scale; only when it is on.",
			Healthy: "With clean, a little above loss/kl_clipped:nats; much higher means that long predictions drift."},
		{Name: "loss/overshooting_reward:nats", Description: "Half the squared error of rewards in latent overshooting, before its scale; only with model.objective.overshooting_reward_scale.",
			Healthy: "Above loss/reward:nats, and falls with it."},
		{Name: "loss/prior_entropy:nats", Description: "Entropy of the prior, summed over latents, mean over batch and time.",
			Healthy: "Falls slowly. The floor is set by the minimum standard deviation."},
		{Name: "loss/posterior_entropy:nats", Description: "Entropy of the posterior, summed over latents, mean over batch and time.",
			Healthy: "Below the prior's by about loss/kl:nats."},
	}
}

// validationMetrics are those of lossMetrics on episodes that are held out.
func validationMetrics() []Metric {
	var out []Metric
	for _, m := range lossMetrics() {
		name := strings.TrimPrefix(m.Name, "loss/")
		out = append(out, Metric{
			Name:        "validation/" + name,
			Description: "The same as " + m.Name + ", on the episodes that offline training holds out: mean over batches that are the same each time.",
			Healthy:     "Follows " + m.Name + ". Rising while that falls: the model learns the episodes by heart.",
			Low:         m.Low, High: m.High,
		})
	}
	return out
}

func gradientMetrics() []Metric {
	return []Metric{
		{Name: "grad/norm:1", Description: "Global norm of the gradient before clipping, mean over the updates of the event.",
			Healthy: "Large in the first updates, then below the clip. Growing without end: the learning rate is too high."},
		{Name: "grad/clipped:ratio", Description: "Share of updates whose gradient was clipped.",
			Healthy: "0 most of the time.", Low: 0, High: 0.1},
		{Name: "param/norm:1", Description: "Global norm of all parameters after the last update of the event.", Healthy: "Grows slowly."},
	}
}

func returnMetrics() []Metric {
	return []Metric{
		{Name: "return/train:reward", Description: "Undiscounted sum of rewards of one collected episode, exploration noise included.",
			Healthy: "Flat for the first 50 to 100 episodes of most tasks, then rising; below the evaluation because of the noise.", Low: 0, High: 1000},
		{Name: "return/eval:reward", Description: "Mean undiscounted return of the evaluation episodes, without noise.",
			Healthy: "Judge after 100 to 200 episodes; a plateau before is common.", Low: 0, High: 1000},
		{Name: "return/eval_std:reward", Description: "Standard deviation of the return over the evaluation episodes.",
			Healthy: "Large while the task is solved from some initial states only."},
		{Name: "return/eval_min:reward", Description: "Lowest return of the evaluation episodes.", Healthy: "Rises last.", Low: 0, High: 1000},
		{Name: "return/eval_max:reward", Description: "Highest return of the evaluation episodes.", Healthy: "Rises first.", Low: 0, High: 1000},
		{Name: "episode/length:decisions", Description: "Decisions in the episode.", Healthy: "Constant for tasks without early termination."},
		{Name: "action/abs:1", Description: "Mean absolute value of the executed actions of the episode.",
			Healthy: "Between 0.2 and 0.9; at 1 the planner only ever pushes to the limit.", Low: 0, High: 1},
	}
}

func planMetrics() []Metric {
	return []Metric{
		{Name: "plan/best:reward", Description: "Highest predicted score among the candidates of the last iteration, mean over the decisions of the episode. Like the others, absent for random actions and searches with a deadline.",
			Healthy: "At most Horizon times the largest reward of a decision. Far above what episodes return: the reward model is exploited."},
		{Name: "plan/elite:reward", Description: "Mean predicted score of the elites of the last iteration.", Healthy: "Just below plan/best:reward."},
		{Name: "plan/mean:reward", Description: "Mean predicted score of all candidates of the last iteration.", Healthy: "Rises towards the elites as the search converges."},
		{Name: "plan/gain:reward", Description: "Elite score of the last iteration minus that of the first.",
			Healthy: "Positive. Near 0: predicted rewards are flat, and actions are close to random."},
		{Name: "plan/std:1", Description: "Standard deviation of the final proposal, mean over the plan and action components; not for discrete actions.",
			Healthy: "About 0.25 to 0.5 while rewards are flat; smaller where they are not.", Low: 0, High: 1},
	}
}

func openLoopMetrics() []Metric {
	about := "Half the squared error of the image predicted %s after 5 frames from the actions alone, summed over pixels and channels, in one piece of the latest episode; only with watch.live."
	out := []Metric{{Name: "openloop/image_1:nats", Description: fmt.Sprintf(about, "1 frame"), Healthy: "A little above loss/image:nats, and noisy: it is a single image."}}
	for _, h := range []int{5, 10, 20, 50} {
		out = append(out, Metric{Name: fmt.Sprintf("openloop/image_%d:nats", h), Description: fmt.Sprintf(about, fmt.Sprint(h, " frames")),
			Healthy: "Above the shorter ones, and falls with them. The planner relies on predictions as far ahead as its horizon."})
	}
	return out
}

func timeMetrics() []Metric {
	return []Metric{
		{Name: "split/env:seconds", Description: "Wall time spent simulating and drawing, and nothing else, since the previous episode event. Like the other times and rates it is that of a batch of episodes, in equal parts, when several environments act at once.", Healthy: "A small part of the four."},
		{Name: "split/plan:seconds", Description: "Wall time spent filtering and planning since the previous episode event.", Healthy: "Decisions times the time of one plan."},
		{Name: "split/update:seconds", Description: "Wall time spent on updates, sampling excluded, since the previous episode event.", Healthy: "Most of the four."},
		{Name: "split/io:seconds", Description: "Wall time spent sampling batches, writing episodes and snapshots and preparing the live view since the previous episode event.", Healthy: "A small part of the four."},
		{Name: "time/update:seconds", Description: "Wall time of one update, sampling excluded, mean over the updates of the event.", Healthy: "Constant; a rise means that something else uses the processors."},
		{Name: "time/sample:seconds", Description: "Wall time the update waited for its batch, mean over the updates of the event.", Healthy: "Far below time/update:seconds."},
		{Name: "time/plan:seconds", Description: "Wall time of choosing one action, filter included, mean over the decisions of the episode.", Healthy: "Constant."},
		{Name: "time/env:seconds", Description: "Wall time of one environment step with its image, mean over the decisions of the episode; with several environments at once, what a decision waits for them.", Healthy: "Far below time/plan:seconds; otherwise learn.envs helps."},
		{Name: "time/evaluate:seconds", Description: "Wall time of one evaluation.", Healthy: "Constant."},
		{Name: "time/snapshot:seconds", Description: "Wall time of writing the last snapshot before the event.", Healthy: "Below a second on a local disk."},
		{Name: "time/compile:seconds", Description: "Wall time of building and compiling the graphs, in the event of a start.", Healthy: "A few seconds, once in a process."},
		{Name: "rate/updates:per_second", Description: "Updates for each second of wall time since the previous episode event, everything included.", Healthy: "Constant."},
		{Name: "rate/env_steps:per_second", Description: "Simulator steps in training for each second of wall time since the previous episode event, everything included.", Healthy: "Constant."},
	}
}

func resourceMetrics() []Metric {
	return []Metric{
		{Name: "replay/episodes:episodes", Description: "Episodes in the replay.", Healthy: "Equal to the counter episodes."},
		{Name: "replay/records:records", Description: "Records in the replay.", Healthy: "Grows by the episode length plus one."},
		{Name: "replay/memory:bytes", Description: "Memory held by the replay's images.", Healthy: "Rises to the configured budget and stays."},
		{Name: "process/memory:bytes", Description: "Memory the process has from the operating system, as the Go runtime counts it.", Healthy: "Constant after the first episodes."},
	}
}

// WriteMarkdown writes the catalogue as the page docs/metrics.md.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(markdownHead)
	group := ""
	for _, m := range Catalogue() {
		if g, _, _ := strings.Cut(m.Name, "/"); g != group {
			group = g
			fmt.Fprintf(&b, "\n## %s\n\n| name | meaning | healthy | range |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Description, m.Healthy, m.rangeText())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m Metric) rangeText() string {
	if !m.HasRange() {
		return "–"
	}
	return fmt.Sprintf("%g to %g", m.Low, m.High)
}

const markdownHead = `# Metrics

<!-- Generated from metrics/catalogue.go: go test ./metrics -run TestDocsEqualCatalogue -update -->

Every run writes ` + "`metrics.jsonl`" + `: one event a line, in order. An event has a kind, a time, the four counters of
the run, and values whose names carry their unit. A value that was not measured is absent; one that is not a number is
` + "`null`" + `, and the field ` + "`nonfinite`" + ` says which. Resuming a run removes the events that lie beyond the snapshot it resumes
from, so the file is always one consistent history.

` + "```json" + `
{"kind":"update","time":"2026-01-02T03:04:05Z","env_steps":6000,"decisions":750,"updates":100,"episodes":6,"values":{"loss/kl:nats":3.41}}
` + "```" + `

| counter | counts |
|---|---|
| ` + "`env_steps`" + ` | simulator steps in training: decisions times the action repeat, less what the last decision of an episode leaves out |
| ` + "`decisions`" + ` | actions chosen |
| ` + "`updates`" + ` | optimiser steps |
| ` + "`episodes`" + ` | training episodes collected, seed episodes included |

The range is given where one holds for every task; outside it, look closer.
`
