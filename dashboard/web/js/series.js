// The curves of a panel, from what is known of the runs.

import { colour } from "./palette.js";
import { kindOf } from "./panels.js";

// name is a metric without its group and unit, for a legend.
export const shortName = (metric) => metric.replace(/:.*/, "").replace(/^[^/]*\//, "").replaceAll("_", " ");

// labels names the metrics of a panel: shortly, with their group where two would
// be called the same.
export function labels(metrics) {
  const short = metrics.map(shortName);
  const twice = (i) => short.some((s, k) => s === short[i] && k !== i && !kept(metrics[k]) && !kept(metrics[i]));
  return metrics.map((m, i) => (kept(m) || twice(i) ? `${m.replace(/\/.*/, "")} ${short[i]}` : short[i]));
}

// kept reports whether a metric is of episodes that were kept apart.
export const kept = (metric) => metric.startsWith("validation/");

// of returns the curves of a panel for the runs that are shown. One run has a
// colour for each metric; several have a colour each and a dash for each metric.
export function of(panel, store, shown, view) {
  if (panel.returns) return returns(store, shown, view);
  if (panel.stacked) return stacked(panel, store, shown, view);
  const several = shown.length > 1;
  const names = panel.labels ?? labels(panel.metrics);
  return shown.flatMap((run) => panel.metrics.flatMap((metric, m) => {
    const c = store.column(run.id, kindOf(panel, metric), metric, view.axis);
    if (!c) return [];
    const label = several ? (panel.metrics.length > 1 ? `${run.name}, ${names[m]}` : run.name) : names[m];
    return [{ ...c, label, colour: several ? run.colour : colour(m), dash: several ? m : 0, raw: true }];
  }));
}

// returns are training episodes as dots, and evaluations as a line with a band of
// one standard deviation.
function returns(store, shown, view) {
  const several = shown.length > 1;
  return shown.flatMap((run) => {
    const out = [];
    const train = store.column(run.id, "episode", "return/train:reward", view.axis);
    if (train) out.push({ x: train.x, y: train.y, form: "dots", label: several ? `${run.name}, training` : "training episodes, with exploration noise", colour: several ? run.colour : colour(0) });
    const evaluation = store.column(run.id, "evaluation", "return/eval:reward", view.axis);
    if (evaluation) {
      const std = store.column(run.id, "evaluation", "return/eval_std:reward", view.axis);
      const spread = evaluation.x.map((_, i) => std?.y[i] ?? 0);
      out.push({
        x: evaluation.x, y: evaluation.y, low: evaluation.y.map((v, i) => v - spread[i]), high: evaluation.y.map((v, i) => v + spread[i]),
        band: true, points: true, unsmoothed: true, dash: several ? 1 : 0, label: several ? `${run.name}, evaluation` : "evaluation, without noise (± standard deviation)", colour: several ? run.colour : colour(1),
      });
    }
    return out;
  });
}

// stacked puts the metrics of the first run on top of each other. Where one was not
// measured, it adds nothing.
function stacked(panel, store, shown, view) {
  if (!shown.length) return [];
  const columns = panel.metrics.map((m) => store.column(shown[0].id, panel.kind, m, view.axis));
  const xs = [...new Set(columns.flatMap((c) => c?.x ?? []))].sort((a, b) => a - b);
  let floor = xs.map(() => 0);
  return columns.flatMap((c, m) => {
    if (!c) return [];
    const at = new Map(c.x.map((x, i) => [x, c.y[i]]));
    const low = floor;
    floor = floor.map((v, i) => v + (at.get(xs[i]) ?? 0));
    return [{ x: xs, y: floor, low, high: floor, form: "area", unsmoothed: true, label: shortName(panel.metrics[m]), colour: colour(m) }];
  });
}
