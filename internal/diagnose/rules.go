package diagnose

import "slices"

// warmUp is the number of updates before which curves are not judged: the model
// still learns what a picture is.
const warmUp = 500

// few is the smallest number of points of a curve that is judged.
const few = 10

// Rules returns all rules in the order of the documentation.
func Rules() []Rule {
	return slices.Concat(runRules(), modelRules(), optimiserRules(), dataRules(), planRules(), resourceRules())
}

func runRules() []Rule {
	return []Rule{
		{
			ID: "non-finite", Severity: Problem, Title: "A value is not a number, or infinite.",
			Judged: "any value of any event.",
			Cause:  "An update went astray, because of its size or of a value in the data, and damaged what came after it.",
			Try: []string{
				"a new run with --set optimiser.learning_rate=3e-4",
				"look for absurd rewards or measurements in the environment: orrery env check NAME",
				"--precision f32, if the run used bf16",
			},
			check: checkFinite,
		},
		{
			ID: "stalled", Severity: Warning, Title: "Nothing has happened for a long time, and the run is not complete.",
			Judged: "the last event is older than ten minutes and than twenty times what usually lies between events.",
			Cause:  "The process was stopped or killed, or waits for an environment that does not answer.",
			Try: []string{
				"the same orrery train command again: it goes on from the last snapshot",
				"look at the end of the process's error output; an update that was not finite ends a run, too",
			},
			check: checkStalled,
		},
		{
			ID: "damaged-lines", Severity: Note, Title: "Some lines of metrics.jsonl are damaged.",
			Judged: "lines that are not events; an unfinished last one does not count.",
			Cause:  "The file was edited, or the disk lost something.",
			Try:    []string{"nothing, if it is a line or two: resuming the run removes them", "check the disk"},
			check:  checkDamaged,
		},
	}
}

func modelRules() []Rule {
	return []Rule{
		{
			ID: "posterior-ignored", Severity: Problem, Title: "The latent state is ignored: it carries nothing of the images.",
			Judged: "loss/kl:nats lies below its range, and loss/image:nats has hardly fallen since the first tenth of the run.",
			Cause:  "The decoder has found a mean image, and the KL term keeps the posterior from saying more.",
			Try: []string{
				"a new run with --set model.kl_scale=0.1, or a larger model.free_nats",
				"check that images differ at all: orrery env show NAME",
				"a larger model.reward_scale only if rewards are not predicted either",
			},
			check: checkPosterior,
		},
		{
			ID: "prior-not-learning", Severity: Warning, Title: "The prior does not follow the posterior: predictions without looking will be poor.",
			Judged: "loss/kl:nats lies above its range, or above 10 and still rising.",
			Cause:  "The posterior says more than can be predicted: the world looks random to the model, or the KL term weighs too little.",
			Try: []string{
				"a new run with --set model.kl_scale=3, or fewer model.free_nats",
				"check that the action that led to a record is stored with it, if the episodes are not Orrery's",
				"orrery dream RUN: the lower row shows what the prior makes of it",
			},
			check: checkPrior,
		},
		{
			ID: "kl-at-free-nats", Severity: Warning, Title: "Nothing pulls prior and posterior together: the KL never exceeds the free nats.",
			Judged: "loss/kl_clipped:nats is exactly 0 in the tail, with model.free_nats above 0.",
			Cause:  "There are more free nats than the posterior uses, so the prior gets no gradient and does not learn.",
			Try:    []string{"a new run with --set model.free_nats=1, or 0"},
			check:  checkFreeNats,
		},
		{
			ID: "reward-not-predicted", Severity: Warning, Title: "Rewards are not predicted: the planner has nothing to go by.",
			Judged: "loss/reward:nats has not fallen below six tenths of its highest level, which is at least a third of the run ago.",
			Cause:  "The reward head learns too slowly, or the images do not show what earns the reward.",
			Try: []string{
				"a new run with a larger --set model.reward_scale=100",
				"check that what earns the reward is visible: orrery env show NAME --size 64",
				"more distant causes: a smaller --set env.action_repeat",
			},
			check: checkReward,
		},
		{
			ID: "no-reward", Severity: Warning, Title: "No episode has earned a reward.",
			Judged: "the returns of all of at least 20 training episodes are 0.",
			Cause:  "The reward is sparse, and random actions do not find it: planning has nothing to look for.",
			Try: []string{
				"more exploration: --set learn.seed_episodes=50 and --set learn.action_noise=0.5 in a new run",
				"episodes that find it, recorded by hand: orrery collect --policy human, then train --offline and --from",
			},
			check: checkNoReward,
		},
	}
}

