// The panel at the right: what is selected, or the whole when nothing is.
import { index, place, select } from "../state.js";
import { html } from "../ui.js";
import { EdgePanel } from "./edge_panel.js";
import { NodePanel } from "./node_panel.js";
import { Overview } from "./overview.js";

const Gone = () => html`
  <section class="gone">
    <h2>Not in this window</h2>
    <p>What was selected made and took no calls here. Choose a longer window, or clear the selection.</p>
    <button type="button" onClick=${() => select("")}>Clear the selection</button>
  </section>
`;

function content() {
  const id = place.value.select;
  const node = index.value.nodes.get(id);
  const edge = index.value.edges.get(id);
  if (node) return html`<${NodePanel} node=${node} />`;
  if (edge) return html`<${EdgePanel} edge=${edge} />`;
  return id ? html`<${Gone} />` : html`<${Overview} />`;
}

export const Panel = () => html`<aside class="panel" aria-label="Details">${content()}</aside>`;
