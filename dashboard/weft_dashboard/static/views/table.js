// The table twin of the map: the same edges and nodes, to be sorted and read aloud.
import { count, duration, percent, rate } from "../format.js";
import { severity } from "../graph/severity.js";
import { go, index, matches, place } from "../state.js";
import { html, signal } from "../ui.js";
import { nameOf, typeWord } from "../words.js";
import { SortTable } from "./sort_table.js";

/** @import { GraphEdge, GraphNode } from "../types.d.ts" */
/** @import { Column } from "./sort_table.js" */

/** @param {string} id */
const nameFor = (id) => {
  const node = index.value.nodes.get(id);
  return node ? nameOf(node) : id;
};

/** @param {{ error_rate: number }} of */
const toneOf = (of) => `share sev-${severity(of.error_rate)}`;

/** @type {Column<any>[]} */
const TRAFFIC = [
  { key: "calls", label: "Calls", value: (of) => of.calls, text: count },
  { key: "rate", label: "Rate", value: (of) => of.rate, text: rate },
  { key: "errors", label: "Errors", value: (of) => of.error_rate, text: percent, tone: toneOf },
  { key: "p95-caller", label: "p95 by caller", value: (of) => of.client?.p95_ms ?? null, text: duration },
  { key: "p95", label: "p95 by callee", value: (of) => of.server?.p95_ms ?? null, text: duration },
];

/** @type {Column<GraphEdge>[]} */
const EDGE_COLUMNS = [
  { key: "caller", label: "Caller", value: (edge) => nameFor(edge.caller), head: true },
  { key: "callee", label: "Callee", value: (edge) => nameFor(edge.callee) },
  ...TRAFFIC,
];

/** @type {Column<GraphNode>[]} */
const NODE_COLUMNS = [
  { key: "name", label: "Name", value: nameOf, head: true },
  { key: "type", label: "Type", value: typeWord },
  ...TRAFFIC,
];

const nodeSort = signal("-calls");

export function TableView() {
  const wanted = matches.value;
  const edges = [...index.value.edges.values()].filter((edge) => !wanted || wanted.has(edge.caller) || wanted.has(edge.callee));
  const nodes = [...index.value.nodes.values()].filter((node) => !wanted || wanted.has(node.id));
  return html`
    <div class="tables" tabindex="0" role="region" aria-label="Tables">
      <${SortTable} caption="Edges" rows=${edges} columns=${EDGE_COLUMNS} sort=${place.value.sort}
        onSort=${(/** @type {string} */ sort) => go({ sort })} />
      <${SortTable} caption="Nodes, by their inbound calls" rows=${nodes} columns=${NODE_COLUMNS} sort=${nodeSort.value}
        onSort=${(/** @type {string} */ sort) => (nodeSort.value = sort)} />
    </div>
  `;
}
