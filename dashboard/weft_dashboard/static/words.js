// Whole sentences about nodes and edges: what a screen reader says and what the panel spells out.
import { count, duration, percent, plural, rateParts, shown } from "./format.js";

/** @import { Completeness, GraphEdge, GraphNode } from "./types.d.ts" */

/** @type {Record<string, string>} */
const TYPE_WORDS = {
  service: "Service",
  database: "Database",
  channel: "Message channel",
  external: "External host",
  client: "Outside caller",
  unknown: "Unknown caller",
};

/** @type {Record<string, string>} */
const UNNAMED = { client: "clients", unknown: "unknown caller" };

/** @param {GraphNode} node */
export const typeWord = (node) => TYPE_WORDS[node.type] ?? node.type;

/** The name to show; a node that has none is called by its type. @param {GraphNode} node */
export const nameOf = (node) => shown(node.name || UNNAMED[node.type] || node.type);

/** Environment and namespace, and a database's system. @param {GraphNode} node */
export const placeOf = (node) =>
  [node.environment, node.namespace, node.system].filter(Boolean).map(shown).join(" · ");

/** @param {number} perSecond */
const spokenRate = (perSecond) => {
  const [number, unit] = rateParts(perSecond);
  return `${number} calls/${unit}`;
};

/** Nothing calls it: then what it calls is what matters. @param {GraphNode} node */
export const isEntry = (node) => node.calls === 0 && node.outbound_calls > 0;

/** Rate and error share that stand for the node, and whether they are of its own calls. @param {GraphNode} node @param {number} seconds */
export function figuresOf(node, seconds) {
  if (!isEntry(node)) return { rate: node.rate, errorRate: node.error_rate, outbound: false };
  const errorRate = node.outbound_errors / node.outbound_calls;
  return { rate: node.outbound_calls / seconds, errorRate, outbound: true };
}

/** "cart: 12.3 calls/s, 0.5 % errors". @param {GraphNode} node @param {number} seconds */
export function nodeSentence(node, seconds) {
  const name = node.type === "service" || !node.name ? nameOf(node) : `${nameOf(node)} (${typeWord(node).toLowerCase()})`;
  if (node.calls === 0 && node.outbound_calls === 0) return `${name}: no calls in this window`;
  const figures = figuresOf(node, seconds);
  const verb = figures.outbound ? "makes " : "";
  return `${name}: ${verb}${spokenRate(figures.rate)}, ${percent(figures.errorRate)} errors`;
}

/** "web calls cart: 12.3 calls/s, 0.5 % errors, p95 4 ms". @param {GraphEdge} edge @param {string} caller @param {string} callee */
export function edgeSentence(edge, caller, callee) {
  const latency = edge.server ?? edge.client;
  const p95 = latency ? `, p95 ${duration(latency.p95_ms)}` : "";
  return `${caller} calls ${callee}: ${spokenRate(edge.rate)}, ${percent(edge.error_rate)} errors${p95}`;
}

/** Rows of how the calls are known, largest meaning first. @param {Completeness} known */
export const completenessRows = (known) =>
  /** @type {const} */ ([
    { key: "both", label: "seen by both sides", number: known.both },
    { key: "client", label: "seen by the caller only", number: known.client_only },
    { key: "server", label: "seen by the callee only", number: known.server_only },
    { key: "inferred", label: "inferred", number: known.inferred },
  ]).filter((row) => row.number > 0);

/** One sentence. @param {Completeness} known @param {number} calls */
export function completenessSentence(known, calls) {
  const rows = completenessRows(known);
  if (rows.length === 0) return "No calls in this window.";
  if (rows.length === 1) return calls === 1 ? `The one call was ${rows[0].label}.` : `All ${plural(calls, "call")} were ${rows[0].label}.`;
  return `Of ${plural(calls, "call")}, ${rows.map((row) => `${count(row.number)} ${row.label}`).join(", ")}.`;
}
