// Numbers for people. What is not a number is a dash, never "NaN".

export const none = "–";

const known = (v) => typeof v === "number" && Number.isFinite(v);

// number shows about four digits.
export function number(v) {
  if (!known(v)) return none;
  const size = Math.abs(v);
  if (size === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return v.toExponential(2).replace("e+", "e");
  if (size >= 1000) return Math.round(v).toLocaleString("en");
  return String(Number(v.toPrecision(4)));
}

export const count = (v) => (known(v) ? Math.round(v).toLocaleString("en") : none);

export function percent(v) {
  return known(v) ? `${Math.round(100 * v)} %` : none;
}

// bytes uses binary units.
export function bytes(v) {
  if (!known(v)) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (Math.abs(v) >= 1024 && i < units.length - 1) { v /= 1024; i++; }
  return `${Number(v.toPrecision(3))} ${units[i]}`;
}

// duration is a time in the two largest units that say something.
export function duration(s) {
  if (!known(s)) return none;
  if (Math.abs(s) < 1) return s === 0 ? "0 s" : `${Number((1000 * s).toPrecision(3))} ms`;
  if (s < 60) return `${Number(s.toPrecision(3))} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const i = units.findIndex(([, size]) => s >= size);
  const [name, size] = units[i];
  let whole = Math.floor(s / size);
  const next = units[i + 1];
  let rest = next ? Math.round((s - whole * size) / next[1]) : 0;
  if (next && rest * next[1] >= size) { whole++; rest = 0; }
  return rest ? `${whole} ${name} ${rest} ${next[0]}` : `${whole} ${name}`;
}

// rough is a duration that is only guessed: one unit where that is enough.
export function rough(s) {
  if (!known(s)) return none;
  if (s < 60) return "under a minute";
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 36000) return duration(60 * Math.round(s / 60));
  return s < 48 * 3600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

// byUnit shows a value of a metric, whose name ends in its unit.
export function byUnit(v, unit) {
  if (unit === "seconds") return duration(v);
  if (unit === "bytes") return bytes(v);
  if (unit === "ratio") return percent(v);
  return number(v);
}

export const unitOf = (metric) => metric.slice(metric.lastIndexOf(":") + 1);

const units = { "1": "", per_second: "per second", ratio: "", bytes: "", seconds: "" };
export const unitLabel = (unit) => units[unit] ?? unit;

// onAxis shows a place on a horizontal axis.
export function onAxis(v, axis) {
  return axis === "wall" ? duration(v) : short(v);
}

// short is a number for a tick.
export function short(v) {
  if (!known(v)) return none;
  const size = Math.abs(v);
  if (size >= 1e9) return `${trim(v / 1e9)}G`;
  if (size >= 1e6) return `${trim(v / 1e6)}M`;
  if (size >= 1e4) return `${trim(v / 1e3)}k`;
  if (size > 0 && size < 1e-3) return v.toExponential(0);
  return trim(v);
}

const trim = (v) => String(Number(v.toPrecision(6)));

// ago says how long something is past, in milliseconds.
export function ago(ms) {
  if (ms < 5000) return "now";
  return `${duration(Math.round(ms / 1000))} ago`;
}
