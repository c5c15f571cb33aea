// The curves' colours, from the style sheet, so that they follow the theme.

const size = 8;

export function colour(i) {
  return read(`--c${((i % size) + size) % size}`);
}

const cache = new Map();

export function read(name) {
  if (!cache.has(name)) cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return cache.get(name);
}

// forget is called when the theme changes.
export const forget = () => cache.clear();

// dashes tell curves of one colour apart.
export const dashes = [[], [6, 4], [2, 3], [9, 3, 2, 3]];
export const dashNames = ["", "dashed", "dotted", "dashed"];

// faded is a colour with an opacity.
export function faded(hex, alpha) {
  return hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
}
