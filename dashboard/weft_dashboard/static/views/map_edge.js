// One edge of the map. Width tells its rate, colour its share of errors, dashes that it runs against the order.
import { duration, percent, rate } from "../format.js";
import { isInferred, severity, widthOf } from "../graph/severity.js";
import { emphasis, index, matches, place, scene, selection } from "../state.js";
import { html } from "../ui.js";
import { edgeSentence, nameOf } from "../words.js";

/** @import { GraphEdge, PlacedEdge } from "../types.d.ts" */

/** @param {string} id */
const nameFor = (id) => {
  const node = index.value.nodes.get(id);
  return node ? nameOf(node) : id;
};

/** @param {GraphEdge} edge */
export const sentenceFor = (edge) => edgeSentence(edge, nameFor(edge.caller), nameFor(edge.callee));

/** @param {GraphEdge} edge */
function marks(edge) {
  const wanted = matches.value;
  const apart = wanted !== null && !wanted.has(edge.caller) && !wanted.has(edge.callee);
  return [
    apart && "is-dim",
    place.value.select === edge.id && "is-selected",
    selection.value?.edges.has(edge.id) && "is-near",
  ].filter(Boolean);
}

/** @param {{ placed: PlacedEdge, isStop: boolean }} props */
export function MapEdge({ placed, isStop }) {
  const { id, edge, line, head, back } = placed;
  const kind = [back && "is-back", isInferred(edge) && "is-inferred"].filter(Boolean);
  const classes = ["edge", `sev-${severity(edge.error_rate)}`, ...kind, ...marks(edge)].join(" ");
  return html`
    <g class=${classes} data-id=${id} role="button" tabindex=${isStop ? 0 : -1}
      aria-pressed=${place.value.select === id} aria-label=${sentenceFor(edge)}>
      <path class="reach" d=${line} />
      <path class="line" d=${line} stroke-width=${widthOf(edge.rate)} />
      <path class="head" d=${head} />
    </g>
  `;
}

/** The figures of the edge under the pointer or the focus, clear of boxes of the same row. */
export function EdgeLabel() {
  const id = emphasis.value?.id;
  const placed = scene.value.edges.find((one) => one.id === id);
  if (!placed) return null;
  const { edge, middle } = placed;
  const latency = edge.server ?? edge.client;
  const text = `${rate(edge.rate)} · ${percent(edge.error_rate)} · p95 ${duration(latency?.p95_ms)}`;
  const width = text.length * 7.6 + 18;
  return html`
    <g class="edge-label" transform="translate(${middle.x} ${middle.y - scene.value.box.height / 2 - 20})" aria-hidden="true">
      <rect x=${-width / 2} y="-14" width=${width} height="28" rx="14" />
      <text y="5">${text}</text>
    </g>
  `;
}
