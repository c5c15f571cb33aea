// The panels of the page.

import { Chart, key } from "./chart.js";
import { el, text } from "./dom.js";
import * as format from "./format.js";
import { kindOf } from "./panels.js";
import * as series from "./series.js";

export class Panel {
  constructor(panel, catalogue, zoomed) {
    this.panel = panel;
    this.catalogue = catalogue;
    this.chart = new Chart({ label: `${panel.title}, curve`, zoomed });
    this.now = el("span", { class: "now" });
    this.legend = el("ul", { class: "legend" });
    this.odd = el("p", { class: "odd", hidden: true });
    this.node = el("figure", { class: `panel${panel.wide ? " wide" : ""}`, id: `panel-${panel.id}` },
      el("header", {}, el("h3", { text: panel.title }), this.now), this.legend, this.chart.host,
      el("figcaption", {}, this.odd, ...this.explain()));
  }

  // explain is a line for each metric, and what is healthy.
  explain() {
    const metrics = (this.panel.about ?? this.panel.metrics).filter((m) => !series.kept(m));
    const several = metrics.length > 1;
    const names = new Map((this.panel.labels ?? series.labels(metrics)).map((label, i) => [metrics[i], label]));
    const known = metrics.map((m) => this.catalogue.get(m)).filter(Boolean);
    if (!known.length) return [el("p", { text: "Not in the catalogue of metrics." })];
    const first = known[0];
    const out = [el("p", {}, several ? `${names.get(first.name)}: ` : "", first.description)];
    const more = el("details", {}, el("summary", { text: "What to expect" }));
    for (const m of known) {
      if (several && m !== first) more.append(el("p", { text: `${names.get(m.name)}: ${m.description}` }));
      more.append(el("p", { class: "healthy", text: `${several ? `${names.get(m.name)}: ` : ""}${m.healthy}${m.has_range ? ` Healthy range: ${m.low} to ${m.high}, shaded.` : ""}` }));
    }
    return [...out, more];
  }

  update(store, shown, view) {
    const { panel } = this;
    const curves = series.of(panel, store, shown, view);
    const unit = panel.unit ?? format.unitOf(panel.metrics[0]);
    const known = panel.returns ? null : this.catalogue.get(panel.metrics[0]);
    this.ranged = known?.has_range ? known : null;
    this.chart.update({
      series: curves, view, unit, zero: panel.returns || panel.stacked, linear: panel.stacked,
      range: this.ranged && [this.ranged.low, this.ranged.high],
      reference: panel.returns ? reference(shown) : null,
    });
    this.describe(curves, unit, shown.length);
    this.countOdd(store, shown);
    return curves.length > 0;
  }

  describe(curves, unit, runs) {
    const only = curves.length === 1 ? curves[0].y.at(-1) : null;
    const stacked = this.panel.stacked && curves.length ? curves.at(-1).y.at(-1) : null;
    const value = only ?? stacked;
    const label = value == null || unit === "seconds" || unit === "bytes" ? "" : format.unitLabel(unit);
    const wanted = value == null ? "" : `${format.byUnit(value, unit)}${label ? ` ${label}` : ""}`;
    text(this.now, wanted);
    const labels = JSON.stringify(curves.map((c) => [c.label, c.colour, c.dash]));
    if (labels === this.labels) return;
    this.labels = labels;
    const shown = curves.length > 1 || runs > 1 || this.panel.returns ? curves : [];
    this.legend.replaceChildren(...shown.map((c) => el("li", {}, key(c), c.label)), ...(this.ranged ? [el("li", {}, el("span", { class: "key area healthy", "aria-hidden": "true" }), "healthy range")] : []));
  }

  // countOdd says how many values could not be drawn.
  countOdd(store, shown) {
    let n = 0;
    for (const run of shown) for (const m of this.panel.metrics ?? []) n += store.odd(run.id, kindOf(this.panel, m), m);
    this.odd.hidden = n === 0;
    if (n) text(this.odd, `${format.count(n)} ${n === 1 ? "value was" : "values were"} not a number and cannot be drawn: the run had become unstable there.`);
  }
}

// reference is the published return, if all runs are of its task.
function reference(shown) {
  const papers = shown.map((r) => r.paper);
  if (!papers.length || !papers[0] || papers.some((p) => p?.return !== papers[0].return)) return null;
  return { value: papers[0].return, label: `${papers[0].return}: ${papers[0].label}`, short: `paper, at 1M env_steps: ${papers[0].return}` };
}

// Section shows panels and hides those without data.
export class Section {
  constructor(host, panels, catalogue, zoomed) {
    this.host = host;
    this.grid = host.querySelector(".panels");
    this.catalogue = catalogue;
    this.zoomed = zoomed;
    this.panels = [];
    this.set(panels);
  }

  // set makes these the panels, keeping those that are there.
  set(panels) {
    const ids = panels.map((p) => p.id).join("|");
    if (ids === this.ids) return;
    this.ids = ids;
    const old = new Map(this.panels.map((p) => [p.panel.id, p]));
    this.panels = panels.map((p) => old.get(p.id) ?? new Panel(p, this.catalogue, this.zoomed));
    this.grid.replaceChildren(...this.panels.map((p) => p.node));
  }

  update(store, shown, view) {
    let some = false;
    for (const p of this.panels) {
      const has = p.update(store, shown, view);
      p.node.hidden = !has && !p.panel.wide;
      some ||= has;
    }
    return some;
  }
}
