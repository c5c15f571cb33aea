// What every metric means.

import { byId, el } from "./dom.js";

const counters = [
  ["env_steps", "Simulator steps in training: decisions times the action repeat, less what the last decision of an episode leaves out.", ""],
  ["decisions", "Actions chosen.", ""],
  ["updates", "Optimiser steps.", ""],
  ["episodes", "Training episodes collected, seed episodes included.", ""],
  ["time at work", "Time between events; what lies between a stop and a resumption is left out.", ""],
];

export function glossary(catalogue) {
  const rows = [...counters, ...[...catalogue.values()].map((m) => [m.name, m.description, m.healthy + (m.has_range ? ` (${m.low} to ${m.high})` : "")])];
  const lines = rows.map(([name, description, healthy]) => el("tr", {}, el("th", { scope: "row", text: name }), el("td", { text: description }), el("td", { text: healthy })));
  const search = el("input", { type: "search", placeholder: "for example kl", "aria-label": "Search the glossary" });
  search.addEventListener("input", () => {
    const want = search.value.trim().toLowerCase();
    for (const line of lines) line.hidden = want !== "" && !line.textContent.toLowerCase().includes(want);
  });
  byId("terms").replaceChildren(
    el("div", { class: "tools" }, el("label", {}, "Search ", search)),
    el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Glossary" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "name" }), el("th", { scope: "col", text: "meaning" }), el("th", { scope: "col", text: "what to expect" }))),
      el("tbody", {}, ...lines))));
}