func optimiserRules() []Rule {
	return []Rule{{
		ID: "learning-rate-high", Severity: Problem, Title: "Updates are too large: the learning rate is too high.",
		Judged: "any of: grad/clipped:ratio above its range in the tail; grad/norm:1 three times that of the middle of the run; three spikes of loss/total:nats to three times its neighbourhood; loss/total:nats three times its lowest level. One is a warning, two are a problem.",
		Cause:  "Steps overshoot; sometimes the data contain outliers that do the same.",
		Try: []string{
			"a new run with --set optimiser.learning_rate=3e-4 (and --from this run, to keep what is learned)",
			"a smaller --set optimiser.clip_norm=100",
			"a larger --set learn.batch_size=50",
		},
		check: checkLearningRate,
	}}
}

func dataRules() []Rule {
	return []Rule{
		{
			ID: "overfitting", Severity: Warning, Title: "The model learns the episodes by heart: it gets worse on those held out.",
			Judged: "validation/total:nats has risen by a fifth above its lowest value, which lies in the first seven tenths of the run, while loss/total:nats went on falling.",
			Cause:  "More updates than the episodes carry.",
			Try: []string{
				"stop earlier: --updates where the validation was lowest",
				"more episodes: orrery collect, or train --from this run and let it collect",
				"a smaller model (--set model.depth=8, --set model.deter_size=100), or freeze parts of it (--freeze decoder)",
			},
			check: checkOverfitting,
		},
		{
			ID: "replay-small", Severity: Warning, Title: "The run learns from very few episodes.",
			Judged: "fewer than 10 in the replay after at least 1000 updates.",
			Cause:  "Too many updates before each collected episode, or too few episodes given.",
			Try:    []string{"a smaller --set learn.updates_per_collect=50", "more --episodes, or more directories for --offline"},
			check:  checkReplay,
		},
		{
			ID: "no-better-than-random", Severity: Warning, Title: "The agent acts no better than at random.",
			Judged: "the mean return of the last fifth of at least 40 planned episodes is not above the mean of the random ones by half their standard deviation and a tenth.",
			Cause:  "The model or the search is not good enough yet; a plateau of 50 to 100 episodes is common.",
			Try: []string{
				"wait for 100 to 150 episodes; meanwhile orrery dream RUN: does the model predict what happens?",
				"if it does, search more: --set plan.horizon=15, --set plan.candidates=1000",
				"if it does not, use the default model.transition=rssm and more --set learn.updates_per_collect=100",
			},
			check: checkRandom,
		},
		{
			ID: "evaluation-below-training", Severity: Warning, Title: "Evaluations are worse than training, although they add no noise.",
			Judged: "the mean of the last three evaluations is more than three tenths below that of the ten training episodes around each.",
			Cause:  "The plans depend on the noise: the model exploits its own errors, or the search settles for the wrong action. Or evaluations begin where training rarely was.",
			Try: []string{
				"several rollouts for each candidate: orrery eval RUN --set plan.rollouts=4",
				"more initial states: a higher --set learn.eval_episodes=10, to see whether it is chance",
				"a longer search: orrery eval RUN --set plan.candidates=1000",
			},
			check: checkEvaluation,
		},
	}
}

