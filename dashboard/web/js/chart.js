// A chart of curves: drawing, readout under the pointer or the keyboard, zoom.

import { el, text } from "./dom.js";
import { band, dots, frame, line, sharpen } from "./draw.js";
import * as format from "./format.js";
import { dashNames, dashes, read } from "./palette.js";
import { decades, extent, linear, logarithmic, nearest, padded, ticks, timeTicks } from "./scale.js";
import { smooth } from "./smooth.js";

const visible = new IntersectionObserver((entries) => {
  for (const e of entries) {
    const chart = e.target.chart;
    chart.onScreen = e.isIntersecting;
    if (chart.onScreen && chart.stale) chart.draw();
  }
}, { rootMargin: "200px" });

const resized = new ResizeObserver((entries) => entries.forEach((e) => e.target.chart.draw()));

// A Chart draws what update gives it:
//   series: [{label, x, y, low, high, colour, dash, form: "line"|"dots"|"area"|"bars", raw, unsmoothed}]
//   view:   {axis, axisLabel, smooth, log, zoom}
//   range:  the healthy range [low, high]; reference: {value, label}; unit; cursor; zero; empty;
//   seen: what lies before is shaded
export class Chart {
  constructor({ label, zoomed, picked, height }) {
    this.zoomed = zoomed;
    this.picked = picked;
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.readout = el("div", { class: "readout", hidden: true });
    this.blank = el("p", { class: "empty", hidden: true });
    this.live = el("p", { class: "unseen", "aria-live": "polite" });
    this.host = el("div", { class: "plot", tabindex: "0", role: "application", "aria-roledescription": "curve", "aria-label": label },
      this.canvas, this.readout, this.blank, this.live);
    if (height) this.canvas.style.height = `${height}px`;
    this.host.chart = this;
    this.state = null;
    this.onScreen = false;
    visible.observe(this.host);
    resized.observe(this.host);
    this.listen();
  }

  update(state) {
    this.state = state;
    this.draw();
  }

  listen() {
    const on = (type, f) => this.host.addEventListener(type, f);
    on("pointermove", (e) => this.move(e));
    on("pointerleave", () => { if (!this.drag) this.point(null); });
    on("pointerdown", (e) => this.press(e));
    on("pointerup", (e) => this.release(e));
    on("pointercancel", () => { this.drag = null; this.draw(); });
    on("dblclick", () => this.zoomed?.(null));
    on("keydown", (e) => this.key(e));
    on("blur", () => this.point(null));
  }

  at(e) { return e.clientX - this.canvas.getBoundingClientRect().left; }

  move(e) {
    const x = this.at(e);
    if (this.drag) {
      this.drag.to = x;
      this.draw();
    }
    this.point(x);
  }

  press(e) {
    if (e.button !== 0 || !this.plan) return;
    this.host.focus({ preventScroll: true });
    if (this.picked) this.picked(this.plan.x.invert(this.at(e)));
    if (!this.zoomed || e.pointerType === "touch") return;
    this.host.setPointerCapture(e.pointerId);
    this.drag = { from: this.at(e), to: this.at(e) };
  }

  release() {
    const drag = this.drag;
    this.drag = null;
    if (!drag || !this.plan) return;
    if (Math.abs(drag.to - drag.from) > 6) {
      const ends = [drag.from, drag.to].map((p) => this.plan.x.invert(Math.min(Math.max(p, this.plan.box.left), this.plan.box.right)));
      this.zoomed(ends.sort((a, b) => a - b));
    }
    this.draw();
  }

  key(e) {
    if (!this.plan || e.ctrlKey || e.metaKey || e.altKey) return;
    const { x, domain } = this.plan;
    const [low, high] = domain;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (step) {
      this.walk(step * (e.shiftKey ? 10 : 1));
    } else if ((e.key === "+" || e.key === "=") && this.zoomed) {
      const middle = this.cursor == null ? (low + high) / 2 : x.invert(this.cursor);
      this.zoomed([Math.max(low, middle - (high - low) / 4), Math.min(high, middle + (high - low) / 4)]);
    } else if ((e.key === "-" || e.key === "_") && this.zoomed) {
      const whole = this.plan.whole;
      const wider = [Math.max(whole[0], low - (high - low) / 2), Math.min(whole[1], high + (high - low) / 2)];
      this.zoomed(wider[0] <= whole[0] && wider[1] >= whole[1] ? null : wider);
    } else if (e.key === "0" && this.zoomed) {
      this.zoomed(null);
    } else if (e.key === "Escape") {
      this.point(null);
    } else {
      return;
    }
    e.preventDefault();
  }

