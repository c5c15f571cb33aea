// The stream of what is new. It is closed while nobody looks at the page.

const grace = 30_000;

export class Stream {
  constructor({ message, opened, state }) {
    this.handlers = { message, opened, state };
    document.addEventListener("visibilitychange", () => this.look());
    this.open();
  }

  open() {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = new EventSource("api/stream");
    this.source.addEventListener("hello", () => {
      this.handlers.state("live");
      this.handlers.opened();
    });
    this.source.addEventListener("resync", () => this.handlers.opened());
    this.source.addEventListener("run", (e) => this.handlers.message(JSON.parse(e.data)));
    this.source.addEventListener("error", () => {
      this.handlers.state("lost");
      if (this.source.readyState === EventSource.CLOSED) this.later();
    });
  }

  // later tries again after a refusal, which an EventSource takes as final.
  later() {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => { if (!document.hidden) this.open(); }, 3000);
  }

  look() {
    clearTimeout(this.closing);
    if (document.hidden) {
      this.closing = setTimeout(() => { this.source.close(); this.handlers.state("paused"); }, grace);
    } else if (this.source.readyState === EventSource.CLOSED) {
      this.open();
    }
  }
}
