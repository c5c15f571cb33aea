// An episode: what was seen, what the model draws of it, what it dreams.

import { Chart, key } from "./chart.js";
import { el, text } from "./dom.js";
import * as format from "./format.js";
import { colour } from "./palette.js";

const kinds = [
  ["real", "Seen", "The frames of the episode."],
  ["reconstruction", "Reconstructed", "Drawn from the state after each frame was seen."],
  ["dream", "Dreamt", "After the context drawn from the actions alone."],
];

const flat = (axis) => ({ axis, smooth: 0, log: false, zoom: null });

export class Scrubber {
  constructor(title) {
    this.title = title;
    this.frame = 0;
    this.canvases = {};
    this.images = {};
    this.slider = el("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": "Frame of the episode" });
    this.place = el("output", {});
    this.play = el("button", { type: "button", class: "play", "aria-label": "Play", text: "▶", click: () => this.toggle() });
    this.newer = el("button", { type: "button", hidden: true, text: "Show the newer episode", click: () => this.adopt() });
    this.rewards = new Chart({ label: "Rewards of the episode, received and predicted", picked: (x) => this.show(x), height: 130 });
    this.errors = new Chart({ label: "Error of the images by frame", picked: (x) => this.show(x), height: 130 });
    this.legends = { rewards: el("ul", { class: "legend" }), errors: el("ul", { class: "legend" }) };
    this.node = el("div", { class: "scrubber" },
      el("div", { class: "frames" }, ...kinds.map(([kind, label, about]) => this.figure(kind, label, about))),
      el("div", { class: "scrub" },
        this.play,
        el("button", { type: "button", "aria-label": "Previous frame", text: "‹", click: () => this.step(-1) }),
        this.slider,
        el("button", { type: "button", "aria-label": "Next frame", text: "›", click: () => this.step(1) }),
        this.place),
      this.newer,
      el("div", { class: "pair" },
        el("figure", { class: "panel small" }, el("h3", { text: "Reward" }), this.legends.rewards, this.rewards.host),
        el("figure", { class: "panel small" }, el("h3", { text: "Error of the images" }), this.legends.errors, this.errors.host,
          el("figcaption", { text: "Root mean squared difference from the frames seen, in levels of 256. Right of the context this is the open-loop error by horizon." }))));
    this.slider.addEventListener("input", () => { this.touched = true; this.show(Number(this.slider.value)); });
    this.node.addEventListener("keydown", (e) => this.key(e));
  }

  figure(kind, label, about) {
    const canvas = el("canvas", { role: "img", "aria-label": `${label}: ${about}`, width: "64", height: "64" });
    this.canvases[kind] = canvas;
    return el("figure", { "data-kind": kind, title: about }, canvas, el("figcaption", { text: label }));
  }

  key(e) {
    if (e.target.closest(".plot") || e.ctrlKey || e.metaKey || e.altKey) return;
    const own = e.target === this.slider; // it steps by itself
    if (e.key === " " && e.target.tagName !== "BUTTON") this.toggle();
    else if (e.key === "ArrowLeft" && !own) this.step(-1);
    else if (e.key === "ArrowRight" && !own) this.step(1);
    else return;
    e.preventDefault();
  }

  // load takes an episode of a run; at once, unless somebody looks at another.
  async load(id, version) {
    this.wanted = { id, version };
    const answer = await fetch(`api/run/${id}/episode`);
    if (!answer.ok) return answer.status === 422 ? "What the run shows of its last episode is damaged; it will be replaced by the next." : null;
    const episode = await answer.json();
    const names = ["real", ...(episode.reconstruction.length ? ["reconstruction"] : []), ...(episode.dream.length ? ["dream"] : [])];
    const images = {};
    await Promise.all(names.map(async (name) => { images[name] = await picture(`api/run/${id}/episode/${name}.png?v=${version}`); }));
    if (this.wanted.id !== id || this.wanted.version !== version) return null;
    this.next = { id, episode, images };
    if (!this.episode || this.shownRun !== id || (!this.timer && !this.touched)) this.adopt();
    else this.newer.hidden = Boolean(this.timer);
    return null;
  }

  adopt() {
    if (!this.next) return;
    const { id, episode, images } = this.next;
    this.next = null;
    this.newer.hidden = true;
    this.touched = false;
    this.shownRun = id;
    this.episode = episode;
    this.images = images;
    this.slider.max = episode.frames - 1;
    for (const canvas of Object.values(this.canvases)) {
      canvas.width = episode.size.width;
      canvas.height = episode.size.height;
      canvas.style.aspectRatio = `${episode.size.width} / ${episode.size.height}`;
    }
    for (const [kind] of kinds) this.canvases[kind].closest("figure").hidden = !images[kind];
    text(this.title, `episode ${format.count(episode.number + 1)}, ${format.count(episode.frames)} frames, the dream has seen ${episode.context}`);
    this.show(Math.min(this.frame, episode.frames - 1));
  }

  show(frame) {
    if (!this.episode) return;
    this.frame = Math.min(Math.max(Math.round(frame), 0), this.episode.frames - 1);
    const { size, columns, context, first } = this.episode;
    this.slider.value = this.frame;
    const dreaming = this.frame >= context;
    const told = `frame ${this.frame + 1} of ${this.episode.frames}, ${dreaming ? "dreaming" : "seeing"}`;
    this.slider.setAttribute("aria-valuetext", told);
    text(this.place, `${first + this.frame} ${dreaming ? "dreaming" : "seeing"}`);
    this.canvases.dream.closest("figure").dataset.mode = dreaming ? "dreaming" : "seeing";
    const left = (this.frame % columns) * size.width, top = Math.floor(this.frame / columns) * size.height;
    for (const [kind, image] of Object.entries(this.images)) {
      this.canvases[kind].getContext("2d").drawImage(image, left, top, size.width, size.height, 0, 0, size.width, size.height);
    }
    this.redraw();
  }

  redraw() {
    if (!this.episode) return;
    const { rewards, predicted, reconstruction, dream, context } = this.episode;
    const curve = (label, y, i, more = {}) => ({ ...points(y), label, colour: colour(i), unsmoothed: true, ...more });
    const name = (v) => `frame ${v + 1}`;
    const shared = { view: flat("frame"), cursor: this.frame, seen: context, name, domain: [0, this.episode.frames - 1] };
    const received = [curve("received", rewards, 0), curve("predicted", predicted, 1, { dash: 1 })].filter((s) => s.x.length);
    const images = [curve("reconstructed", reconstruction, 0), curve("dreamt", dream, 1, { dash: 1 })].filter((s) => s.x.length);
    this.rewards.update({ ...shared, series: received, zero: true, empty: "No rewards" });
    this.errors.update({ ...shared, series: images, zero: true, empty: "The model draws no images", range: null });
    const seen = el("li", {}, el("span", { class: "key area context", "aria-hidden": "true" }), "context");
    this.legends.rewards.replaceChildren(...received.map((s) => el("li", {}, key(s), s.label)), seen);
    this.legends.errors.replaceChildren(...images.map((s) => el("li", {}, key(s), s.label)), seen.cloneNode(true));
  }

  step(by) {
    this.touched = true;
    this.show(this.frame + by);
  }

  toggle() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else if (this.episode) {
      if (this.frame >= this.episode.frames - 1) this.show(0);
      this.timer = setInterval(() => this.advance(), 100);
    }
    this.play.textContent = this.timer ? "❚❚" : "▶";
    this.play.setAttribute("aria-label", this.timer ? "Pause" : "Play");
  }

  // advance goes on, and after the last frame begins again, with the newest
  // episode.
  advance() {
    if (this.frame < this.episode.frames - 1) return this.show(this.frame + 1);
    this.adopt();
    this.show(0);
  }
}

// points leaves out what is not a number.
function points(y) {
  const keep = [];
  y.forEach((v, i) => { if (v != null) keep.push(i); });
  return { x: keep, y: keep.map((i) => y[i]) };
}

export async function picture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