  // walk moves the readout by a number of points of the densest curve in view.
  walk(by) {
    const { x, domain, series } = this.plan;
    const xs = series.map((s) => s.x.filter((v) => v >= domain[0] && v <= domain[1])).sort((a, b) => b.length - a.length)[0];
    if (!xs?.length) return;
    const i = this.cursor == null ? (by > 0 ? 0 : xs.length - 1) : Math.min(Math.max(nearest(xs, x.invert(this.cursor)) + by, 0), xs.length - 1);
    this.point(x(xs[i]), true);
  }

  // point shows the values at a place, or none; announce also says them.
  point(at, announce = false) {
    this.cursor = at;
    this.draw();
    if (announce) text(this.live, this.readout.hidden ? "" : [...this.readout.children].map((c) => c.textContent).join(", "));
  }

  draw() {
    if (!this.state) return;
    this.stale = !this.onScreen;
    if (this.stale) return;
    const ctx = sharpen(this.canvas);
    if (!ctx) return;
    this.plan = this.lay(ctx);
    this.blank.hidden = Boolean(this.plan);
    if (!this.plan) {
      text(this.blank, this.state.empty ?? "Nothing measured yet");
      this.readout.hidden = true;
      return;
    }
    this.paint(ctx);
    this.paintCursor(ctx);
  }

  // lay decides the scales. It returns null when there is nothing to draw.
  lay(ctx) {
    const { view, unit = "", range, reference, zero } = this.state;
    let series = this.state.series.filter((s) => s.x.length);
    if (!series.length) return null;
    const whole = this.state.domain ?? extent(series.map((s) => s.x));
    let domain = view.zoom ?? whole;
    if (domain[1] - domain[0] <= 1e-9 * Math.abs(domain[1])) domain = padded(domain);
    series = series.map((s) => ({ ...s, shown: s.unsmoothed ? s.y : smooth(s.y, view.smooth) }));
    const inView = (s, values) => values.filter((_, i) => s.x[i] >= domain[0] && s.x[i] <= domain[1]);
    const heights = series.flatMap((s) => {
      const faint = s.raw && view.smooth > 0 && !s.unsmoothed;
      return [inView(s, s.shown), ...(faint || s.form === "dots" ? [inView(s, s.y)] : []), ...(s.low ? [inView(s, s.low), inView(s, s.high)] : [])];
    });
    if (reference) heights.push([reference.value]);
    if (zero) heights.push([0]);
    const values = extent(heights);
    if (!values) return null;
    const log = view.log && values[0] > 0 && !this.state.linear;
    const heightOf = this.state.vertical ?? (log ? [values[0] / 1.15, values[1] * 1.15] : padded(values));
    if (!log && values[0] >= 0 && heightOf[0] < 0 && !this.state.vertical) heightOf[0] = 0;
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    const marks = log ? decades(heightOf) : ticks(heightOf, Math.max(2, Math.floor(height / 36)));
    const label = (v) => (unit === "bytes" ? format.bytes(v) : unit === "seconds" ? format.duration(v) : unit === "ratio" ? format.percent(v) : format.short(v));
    const gutter = Math.max(28, ...marks.map((v) => ctx.measureText(label(v)).width + 10));
    const box = { left: gutter, right: width - 10, top: 8, bottom: height - (view.axisLabel ? 34 : 20) };
    const x = linear(domain, [box.left, box.right]);
    const y = (log ? logarithmic : linear)(heightOf, [box.bottom, box.top]);
    const across = Math.max(2, Math.floor((box.right - box.left) / 70));
    return {
      series, box, x, y, domain, whole, range, reference, log,
      xs: (view.axis === "wall" ? timeTicks : ticks)(domain, across).map((v) => ({ at: x(v), text: format.onAxis(v, view.axis) })),
      ys: marks.map((v) => ({ at: y(v), text: label(v) })),
    };
  }

