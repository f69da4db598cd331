// The page's whole state: signals that are set here or by the functions below, and what follows from them.
import { indexGraph, neighbourhood } from "./graph/model.js";
import { buildScene } from "./graph/scene.js";
import { batch, computed, signal } from "./ui.js";

/** @import { Emphasis, Link, Place, ReadonlySignal, Signal, Snapshot, Status } from "./types.d.ts" */

export const WINDOWS = ["1m", "5m", "15m", "1h", "6h", "24h"];

/** What the address holds when it says nothing. @type {Place} */
export const START = { window: "15m", select: "", find: "", view: "map", sort: "-calls" };

/** @type {Signal<Place>} */
export const place = signal(START);

/** The newest graph with its positions; null until the first one came. @type {Signal<Snapshot | null>} */
export const snapshot = signal(/** @type {Snapshot | null} */ (null));

/** @type {Signal<Status | null>} */
export const status = signal(/** @type {Status | null} */ (null));

/** @type {Signal<Link>} */
export const link = signal(/** @type {Link} */ ({ state: "connecting", reason: "", retryAt: 0 }));

/** The user holds the picture still. */
export const held = signal(false);

export const hoveredId = signal("");

/** The one tab stop of the map. */
export const focusedId = signal("");

/** The focus came by keyboard, so it is to be shown. */
export const focusShown = signal(false);

/** Ids that came with the newest snapshot: they pulse once. @type {Signal<Set<string>>} */
export const fresh = signal(/** @type {Set<string>} */ (new Set()));

/** What appeared and went, for screen readers. */
export const announcement = signal("");

export const helpOpen = signal(false);

export const index = computed(() => indexGraph(snapshot.value?.graph ?? null));

export const scene = computed(() => buildScene(snapshot.value, index.value));

/** Length of the graph's window in seconds. */
export const seconds = computed(() => snapshot.value?.graph.window.seconds ?? 1);

/** Nodes whose name holds the find text; null when nothing is looked for. */
export const matches = computed(() => {
  const wanted = place.value.find.trim().toLowerCase();
  if (!wanted) return null;
  const found = [...index.value.nodes.values()].filter((node) =>
    [node.name, node.namespace, node.environment, node.system].some((text) => text.toLowerCase().includes(wanted)),
  );
  return new Set(found.map((node) => node.id));
});

/** What the pointer or the keyboard is on. @type {ReadonlySignal<Emphasis | null>} */
export const emphasis = computed(() => {
  const id = hoveredId.value || (focusShown.value ? focusedId.value : "");
  return id ? neighbourhood(index.value, id) : null;
});

export const selection = computed(() => {
  const id = place.value.select;
  return id ? neighbourhood(index.value, id) : null;
});

export const isEmpty = computed(() => snapshot.value !== null && snapshot.value.graph.nodes.length === 0);

/** @param {Partial<Place>} change */
export const go = (change) => {
  place.value = { ...place.value, ...change };
};

/** @param {string} id */
export const select = (id) => go({ select: id });

/** One step back to the plain picture: first the find text, then the selection. */
export const clear = () => {
  if (place.value.find) go({ find: "" });
  else select("");
};

/** @param {string} name Another window: the old picture stays until the new one is there. */
export const chooseWindow = (name) => {
  batch(() => {
    go({ window: name });
    fresh.value = new Set();
  });
};
