// Scales and ticks.

// extent is the lowest and highest of the given arrays, leaving out null.
export function extent(arrays) {
  let low = Infinity, high = -Infinity;
  for (const a of arrays) {
    for (const v of a) {
      if (v == null) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return low <= high ? [low, high] : null;
}

// padded widens a range by a share of it, and a single value to a range. Values
// that differ by rounding alone are one value.
export function padded([low, high], share = 0.06) {
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
    const by = Math.abs(low) * 0.1 || 1;
    return [low - by, high + by];
  }
  const by = (high - low) * share;
  return [low - by, high + by];
}

// linear maps [low, high] to [from, to].
export function linear([low, high], [from, to]) {
  const k = (to - from) / (high - low);
  const scale = (v) => from + (v - low) * k;
  scale.invert = (p) => low + (p - from) / k;
  return scale;
}

// logarithmic is linear in the logarithm; low must be above 0.
export function logarithmic([low, high], range) {
  const inner = linear([Math.log10(low), Math.log10(high)], range);
  const scale = (v) => inner(Math.log10(v));
  scale.invert = (p) => 10 ** inner.invert(p);
  return scale;
}

// ticks are about n round numbers in a range.
export function ticks([low, high], n) {
  const raw = (high - low) / Math.max(1, n);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * magnitude >= raw) * magnitude;
  const out = [];
  const first = Math.ceil(low / step - 1e-9);
  for (let i = 0; i <= 2 * n + 2 && (first + i) * step <= high + step * 1e-9; i++) out.push(Number(((first + i) * step).toPrecision(12)));
  return out;
}

// timeTicks are round times in seconds.
export function timeTicks([low, high], n) {
  const raw = (high - low) / Math.max(1, n);
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const step = steps.find((s) => s >= raw);
  if (raw < 1 || !step) return ticks([low, high], n);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(v);
  return out;
}

// decades are ticks of a logarithmic axis: powers of ten, with twos and fives
// where there are few.
export function decades([low, high]) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const factors = to - from <= 2 ? [1, 2, 5] : [1];
  const skip = Math.max(1, Math.ceil((to - from) / 6));
  const out = [];
  for (let e = from; e <= to; e++) {
    if ((e - from) % skip) continue;
    for (const f of factors) if (f * 10 ** e >= low && f * 10 ** e <= high) out.push(Number((f * 10 ** e).toPrecision(3)));
  }
  return out;
}

// nearest is the index of the value closest to v in an ascending array.
export function nearest(xs, v) {
  let low = 0, high = xs.length - 1;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (xs[mid] < v) low = mid + 1;
    else high = mid;
  }
  return low > 0 && v - xs[low - 1] < xs[low] - v ? low - 1 : low;
}