  paint(ctx) {
    const { series, box, x, y, range, reference, xs, ys } = this.plan;
    const { view } = this.state;
    if (range) {
      const top = Math.max(box.top, y(range[1])), bottom = Math.min(box.bottom, range[0] <= 0 && this.plan.log ? box.bottom : y(range[0]));
      ctx.fillStyle = read("--band");
      if (bottom > top) ctx.fillRect(box.left, top, box.right - box.left, bottom - top);
    }
    if (this.state.seen > 0) {
      const to = Math.min(box.right, Math.max(box.left, x(this.state.seen - 0.5)));
      ctx.fillStyle = read("--raised");
      ctx.fillRect(box.left, box.top, to - box.left, box.bottom - box.top);
    }
    frame(ctx, box, xs, ys, view.axisLabel);
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left - 3, box.top - 4, box.right - box.left + 6, box.bottom - box.top + 5);
    ctx.clip();
    for (const s of series) this.curve(ctx, s, x, y);
    if (reference) this.mark(ctx, reference, box, y);
    if (this.drag && Math.abs(this.drag.to - this.drag.from) > 3) {
      ctx.fillStyle = `${read("--c0")}26`;
      ctx.fillRect(this.drag.from, box.top, this.drag.to - this.drag.from, box.bottom - box.top);
    }
    if (this.state.cursor != null) this.vertical(ctx, x(this.state.cursor), read("--c1"));
    ctx.restore();
  }

  curve(ctx, s, x, y) {
    const px = s.x.map(x);
    const map = (values) => values.map((v) => (v == null ? null : y(v)));
    const style = { colour: s.colour, dash: dashes[(s.dash ?? 0) % dashes.length] };
    const smoothed = this.state.view.smooth > 0 && !s.unsmoothed;
    if (s.form === "bars") return this.bars(ctx, s, px, y);
    if (s.form === "area") return band(ctx, px, map(s.low), map(s.high), { colour: s.colour, alpha: 0.75 });
    if (s.low) band(ctx, px, map(s.low), map(s.high), style);
    if (s.form === "dots") {
      dots(ctx, px, map(s.y), { colour: s.colour, radius: s.x.length > 300 ? 1.4 : 2, alpha: smoothed ? 0.32 : 0.6 });
      if (smoothed) line(ctx, px, map(s.shown), style);
      return;
    }
    if (smoothed && s.raw) line(ctx, px, map(s.y), { ...style, width: 1, alpha: 0.28 });
    line(ctx, px, map(s.shown), style);
    if (s.points) dots(ctx, px, map(s.y), { colour: s.colour, radius: 2.6, alpha: 1 });
  }

  bars(ctx, s, px, y) {
    const width = px.length > 1 ? Math.max(1, px[1] - px[0] - 1) : 12;
    ctx.fillStyle = s.colour;
    px.forEach((p, i) => ctx.fillRect(p - width / 2, y(s.y[i]), width, y(0) - y(s.y[i])));
  }

  mark(ctx, reference, box, y) {
    const at = Math.round(y(reference.value)) + 0.5;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = read("--soft");
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(box.left, at);
    ctx.lineTo(box.right, at);
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    const wide = box.right - box.left > 430;
    ctx.fillText(wide ? reference.label : reference.short, box.right - 4, at - 3);
    ctx.restore();
  }

  vertical(ctx, at, colour) {
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(Math.round(at) + 0.5, this.plan.box.top);
    ctx.lineTo(Math.round(at) + 0.5, this.plan.box.bottom);
    ctx.stroke();
    ctx.restore();
  }

  paintCursor(ctx) {
    const { series, box, x, y, domain } = this.plan;
    if (this.cursor == null || this.cursor < box.left - 4 || this.cursor > box.right + 4) {
      this.readout.hidden = true;
      return;
    }
    const want = x.invert(this.cursor);
    const rows = [];
    let place = null;
    for (const s of series) {
      const i = nearest(s.x, want);
      if (s.x[i] < domain[0] || s.x[i] > domain[1]) continue;
      const value = s.form === "dots" ? s.y[i] : s.shown[i];
      if (value == null) continue;
      if (place == null || Math.abs(s.x[i] - want) < Math.abs(place - want)) place = s.x[i];
      rows.push({ s, i, value });
    }
    this.readout.hidden = !rows.length;
    if (!rows.length) return;
    this.vertical(ctx, x(place), read("--soft"));
    for (const { s, i, value } of rows) {
      if (s.form !== "area" && s.form !== "bars") dots(ctx, [x(s.x[i])], [y(value)], { colour: s.colour, radius: 3.5, alpha: 1 });
    }
    this.fill(rows, place);
  }

  fill(rows, place) {
    const { view, unit = "", name = (v) => `${view.axis === "wall" ? "after" : view.axis.replace("_", " ")} ${view.axis === "wall" ? format.duration(v) : format.count(v)}` } = this.state;
    this.readout.replaceChildren(el("div", { class: "soft", text: name(place) }), ...rows.slice(0, 12).map(({ s, i, value }) => {
      const shown = s.form === "area" ? s.high[i] - s.low[i] : value;
      const spread = s.band ? ` ± ${format.number((s.high[i] - s.low[i]) / 2)}` : "";
      return el("div", {}, key(s), s.label, el("b", { text: format.byUnit(shown, unit) + spread }));
    }));
    const right = this.cursor < this.canvas.clientWidth / 2;
    this.readout.style.left = right ? "auto" : `${this.plan.box.left + 6}px`;
    this.readout.style.right = right ? "12px" : "auto";
  }
}

// key is the sign of a curve in a legend.
export function key(s) {
  const form = { dots: "dots", area: "area", bars: "area" }[s.form] ?? dashNames[(s.dash ?? 0) % dashNames.length];
  const node = el("span", { class: `key ${form}`, "aria-hidden": "true" });
  if (s.form === "dots" || s.form === "area" || s.form === "bars") node.style.background = s.colour;
  else node.style.borderTopColor = s.colour;
  return node;
}
