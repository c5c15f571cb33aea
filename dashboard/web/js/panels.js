// Which curves are drawn where. A panel names metrics of one kind of event; what
// is in no panel appears under "Other measurements".

const update = (...metrics) => ({ kind: "update", metrics });
const episode = (...metrics) => ({ kind: "episode", metrics });

export const sections = {
  returns: [
    { id: "returns", title: "Return of an episode", wide: true, returns: true, unit: "reward", about: ["return/train:reward", "return/eval:reward"] },
    { id: "length", title: "Length of an episode", ...episode("episode/length:decisions") },
    { id: "actions", title: "Size of actions", ...episode("action/abs:1") },
  ],
  model: [
    { id: "total", title: "Objective", ...update("loss/total:nats") },
    { id: "image", title: "Image loss", ...update("loss/image:nats") },
    { id: "vector", title: "Vector loss", ...update("loss/vector:nats") },
    { id: "reward", title: "Reward loss", ...update("loss/reward:nats") },
    { id: "kl", title: "KL divergence", ...update("loss/kl:nats", "loss/kl_clipped:nats") },
    { id: "entropy", title: "Entropy of prior and posterior", ...update("loss/prior_entropy:nats", "loss/posterior_entropy:nats") },
    { id: "overshooting", title: "Latent overshooting", ...update("loss/overshooting:nats", "loss/overshooting_reward:nats") },
    { id: "global", title: "KL from the standard normal", ...update("loss/kl_global:nats") },
    { id: "continue", title: "Continue loss", ...update("loss/continue:nats") },
    { id: "diagnostic", title: "Diagnostic loss", ...update("loss/diagnostic:nats") },
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
