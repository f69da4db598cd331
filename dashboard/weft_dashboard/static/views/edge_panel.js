// An edge's figures, from both of its sides.
import { index } from "../state.js";
import { html } from "../ui.js";
import { nameOf } from "../words.js";
import { Known, Sides, Traffic } from "./figures.js";
import { Close, GoTo, Sign } from "./parts.js";

/** @import { GraphEdge } from "../types.d.ts" */

/** @param {{ id: string }} props */
const End = ({ id }) => {
  const node = index.value.nodes.get(id);
  return html`<${GoTo} id=${id}><${Sign} type=${node?.type ?? "unknown"} /><span>${node ? nameOf(node) : id}</span><//>`;
};

/** @param {{ edge: GraphEdge }} props */
export const EdgePanel = ({ edge }) => html`
  <header class="panel-head">
    <p class="kind">Calls</p>
    <h2 class="ends"><${End} id=${edge.caller} /><span class="arrow" aria-label="to">→</span><${End} id=${edge.callee} /></h2>
    <${Close} />
  </header>
  <section>
    <${Traffic} of=${edge} />
    <${Sides} client=${edge.client} server=${edge.server} />
  </section>
  <${Known} known=${edge.completeness} calls=${edge.calls} />
`;
