// Drawing on a canvas, in its own pixels.

import { faded, read } from "./palette.js";

// sharpen gives the canvas as many pixels as the screen has, and returns a
// context that draws in CSS pixels, or null while it is not laid out.
export function sharpen(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return null;
  const ratio = Math.min(3, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = `11px ${read("--type")}`;
  return ctx;
}

// line connects points; a null interrupts it.
export function line(ctx, xs, ys, { colour, dash = [], width = 1.75, alpha = 1 }) {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.lineCap = dash.length ? "butt" : "round";
  ctx.setLineDash(dash);
  ctx.beginPath();
  let pen = false, drawn = 0;
  xs.forEach((x, i) => {
    if (ys[i] == null) { pen = false; return; }
    if (pen) ctx.lineTo(x, ys[i]);
    else ctx.moveTo(x, ys[i]);
    pen = true;
    drawn++;
  });
  ctx.stroke();
  ctx.restore();
  if (drawn === 1) dots(ctx, xs, ys, { colour, radius: 2.5, alpha });
}

export function dots(ctx, xs, ys, { colour, radius = 2, alpha = 0.55 }) {
  ctx.save();
  ctx.fillStyle = colour;
  ctx.globalAlpha = alpha;
  for (let i = 0; i < xs.length; i++) {
    if (ys[i] == null) continue;
    ctx.beginPath();
    ctx.arc(xs[i], ys[i], radius, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

// band fills between two curves.
export function band(ctx, xs, lows, highs, { colour, alpha = 0.16 }) {
  if (!xs.length) return;
  ctx.save();
  ctx.fillStyle = faded(colour, alpha);
  ctx.beginPath();
  xs.forEach((x, i) => (i ? ctx.lineTo(x, highs[i]) : ctx.moveTo(x, highs[i])));
  for (let i = xs.length - 1; i >= 0; i--) ctx.lineTo(xs[i], lows[i]);
  ctx.closePath();
  ctx.fill();
  ctx.restore();
}

// frame draws grid, ticks and labels of a plot.
export function frame(ctx, box, xs, ys, label) {
  ctx.save();
  ctx.lineWidth = 1;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const { at, text } of ys) {
    const y = Math.round(at) + 0.5;
    ctx.strokeStyle = read("--grid");
    ctx.beginPath();
    ctx.moveTo(box.left, y);
    ctx.lineTo(box.right, y);
    ctx.stroke();
    ctx.fillStyle = read("--soft");
    ctx.fillText(text, box.left - 7, y);
  }
  ctx.textBaseline = "top";
  ctx.textAlign = "center";
  ctx.fillStyle = read("--soft");
  let free = -Infinity;
  for (const { at, text } of xs) {
    const half = ctx.measureText(text).width / 2;
    const x = Math.min(Math.max(at, half), box.right + 10 - half);
    if (x - half < free) continue;
    free = x + half + 8;
    ctx.fillText(text, x, box.bottom + 6);
  }
  ctx.strokeStyle = read("--line");
  ctx.beginPath();
  ctx.moveTo(box.left, box.bottom + 0.5);
  ctx.lineTo(box.right, box.bottom + 0.5);
  ctx.stroke();
  if (label) {
    ctx.textAlign = "right";
    ctx.fillText(label, box.right, box.bottom + 19);
  }
  ctx.restore();
}
