// The address of the page is its state: what is shown can be reloaded, sent to somebody, and gone back from.
import { START, WINDOWS, place } from "./state.js";
import { effect } from "./ui.js";

/** @import { Place } from "./types.d.ts" */

const LONGEST = 500;

// A change of these is a step one can go back from; the others only refine what is seen.
const STEPS = /** @type {const} */ (["window", "select", "view"]);

/** @param {string} search @returns {Place} */
export function parse(search) {
  const query = new URLSearchParams(search);
  /** @param {keyof Place} name */
  const read = (name) => (query.get(name) ?? START[name]).slice(0, name === "select" ? undefined : LONGEST);
  const window = read("window");
  return {
    window: WINDOWS.includes(window) ? window : START.window,
    select: read("select"),
    find: read("find"),
    view: read("view") === "table" ? "table" : "map",
    sort: read("sort"),
  };
}

/** @param {Place} here */
export function write(here) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(here)) {
    if (value !== START[/** @type {keyof Place} */ (name)]) query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : location.pathname;
}

/** Read the address now, and keep it and the state the same from here on. */
export function bindAddress() {
  place.value = parse(location.search);
  addEventListener("popstate", () => {
    place.value = parse(location.search);
  });
  effect(() => {
    const now = place.value;
    const before = parse(location.search);
    if (write(now) === write(before)) return;
    const isStep = STEPS.some((name) => now[name] !== before[name]);
    if (isStep) history.pushState(null, "", write(now));
    else history.replaceState(null, "", write(now));
  });
}
