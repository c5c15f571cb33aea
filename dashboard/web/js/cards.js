// The runs: which there are, which are shown, how they stand.

import { el } from "./dom.js";
import * as format from "./format.js";

// goal is what a run works towards: updates if it learns from given episodes, or
// else episodes. total is 0 where it is not known.
function goal(run) {
  const set = (name) => Number(run.settings?.[`learn.${name}`]) || 0;
  const given = run.settings?.["learn.offline.episodes"] ?? "[]";
  if (given === "[]") return { name: "episodes", done: run.counters.episodes, total: set("episodes"), kind: "episode" };
  const total = set("offline.updates") || (set("episodes") - set("seed_episodes")) * set("updates_per_collect");
  return { name: "updates", done: run.counters.updates, total, kind: "update" };
}

// status says how a run stands, from its settings and its last event.
export function status(run, now) {
  const { done, total } = goal(run);
  if (!run.events) return { state: "empty", text: "no events yet" };
  const age = run.last ? now - Date.parse(run.last) : Infinity;
  if (total > 0 && done >= total) return { state: "done", text: "finished" };
  if (age < 120_000) return { state: "running", text: "running" };
  return { state: "quiet", text: `nothing new for ${format.duration(Math.round(age / 1000))}` };
}

// eta is how many seconds a run still needs, or null while it is too early to
// tell.
export function eta(run) {
  const { name, done, total } = goal(run);
  const each = run.pace?.[name];
  return each != null && total > done ? each * (total - done) : null;
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
  const { name, done, total, kind } = goal(run);
  const counted = (counter) => format.count(run.counters[counter]) + (counter === name && total ? ` / ${format.count(total)}` : "");
  const left = s.state === "running" ? eta(run) : null;
  const best = store.column(run.id, "evaluation", "return/eval:reward", "episodes");
  const facts = [
    ...(name === "episodes" ? [
      fact("episodes", counted("episodes")),
      fact("env_steps", counted("env_steps")),
    ] : []),
    fact("updates", counted("updates")),
    ...(name === "episodes" ? [fact("last return", format.number(last("episode", "return/train:reward")))] : []),
    fact("last evaluation", format.number(last("evaluation", "return/eval:reward"))),
    fact("best evaluation", format.number(best ? Math.max(...(best.high ?? best.y)) : null)),
    fact("updates per s", format.number(last(kind, "rate/updates:per_second"))),
    fact("memory", format.bytes(last(kind, "process/memory:bytes"))),
    fact("time at work", format.duration(Math.round(run.wall ?? 0))),
    s.state === "running" ? fact("left, about", left == null ? "too early to tell" : format.rough(left)) : fact("last event", run.last ? format.ago(now - Date.parse(run.last)) : format.none),
  ];
  const bar = el("span");
  bar.style.width = `${total ? Math.min(100, (100 * done) / total) : 0}%`;
  bar.style.background = run.colour;
  return el("article", { class: "card", "data-run": run.id, "aria-label": `Run ${run.name}` },
    el("header", {}, el("h3", { text: run.name }), el("span", { class: "state", "data-state": s.state, text: s.text }),
      el("span", { class: "soft", text: [run.env, run.settings?.preset && `preset ${run.settings.preset}`, run.backend].filter(Boolean).join(" · ") })),
    total ? el("div", { class: "progress", role: "progressbar", "aria-label": name === "episodes" ? "Episodes" : "Updates", "aria-valuemin": "0", "aria-valuemax": String(total), "aria-valuenow": String(done) }, bar) : null,
    run.events ? el("dl", { class: "facts" }, ...facts) : null,
    ...problems(run).map((p) => el("p", { class: "problem", text: p })));
}

function problems(run) {
  const out = [];
  if (run.problem) out.push(run.problem);
  if (run.damaged && run.events) out.push(`${format.count(run.damaged)} ${run.damaged === 1 ? "line of the event file is" : "lines of the event file are"} damaged and left out.`);
  return out;
}
