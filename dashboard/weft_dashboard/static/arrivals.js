// What a new graph changes: the picture, what pulses in it, and what is said aloud (only comings and goings).
import { difference } from "./graph/model.js";
import { announcement, fresh, snapshot } from "./state.js";
import { batch } from "./ui.js";
import { nameOf } from "./words.js";

/** @import { GraphNode, Snapshot } from "./types.d.ts" */

const PULSE_MS = 2_400;
const NAMES_AT_MOST = 5;

let shownWindow = "";
let fading = 0;

/** @param {GraphNode[]} nodes @param {string} verb */
function sentence(nodes, verb) {
  if (nodes.length === 0) return "";
  const names = nodes.slice(0, NAMES_AT_MOST).map(nameOf).join(", ");
  const more = nodes.length > NAMES_AT_MOST ? ` and ${nodes.length - NAMES_AT_MOST} more` : "";
  return `${names}${more} ${verb}.`;
}

/** @param {GraphNode[]} came */
function pulse(came) {
  fresh.value = new Set(came.map((node) => node.id));
  clearTimeout(fading);
  fading = setTimeout(() => (fresh.value = new Set()), PULSE_MS);
}

/**
 * Take in a graph of the window. Another window's graph is another picture: nothing in it has "appeared".
 * @param {string} window @param {Snapshot} next
 */
export function receive(window, next) {
  const before = window === shownWindow ? snapshot.value : null;
  shownWindow = window;
  batch(() => {
    snapshot.value = next;
    if (!before) return;
    const { came, went } = difference(before.graph, next.graph);
    if (came.length > 0) pulse(came);
    if (came.length + went.length > 0) {
      announcement.value = [sentence(came, "appeared"), sentence(went, "left")].filter(Boolean).join(" ");
    }
  });
}
