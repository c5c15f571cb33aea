// What is known of the runs, kept up to date by the stream.

export class Store {
  constructor(changed) {
    this.runs = new Map(); // id -> {summary, tables: kind -> table or null}
    this.changed = changed;
    this.asking = new Map(); // id -> again: whether to ask once more
    this.failed = new Map(); // id -> when asking last failed
    this.wanted = new Set(); // ids whose rows are shown
  }

  // list is the runs in the order of the server.
  list() { return [...this.runs.values()].map((r) => r.summary); }

  get(id) { return this.runs.get(id); }

  // want loads the rows of these runs, and lets those of others go.
  want(ids) {
    this.wanted = new Set(ids);
    for (const [id, run] of this.runs) {
      if (!this.wanted.has(id)) run.tables = null;
      else if (!run.tables && Date.now() - (this.failed.get(id) ?? 0) > 2000) this.ask(id);
    }
  }

  // summaries takes the list of all runs.
  summaries(list) {
    for (const summary of list) this.entry(summary);
    this.changed();
  }

  entry(summary) {
    let run = this.runs.get(summary.id);
    if (!run) {
      run = { summary, tables: null };
      this.runs.set(summary.id, run);
    }
    run.summary = summary;
    return run;
  }

  // tell takes a message of the stream: rows that go on from those that are here.
  tell(message) {
    const before = this.runs.get(message.run.id)?.summary.gen;
    const run = this.entry(message.run);
    if (this.asking.has(message.run.id)) {
      this.asking.set(message.run.id, true); // the answer may be older than this
    } else if (run.tables) {
      const fits = !message.again && before === message.run.gen &&
        Object.entries(message.tables).every(([kind, rows]) => append(run.tables, kind, rows));
      if (!fits) this.ask(message.run.id);
    }
    this.changed();
  }

  // ask reads a run from the beginning. While it is being read, another wish is
  // noted and fulfilled after.
  async ask(id) {
    if (this.asking.has(id)) {
      this.asking.set(id, true);
      return;
    }
    this.asking.set(id, false);
    try {
      const answer = await fetch(`api/run/${id}`);
      if (answer.ok) {
        const message = await answer.json();
        this.entry(message.run).tables = message.tables;
      } else {
        this.failed.set(id, Date.now());
      }
    } catch {
      this.failed.set(id, Date.now());
    }
    const again = this.asking.get(id);
    this.asking.delete(id);
    if (again && this.wanted.has(id)) setTimeout(() => this.ask(id), 300);
    this.changed();
  }

  // resync reads everything again.
  resync() {
    for (const id of this.wanted) this.ask(id);
  }

  // column is a metric of a kind of events against an axis, without places where
  // it was not measured: {x, y, low, high}, or null.
  column(id, kind, name, axis) {
    const table = this.runs.get(id)?.tables?.[kind];
    const values = table?.values[name];
    if (!values) return null;
    return gather(table.x[axis], values);
  }

  // odd counts values of a metric that were not numbers.
  odd(id, kind, name) { return this.runs.get(id)?.tables?.[kind]?.odd[name] ?? 0; }

  // last is the latest value of a metric, or null.
  last(id, kind, name) { return this.runs.get(id)?.tables?.[kind]?.values[name]?.mean.findLast((v) => v != null) ?? null; }

  // kindOf is the kind of events in which a metric is, or null.
  kindOf(id, name) {
    for (const [kind, table] of Object.entries(this.runs.get(id)?.tables ?? {})) if (table.values[name] || table.odd[name]) return kind;
    return null;
  }
}

// gather leaves out places without a value, and joins values at one place (all
// updates between two episodes are at the same env_steps): their mean, and from
// where to where they reach.
function gather(xs, { mean, low = mean, high = mean }) {
  const out = { x: [], y: [], low: [], high: [] };
  let n = 0, joined = low !== mean;
  mean.forEach((v, i) => {
    if (v == null) return;
    const last = out.x.length - 1;
    if (last >= 0 && out.x[last] === xs[i]) {
      n++;
      joined = true;
      out.y[last] += (v - out.y[last]) / n;
      out.low[last] = Math.min(out.low[last], low[i]);
      out.high[last] = Math.max(out.high[last], high[i]);
      return;
    }
    n = 1;
    out.x.push(xs[i]);
    out.y.push(v);
    out.low.push(low[i]);
    out.high.push(high[i]);
  });
  if (!out.x.length) return null;
  return joined ? out : { x: out.x, y: out.y };
}

// append puts rows in place of those from a number on; it is false when what is
// here is not what they go on from.
function append(tables, kind, rows) {
  const table = tables[kind];
  if (!table) {
    if (rows.from > 0) return false;
    tables[kind] = rows;
    return true;
  }
  const here = table.x.env_steps.length;
  if (rows.merges !== table.merges || rows.from > here) return false;
  const added = rows.x.env_steps.length;
  for (const [axis, values] of Object.entries(rows.x)) splice(table.x, axis, rows.from, values);
  for (const name of new Set([...Object.keys(table.values), ...Object.keys(rows.values)])) {
    const mine = (table.values[name] ??= { mean: Array(rows.from).fill(null) });
    const theirs = rows.values[name] ?? { mean: Array(added).fill(null) };
    if (mine.low || theirs.low) {
      mine.low ??= [...mine.mean];
      mine.high ??= [...mine.mean];
      splice(mine, "low", rows.from, theirs.low ?? theirs.mean);
      splice(mine, "high", rows.from, theirs.high ?? theirs.mean);
    }
    splice(mine, "mean", rows.from, theirs.mean);
  }
  table.odd = rows.odd;
  return true;
}

function splice(owner, key, from, values) {
  owner[key].length = from;
  owner[key].push(...values);
}
