// The page: what is known, how it is shown, and what is new.

import { cards, chips } from "./cards.js";
import { compare } from "./compare.js";
import { byId, text } from "./dom.js";
import * as format from "./format.js";
import { glossary } from "./glossary.js";
import { Live } from "./live.js";
import { colour } from "./palette.js";
import { others, sections } from "./panels.js";
import { Section } from "./section.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { theme } from "./theme.js";
import { View } from "./toolbar.js";

const most = 8; // runs shown at a time: as many as there are colours

const again = 2000; // milliseconds before what failed is asked for again

const states = { live: "live", lost: "no connection, trying again", paused: "paused" };

class Page {
  constructor(catalogue) {
    this.root = "";
    this.store = new Store(() => this.later());
    this.view = new View(() => this.later());
    this.sections = Object.entries(sections).map(([id, panels]) => [byId(id), new Section(byId(id), panels, catalogue, this.view.zoomed)]);
    this.other = new Section(byId("other"), [], catalogue, this.view.zoomed);
    this.live = new Live();
    glossary(catalogue);
    theme(() => { this.live.redraw(); this.later(); });
    this.stream = new Stream({
      message: (m) => this.store.tell(m),
      opened: () => this.refresh(),
      state: (s) => { text(byId("link"), states[s]); byId("link").dataset.state = s; },
    });
    setInterval(() => this.later(), 5000); // times that are told as "ago"
  }

  async refresh() {
    clearTimeout(this.retry);
    try {
      const answer = await fetch("api/runs");
      if (!answer.ok) throw new Error(answer.statusText);
      const list = await answer.json();
      this.root = list.root;
      this.more = list.more;
      this.loaded = true;
      this.store.summaries(list.runs);
      this.store.resync();
    } catch {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.refresh(), again);
    }
  }

  // later draws once for many changes.
  later() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.render();
    });
  }

  // shown are the runs that are drawn: those that were chosen, or else all that
  // were named on the command line, or the newest of those that were found.
  shown() {
    const all = this.store.list();
    let chosen = all.filter((r) => this.view.chosen.includes(r.name));
    if (!chosen.length && this.root) chosen = all.toSorted((a, b) => (b.last ?? "").localeCompare(a.last ?? "")).slice(0, 1);
    if (!chosen.length) chosen = all;
    return chosen.slice(0, most).map((r, i) => ({ ...r, colour: colour(i), shown: true }));
  }

  toggle(id) {
    const names = this.shown().map((r) => r.name);
    const name = this.store.get(id).summary.name;
    const chosen = names.includes(name) ? names.filter((n) => n !== name) : [...names, name].slice(-most);
    this.view.set({ chosen, zoom: null });
  }

  render() {
    const shown = this.shown();
    this.view.settle(shown);
    const byRun = new Map(shown.map((r) => [r.id, r]));
    this.store.want(shown.map((r) => r.id));
    const all = this.store.list();
    chips(byId("chips"), all.map((r) => byRun.get(r.id) ?? { ...r, shown: false }), (id) => this.toggle(id));
    cards(byId("cards"), this.store, shown);
    const notice = byId("notice");
    notice.hidden = all.length > 0;
    if (!all.length) text(notice, this.loaded ? "No run is here yet. Start one with orrery train; it will appear by itself." : "Loading …");
    const more = byId("more");
    more.hidden = !this.more;
    if (this.more) text(more, `${format.count(this.more)} more ${this.more === 1 ? "run is" : "runs are"} not shown: there are more than the ${format.count(all.length)} that one page follows. Name those to see: orrery dash RUN...`);
    for (const [, section] of this.sections) section.update(this.store, shown, this.view);
    this.other.set(others(this.store, shown.map((r) => r.id)));
    byId("other").hidden = !this.other.update(this.store, shown, this.view);
    for (const [host, section] of this.sections) host.hidden = section.panels.every((p) => p.node.hidden);
    this.live.update(shown, () => this.later());
    compare(shown, () => this.later());
    document.title = shown.length === 1 ? `${shown[0].name} · Orrery` : "Orrery";
    if (this.loaded) document.body.dataset.ready = "true";
  }
}

// begin asks for the catalogue until there is an answer: the server may be about
// to start again.
async function begin() {
  try {
    const answer = await fetch("api/catalogue");
    if (!answer.ok) throw new Error(answer.statusText);
    const catalogue = new Map((await answer.json()).map((m) => [m.name, m]));
    new Page(catalogue).later();
  } catch {
    text(byId("link"), states.lost);
    byId("link").dataset.state = "lost";
    setTimeout(begin, again);
  }
}

begin();
