// Where on a box's side each edge ends: spread by height, in the order of where the edges go, so they do not cross.

const STEP = 7;
const MARGIN = 10;

/**
 * @typedef {object} End
 * @property {string} edge Edge id.
 * @property {"from" | "to"} end
 * @property {string} side Node id and side: ends with the same value share a side.
 * @property {number} towards Height of the next point of the edge.
 */

/** @param {string} edge @param {"from" | "to"} end */
export const portKey = (edge, end) => `${end} ${edge}`;

/** Offset of every end from its box's middle, by `portKey`. @param {End[]} ends @param {number} boxHeight */
export function spreadPorts(ends, boxHeight) {
  /** @type {Map<string, End[]>} */
  const sides = new Map();
  for (const end of ends) sides.set(end.side, [...(sides.get(end.side) ?? []), end]);
  /** @type {Map<string, number>} */
  const offsets = new Map();
  for (const side of sides.values()) {
    const step = Math.min(STEP, (boxHeight - 2 * MARGIN) / Math.max(1, side.length - 1));
    side.sort((a, b) => a.towards - b.towards || (a.edge < b.edge ? -1 : 1));
    side.forEach((end, at) => offsets.set(portKey(end.edge, end.end), (at - (side.length - 1) / 2) * step));
  }
  return offsets;
}
