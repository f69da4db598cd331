// The graph at its places: what is drawn, in which order. Positions come from the collector and are kept as they are.
import { bow, loop, route } from "./curves.js";
import { portKey, spreadPorts } from "./ports.js";
import { worstLast } from "./severity.js";

/** @import { GraphEdge, GraphIndex, Layout, PlacedEdge, PlacedNode, Point, Scene, Snapshot } from "../types.d.ts" */
/** @typedef {{ edge: GraphEdge, caller: PlacedNode, callee: PlacedNode, points: Point[], leave: number, enter: number }} Course */

const LEFT = -1;
const RIGHT = 1;

/** @type {Scene} */
const NOTHING = {
  nodes: [],
  edges: [],
  places: new Map(),
  box: { width: 1, height: 1 },
  bounds: { left: 0, top: 0, right: 1, bottom: 1 },
};

/** Which side of each box an edge uses. @param {PlacedNode} caller @param {PlacedNode} callee @param {number} boxWidth */
function sides(caller, callee, boxWidth) {
  if (Math.abs(callee.x - caller.x) < boxWidth) return { leave: RIGHT, enter: RIGHT };
  return callee.x > caller.x ? { leave: RIGHT, enter: LEFT } : { leave: LEFT, enter: RIGHT };
}

/** @param {GraphEdge} edge @param {Map<string, PlacedNode>} places @param {Layout} layout @returns {Course[]} */
function course(edge, places, layout) {
  const caller = places.get(edge.caller);
  const callee = places.get(edge.callee);
  if (!caller || !callee) return []; // its box has no place yet: the next layout has it
  const points = (layout.edges[edge.id] ?? []).map(([x, y]) => ({ x, y }));
  return [{ edge, caller, callee, points, ...sides(caller, callee, layout.box.width) }];
}

/** @param {Course} one @returns {import("./ports.js").End[]} */
function endsOf({ edge, caller, callee, points, leave, enter }) {
  return [
    { edge: edge.id, end: "from", side: `${leave} ${caller.id}`, towards: (points[0] ?? callee).y },
    { edge: edge.id, end: "to", side: `${enter} ${callee.id}`, towards: (points.at(-1) ?? caller).y },
  ];
}

/** @param {Course} one @param {Map<string, number>} ports @param {Layout["box"]} box @returns {PlacedEdge} */
function draw(one, ports, box) {
  const { edge, caller, callee } = one;
  const back = caller !== callee && callee.x <= caller.x;
  const base = { id: edge.id, edge, back };
  if (caller === callee) return { ...base, ...loop({ ...box, x: caller.x, y: caller.y }, one.points) };
  const reach = box.width / 2;
  const from = { x: caller.x + one.leave * reach, y: caller.y + (ports.get(portKey(edge.id, "from")) ?? 0) };
  const to = { x: callee.x + one.enter * reach, y: callee.y + (ports.get(portKey(edge.id, "to")) ?? 0) };
  if (one.leave === one.enter) return { ...base, ...bow(from, to) };
  return { ...base, ...route(from, to, one.points, reach) };
}

/** @param {PlacedNode[]} nodes @param {Layout["box"]} box */
function boundsOf(nodes, box) {
  const xs = nodes.map((node) => node.x);
  const ys = nodes.map((node) => node.y);
  return {
    left: Math.min(...xs) - box.width / 2,
    right: Math.max(...xs) + box.width / 2,
    top: Math.min(...ys) - box.height / 2,
    bottom: Math.max(...ys) + box.height / 2,
  };
}

/** @param {Snapshot | null} snapshot @param {GraphIndex} index @returns {Scene} */
export function buildScene(snapshot, index) {
  if (!snapshot) return NOTHING;
  const { layout } = snapshot;
  const nodes = [...index.nodes.values()].flatMap((node) => {
    const at = layout.nodes[node.id];
    return at ? [{ id: node.id, node, x: at.x, y: at.y }] : [];
  });
  if (nodes.length === 0) return NOTHING;
  const places = new Map(nodes.map((node) => [node.id, node]));
  const courses = [...index.edges.values()].sort(worstLast).flatMap((edge) => course(edge, places, layout));
  const routed = courses.filter((one) => one.caller !== one.callee);
  const ports = spreadPorts(routed.flatMap(endsOf), layout.box.height);
  const edges = courses.map((one) => draw(one, ports, layout.box));
  return { nodes, edges, places, box: layout.box, bounds: boundsOf(nodes, layout.box) };
}
