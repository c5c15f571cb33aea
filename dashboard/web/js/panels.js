// Which curves are drawn where. A panel names metrics of one kind of event; what
// is in no panel appears under "Other measurements".

const update = (...metrics) => ({ kind: "update", metrics });
// learned is update for losses that are also measured on episodes kept apart.
const learned = (...names) => ({ kind: "update", metrics: names.flatMap((n) => [`loss/${n}:nats`, `validation/${n}:nats`]) });
const episode = (...metrics) => ({ kind: "episode", metrics });

const horizons = [1, 5, 10, 20, 50];

export const sections = {
  returns: [
    { id: "returns", title: "Return of an episode", wide: true, returns: true, unit: "reward", about: ["return/train:reward", "return/eval:reward"] },
    { id: "length", title: "Length of an episode", ...episode("episode/length:decisions") },
    { id: "actions", title: "Size of actions", ...episode("action/abs:1") },
  ],
  model: [
    { id: "total", title: "Objective", ...learned("total") },
    { id: "image", title: "Image loss", ...learned("image") },
    { id: "vector", title: "Vector loss", ...learned("vector") },
    { id: "reward", title: "Reward loss", ...learned("reward") },
    { id: "kl", title: "KL divergence", ...learned("kl", "kl_clipped") },
    { id: "entropy", title: "Entropy of prior and posterior", ...learned("prior_entropy", "posterior_entropy") },
    { id: "openloop", title: "Open-loop error by horizon", labels: horizons.map((h) => (h === 1 ? "1 frame ahead" : `${h} ahead`)), ...episode(...horizons.map((h) => `openloop/image_${h}:nats`)) },
    { id: "overshooting", title: "Latent overshooting", ...learned("overshooting", "overshooting_reward") },
    { id: "global", title: "KL from the standard normal", ...learned("kl_global") },
    { id: "continue", title: "Continue loss", ...learned("continue") },
    { id: "diagnostic", title: "Diagnostic loss", ...learned("diagnostic") },
    { id: "gradient", title: "Gradient", ...update("grad/norm:1") },
    { id: "clipped", title: "Clipped gradients", ...update("grad/clipped:ratio") },
    { id: "parameters", title: "Size of the parameters", ...update("param/norm:1") },
  ],
  planner: [
    { id: "scores", title: "Predicted scores", ...episode("plan/best:reward", "plan/elite:reward", "plan/mean:reward") },
    { id: "gain", title: "Gain of the search", ...episode("plan/gain:reward") },
    { id: "spread", title: "Spread of the proposal", ...episode("plan/std:1") },
  ],
  machine: [
    { id: "split", title: "Where the time goes", stacked: true, unit: "seconds", ...episode("split/update:seconds", "split/plan:seconds", "split/env:seconds", "split/io:seconds") },
    { id: "updates-rate", title: "Updates per second", ...episode("rate/updates:per_second") },
    { id: "steps-rate", title: "Simulator steps per second", ...episode("rate/env_steps:per_second") },
    { id: "update-time", title: "Time of an update", ...update("time/update:seconds", "time/sample:seconds") },
    { id: "plan-time", title: "Time of a decision", ...episode("time/plan:seconds", "time/env:seconds") },
    { id: "evaluate-time", title: "Time of an evaluation", kind: "evaluation", metrics: ["time/evaluate:seconds"] },
    { id: "snapshot-time", title: "Time of a snapshot", ...episode("time/snapshot:seconds") },
    { id: "memory", title: "Memory", ...episode("process/memory:bytes", "replay/memory:bytes") },
    { id: "records", title: "Replay", ...episode("replay/records:records") },
  ],
};

// kindOf is the kind of event that holds a metric of a panel.
export const kindOf = (panel, metric) => (metric.startsWith("validation/") ? "validation" : panel.kind);

// elsewhere are metrics that are shown in another form.
const elsewhere = ["return/eval_std:reward", "return/eval_min:reward", "return/eval_max:reward", "return/eval:reward", "return/train:reward", "replay/episodes:episodes", "time/compile:seconds"];

// others are panels for metrics of these runs that no section has.
export function others(store, ids) {
  const known = new Set(elsewhere);
  for (const panels of Object.values(sections)) for (const p of panels) for (const m of p.metrics ?? []) known.add(m);
  const found = new Map();
  for (const id of ids) {
    for (const [kind, table] of Object.entries(store.get(id)?.tables ?? {})) {
      for (const name of Object.keys(table.values)) if (!known.has(name) && kind !== "run") found.set(name, kind);
    }
  }
  return [...found].sort().map(([name, kind]) => ({ id: `other-${name}`, title: name, kind, metrics: [name] }));
}
