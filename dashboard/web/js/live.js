// What a run shows of itself while it goes.

import { byId, el, text } from "./dom.js";
import { Decision } from "./decision.js";
import { Scrubber } from "./scrubber.js";

export class Live {
  constructor() {
    this.run = null;
    const head = (title) => {
      const small = el("small", {});
      return [el("h3", {}, title, small), small];
    };
    const [episodeHead, episodeTitle] = head("Episode");
    const [decisionHead, decisionTitle] = head("Last decision");
    this.scrubber = new Scrubber(episodeTitle);
    this.decision = new Decision(decisionTitle);
    this.problem = el("p", { class: "notice", hidden: true });
    this.which = el("label", { class: "tools", hidden: true }, "Of the run ", el("select", { change: (e) => { this.chosen = e.target.value; this.again(); } }));
    this.nothing = el("p", { class: "soft" });
    this.episodeBox = el("div", { class: "box" }, episodeHead, this.scrubber.node);
    this.decisionBox = el("div", { class: "box" }, decisionHead, this.decision.node);
    byId("live-body").replaceChildren(this.which, this.problem, this.nothing, el("div", { class: "live" }, this.episodeBox, this.decisionBox));
    this.again = () => {};
  }

  // update follows one of the shown runs: the one that was chosen, or the first
  // that shows something.
  update(shown, again) {
    this.again = again;
    const showing = shown.filter((r) => r.decision || r.episode);
    const run = showing.find((r) => r.id === this.chosen) ?? showing[0];
    this.choose(showing, run);
    this.episodeBox.hidden = !run?.episode;
    this.decisionBox.hidden = !run?.decision;
    const unseen = shown.find((r) => r.unseen)?.unseen;
    text(this.nothing, run ? "" : unseen ?? "This run shows no frames: it has none yet, or only its events are here.");
    this.nothing.hidden = Boolean(run);
    if (!run) return;
    this.follow("decision", run);
    this.follow("episode", run);
  }

  choose(showing, run) {
    this.which.hidden = showing.length < 2;
    const select = this.which.querySelector("select");
    const state = JSON.stringify(showing.map((r) => [r.id, r.name]));
    if (select.dataset.state !== state) {
      select.dataset.state = state;
      select.replaceChildren(...showing.map((r) => el("option", { value: r.id, text: r.name })));
    }
    if (run) select.value = run.id;
  }

  // follow loads what has changed; while it is loading, the next waits.
  async follow(what, run) {
    const key = `${run.id} ${run[what]}`;
    const state = (this[`${what}State`] ??= { shown: "", busy: false });
    if (!run[what] || state.shown === key || state.busy) return;
    state.busy = true;
    state.shown = key;
    try {
      const problem = await (what === "episode" ? this.scrubber : this.decision).load(run.id, run[what]);
      if (what === "episode") {
        this.problem.hidden = !problem;
        text(this.problem, problem ?? "");
      }
    } catch {
      state.shown = ""; // replaced while it was read: the next message comes soon
    } finally {
      state.busy = false;
    }
  }

  redraw() {
    this.scrubber.redraw();
    this.decision.redraw();
  }
}
