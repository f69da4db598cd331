// A list of edges by their far ends: the name goes to the node, the figures to the edge.
import { duration, percent, rate } from "../format.js";
import { severity } from "../graph/severity.js";
import { index } from "../state.js";
import { html } from "../ui.js";
import { nameOf } from "../words.js";
import { sentenceFor } from "./map_edge.js";
import { GoTo, Sign } from "./parts.js";

/** @import { GraphEdge } from "../types.d.ts" */

/** @param {{ edge: GraphEdge, end: "caller" | "callee" }} props */
function Row({ edge, end }) {
  const node = index.value.nodes.get(edge[end]);
  const latency = edge.server ?? edge.client;
  return html`
    <li>
      <${GoTo} id=${edge[end]} class="name"><${Sign} type=${node?.type ?? "unknown"} /><span>${node ? nameOf(node) : edge[end]}</span><//>
      <${GoTo} id=${edge.id} class="numbers" label=${sentenceFor(edge)}>
        <span>${rate(edge.rate)}</span>
        <span class="share sev-${severity(edge.error_rate)}">${percent(edge.error_rate)}</span>
        <span>${duration(latency?.p95_ms)}</span>
      <//>
    </li>
  `;
}

/** @param {{ title: string, edges: GraphEdge[], end: "caller" | "callee", none: string }} props */
export const EdgeList = ({ title, edges, end, none }) => html`
  <section class="edge-list">
    <h3>${title}<span class="number">${edges.length}</span>
      ${edges.length > 0 ? html`<span class="columns" aria-hidden="true"><span>rate</span><span>errors</span><span>p95</span></span>` : null}
    </h3>
    ${edges.length === 0
      ? html`<p class="none">${none}</p>`
      : html`<ul>${edges.map((edge) => html`<${Row} key=${edge.id} edge=${edge} end=${end} />`)}</ul>`}
  </section>
`;
