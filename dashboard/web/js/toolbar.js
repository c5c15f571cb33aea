// How curves are drawn: the controls, and the same in the address, so that a
// reload or a link shows the same.

import { byId, text } from "./dom.js";
import { percent } from "./format.js";

const axisLabels = { env_steps: "env_steps", updates: "updates", episodes: "episodes", decisions: "decisions", wall: "time at work" };

export class View {
  constructor(changed) {
    this.changed = changed;
    const q = new URLSearchParams(location.search);
    this.decided = Boolean(axisLabels[q.get("axis")]);
    this.axis = this.decided ? q.get("axis") : "env_steps";
    this.smooth = Math.min(0.98, Math.max(0, Number(q.get("smooth") ?? 0.6) || 0));
    this.log = q.get("log") === "1";
    this.zoom = null;
    this.chosen = q.getAll("run"); // names
    this.zoomed = (range) => this.set({ zoom: range });
    this.bind();
  }

  get axisLabel() { return axisLabels[this.axis]; }

  bind() {
    const axis = byId("axis"), smooth = byId("smooth"), log = byId("log");
    axis.value = this.axis;
    smooth.value = this.smooth;
    log.checked = this.log;
    byId("toolbar").addEventListener("submit", (e) => e.preventDefault());
    axis.addEventListener("change", () => this.set({ axis: axis.value, decided: true, zoom: null }));
    smooth.addEventListener("input", () => this.set({ smooth: Number(smooth.value) }));
    log.addEventListener("change", () => this.set({ log: log.checked }));
    byId("unzoom").addEventListener("click", () => this.set({ zoom: null }));
    this.show();
  }

  // settle takes updates as the axis where a run takes no steps, since it learns
  // from given episodes, unless another was decided on.
  settle(shown) {
    const axis = shown.some((r) => r.counters.updates && !r.counters.env_steps) ? "updates" : "env_steps";
    if (this.decided || axis === this.axis) return;
    this.axis = axis;
    this.zoom = null;
    byId("axis").value = axis;
  }

  set(values) {
    Object.assign(this, values);
    this.show();
    this.keep();
    this.changed();
  }

  show() {
    text(byId("smooth-value"), this.smooth ? percent(this.smooth) : "off");
    byId("unzoom").disabled = !this.zoom;
  }

  keep() {
    const q = new URLSearchParams();
    if (this.decided) q.set("axis", this.axis);
    if (this.smooth !== 0.6) q.set("smooth", this.smooth);
    if (this.log) q.set("log", "1");
    for (const name of this.chosen) q.append("run", name);
    const search = q.toString();
    history.replaceState(null, "", (search ? `?${search}` : location.pathname) + location.hash);
  }
}
