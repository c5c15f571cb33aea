// The decision that was just made: what the agent saw, what it did, and the
// search behind it.

import { Chart, key } from "./chart.js";
import { el, text } from "./dom.js";
import * as format from "./format.js";
import { colour } from "./palette.js";
import { picture } from "./scrubber.js";

const plain = { axis: "value", smooth: 0, log: false, zoom: null };

export class Decision {
  constructor(title) {
    this.title = title;
    this.canvas = el("canvas", { role: "img", "aria-label": "What the agent saw", width: "64", height: "64" });
    this.facts = el("dl", { class: "facts" });
    this.actions = el("div", { class: "actions" });
    this.scores = new Chart({ label: "Predicted returns of the candidates, histogram", height: 140 });
    this.proposal = new Chart({ label: "Proposed actions over the horizon, mean and standard deviation", height: 150 });
    this.legend = el("ul", { class: "legend" });
    this.note = el("figcaption", {});
    this.node = el("div", {},
      el("div", { class: "seen" }, el("figure", {}, this.canvas), el("div", {}, this.facts, this.actions)),
      el("figure", { class: "panel small" }, el("h3", { text: "Predicted returns of the candidates" }), this.scores.host, this.note),
      el("figure", { class: "panel small" }, el("h3", { text: "Proposed actions over the horizon" }), this.legend, this.proposal.host,
        el("figcaption", { text: "Mean of the final proposal for each coming decision, with a band of one standard deviation." })));
  }

  async load(id, version) {
    this.wanted = version;
    const answer = await fetch(`api/run/${id}/decision`);
    if (!answer.ok) return;
    const d = await answer.json();
    const image = d.size.height ? await picture(`api/run/${id}/decision.png?v=${version}`) : null;
    if (this.wanted !== version) return;
    this.decision = d;
    this.canvas.closest("figure").hidden = !image;
    if (image) {
      this.canvas.width = d.size.width;
      this.canvas.height = d.size.height;
      this.canvas.style.aspectRatio = `${d.size.width} / ${d.size.height}`;
      this.canvas.getContext("2d").drawImage(image, 0, 0);
    }
    this.redraw();
  }

  redraw() {
    const d = this.decision;
    if (!d) return;
    text(this.title, `episode ${format.count(d.counters.episodes + 1)}, decision ${format.count(d.number + 1)}`);
    this.facts.replaceChildren(fact("reward", format.number(d.reward)), fact("predicted return", d.scores.counts.length ? format.number(d.predicted) : format.none));
    this.actions.replaceChildren(...d.action.slice(0, 12).map(gauge));
    this.drawScores(d);
    this.drawProposal(d);
  }

  drawScores({ scores, predicted }) {
    const { low, high, counts, odd } = scores;
    const width = counts.length ? (high - low) / counts.length || 1 : 1;
    const x = counts.map((_, i) => low + (i + 0.5) * width);
    this.scores.update({
      view: plain, zero: true, cursor: counts.length ? predicted : null, domain: counts.length ? [low, Math.max(high, low + width)] : null,
      series: [{ x, y: counts, form: "bars", label: "candidates", colour: colour(0), unsmoothed: true }],
      name: (v) => `around ${format.number(v)}`, empty: "Nothing was searched for this action",
    });
    text(this.note, odd ? `${format.count(odd)} ${odd === 1 ? "score was not a number" : "scores were not numbers"}. The line marks the plan that was followed.` : "Of the last iteration; the line marks the plan that was followed.");
  }

  drawProposal({ mean, std }) {
    const size = mean[0]?.length ?? 0;
    const series = Array.from({ length: Math.min(size, 8) }, (_, a) => {
      const y = mean.map((row) => row[a]);
      const spread = mean.map((_, h) => std[h]?.[a] ?? 0);
      const more = std.length ? { low: y.map((v, h) => v - spread[h]), high: y.map((v, h) => v + spread[h]), band: true } : {};
      return { x: y.map((_, h) => h), y, label: `action ${a + 1}`, colour: colour(a), unsmoothed: true, points: true, ...more };
    }).filter((s) => s.y.every((v) => v != null));
    this.proposal.update({ view: plain, series, vertical: std.length ? [-1.15, 1.15] : [0, 1.05], name: (v) => `in ${v} decisions`, empty: "There is no proposal for this action" });
    this.legend.replaceChildren(...(series.length > 1 ? series.map((s) => el("li", {}, key(s), s.label)) : []));
  }
}

function fact(name, value) {
  return el("div", {}, el("dt", { text: name }), el("dd", { text: value }));
}

// gauge shows a component of an action between -1 and 1.
function gauge(value, i) {
  const bar = el("span");
  const v = Math.min(1, Math.max(-1, value ?? 0));
  bar.style.left = `${50 + Math.min(0, v) * 50}%`;
  bar.style.width = `${Math.abs(v) * 50}%`;
  bar.style.background = colour(i);
  return el("div", {}, el("span", { text: `a${i + 1}` }), el("div", { class: "gauge", "aria-hidden": "true" }, bar), el("span", { text: format.number(value) }));
}
