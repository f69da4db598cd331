// The graph with its look-ups, and what belongs together in it.

/** @import { Emphasis, Graph, GraphEdge, GraphIndex } from "../types.d.ts" */

/** @param {GraphEdge[]} edges @param {(edge: GraphEdge) => string} end @returns {Map<string, GraphEdge[]>} */
function groupBy(edges, end) {
  const groups = new Map();
  for (const edge of edges) {
    const group = groups.get(end(edge));
    if (group) group.push(edge);
    else groups.set(end(edge), [edge]);
  }
  return groups;
}

/** @param {Graph | null} graph @returns {GraphIndex} */
export function indexGraph(graph) {
  const edges = [...(graph?.edges ?? [])].sort((a, b) => b.calls - a.calls || (a.id < b.id ? -1 : 1));
  return {
    nodes: new Map((graph?.nodes ?? []).map((node) => [node.id, node])),
    edges: new Map(edges.map((edge) => [edge.id, edge])),
    inbound: groupBy(edges, (edge) => edge.callee),
    outbound: groupBy(edges, (edge) => edge.caller),
  };
}

/** An edge with its ends, or a node with its edges and their other ends. @param {GraphIndex} index @param {string} id @returns {Emphasis} */
export function neighbourhood(index, id) {
  const edge = index.edges.get(id);
  if (edge) return { id, nodes: new Set([edge.caller, edge.callee]), edges: new Set([id]) };
  const around = [...(index.inbound.get(id) ?? []), ...(index.outbound.get(id) ?? [])];
  return {
    id,
    nodes: new Set([id, ...around.flatMap((one) => [one.caller, one.callee])]),
    edges: new Set(around.map((one) => one.id)),
  };
}

/** Ids that are in one graph and not in the other. @param {Graph} before @param {Graph} after */
export function difference(before, after) {
  const old = new Set(before.nodes.map((node) => node.id));
  const now = new Set(after.nodes.map((node) => node.id));
  return {
    came: after.nodes.filter((node) => !old.has(node.id)),
    went: before.nodes.filter((node) => !now.has(node.id)),
  };
}
