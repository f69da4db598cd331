// Keeping the picture fresh: an event stream; when it breaks, one plain reading at a time until it opens again.
//
// While nobody looks (hidden tab) or the user holds the picture, nothing is asked of the collector. Every attempt
// belongs to a `Feed`, and closing the feed ends all that it started: at most one is alive, so an answer for an old
// window can never overwrite a newer one.
import { readSnapshot, streamAddress } from "./api.js";
import { receive } from "./arrivals.js";
import { held, link, place } from "./state.js";
import { computed, effect, signal } from "./ui.js";

/** @import { LinkState, Snapshot } from "./types.d.ts" */

const REOPEN_AFTER_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

/** @param {LinkState} state @param {string} [reason] @param {number} [retryAt] */
const report = (state, reason = "", retryAt = 0) => {
  link.value = { state, reason, retryAt };
};

class Feed {
  /** @param {string} window */
  constructor(window) {
    this.window = window;
    this.stop = new AbortController();
    /** @type {EventSource | null} */
    this.source = null;
    this.timer = 0;
    this.failures = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(streamAddress(this.window));
    this.source.addEventListener("graph", (event) => this.take(JSON.parse(event.data), "live"));
    this.source.addEventListener("error", () => this.fallBack());
  }

  /** @param {Snapshot} snapshot @param {LinkState} state */
  take(snapshot, state) {
    this.failures = 0;
    receive(this.window, snapshot);
    report(state);
  }

  async fallBack() {
    this.source?.close();
    try {
      this.take(await readSnapshot(this.window, this.stop.signal), "polling");
      this.again(REOPEN_AFTER_MS);
    } catch (error) {
      if (!this.stop.signal.aborted) this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} reason */
  fail(reason) {
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    report("unreachable", reason, Date.now() + wait);
    this.again(wait);
  }

  /** @param {number} wait */
  again(wait) {
    if (!this.stop.signal.aborted) this.timer = setTimeout(() => this.open(), wait);
  }

  close() {
    this.stop.abort();
    this.source?.close();
    clearTimeout(this.timer);
  }
}

const watched = signal(!document.hidden);
const attempt = signal(0);
const windowName = computed(() => place.value.window);

/** Try now instead of at the end of the countdown. */
export const retryNow = () => {
  attempt.value += 1;
};

/** Follow the window that is chosen, for as long as the page is open. */
export function startLive() {
  document.addEventListener("visibilitychange", () => {
    watched.value = !document.hidden;
  });
  effect(() => {
    attempt.value; // a new attempt makes a new feed
    const window = windowName.value;
    if (held.value || !watched.value) return report(held.value ? "paused" : "connecting");
    report("connecting");
    const feed = new Feed(window);
    return () => feed.close();
  });
}
