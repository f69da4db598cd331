// The whole graph in figures, and where to look first.
import { clock, count, duration, percent, plural } from "../format.js";
import { DEGRADED_FROM, severity } from "../graph/severity.js";
import { index, snapshot, status } from "../state.js";
import { html } from "../ui.js";
import { nameOf } from "../words.js";
import { Traffic } from "./figures.js";
import { sentenceFor } from "./map_edge.js";
import { GoTo } from "./parts.js";

/** @import { Graph, GraphEdge } from "../types.d.ts" */

const LISTED = 5;

/** @param {string} id */
const nameFor = (id) => {
  const node = index.value.nodes.get(id);
  return node ? nameOf(node) : id;
};

/** @param {GraphEdge} edge */
const p95 = (edge) => (edge.server ?? edge.client)?.p95_ms ?? 0;

/** @param {{ title: string, edges: GraphEdge[], figure: (edge: GraphEdge) => string, tone?: (edge: GraphEdge) => string }} props */
const Ranking = ({ title, edges, figure, tone = () => "" }) => html`
  <section class="ranking">
    <h3>${title}</h3>
    <ol>
      ${edges.map(
        (edge) => html`
          <li key=${edge.id}>
            <${GoTo} id=${edge.id} label=${sentenceFor(edge)}>
              <span class="pair">${nameFor(edge.caller)}<span class="arrow"> → </span>${nameFor(edge.callee)}</span>
              <span class="value ${tone(edge)}">${figure(edge)}</span>
            <//>
          </li>
        `,
      )}
    </ol>
  </section>
`;

/** @param {{ graph: Graph }} props */
const Foot = ({ graph }) => html`
  <footer class="panel-foot">
    ${graph.pending > 0 ? html`<p>${plural(graph.pending, "call")} still without the other side.</p>` : null}
    ${graph.repairs_pending > 0
      ? html`<p>${plural(graph.repairs_pending, "span")} came late and may be judged anew within a minute or two.</p>`
      : null}
    <p title="${graph.window.start} to ${graph.window.end}">
      ${clock(graph.window.start)} to ${clock(graph.window.end)}
      ${status.value ? html` · ${count(status.value.spans_received)} spans received · Weft ${status.value.version}` : null}
    </p>
  </footer>
`;

export function Overview() {
  const graph = snapshot.value?.graph;
  if (!graph) return null;
  const edges = [...index.value.edges.values()];
  const failing = edges.filter((edge) => edge.error_rate >= DEGRADED_FROM).sort((a, b) => b.error_rate - a.error_rate);
  const slow = edges.filter((edge) => p95(edge) > 0).sort((a, b) => p95(b) - p95(a));
  const services = graph.nodes.filter((node) => node.type === "service").length;
  const share = graph.totals.calls > 0 ? graph.totals.errors / graph.totals.calls : 0;
  return html`
    <header class="panel-head">
      <p class="kind">Overview</p>
      <h2>${plural(services, "service")}, ${plural(edges.length, "edge")}</h2>
    </header>
    <section><${Traffic} of=${{ ...graph.totals, error_rate: share }} /></section>
    ${failing.length > 0
      ? html`<${Ranking} title="Most errors" edges=${failing.slice(0, LISTED)} figure=${(/** @type {GraphEdge} */ edge) => percent(edge.error_rate)}
          tone=${(/** @type {GraphEdge} */ edge) => `share sev-${severity(edge.error_rate)}`} />`
      : html`<p class="none">No edge has ${DEGRADED_FROM * 100} % errors or more.</p>`}
    <${Ranking} title="Slowest by p95" edges=${slow.slice(0, LISTED)} figure=${(/** @type {GraphEdge} */ edge) => duration(p95(edge))} />
    <${Foot} graph=${graph} />
  `;
}