func planRules() []Rule {
	return []Rule{
		{
			ID: "plans-flat", Severity: Warning, Title: "The search finds nothing to prefer: actions are close to random.",
			Judged: "plan/gain:reward is below a hundredth of the predicted scores in the tail, after at least 20 planned episodes.",
			Cause:  "Predicted rewards are flat within the horizon: the reward is not learned yet, or lies further away.",
			Try: []string{
				"see whether reward-not-predicted or no-reward is found, too, and remedy that first",
				"a longer horizon: orrery eval RUN --set plan.horizon=25",
			},
			check: checkGain,
		},
		{
			ID: "actions-saturated", Severity: Note, Title: "The planner only ever pushes to the limit.",
			Judged: "action/abs:1 of planned episodes is above 0.95 in the tail.",
			Cause:  "The task wants it so (bang-bang control), or the best candidates are the largest because the model is wrong far from the data.",
			Try: []string{
				"orrery dream RUN: are the predictions under such actions right?",
				"less noise while collecting: --set learn.action_noise=0.1 in a new run",
			},
			check: checkSaturation,
		},
		{
			ID: "model-exploited", Severity: Warning, Title: "Plans promise far more than episodes return: the search exploits errors of the reward model.",
			Judged: "plan/elite:reward for each decision of the horizon is more than twice the best return so far for each decision of an episode.",
			Cause:  "Far from the data the reward head is wrong, and the search goes where it is wrong most.",
			Try: []string{
				"--set plan.rollouts=4, or a shorter --set plan.horizon=8",
				"more data around the plans: a higher --set learn.action_noise=0.5 in a new run",
			},
			check: checkExploitation,
		},
		{
			ID: "out-of-range", Severity: Warning, Title: "A metric lies outside its healthy range.",
			Judged: "the tail of every metric whose range in docs/metrics.md holds for all tasks, except those that other rules judge.",
			Cause:  "See the metric's line in docs/metrics.md.",
			Try:    []string{"docs/metrics.md says of each metric what a departure means"},
			check:  checkRanges,
		},
	}
}

func resourceRules() []Rule {
	return []Rule{
		{
			ID: "environment-slow", Severity: Note, Title: "The environment takes most of the time.",
			Judged: "split/env:seconds is more than half of the four parts in the tail.",
			Cause:  "Simulating or drawing is slow.",
			Try:    []string{"a larger --set env.action_repeat", "several environments at a time, in a new run: --envs 4", "for remote environments: draw at the size that is needed"},
			check:  checkSplit("split/env:seconds", 0.5),
		},
		{
			ID: "planning-slow", Severity: Note, Title: "Planning takes most of the time.",
			Judged: "split/plan:seconds is more than six tenths of the four parts in the tail.",
			Cause:  "The search is large beside the model and the updates.",
			Try:    []string{"fewer candidates: --set plan.candidates=500, or --set plan.planner=icem with a third of them", "orrery bench planners --run RUN compares"},
			check:  checkSplit("split/plan:seconds", 0.6),
		},
		{
			ID: "disk-slow", Severity: Note, Title: "Reading and writing episodes and snapshots takes much of the time.",
			Judged: "split/io:seconds is more than three tenths of the four parts in the tail.",
			Cause:  "The replay does not fit into its memory, or the disk is slow or far away.",
			Try:    []string{"more memory: --set replay.memory_mib=4096", "a run directory on a local disk"},
			check:  checkSplit("split/io:seconds", 0.3),
		},
		{
			ID: "updates-slower", Severity: Note, Title: "Updates have become slower.",
			Judged: "time/update:seconds in the tail is half as much again as in the first third.",
			Cause:  "Something else uses the processors, or they run hot.",
			Try:    []string{"look what else runs on the machine", "--threads for each of several runs that share it"},
			check:  checkPace,
		},
		{
			ID: "memory-growing", Severity: Warning, Title: "The process takes more and more memory.",
			Judged: "process/memory:bytes, less what the replay holds, has grown by a quarter in the second half of the run, and in each third of that half.",
			Cause:  "Something is not released: in a foreign environment, most likely.",
			Try:    []string{"stop and start again: nothing is lost", "a smaller --set replay.memory_mib", "report it, with metrics.jsonl, if the environment is a built-in one"},
			check:  checkMemory,
		},
	}
}
