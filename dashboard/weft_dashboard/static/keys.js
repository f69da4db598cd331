// Keys that work anywhere on the page. A key typed into a field stays in the field, Escape aside.
import { fit, zoomBy } from "./graph/camera.js";
import { clear, go, helpOpen, place, scene } from "./state.js";

export const FIND_FIELD = "find";

const focusFind = () => document.getElementById(FIND_FIELD)?.focus();

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "/": focusFind,
  "+": () => zoomBy(1.3),
  "=": () => zoomBy(1.3),
  "-": () => zoomBy(1 / 1.3),
  0: () => fit(scene.value.bounds),
  t: () => go({ view: place.value.view === "map" ? "table" : "map" }),
  "?": () => (helpOpen.value = true),
  Escape: clear,
};

/** What the help shows, in the order of use. */
export const KEY_HELP = /** @type {const} */ ([
  ["/", "find a service by name"],
  ["Tab", "into the map, and out of it"],
  ["Arrows", "to the nearest service that way; on a call, to its ends and its neighbours"],
  ["Shift + arrows", "onto the calls of a service: left inbound, right outbound"],
  ["Enter", "select: its figures appear on the right"],
  ["Esc", "clear the find text, then the selection"],
  ["+  −  0", "closer, farther, everything"],
  ["t", "map or table"],
  ["?", "this help"],
]);

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || helpOpen.value) return;
  const field = event.target instanceof HTMLInputElement && event.target.type !== "radio";
  const action = ACTIONS[event.key];
  if (!action || (field && event.key !== "Escape")) return;
  event.preventDefault();
  action();
}

export const bindKeys = () => document.addEventListener("keydown", onKey);
