// A node's figures: what reaches it, what it calls, and how long that takes.
import { count, percent, plural, rate } from "../format.js";
import { severity } from "../graph/severity.js";
import { index, seconds } from "../state.js";
import { html } from "../ui.js";
import { nameOf, placeOf, typeWord } from "../words.js";
import { EdgeList } from "./edge_list.js";
import { Sides, Traffic } from "./figures.js";
import { Close, Sign } from "./parts.js";

/** @import { GraphNode } from "../types.d.ts" */

/** @param {{ node: GraphNode }} props */
const Outbound = ({ node }) => {
  if (node.outbound_calls === 0) return null;
  const share = node.outbound_errors / node.outbound_calls;
  return html`
    <p class="outbound">Calls others ${count(node.outbound_calls)} times (${rate(node.outbound_calls / seconds.value)}),
      <span class="share sev-${severity(share)}"> ${plural(node.outbound_errors, "error")} (${percent(share)})</span></p>
  `;
};

/** @param {{ node: GraphNode }} props */
export function NodePanel({ node }) {
  const inbound = index.value.inbound.get(node.id) ?? [];
  const outbound = index.value.outbound.get(node.id) ?? [];
  const place = placeOf(node);
  return html`
    <header class="panel-head">
      <p class="kind"><${Sign} type=${node.type} />${typeWord(node)}${place ? html` · <span>${place}</span>` : null}</p>
      <h2>${nameOf(node)}</h2>
      <${Close} />
    </header>
    <section>
      <h3>Inbound</h3>
      <${Traffic} of=${node} />
      ${node.calls > 0 ? html`<${Sides} client=${node.client} server=${node.server} />` : null}
    </section>
    <${EdgeList} title="Callers" edges=${inbound} end="caller" none="Nothing calls it in this window." />
    <${EdgeList} title="Callees" edges=${outbound} end="callee" none="It calls nothing in this window." />
    <${Outbound} node=${node} />
  `;
}
