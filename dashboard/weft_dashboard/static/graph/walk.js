// Walking the map by keyboard. From a node, arrows go to the nearest node that way and Shift+arrows onto its calls;
// on a call, left and right go to its ends and up and down to its neighbours.

/** @import { GraphEdge, GraphIndex, PlacedNode, Scene } from "../types.d.ts" */

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Straying sideways costs more than going far: a row or column is followed to its end.
const STRAY = 2.5;

/** @param {PlacedNode[]} nodes @param {PlacedNode} from @param {[number, number]} direction */
export function nearest(nodes, from, [dx, dy]) {
  let best = "";
  let least = Infinity;
  for (const node of nodes) {
    const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
    if (along <= 1) continue;
    const stray = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
    const cost = along + STRAY * stray;
    if (cost < least) [best, least] = [node.id, cost];
  }
  return best;
}

/** @param {GraphEdge[]} edges @param {string} id @param {number} step */
function beside(edges, id, step) {
  const at = edges.findIndex((edge) => edge.id === id);
  return edges.at((at + step) % edges.length)?.id ?? "";
}

/** @param {GraphIndex} index @param {string} id @param {string} key */
function ontoEdge(index, id, key) {
  const edges = key === "ArrowLeft" || key === "ArrowUp" ? index.inbound.get(id) : index.outbound.get(id);
  return edges?.[0]?.id ?? "";
}

/** @param {GraphIndex} index @param {GraphEdge} edge @param {string} key */
function fromEdge(index, edge, key) {
  if (key === "ArrowLeft") return edge.caller;
  if (key === "ArrowRight") return edge.callee;
  const outbound = index.outbound.get(edge.caller) ?? [];
  const siblings = outbound.length > 1 ? outbound : (index.inbound.get(edge.callee) ?? []);
  return beside(siblings, edge.id, key === "ArrowUp" ? -1 : 1);
}

/**
 * Where the key leads from here; empty when nowhere.
 * @param {Scene} scene @param {GraphIndex} index @param {string} from @param {{ key: string, shiftKey: boolean }} press
 */
export function step(scene, index, from, press) {
  const direction = DIRECTIONS[press.key];
  if (!direction) return "";
  const edge = index.edges.get(from);
  if (edge) return fromEdge(index, edge, press.key);
  const place = scene.places.get(from);
  if (!place) return "";
  return press.shiftKey ? ontoEdge(index, from, press.key) : nearest(scene.nodes, place, direction);
}

/** Where the walk begins: the node farthest to the left, then to the top. @param {Scene} scene */
export const firstOf = (scene) =>
  scene.nodes.reduce((a, b) => (b.x < a.x || (b.x === a.x && b.y < a.y) ? b : a), scene.nodes[0])?.id ?? "";
