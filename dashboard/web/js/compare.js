// The settings of the shown runs, side by side.

import { byId, el } from "./dom.js";

let everything = false;

export function compare(shown, again) {
  const host = byId("settings");
  const withSettings = shown.filter((r) => r.settings && Object.keys(r.settings).length);
  const state = JSON.stringify([everything, withSettings.map((r) => [r.name, r.settings])]);
  if (host.dataset.state === state) return;
  host.dataset.state = state;
  if (!withSettings.length) {
    host.replaceChildren(el("p", { class: "soft", text: "No settings are stored beside the events." }));
    return;
  }
  const names = [...new Set(withSettings.flatMap((r) => Object.keys(r.settings)))];
  const differs = (name) => new Set(withSettings.map((r) => r.settings[name])).size > 1;
  const several = withSettings.length > 1;
  const different = names.filter(differs);
  const rows = several && !everything ? different : names;
  const toggle = el("input", { type: "checkbox", change: (e) => { everything = e.target.checked; again(); } });
  toggle.checked = everything;
  host.replaceChildren(
    el("div", { class: "tools" },
      el("span", { text: several ? (different.length ? `${different.length} of ${names.length} settings differ.` : `All ${names.length} settings are equal.`) : `${names.length} settings.` }),
      several ? el("label", {}, toggle, "Show those that are equal, too") : null),
    rows.length ? el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Settings" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "setting" }), ...withSettings.map((r) => el("th", { scope: "col", text: r.name })))),
      el("tbody", {}, ...rows.map((name) => el("tr", { class: several && differs(name) ? "differs" : "" },
        el("th", { scope: "row", text: name }), ...withSettings.map((r) => el("td", {}, el("code", { text: r.settings[name] || "–" })))))))) : "");
}
