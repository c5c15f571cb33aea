// The runs: which there are, which are shown, how they stand.

import { el } from "./dom.js";
import * as format from "./format.js";

// status says how a run stands, from its settings and its last event.
export function status(run, now) {
  const total = Number(run.settings?.["learn.episodes"]);
  const done = run.counters.episodes;
  if (!run.events) return { state: "empty", text: "no events yet" };
  const age = run.last ? now - Date.parse(run.last) : Infinity;
  if (total > 0 && done >= total) return { state: "done", text: "finished" };
  if (age < 120_000) return { state: "running", text: "running" };
  return { state: "quiet", text: `nothing new for ${format.duration(Math.round(age / 1000))}` };
}

// eta is how many seconds a run still needs at the pace of its last episodes, or
// null.
export function eta(store, run) {
  const total = Number(run.settings?.["learn.episodes"]);
  const c = store.column(run.id, "episode", "return/train:reward", "wall");
  const at = store.column(run.id, "episode", "return/train:reward", "episodes");
  const seeds = Number(run.settings?.["learn.seed_episodes"] ?? 5);
  if (!c || !(total > run.counters.episodes)) return null;
  let from = Math.max(0, c.x.length - 21);
  while (from < c.x.length - 1 && at.x[from] < seeds) from++;
  const episodes = at.x.at(-1) - at.x[from];
  return episodes > 0 ? ((c.x.at(-1) - c.x[from]) / episodes) * (total - run.counters.episodes) : null;
}

// chips are the buttons that choose runs.
export function chips(host, runs, toggle) {
  const state = JSON.stringify(runs.map((r) => [r.id, r.name, r.colour, r.shown]));
  if (host.dataset.state === state) return;
  host.dataset.state = state;
  const focused = host.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  host.replaceChildren(...runs.map((r) => {
    const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    if (r.shown) swatch.style.background = swatch.style.borderColor = r.colour;
    return el("button", { type: "button", class: "chip", "aria-pressed": String(r.shown), "data-id": r.id, title: r.path, click: () => toggle(r.id) }, swatch, el("span", { class: "name", text: r.name }));
  }));
  if (focused) host.querySelector(`[data-id="${focused}"]`)?.focus();
  host.hidden = runs.length < 2;
}

function fact(name, value) {
  return el("div", {}, el("dt", { text: name }), el("dd", { text: value }));
}

// cards tell how each shown run stands.
export function cards(host, store, shown) {
  const now = Date.now();
  const made = shown.map((run) => card(store, run, now));
  if (made.length !== host.children.length || made.some((c, i) => !c.isEqualNode(host.children[i]))) host.replaceChildren(...made);
}

function card(store, run, now) {
  const last = (kind, metric) => store.last(run.id, kind, metric);
  const s = status(run, now);
  const total = Number(run.settings?.["learn.episodes"]) || 0;
  const left = s.state === "running" ? eta(store, run) : null;
  const best = store.column(run.id, "evaluation", "return/eval:reward", "episodes");
  const facts = [
    fact("episodes", total ? `${format.count(run.counters.episodes)} / ${format.count(total)}` : format.count(run.counters.episodes)),
    fact("env_steps", format.count(run.counters.env_steps)),
    fact("updates", format.count(run.counters.updates)),
    fact("last return", format.number(last("episode", "return/train:reward"))),
    fact("last evaluation", format.number(last("evaluation", "return/eval:reward"))),
    fact("best evaluation", format.number(best ? Math.max(...(best.high ?? best.y)) : null)),
    fact("updates per s", format.number(last("episode", "rate/updates:per_second"))),
    fact("memory", format.bytes(last("episode", "process/memory:bytes"))),
    fact("time at work", format.duration(Math.round(run.wall ?? 0))),
    left == null ? fact("last event", run.last ? format.ago(now - Date.parse(run.last)) : format.none) : fact("left, about", format.rough(left)),
  ];
  const bar = el("span");
  bar.style.width = `${total ? Math.min(100, (100 * run.counters.episodes) / total) : 0}%`;
  bar.style.background = run.colour;
  return el("article", { class: "card", "data-run": run.id, "aria-label": `Run ${run.name}` },
    el("header", {}, el("h3", { text: run.name }), el("span", { class: "state", "data-state": s.state, text: s.text }),
      el("span", { class: "soft", text: [run.env, run.settings?.preset && `preset ${run.settings.preset}`, run.backend].filter(Boolean).join(" · ") })),
    total ? el("div", { class: "progress", role: "progressbar", "aria-label": "Episodes", "aria-valuemin": "0", "aria-valuemax": String(total), "aria-valuenow": String(run.counters.episodes) }, bar) : null,
    run.events ? el("dl", { class: "facts" }, ...facts) : null,
    ...problems(run).map((p) => el("p", { class: "problem", text: p })));
}

function problems(run) {
  const out = [];
  if (run.problem) out.push(run.problem);
  if (run.damaged && run.events) out.push(`${format.count(run.damaged)} ${run.damaged === 1 ? "line of the event file is" : "lines of the event file are"} damaged and left out.`);
  return out;
}
