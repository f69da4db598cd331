// One box of the map: its type's sign, its name, its rate and share of errors.
import { percent, rate } from "../format.js";
import { isFar } from "../graph/camera.js";
import { GLYPHS } from "../graph/glyphs.js";
import { severity } from "../graph/severity.js";
import { shorten } from "../graph/shorten.js";
import { fresh, matches, place, scene, seconds, selection } from "../state.js";
import { html } from "../ui.js";
import { figuresOf, nameOf, nodeSentence } from "../words.js";

/** @import { GraphNode, PlacedNode } from "../types.d.ts" */

// Left edge, height and font of the name: beside the sign; far out, alone and larger.
const NEAR = { left: 36, y: -3, font: "600 15.5px system-ui, sans-serif" };
const FAR = { left: 12, y: 8, font: "600 22px system-ui, sans-serif" };
const TEXT_AIR = 10;

// The outline tells the type as well: round ends for clients, a cut for what is not instrumented (see map.css).
/** @param {GraphNode} node @param {number} height */
const cornerOf = (node, height) => (node.type === "client" || node.type === "unknown" ? height / 2 : 8);

/** @param {string} id */
function marks(id) {
  const wanted = matches.value;
  return [
    wanted !== null && !wanted.has(id) && "is-dim",
    wanted?.has(id) && "is-match",
    place.value.select === id && "is-selected",
    selection.value?.nodes.has(id) && "is-near",
    fresh.value.has(id) && "is-fresh",
  ].filter(Boolean);
}

/** @param {{ node: GraphNode }} props */
function Figures({ node }) {
  if (node.calls === 0 && node.outbound_calls === 0) return html`<tspan>no calls</tspan>`;
  const figures = figuresOf(node, seconds.value);
  const text = `${figures.outbound ? "→ " : ""}${rate(figures.rate)}`;
  return html`<tspan>${text} · </tspan><tspan class="share sev-${severity(figures.errorRate)}">${percent(figures.errorRate)}</tspan>`;
}

/** @param {{ placed: PlacedNode, isStop: boolean }} props */
export function MapNode({ placed, isStop }) {
  const { id, node, x, y } = placed;
  const { width, height } = scene.value.box;
  const left = -width / 2;
  const words = isFar.value ? FAR : NEAR;
  const level = severity(figuresOf(node, seconds.value).errorRate);
  const classes = ["node", `type-${node.type}`, `sev-${level}`, ...marks(id)].join(" ");
  const corner = cornerOf(node, height);
  return html`
    <g class=${classes} data-id=${id} transform="translate(${x} ${y})" role="button" tabindex=${isStop ? 0 : -1}
      aria-pressed=${place.value.select === id} aria-label=${nodeSentence(node, seconds.value)}>
      <title>${nameOf(node)}</title>
      <rect class="halo" x=${left - 4} y=${-height / 2 - 4} width=${width + 8} height=${height + 8} rx=${corner + 4} />
      <rect class="box" x=${left} y=${-height / 2} width=${width} height=${height} rx=${corner} />
      <path class="glyph" transform="translate(${left + 18} 0) scale(1.1)" d=${GLYPHS[node.type] ?? GLYPHS.unknown} />
      <g class="words" aria-hidden="true">
        <text class="name" x=${left + words.left} y=${words.y}>${shorten(nameOf(node), width - words.left - TEXT_AIR, words.font)}</text>
        <text class="figures" x=${left + words.left} y="15"><${Figures} node=${node} /></text>
      </g>
    </g>
  `;
}
